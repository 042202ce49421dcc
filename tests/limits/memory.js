// SPDX-License-Identifier: MIT OR Apache-2.0
// One case per limit of what is remembered: its key, a small value, and what happens beyond it.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { eventually } from '../support/inbox.js';
import { AWARE, subscribeAt } from '../support/log.js';
import { fresh } from '../support/names.js';
import { run } from '../support/server.js';
import { Source } from '../support/source.js';

const rules = (...channels) => () => ({ channels });
const all = { match: 'all-*', replay: 'all', history: { events: 200 } };
const game = { match: 'game-*', truth: { event: 'STATE' } };

/** The call was refused with that status, by an error that names the limit. */
function refused(answer, status, key) {
  assert.equal(answer.status, status, answer.text);
  assert.ok(answer.json.error.includes(`limits.${key}`), answer.text);
}

export const MEMORY_LIMITS = {
  memory_bytes: { value: 1024 * 1024, app: rules({ match: 'keep-*', replay: 'latest', history: { events: 1000 } }), async check(server, key) {
    const post = (channel) => server.api.post('/events', { name: 'e', channel, data: 'x'.repeat(10_000) });
    const channel = fresh('keep-');
    let kept = 0;
    let refusal;
    while (!refusal && kept < 400) {
      const answer = await post(fresh('keep-'));
      if (answer.status === 200) kept += 1;
      else refusal = answer;
    }
    assert.ok(kept > 20 && kept < 150, `${kept} events of 10 KB`);
    refused(refusal, 503, key);
    assert.equal((await post(fresh())).status, 200, 'channels without memory go on');
    const { cut } = await subscribeAt(await server.connect(), channel);
    assert.equal(cut.offset, 0);
    // Each worker has its share: a call that would find room at one and none at another does nothing.
    const metrics = async () => (await fetch(`http://127.0.0.1:${server.port}/metrics`)).text();
    const held = async () => Math.max(...[...(await metrics()).matchAll(/^oyez_memory_bytes\{.*\} (\d+)/gm)].map(([, n]) => Number(n)));
    await eventually(async () => (await held()) > 500_000, 'a tick');
    for (let n = 0; n < 20; n++) {
      const pair = [fresh('keep-'), fresh('keep-')];
      refused(await server.api.post('/events', { name: 'e', channels: pair, data: 'x', idempotency_key: `pair-${n}` }), 503, key);
      for (const name of pair) assert.equal((await server.api.get(`/channels/${name}/history`)).json.offset, 0);
    }
  } },

  history_bytes: { value: 2048, app: rules(all), async check(server) {
    const channel = fresh('all-');
    for (let n = 1; n <= 10; n++) await server.api.publish(channel, 'e', `${n}`.padEnd(500, '.'));
    const { cut, replay } = await subscribeAt(await server.connect(), channel);
    assert.ok(replay.length >= 1 && replay.length <= 4, `${replay.length} events of 500 bytes`);
    assert.equal(replay.at(-1).offset, 10);
    const again = await subscribeAt(await server.connect(), channel, { oyez: AWARE, resume: { ...cut, offset: 1 } });
    assert.equal(again.cut.reason, 'trimmed');
  } },

  history_events: { value: 10, app: rules({ match: '*', history: { events: 10 } }), async check(server, key) {
    const config = `${server.folder}/more.toml`;
    fs.writeFileSync(config, fs.readFileSync(server.config, 'utf8').replace('\nevents = 10', '\nevents = 11'));
    const { code, log } = await run(['check-config', '--config', config]).exited;
    assert.notEqual(code, 0, log);
    assert.ok(log.includes(`limits.${key}`) && log.includes('10'), log);
  } },

  retained_events: { value: 2, app: rules({ match: 'per-*', replay: 'latest-per-event' }), async check(server) {
    const channel = fresh('per-');
    for (const name of ['a', 'b', 'a', 'c']) await server.api.publish(channel, name, 'x');
    const { replay } = await subscribeAt(await server.connect(), channel);
    assert.deepEqual(replay.map(({ event, offset }) => [event, offset]), [['a', 3], ['c', 4]]);
  } },

  replay_bytes: { value: 1024, app: rules(all), async check(server) {
    const channel = fresh('all-');
    for (let n = 1; n <= 100; n++) await server.api.publish(channel, 'e', `${n}`.padEnd(300, '.'));
    const socket = await server.connect();
    await socket.send(socket.subscription(channel));
    const { oyez } = await socket.subscribed(channel);
    assert.equal(oyez.replay, 100);
    await server.api.publish(channel, 'e', 'live');
    await socket.messages.until((items) => items.some(({ data }) => data === 'live'), 'the live one');
    const seen = socket.messages.drain().filter(({ event }) => event === 'e').map(({ offset, replayed }) => [offset, replayed]);
    assert.deepEqual(seen, Array.from({ length: 101 }, (_, n) => [n + 1, n < 100 ? true : undefined]));
  } },

  history_page: { value: 3, app: rules(all), async check(server, key) {
    const channel = fresh('all-');
    for (let n = 1; n <= 5; n++) await server.api.publish(channel, 'e', 'x');
    const page = (query) => server.api.get(`/channels/${channel}/history`, query);
    assert.deepEqual((await page({ since: 0 })).json.events.map(({ offset }) => offset), [1, 2, 3]);
    assert.equal((await page({ limit: 3 })).status, 200);
    refused(await page({ limit: 4 }), 400, key);
  } },

  truth_bytes: { value: 100, prepare: () => Source.start(),
    app: (source) => ({ channels: [{ match: 'asked-*', truth: { url: source.url, event: 'STATE', wait: '50ms', settle: '0s' } }, game] }),
    async check(server, key, source) {
      const path = `/channels/${fresh('game-')}/truth`;
      const put = (body) => server.api.call('PUT', path, body);
      assert.equal((await put({ data: 'x'.repeat(98) })).status, 200);
      refused(await put({ data: 'x'.repeat(99) }), 413, key);
      refused(await put({ merge: { a: 'x'.repeat(99) } }), 413, key);
      await put({ data: { a: 'x'.repeat(80) } });
      refused(await put({ merge: { b: 'x'.repeat(80) } }), 413, key);
      const channel = fresh('asked-');
      source.truths.set(channel, 'x'.repeat(99));
      const socket = await server.connect();
      assert.equal((await subscribeAt(socket, channel)).cut.replay, 0);
      source.truths.set(channel, 'x'.repeat(98));
      assert.equal((await socket.event('STATE', channel)).data.length, 100);
    } },

  patch_operations: { value: 2, app: rules(game), async check(server, key) {
    const path = `/channels/${fresh('game-')}/truth`;
    const add = (count) => Array.from({ length: count }, () => ({ op: 'add', path: '/-', value: 1 }));
    await server.api.call('PUT', path, { data: [] });
    assert.equal((await server.api.call('PUT', path, { patch: add(2) })).status, 200);
    refused(await server.api.call('PUT', path, { patch: add(3) }), 400, key);
  } },

  idempotency_key: { value: 5, async check(server, key) {
    const post = (idempotency_key) => server.api.post('/events', { name: 'e', channel: 'c', data: 'x', idempotency_key });
    assert.equal((await post('12345')).status, 200);
    refused(await post('123456'), 400, key);
  } },

  idempotency_keys: { value: 10, app: rules(all), async check(server, key) {
    const post = (idempotency_key, channel) => server.api.post('/events', { name: 'e', channel, data: 'x', idempotency_key });
    let taken = 0;
    let refusal;
    while (!refusal && taken < 100) {
      const answer = await post(`key-${taken}`, fresh('all-'));
      if (answer.status === 200) taken += 1;
      else refusal = answer;
    }
    // Each worker has its share.
    assert.ok(taken >= 4 && taken <= 12, `${taken} keys`);
    refused(refusal, 503, key);
    assert.equal((await server.api.post('/events', { name: 'e', channel: fresh('all-'), data: 'x' })).status, 200);
  } },

  journal_backlog_bytes: { value: 64 * 1024, app: rules(all), async check(server) {
    const channel = fresh('all-');
    const before = server.memory();
    const answers = await Promise.all(Array.from({ length: 300 }, (_, n) =>
      server.api.post('/events', { name: 'e', channel, data: `${n}`.padEnd(9_000, '.') })));
    assert.deepEqual([...new Set(answers.map(({ status }) => status))], [200], 'they wait, and are done');
    const { json } = await server.api.get(`/channels/${channel}/history`);
    assert.equal(json.offset, 300);
    assert.ok(server.memory() - before < 60_000, `the server grew by ${server.memory() - before} KB`);
  } },

  // One source alone may have half of the calls: others would have to wait for it.
  resolver_calls: { value: 4, prepare: () => Source.start(),
    app: (source) => ({ channels: [{ match: 'asked-*', truth: { url: source.url, event: 'STATE', wait: '0s', settle: '0s' } }] }),
    async check(server, _, source) {
      let running = 0;
      let most = 0;
      const waiting = [];
      source.answer = async () => {
        most = Math.max(most, ++running);
        await new Promise((resolve) => waiting.push(resolve));
        running -= 1;
        return { body: '1' };
      };
      const socket = await server.connect();
      const channels = Array.from({ length: 6 }, () => fresh('asked-'));
      for (const channel of channels) await subscribeAt(socket, channel);
      for (let left = 6; left > 0; left -= 2) {
        await eventually(() => waiting.length === 2, 'two calls');
        waiting.splice(0).forEach((go) => go());
      }
      for (const channel of channels) await socket.event('STATE', channel);
      assert.equal(most, 2);
    } },
};
