// SPDX-License-Identifier: MIT OR Apache-2.0
// Restarts, planned ones and with another config: what was told stays true, or everybody is told.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { test } from 'node:test';
import { eventually, passing } from '../support/inbox.js';
import { AWARE, positionOf, subscribeAt } from '../support/log.js';
import { fresh } from '../support/names.js';
import { joined, oyezFor } from '../support/oyez.js';
import { serverFor } from '../support/server.js';

const app = { channels: [
  { match: 'kept-*', replay: 'latest-per-event', history: { events: 200 } },
  { match: 'truth-*', truth: { event: 'STATE' } },
] };

/** Ends the server, changes its config file, and starts it again. */
async function restarted(server, change) {
  await server.end();
  fs.writeFileSync(server.config, change(fs.readFileSync(server.config, 'utf8')));
  await server.again();
}

test('planned restarts under load: all that was answered is shown once, without a gap', async (t) => {
  const server = await serverFor(t, { app, drain_seconds: 0.5 });
  const channel = fresh('kept-');
  const own = await joined(oyezFor(t, server), channel);
  const acked = [];
  let next = 0;
  let over = false;
  const isUp = () => server.api.get('/channels').then(({ status }) => status === 200, () => false);
  const writers = [1, 2, 3].map(async () => {
    while (!over) {
      const id = `id-${++next}`;
      const body = { name: 'e', channel, data: JSON.stringify(id), idempotency_key: id };
      for (;;) {
        const answer = await server.api.post('/events', body).catch(() => undefined);
        if (answer?.status === 200) break;
        assert.ok(answer === undefined || answer.status === 503, answer?.text);
        await eventually(isUp, 'the server');
      }
      acked.push(id);
    }
  });
  for (let round = 0; round < 3; round++) {
    const goal = acked.length + 40;
    await eventually(() => acked.length >= goal, 'some events');
    await server.end();
    await server.again();
  }
  over = true;
  await Promise.all(writers);
  const { json } = await server.api.get(`/channels/${channel}/history`);
  assert.equal(json.offset, acked.length);
  await eventually(() => own.position?.offset === json.offset, 'the end of the log');
  const shown = own.events.items.filter(({ name }) => name === 'e').map(({ data }) => data);
  assert.deepEqual([...shown].sort(), [...acked].sort());
  assert.deepEqual(own.events.items.filter(({ name }) => name === 'oyez:gap'), []);
});

test('forgotten events, deleted truths and ended ones stay gone after kill -9', async (t) => {
  const server = await serverFor(t, { app });
  const [kept, deleted, ended, held] = [fresh('kept-'), fresh('truth-'), fresh('truth-'), fresh('truth-')];
  const put = (channel, body) => server.api.call('PUT', `/channels/${channel}/truth`, body);
  for (const name of ['a', 'b', 'a']) await server.api.publish(kept, name, 'x');
  await server.api.post(`/channels/${kept}/forget`, { event: 'a' });
  await put(deleted, { data: 1 });
  await put(deleted, { delete: true });
  await put(ended, { data: 'short', ttl: '500ms' });
  await put(held, { data: 'long', ttl: '1h' });
  await server.kill();
  await passing(500);
  await server.again();
  const { cut, replay } = await subscribeAt(await server.connect(), kept);
  assert.deepEqual([cut.offset, replay.map(({ event, offset }) => [event, offset])], [4, [['b', 2]]]);
  const status = async (channel) => (await server.api.get(`/channels/${channel}/truth`)).status;
  assert.deepEqual([await status(deleted), await status(held)], [404, 200]);
  await eventually(async () => (await status(ended)) === 404, 'the end of a truth while the server was down', 3_000);
  assert.equal((await put(deleted, { data: 2, if_version: 0 })).json.version, 3);
});

test('a compare-and-set over kill -9: the old version is as good as before, and no better', async (t) => {
  const server = await serverFor(t, { app });
  const channel = fresh('truth-');
  const put = (body) => server.api.call('PUT', `/channels/${channel}/truth`, body);
  const { version, epoch } = (await put({ data: 1 })).json;
  await server.crash();
  assert.equal((await put({ data: 2, if_version: version, if_epoch: epoch })).status, 200);
  assert.equal((await put({ data: 3, if_version: version, if_epoch: epoch })).status, 409);
  // T-025: without its data the channel begins anew, and a number that comes again does not fool.
  await server.end();
  fs.rmSync(server.data, { recursive: true });
  await server.again();
  for (const data of ['a', 'b']) await put({ data });
  const stale = await put({ data: 'c', if_version: 2, if_epoch: epoch });
  assert.deepEqual([stale.status, stale.json.version], [409, 2]);
  assert.notEqual(stale.json.epoch, epoch);
});

test('a rule that is taken away: the aware client is told that there is no memory any more, and when there is again', async (t) => {
  const server = await serverFor(t, { app });
  const channel = fresh('kept-');
  await server.api.publish(channel, 'e', '1');
  const own = await joined(oyezFor(t, server), channel);
  await own.events.event('e');
  await restarted(server, (text) => text.replace('kept-*', 'other-*'));
  const gap = await own.events.event('oyez:gap');
  assert.equal(gap.data.reason, 'no memory');
  assert.equal(own.position, null);
  await server.api.publish(channel, 'e', '2');
  assert.equal((await own.events.event('e')).data, 2);
  assert.equal((await server.api.get(`/channels/${channel}/history`)).status, 400);
  await restarted(server, (text) => text.replace('other-*', 'kept-*'));
  await own.events.event('pusher:subscription_succeeded');
  await server.api.publish(channel, 'e', '3');
  await own.events.until((items) => items.some(({ data }) => data === 3), 'the third');
  assert.ok(own.position.offset >= 1);
  // Who had seen the first log may not go on as if the second event had never been.
  const { json } = await server.api.get(`/channels/${channel}/history`);
  assert.ok(!json.events.some(({ data }) => data === '2'));
});

test('a rule that keeps less: what is too much is let go at the start, positions before it are refused', async (t) => {
  const server = await serverFor(t, { app });
  const channel = fresh('kept-');
  for (let n = 1; n <= 50; n++) await server.api.publish(channel, 'e', String(n));
  const { cut } = await subscribeAt(await server.connect(), channel);
  await restarted(server, (text) => text.replace('events = 200', 'events = 10').replace('latest-per-event', 'all'));
  const again = await subscribeAt(await server.connect(), channel);
  assert.deepEqual([again.cut.epoch, again.cut.offset, again.replay.map(({ offset }) => offset)], [cut.epoch, 50, Array.from({ length: 10 }, (_, n) => 41 + n)]);
  for (const [offset, resumed] of [[39, false], [40, true], [50, true]]) {
    const resume = { ...positionOf(cut), offset };
    const { cut: told } = await subscribeAt(await server.connect(), channel, { oyez: AWARE, resume });
    assert.equal(told.resumed, resumed, String(offset));
  }
});

test('less memory than is kept: the server starts, and says 503 to more rather than lose what is there', async (t) => {
  const server = await serverFor(t, { app });
  const channels = Array.from({ length: 200 }, () => fresh('kept-'));
  for (const channel of channels) await server.api.publish(channel, 'e', 'x'.repeat(9_000));
  await restarted(server, (text) => text.replace('[[apps]]', '[limits]\nmemory_bytes = 1_048_576\n\n[[apps]]'));
  for (const channel of channels.slice(0, 20)) {
    const { replay } = await subscribeAt(await server.connect(), channel);
    assert.equal(replay[0]?.data.length, 9_000);
  }
  const { status, json } = await server.api.post('/events', { name: 'e', channel: fresh('kept-'), data: 'x'.repeat(9_000) });
  assert.deepEqual([status, json.code], [503, 'memory_full']);
});

test('a thousand clients resume after kill -9, each with exactly what it missed', async (t) => {
  const server = await serverFor(t, { app });
  const channel = fresh('kept-');
  for (let n = 1; n <= 50; n++) await server.api.publish(channel, 'e', String(n));
  const { cut } = await subscribeAt(await server.connect(), channel);
  await server.crash();
  const sockets = await server.connectAll(1000);
  await Promise.all(sockets.map(async (socket, n) => {
    const resume = { ...positionOf(cut), offset: n % 51 };
    const { cut: told, replay } = await subscribeAt(socket, channel, { oyez: AWARE, resume });
    assert.equal(told.resumed, true);
    assert.deepEqual(replay.map(({ offset }) => offset), Array.from({ length: 50 - (n % 51) }, (_, m) => (n % 51) + m + 1));
    socket.vanish();
  }));
});

test('what an aware client says of itself must be what it can be', async (t) => {
  const server = await serverFor(t, { app });
  const socket = await server.connect();
  const channel = fresh('kept-');
  for (const oyez of [{}, { v: 2 }, { v: '1' }, { v: 1, gen: -1 }, { v: 1, gen: 'x' }, { v: 1, delta: 'merge' }, { v: 1, delta: [1] }, { v: 1, truth: 5 }, { v: 1, truth: { version: -1 } }, 7, []]) {
    const error = await socket.refused(channel, { oyez });
    assert.equal(error.status, 400, JSON.stringify(oyez));
    assert.match(error.error, /oyez/);
  }
  await subscribeAt(socket, channel, { oyez: { v: 1, gen: 1, delta: [], truth: { version: 0 }, more: true } });
});

test('T-008 T-012 a page that saw an empty channel misses nothing over a crash, and sees no gap', async (t) => {
  const server = await serverFor(t, { app });
  const channel = fresh('kept-');
  const own = await joined(oyezFor(t, server), channel);
  const before = own.first.oyez;
  await server.crash();
  for (const n of [1, 2, 3]) await server.api.publish(channel, 'e', String(n));
  await eventually(() => own.position?.offset === 3, 'the end of the log');
  assert.equal(own.position.epoch, before.epoch);
  const told = own.events.items.filter(({ name }) => name === 'e' || name === 'oyez:gap');
  assert.deepEqual(told.map(({ data }) => data), [1, 2, 3]);
});
