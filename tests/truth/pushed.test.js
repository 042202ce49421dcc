// SPDX-License-Identifier: MIT OR Apache-2.0
// Truth that a backend pushes: calls, conditions, commands by plain trigger, and what pages see.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { Agent } from 'node:http';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { fileURLToPath } from 'node:url';
import { eventually, passing } from '../support/inbox.js';
import { AWARE, positionOf, subscribeAt } from '../support/log.js';
import { fresh } from '../support/names.js';
import { clientFor, subscribed } from '../support/official.js';
import { joined, oyezFor } from '../support/oyez.js';
import { PYTHON, useServer } from '../support/server.js';

const server = await useServer({ ping_after: 0.3, pong_timeout: 10, app: { channels: [
  { match: 'game-*', truth: { event: 'STATE' } },
  { match: 'private-game-*', truth: { event: 'STATE' } },
  { match: 'list-*', truth: { event: 'PLAYER_JOIN', from: 'trigger' } },
  { match: 'mixed-*', replay: 'latest-per-event', truth: { event: 'STATE' } },
  { match: 'kept-*', replay: 'latest' },
] } });
const truthOf = (channel, query) => server.api.get(`/channels/${channel}/truth`, query);
const put = (channel, body, method = 'PUT') => server.api.call(method, `/channels/${channel}/truth`, body);

test('set, read, change, delete: answers field by field', async () => {
  for (const method of ['PUT', 'POST']) {
    const channel = fresh('game-');
    assert.deepEqual([(await truthOf(channel)).status, (await truthOf(channel)).json.code], [404, 'no_truth']);
    const first = await put(channel, { event: 'STATE', data: { players: ['anna'], n: 1 } }, method);
    assert.equal(first.status, 200, first.text);
    assert.deepEqual(Object.keys(first.json), ['epoch', 'version', 'changed']);
    const { epoch } = first.json;
    assert.deepEqual(first.json, { epoch, version: 1, changed: true });
    assert.deepEqual((await put(channel, { data: { n: 1, players: ['anna'] } }, method)).json, { epoch, version: 1, changed: false });
    assert.deepEqual((await put(channel, { merge: { n: null, players: ['anna', 'bob'] } }, method)).json, { epoch, version: 2, changed: true });
    const patch = [{ op: 'test', path: '/players/0', value: 'anna' }, { op: 'add', path: '/players/-', value: 'carl' }];
    assert.deepEqual((await put(channel, { patch }, method)).json, { epoch, version: 3, changed: true });
    const read = await truthOf(channel);
    assert.deepEqual(Object.keys(read.json), ['epoch', 'version', 'event', 'data', 'time', 'stale']);
    assert.deepEqual({ ...read.json, time: 0 }, {
      epoch, version: 3, event: 'STATE', data: { players: ['anna', 'bob', 'carl'] }, time: 0, stale: false,
    });
    assert.ok(Math.abs(read.json.time - Date.now()) < 60_000);
    assert.equal(read.headers.etag, `"${epoch}-3"`);
    const known = await server.api.get(`/channels/${channel}/truth`, {}, { headers: { 'if-none-match': read.headers.etag } });
    assert.deepEqual([known.status, known.text, known.headers.etag], [304, '', read.headers.etag]);
    assert.deepEqual((await put(channel, { delete: true }, method)).json, { epoch, version: 0, changed: true }); // none: what if_version 0 asks for
    assert.equal((await truthOf(channel)).status, 404);
    const again = await put(channel, { delete: true }, method);
    assert.equal(again.json.changed, false);
    assert.deepEqual((await put(channel, { data: 5 }, method)).json, { epoch, version: 5, changed: true });
  }
});

test('subscribers get it as an ordinary event: at the subscription and at each change', async () => {
  const channel = fresh('game-');
  await put(channel, { data: { n: 1 } });
  const [plain, aware] = await server.connectAll(2);
  const first = await subscribeAt(plain, channel);
  assert.deepEqual(JSON.parse(first.replay[0].raw), {
    event: 'STATE', channel, data: '{"n":1}', offset: 1, replayed: true, truth: true,
  });
  assert.equal(first.cut.version, undefined);
  const second = await subscribeAt(aware, channel, { oyez: AWARE });
  assert.equal(second.cut.version, 1);
  await put(channel, { data: { n: 2 } });
  await put(channel, { data: { n: 2 } });
  await put(channel, { event: 'OTHER', data: { n: 3 } });
  await put(channel, { delete: true });
  await put(channel, { data: [] });
  for (const socket of [plain, aware]) {
    const seen = (await socket.fence(channel)).map(({ event, data, offset, truth }) => [event, data, offset, truth]);
    const known = [['STATE', '{"n":2}', 2, true], ['OTHER', '{"n":3}', 3, true], ['STATE', '[]', 5, true]];
    if (socket === aware) known.splice(2, 0, ['oyez:forget', '{"offset":4}', undefined, undefined]);
    assert.deepEqual(seen.filter(([event]) => event !== 'oyez:mark'), known);
  }
});

test('the official client needs nothing new: state at subscription, then each change', async (t) => {
  const channel = fresh('game-');
  const library = server.library();
  const answer = await library.post({ path: `/channels/${channel}/truth`, body: { event: 'STATE', data: { players: ['anna'] } } });
  assert.equal(answer.status, 200);
  const own = await subscribed(clientFor(t, server), channel);
  assert.deepEqual((await own.events.event('STATE')).data, { players: ['anna'] });
  await library.post({ path: `/channels/${channel}/truth`, body: { merge: { players: ['anna', 'bob'] } } });
  assert.deepEqual((await own.events.event('STATE')).data, { players: ['anna', 'bob'] });
  const read = await library.get({ path: `/channels/${channel}/truth` });
  assert.deepEqual((await read.json()).data, { players: ['anna', 'bob'] });
});

test('oyez.js holds it: truth, onTruth, late components, deletion', async (t) => {
  const channel = fresh('game-');
  const own = await joined(oyezFor(t, server), channel);
  const heard = [];
  const stop = own.onTruth((value) => heard.push(value));
  assert.deepEqual([own.truth, heard], [undefined, []]);
  await put(channel, { data: { n: 1 } });
  await eventually(() => heard.length === 1, 'the first');
  await put(channel, { data: { n: 2 } });
  await eventually(() => heard.length === 2, 'the second');
  const late = [];
  own.onTruth((value) => late.push(value));
  assert.deepEqual(late, [{ n: 2 }]);
  stop();
  await put(channel, { delete: true });
  await eventually(() => late.length === 2, 'the deletion');
  assert.deepEqual([late[1], own.truth, heard], [undefined, undefined, [{ n: 1 }, { n: 2 }]]);
});

test('commands by plain trigger of the official Node library', async () => {
  const channel = fresh('game-');
  const library = server.library();
  const socket = await server.connect();
  await subscribeAt(socket, channel, { oyez: AWARE });
  const command = (name, body) => library.trigger(channel, `oyez:${name}`, body);
  await command('set', { data: { a: 1, list: [] } });
  await command('merge', { merge: { b: 2 } });
  await command('patch', { patch: [{ op: 'add', path: '/list/0', value: 'x' }] });
  assert.deepEqual((await truthOf(channel)).json.data, { a: 1, b: 2, list: ['x'] });
  await assert.rejects(command('set', { data: 1, if_version: 7 }), { status: 409 });
  await assert.rejects(command('patch', { patch: [{ op: 'test', path: '/a', value: 2 }] }), { status: 422 });
  await assert.rejects(command('set', {}), { status: 400 });
  await assert.rejects(command('set', 'not json'), { status: 400 });
  await assert.rejects(command('sett', { data: 1 }), { status: 400 });
  await assert.rejects(command('changed', {}), { status: 400 });
  await command('delete', {});
  assert.equal((await truthOf(channel)).status, 404);
  const seen = (await socket.fence(channel)).map(({ event }) => event).filter((event) => event !== 'oyez:mark');
  assert.deepEqual(seen, ['STATE', 'STATE', 'STATE', 'oyez:forget'], 'none is broadcast under its own name');
  const plain = fresh();
  await assert.rejects(library.trigger(plain, 'oyez:set', { data: 1 }), { status: 400 });
  const kept = fresh('kept-');
  await library.trigger(kept, 'e', 'x');
  await library.trigger(kept, 'oyez:forget', { event: 'e' });
  const { replay } = await subscribeAt(await server.connect(), kept);
  assert.deepEqual(replay, []);
});

test('commands by plain trigger of the official Python library', async () => {
  const channel = fresh('game-');
  const script = fileURLToPath(new URL('commands.py', import.meta.url));
  const { stdout } = await promisify(execFile)(PYTHON, [script, String(server.port), channel]);
  assert.match(stdout, /^done/m);
  assert.deepEqual((await truthOf(channel)).json.data, { players: ['anna', 'bob'], open: true });
});

test('from = "trigger": a plain trigger of the rule’s event is a set; what is not JSON is 400', async () => {
  const channel = fresh('list-');
  const library = server.library();
  await library.trigger(channel, 'PLAYER_JOIN', ['anna']);
  const socket = await server.connect();
  const { replay } = await subscribeAt(socket, channel);
  assert.deepEqual([replay[0].event, replay[0].data, replay[0].truth], ['PLAYER_JOIN', '["anna"]', true]);
  await library.trigger(channel, 'PLAYER_JOIN', ['anna']);
  await library.trigger(channel, 'other', 'x');
  await library.trigger(channel, 'PLAYER_JOIN', ['anna', 'bob']);
  assert.deepEqual((await socket.fence(channel)).map(({ event, data, offset }) => [event, data, offset]), [
    ['other', 'x', 2], ['PLAYER_JOIN', '["anna","bob"]', 3],
  ]);
  for (const data of ['not json', '', '{"a":', 'NaN', '[1,]']) {
    const { status, json } = await server.api.post('/events', { name: 'PLAYER_JOIN', channel, data });
    assert.deepEqual([status, json.code], [400, 'not_json'], data);
  }
  assert.deepEqual((await truthOf(channel)).json.data, ['anna', 'bob']);
});

test('if_version and if_epoch: 409 with what is there', async () => {
  const channel = fresh('game-');
  const none = await put(channel, { data: 1, if_version: 3 });
  assert.deepEqual([none.status, none.json.code, none.json.version], [409, 'version_mismatch', 0]);
  const { epoch } = (await put(channel, { data: { n: 1 }, if_version: 0 })).json;
  const late = await put(channel, { data: { n: 9 }, if_version: 0 });
  assert.equal(late.status, 409);
  const { code, version, data } = late.json;
  assert.deepEqual({ code, epoch: late.json.epoch, version, data }, { code: 'version_mismatch', epoch, version: 1, data: { n: 1 } });
  assert.equal((await put(channel, { data: { n: 2 }, if_version: 1, if_epoch: 'AAAAAAAA' })).status, 409);
  assert.equal((await put(channel, { data: { n: 2 }, if_epoch: 'other' })).status, 409);
  assert.equal((await put(channel, { data: { n: 2 }, if_version: 1, if_epoch: epoch })).status, 200);
  // An unrelated event does not move the version.
  await server.api.publish(channel, 'other', 'x');
  assert.equal((await put(channel, { merge: { n: 3 }, if_version: 2 })).status, 200);
});

test('an event’s condition: about the truth, or the newest event where there is none; without memory 400', async () => {
  const post = (channel, more) => server.api.post('/events', { name: 'e', channel, data: '1', ...more });
  const remembered = fresh('kept-');
  assert.equal((await post(remembered, { if_version: 0 })).status, 200);
  const late = await post(remembered, { if_version: 0 });
  assert.deepEqual([late.status, late.json.code, late.json.version], [409, 'version_mismatch', 1]);
  assert.match(late.json.error, /newest entry is 1 of epoch/);
  assert.equal((await post(remembered, { if_version: 1 })).status, 200);
  for (const condition of [{ if_version: 0 }, { if_epoch: 'AAAAAAAA' }]) {
    const none = await post(fresh('plain-'), condition);
    assert.deepEqual([none.status, none.json.code], [400, 'no_memory']);
  }
});

test('T-024 20 writers increment a counter by compare-and-set: none is lost, all see one sequence', async (t) => {
  const channel = fresh('game-');
  const WRITERS = 20, EACH = 100;
  await put(channel, { data: 0 });
  const plains = await server.connectAll(3);
  for (const socket of plains) await subscribeAt(socket, channel);
  const own = await joined(oyezFor(t, server), channel);
  let conflicts = 0;
  const agent = new Agent({ keepAlive: true });
  const write = (body) => server.api.call('PUT', `/channels/${channel}/truth`, body, { agent });
  await Promise.all(Array.from({ length: WRITERS }, async () => {
    let { json } = await truthOf(channel);
    for (let done = 0; done < EACH;) {
      const answer = await write({ data: json.data + 1, if_version: json.version, if_epoch: json.epoch });
      if (answer.status === 200) {
        done += 1;
        json = { ...answer.json, data: json.data + 1 };
      } else {
        assert.equal(answer.status, 409, answer.text);
        conflicts += 1;
        json = answer.json;
      }
    }
  }));
  agent.destroy();
  assert.ok(conflicts > 50, `${conflicts} conflicts`);
  const final = (await truthOf(channel)).json;
  assert.deepEqual([final.data, final.version], [WRITERS * EACH, WRITERS * EACH + 1]);
  await eventually(() => own.truth === final.data, 'the last');
  const sequences = [];
  for (const socket of plains) {
    const frames = (await socket.fence(channel)).filter(({ truth }) => truth);
    sequences.push(frames.map(({ offset, data }) => `${offset}:${data}`).join());
    assert.equal(frames.length, WRITERS * EACH);
  }
  assert.equal(new Set(sequences).size, 1);
  const shown = own.events.items.filter(({ name }) => name === 'STATE').map(({ data }) => data);
  assert.deepEqual(shown, Array.from({ length: shown.length }, (_, n) => final.data - shown.length + 1 + n));
});

test('T-025 after a deletion the old version is refused, and numbers are not used again', async () => {
  const channel = fresh('game-');
  const { version, epoch } = (await put(channel, { data: 'a' })).json;
  await put(channel, { delete: true });
  assert.equal((await put(channel, { data: 'b', if_version: version, if_epoch: epoch })).status, 409);
  await put(channel, { data: 'c', if_version: 0 });
  const late = await put(channel, { data: 'd', if_version: version, if_epoch: epoch });
  assert.deepEqual([late.status, late.json.version, late.json.data], [409, 3, 'c']);
});

test('wait_version: the answer comes with that version, or with what there is', async () => {
  const channel = fresh('game-');
  await put(channel, { data: 1 });
  const early = await truthOf(channel, { wait_version: 1 });
  assert.equal(early.json.version, 1);
  let answered = false;
  const waiting = truthOf(channel, { wait_version: 3 }).finally(() => (answered = true));
  await put(channel, { data: 2 });
  await passing(50);
  assert.equal(answered, false);
  await put(channel, { data: 3 });
  assert.deepEqual([(await waiting).json.version, (await waiting).json.data], [3, 3]);
  const unborn = fresh('game-');
  const first = truthOf(unborn, { wait_version: 1 });
  await put(unborn, { data: 'born' });
  assert.equal((await first).json.data, 'born');
  for (const wait_version of ['x', '-1', '1.5', String(2 ** 53)]) {
    assert.equal((await truthOf(channel, { wait_version })).status, 400, wait_version);
  }
});

test('ttl: the truth ends by itself, and aware clients hear of it', async (t) => {
  const channel = fresh('game-');
  const socket = await server.connect();
  await subscribeAt(socket, channel, { oyez: AWARE });
  const own = await joined(oyezFor(t, server), channel);
  const heard = [];
  own.onTruth((value) => heard.push(value));
  const start = performance.now();
  await put(channel, { data: 'short', ttl: 1 });
  assert.equal((await truthOf(channel)).json.data, 'short');
  const forget = await socket.event('oyez:forget', channel);
  const took = performance.now() - start;
  assert.ok(took > 900 && took < 4_000, `${took} ms`);
  assert.deepEqual(JSON.parse(forget.data), { offset: 2 });
  assert.equal((await truthOf(channel)).status, 404);
  await eventually(() => heard.length === 2, 'both');
  assert.deepEqual(heard, ['short', undefined]);
  await put(channel, { data: 'a', ttl: '300ms' });
  await put(channel, { data: 'b' }); // a change without a time to live holds
  await socket.event('STATE', channel);
  await passing(500);
  assert.equal((await truthOf(channel)).json.data, 'b');
  for (const ttl of [0, -1, 'x', null, true, 1e12, '5 weeks']) {
    const answer = await put(channel, { data: 'c', ttl });
    if (ttl === null) continue;
    assert.equal(answer.status, 400, JSON.stringify(ttl));
  }
});

test('bad input: each a clear error that names its field, and nothing changes', async () => {
  const channel = fresh('game-');
  await put(channel, { data: { a: [1], s: 'x' } });
  const deep = '['.repeat(2000) + ']'.repeat(2000);
  for (const [body, status, words] of [
    ['x', 400, /JSON/], ['[]', 400, /object/], [{}, 400, /data/], [{ data: 1, merge: {} }, 400, /merge/],
    [{ merge: 5 }, 400, /merge/], [{ merge: [] }, 400, /merge/], [{ patch: {} }, 400, /patch/], [{ delete: false }, 400, /delete/],
    [{ data: 1, event: '' }, 400, /event/], [{ data: 1, event: 'pusher:x' }, 400, /event/], [{ data: 1, event: 'oyez:x' }, 400, /event/],
    [{ data: 1, event: 7 }, 400, /event/], [{ data: 1, event: 'x'.repeat(300) }, 400, /event_name/],
    [{ data: 1, if_version: -1 }, 400, /if_version/], [{ data: 1, if_version: 'x' }, 400, /if_version/],
    [{ data: 1, if_version: 2 ** 53 }, 400, /if_version/], [{ data: 1, if_version: 1.5 }, 400, /if_version/],
    [{ data: 1, if_epoch: 7 }, 400, /if_epoch/],
    [{ patch: [{ op: 'test', path: '/a/0', value: 2 }] }, 422, /patch/],
    [{ patch: [{ op: 'remove', path: '/none' }] }, 422, /patch/],
    [{ patch: [{ op: 'add', path: '/a/7', value: 1 }] }, 422, /patch/],
    [{ patch: [{ op: 'add', path: 'a', value: 1 }] }, 422, /patch/],
    [{ patch: [{ op: 'fly', path: '/a' }] }, 422, /patch/],
    [{ patch: [{ op: 'add', path: '/a' }] }, 422, /patch/],
    [{ patch: [7] }, 422, /patch/],
    [{ patch: [{ op: 'remove', path: '/a' }, { op: 'test', path: '/a', value: 1 }] }, 422, /patch/],
    [`{"data":${deep}}`, 400, /deep|nest|recursion/i],
    [{ data: 'x'.repeat(300_000) }, 413, /truth_bytes/],
    [{ merge: { big: 'x'.repeat(300_000) } }, 413, /truth_bytes/],
    [{ data: 1, idempotency_key: '' }, 400, /idempotency_key/],
  ]) {
    const answer = await put(channel, body);
    const what = JSON.stringify(body).slice(0, 100);
    assert.equal(answer.status, status, `${what}: ${answer.text}`);
    assert.match(answer.json.error, words, what);
  }
  // Each fits alone, together they do not.
  await put(channel, { data: { big: 'x'.repeat(200_000) } });
  const over = await put(channel, { merge: { more: 'x'.repeat(200_000) } });
  assert.deepEqual([over.status, over.json.code], [413, 'truth_too_large']);
  assert.equal((await truthOf(channel)).json.version, 2);
  for (const [method, status] of [['DELETE', 405], ['PATCH', 405]]) {
    assert.equal((await server.api.call(method, `/channels/${channel}/truth`, '{}')).status, status);
  }
  const none = await put(fresh(), { data: 1 });
  assert.deepEqual([none.status, none.json.code], [400, 'no_memory']);
  const unnamed = await put(fresh('kept-'), { data: 1 });
  assert.deepEqual([unnamed.status, unnamed.json.code], [400, 'missing_field']);
  assert.equal((await put(fresh('kept-'), { data: 1, event: 'S' })).status, 200);
  const changed = await server.api.post(`/channels/${channel}/changed`, '');
  assert.deepEqual([changed.status, changed.json.code], [400, 'no_resolver']);
});

test('a command to several channels is done to all of them or to none', async () => {
  const [one, two, nameless, plain] = [fresh('game-'), fresh('game-'), fresh('kept-'), fresh()];
  const trigger = (channels, name, body) => server.api.post('/events', { name, channels, data: JSON.stringify(body) });
  assert.equal((await trigger([one, two], 'oyez:set', { data: 1 })).status, 200);
  for (const [channels, name, body] of [
    [[one, nameless], 'oyez:set', { data: 2 }],
    [[one, plain], 'oyez:set', { data: 2 }],
    [[one, two], 'oyez:set', { data: 2, if_version: 1 }],
    [[one, two], 'oyez:merge', { merge: { a: 1 } }],
    [[one, two], 'oyez:patch', { patch: [] }],
    [[one, plain], 'oyez:delete', {}],
  ]) {
    const { status, text } = await trigger(channels, name, body);
    assert.equal(status, 400, `${name} ${text}`);
    assert.equal((await truthOf(one)).json.data, 1, `${name} was done to one of two`);
  }
  assert.equal((await trigger([one, nameless], 'oyez:set', { data: 2, event: 'STATE' })).status, 200);
  assert.equal((await trigger([one, two, nameless], 'oyez:delete', {})).status, 200);
});

test('a truth beside remembered events: both are shown, each by its rule', async () => {
  const channel = fresh('mixed-');
  await server.api.publish(channel, 'a', '1');
  await put(channel, { data: { n: 1 } });
  await server.api.publish(channel, 'a', '2');
  await put(channel, { data: { n: 2 } });
  await server.api.publish(channel, 'b', '3');
  const { replay } = await subscribeAt(await server.connect(), channel);
  assert.deepEqual(replay.map(({ event, data, offset }) => [event, data, offset]), [
    ['a', '2', 3], ['STATE', '{"n":2}', 4], ['b', '3', 5],
  ]);
});

test('a resume on a truth channel brings the newest value alone', async () => {
  const channel = fresh('game-');
  await put(channel, { data: 1 });
  const { cut } = await subscribeAt(await server.connect(), channel, { oyez: AWARE });
  for (let n = 2; n <= 6; n++) await put(channel, { data: n });
  const socket = await server.connect();
  const again = await subscribeAt(socket, channel, { oyez: AWARE, resume: positionOf(cut) });
  assert.deepEqual([again.cut.resumed, again.cut.version], [true, 6]);
  assert.deepEqual(again.replay.map(({ event, data }) => [event, data]), [['oyez:skip', '{"offset":5,"from":2}'], ['STATE', '6']]);
});

test('T-022 on a truth channel: who is excluded is shown no echo, sees no gap, and knows the truth by the next change', async (t) => {
  const channel = fresh('list-');
  const client = oyezFor(t, server);
  await server.api.publish(channel, 'PLAYER_JOIN', ['anna']);
  const own = await joined(client, channel);
  await server.api.publish(channel, 'PLAYER_JOIN', ['anna', 'bob'], { socket_id: client.connection.socket_id });
  await eventually(() => own.position?.offset === 2, 'the skip');
  await passing(900); // marks come with the pings
  await server.api.publish(channel, 'PLAYER_JOIN', ['anna', 'bob', 'carl']);
  await eventually(() => own.truth?.length === 3, 'the next truth');
  assert.deepEqual(own.events.items.filter(({ name }) => name === 'oyez:gap'), []);
});
