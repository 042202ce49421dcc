// SPDX-License-Identifier: MIT OR Apache-2.0
// Idempotency keys: the same call said twice is done once, also through a crash (T-023).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RawConnection } from '../support/http.js';
import { eventually, passing } from '../support/inbox.js';
import { subscribeAt } from '../support/log.js';
import { fresh, random, seed } from '../support/names.js';
import { serverFor, useServer } from '../support/server.js';
import { signedPath } from '../support/sign.js';

const app = { channels: [
  { match: 'kept-*', replay: 'all', history: { events: 1000 } },
  { match: 'truth-*', truth: { event: 'STATE' } },
  { match: 'passing-*', replay: 'all', durable: false },
] };
const server = await useServer({ app });
let keys = 0;
const freshKey = () => `key-${process.pid}-${++keys}`;

test('T-023 50 parallel identical triggers are one event with one offset and equal answers', async () => {
  for (const prefix of ['kept-', 'passing-', '']) {
    const channel = fresh(prefix);
    const socket = await server.connect();
    await subscribeAt(socket, channel);
    const body = { name: 'e', channel, data: 'x', info: 'position', idempotency_key: freshKey() };
    const answers = await Promise.all(Array.from({ length: 50 }, () => server.api.post('/events', body)));
    assert.deepEqual([...new Set(answers.map(({ status }) => status))], [200]);
    assert.deepEqual([...new Set(answers.map(({ text }) => text))], [answers[0].text]);
    if (prefix) assert.equal(answers[0].json.channels[channel].position.offset, 1);
    const seen = await socket.fence(channel);
    assert.deepEqual(seen.map(({ event }) => event), ['e'], prefix);
  }
});

test('T-023 the same key with another body is 409, and does nothing', async () => {
  const [channel, key] = [fresh('kept-'), freshKey()];
  const post = (data) => server.api.post('/events', { name: 'e', channel, data, idempotency_key: key });
  assert.equal((await post('one')).status, 200);
  const other = await post('two');
  assert.deepEqual([other.status, other.json.code], [409, 'idempotency_conflict']);
  assert.equal((await post('one')).status, 200);
  const { json } = await server.api.get(`/channels/${channel}/history`);
  assert.deepEqual(json.events.map(({ data }) => data), ['one']);
  // Also while the first is still on its way.
  const key2 = freshKey();
  const both = await Promise.all(['a', 'b'].map((data) =>
    server.api.post('/events', { name: 'e', channel, data, idempotency_key: key2 })));
  assert.deepEqual(both.map(({ status }) => status).sort(), [200, 409]);
});

test('T-023 an answer that refuses is kept, too; one that says "try again" is not', async () => {
  const [channel, key] = [fresh('truth-'), freshKey()];
  const put = (body) => server.api.call('PUT', `/channels/${channel}/truth`, { ...body, idempotency_key: key });
  const refused = await put({ data: 1, if_version: 7 });
  assert.equal(refused.status, 409);
  await server.api.call('PUT', `/channels/${channel}/truth`, { data: 2 });
  const again = await put({ data: 1, if_version: 7 });
  assert.deepEqual([again.status, again.text], [409, refused.text], 'the first answer again');
});

test('a call to several channels, and a batch, are done once as a whole', async () => {
  const names = [fresh('kept-'), fresh('kept-'), fresh('truth-'), fresh()];
  const key = freshKey();
  const body = { name: 'STATE', channels: names, data: '{"a":1}', info: 'position', idempotency_key: key };
  const answers = await Promise.all(Array.from({ length: 20 }, () => server.api.post('/events', body)));
  assert.equal(new Set(answers.map(({ text }) => text)).size, 1);
  for (const name of names.slice(0, 2)) assert.equal(answers[0].json.channels[name].position.offset, 1);
  const batch = { batch: [1, 2, 3].map((n) => ({ channel: names[0], name: 'b', data: String(n) })), idempotency_key: freshKey() };
  const twice = [await server.api.post('/batch_events', batch), await server.api.post('/batch_events', batch)];
  assert.deepEqual(twice.map(({ status }) => status), [200, 200], twice[0].text);
  const { json } = await server.api.get(`/channels/${names[0]}/history`);
  assert.deepEqual(json.events.map(({ data }) => data), ['{"a":1}', '1', '2', '3']);
});

test('T-023 killed at random points under 50 parallel identical triggers, all retried: one event, one answer', async (t) => {
  const { below } = random(seed(t));
  const one = await serverFor(t, { app });
  const isUp = () => one.api.get('/channels').then(({ status }) => status === 200, () => false);
  for (let round = 0; round < 8; round++) {
    const channels = [fresh('kept-'), fresh('kept-'), fresh('kept-')];
    const body = { name: 'e', channels, data: `round ${round}`, info: 'position', idempotency_key: freshKey() };
    const answered = [];
    const callers = Array.from({ length: 50 }, async () => {
      for (;;) {
        const answer = await one.api.post('/events', body).catch(() => undefined);
        if (answer?.status === 200) {
          answered.push(answer.text);
          return;
        }
        await eventually(isUp, 'the server');
      }
    });
    await passing(below(12));
    await one.crash();
    await Promise.all(callers);
    assert.equal(new Set(answered).size, 1, `round ${round}: ${[...new Set(answered)].join(' or ')}`);
    for (const channel of channels) {
      const { json } = await one.api.get(`/channels/${channel}/history`);
      assert.deepEqual(json.events.map(({ offset, data }) => [offset, data]), [[1, `round ${round}`]]);
    }
  }
});

test('T-023 whoever hangs up before the answer and says it again has it done once', async () => {
  for (let round = 0; round < 30; round++) {
    const channels = [fresh('kept-'), fresh('truth-')];
    const body = JSON.stringify({ name: 'STATE', channels, data: `{"round":${round}}`, info: 'position', idempotency_key: freshKey() });
    const path = signedPath(server.app, 'POST', `/apps/${server.app.id}/events`, { body });
    const hasty = await RawConnection.open(server.port);
    await hasty.write(`POST ${path} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`);
    if (round % 3) hasty.socket.resetAndDestroy();
    else hasty.socket.end();
    const { status, json } = await server.api.post('/events', body);
    assert.equal(status, 200);
    for (const channel of channels) assert.equal(json.channels[channel].position.offset, 1);
    const again = await server.api.post('/events', body);
    assert.deepEqual(again.json, json);
    hasty.destroy();
  }
});

test('a key is a short text in its place', async () => {
  const channel = fresh('kept-');
  for (const key of ['', 7, null, [], {}, 'x'.repeat(129)]) {
    const { status, json } = await server.api.post('/events', { name: 'e', channel, data: 'x', idempotency_key: key });
    if (key === null) assert.equal(status, 200);
    else assert.equal(status, 400, JSON.stringify(key));
    if (typeof key === 'string') assert.equal(json.code, 'bad_idempotency_key');
  }
  const within = await server.api.post('/batch_events', { batch: [{ name: 'e', channel, data: 'x', idempotency_key: freshKey() }] });
  assert.equal(within.status, 400, within.text);
});
