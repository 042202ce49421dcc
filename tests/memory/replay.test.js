// SPDX-License-Identifier: MIT OR Apache-2.0
// What each rule shows to a newcomer, frame by frame and field by field (docs: layer a).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import nacl from 'tweetnacl';
import { backendFor } from '../support/backend.js';
import { PING } from '../support/frames.js';
import { Inbox, passing } from '../support/inbox.js';
import { linkFor } from '../support/link.js';
import { AWARE, positionOf, subscribeAt } from '../support/log.js';
import { KINDS, fresh, member } from '../support/names.js';
import { clientFor, subscribed } from '../support/official.js';
import { oyezFor, joined } from '../support/oyez.js';
import { useServer } from '../support/server.js';

const server = await useServer({ ping_after: 0.3, pong_timeout: 10, app: { channels: [
  { match: 'none-*', replay: 'none', history: { events: 3 } },
  { match: 'latest-*', replay: 'latest' },
  { match: 'per-event-*', replay: 'latest-per-event' },
  { match: 'all-*', replay: 'all', history: { events: 4 } },
  { match: 'short-*', replay: 'latest', history: { events: 3, age: '300ms' } },
  { match: 'first-*', replay: 'all' },
  { match: 'first-*', replay: 'none' },
] } });

const frames = (replay) => replay.map(({ event, data, offset, replayed }) => [event, data, offset, replayed]);

test('what each rule replays, by offset', async () => {
  const sent = [['a', '1'], ['b', '2'], ['a', '3'], ['c', '4'], ['b', '5'], ['a', '6']];
  for (const [prefix, offsets] of Object.entries({
    'none-': [], 'latest-': [6], 'per-event-': [4, 5, 6], 'all-': [3, 4, 5, 6], 'first-': [1, 2, 3, 4, 5, 6], 'cache-': [6],
  })) {
    const channel = fresh(prefix);
    for (const [name, data] of sent) await server.api.publish(channel, name, data);
    for (const oyez of [undefined, AWARE]) {
      const { cut, replay } = await subscribeAt(await server.connect(), channel, { oyez });
      assert.deepEqual(frames(replay), offsets.map((n) => [...sent[n - 1], n, true]), prefix);
      assert.deepEqual([cut.offset, cut.resumed, cut.replay], [6, false, offsets.length], prefix);
    }
  }
});

test('channels without memory carry none of it', async () => {
  for (const { prefix, presence, cache } of KINDS.filter(({ cache }) => !cache)) {
    const channel = fresh(prefix);
    const socket = await server.connect();
    const options = { data: presence ? member('me') : undefined, oyez: AWARE };
    const { data } = await subscribeAt(socket, channel, options);
    assert.deepEqual(Object.keys(data), presence ? ['presence'] : [], prefix);
    await server.api.publish(channel, 'e', 'x');
    const frame = JSON.parse((await socket.event('e', channel)).raw);
    assert.deepEqual(frame, { event: 'e', channel, data: 'x' }, `${prefix} ${cache}`);
    const answer = await server.api.get(`/channels/${channel}/history`);
    assert.deepEqual([answer.status, answer.json.code], [400, 'no_memory']);
  }
});

test('every kind of channel may have memory: the acknowledgement, the replay, the live frame', async () => {
  for (const { prefix, presence } of KINDS.filter(({ cache }) => cache)) {
    const channel = fresh(prefix);
    await server.api.publish(channel, 'e', 'kept');
    const socket = await server.connect();
    const { data, replay } = await subscribeAt(socket, channel, { data: presence ? member('me') : undefined });
    assert.deepEqual(Object.keys(data).sort(), presence ? ['oyez', 'presence'] : ['oyez'], prefix);
    assert.deepEqual(Object.keys(data.oyez).sort(), ['epoch', 'offset', 'replay', 'resumed', 'term']);
    assert.deepEqual(JSON.parse(replay[0].raw), { event: 'e', channel, data: 'kept', offset: 1, replayed: true });
    await server.api.publish(channel, 'e', 'live');
    assert.deepEqual(JSON.parse((await socket.event('e', channel)).raw), { event: 'e', channel, data: 'live', offset: 2 });
  }
});

test('client events are not remembered and carry no offset', async () => {
  const channel = fresh('private-cache-');
  const [a, b] = await server.connectAll(2);
  await subscribeAt(a, channel);
  await subscribeAt(b, channel);
  await server.api.publish(channel, 'e', 'x');
  await a.trigger(channel, 'client-move', 'y');
  assert.equal((await b.event('client-move', channel)).offset, undefined);
  await server.api.publish(channel, 'e', 'z');
  assert.equal((await b.event('e', channel)).offset, 1);
  assert.equal((await b.event('e', channel)).offset, 2);
});

test('what is too old is not shown, and the offsets go on', async () => {
  const channel = fresh('short-');
  await server.api.publish(channel, 'e', 'old');
  await passing(400);
  const socket = await server.connect();
  const { cut, replay } = await subscribeAt(socket, channel);
  assert.deepEqual([cut.offset, cut.replay, replay.length], [1, 0, 0]);
  await server.api.publish(channel, 'e', 'new');
  assert.equal((await socket.event('e', channel)).offset, 2);
});

test('an encrypted cache channel replays to the official client and to ours what only they can read', async (t) => {
  const library = server.library({ encryptionMasterKeyBase64: Buffer.alloc(32, 7).toString('base64') });
  const backend = await backendFor(t, library);
  const channel = fresh('private-encrypted-cache-');
  await library.trigger(channel, 'secret', { price: 42 });
  const plain = clientFor(t, server, { backend, nacl });
  const theirs = await subscribed(plain, channel);
  assert.deepEqual((await theirs.events.event('secret')).data, { price: 42 });
  const client = oyezFor(t, server, { backend, nacl });
  const ours = await joined(client, channel);
  assert.deepEqual((await ours.events.event('secret')).data, { price: 42 });
  await library.trigger(channel, 'secret', { price: 43 });
  assert.deepEqual((await ours.events.event('secret')).data, { price: 43 });
  const { json } = await server.api.get(`/channels/${channel}/history`);
  assert.ok(json.events.every(({ data }) => data.includes('ciphertext')));
});

test('oyez:mark comes with every ping, to those alone who know it', async () => {
  const channel = fresh('latest-');
  await server.api.publish(channel, 'e', 'x');
  const [aware, plain] = await server.connectAll(2);
  await subscribeAt(aware, channel, { oyez: AWARE });
  await subscribeAt(plain, channel);
  const mark = await aware.event('oyez:mark', channel);
  assert.deepEqual(JSON.parse(mark.raw), { event: 'oyez:mark', channel, data: '{"offset":1}' });
  await server.api.publish(channel, 'e', 'y');
  await aware.messages.until((items) => items.some(({ event, data }) => event === 'oyez:mark' && data === '{"offset":2}'), 'the next');
  for (const _ of [1, 2]) await plain.frame(PING);
  await plain.alive();
  assert.ok(!plain.messages.items.some(({ event }) => event.startsWith('oyez:')));
});

test('a client that lost a frame learns of it by the mark, and repairs it', async (t) => {
  const channel = fresh('all-');
  const link = await linkFor(t, server);
  const client = oyezFor(t, server, { port: link.port });
  const own = await joined(client, channel);
  link.changes = (text) => (text.includes('"data":"lost"') && !text.includes('replayed') ? '{"event":"nothing","data":{}}' : undefined);
  await server.api.publish(channel, 'e', 'lost');
  const gap = await own.events.event('oyez:gap');
  assert.equal(gap.data.reason, 'resync');
  assert.equal((await own.events.event('e')).data, 'lost');
  assert.equal(own.position.offset, 1);
});

test('history: pages, positions and what is gone', async () => {
  const channel = fresh('all-');
  const empty = await server.api.get(`/channels/${channel}/history`);
  assert.equal(empty.status, 200, empty.text);
  assert.deepEqual([empty.json.offset, empty.json.events], [0, []]);
  for (let n = 1; n <= 6; n++) await server.api.publish(channel, 'e', `{"n":${n}}`);
  const { json: all } = await server.api.get(`/channels/${channel}/history`);
  assert.deepEqual(Object.keys(all), ['epoch', 'term', 'offset', 'events']);
  assert.deepEqual(all.events.map(({ offset, event, data }) => [offset, event, data]), [3, 4, 5, 6].map((n) => [n, 'e', `{"n":${n}}`]));
  for (const { time } of all.events) assert.ok(Math.abs(time - Date.now()) < 60_000);
  const { cut } = await subscribeAt(await server.connect(), channel);
  assert.deepEqual(positionOf(all), positionOf(cut));
  const page = (query) => server.api.get(`/channels/${channel}/history`, query);
  const offsets = async (query) => (await page(query)).json.events.map(({ offset }) => offset);
  assert.deepEqual(await offsets({ since: 2 }), [3, 4, 5, 6]);
  assert.deepEqual(await offsets({ since: 4, epoch: cut.epoch, term: cut.term }), [5, 6]);
  assert.deepEqual(await offsets({ since: 2, limit: 2 }), [3, 4]);
  assert.deepEqual(await offsets({ since: 6 }), []);
  for (const [query, reason] of [
    [{ since: 1 }, 'trimmed'], [{ since: 7 }, 'ahead'], [{ since: 3, epoch: 'AAAAAAAA' }, 'epoch'], [{ since: 3, epoch: 'x' }, 'epoch'],
    [{ since: 3, term: 'AAAAAAAA' }, 'diverged'],
  ]) {
    const { status, json } = await page(query);
    assert.deepEqual([status, json.code, json.reason, json.offset], [410, 'history_gone', reason, 6], JSON.stringify(query));
    assert.deepEqual(positionOf(json), positionOf(cut));
  }
  for (const query of [{ since: -1 }, { since: 'x' }, { since: 2 ** 53 }, { limit: 0 }, { limit: 'many' }, { since: '1.5' }]) {
    const { status, json } = await page(query);
    assert.deepEqual([status, json.code], [400, 'bad_number'], JSON.stringify(query));
  }
});

test('forget removes a remembered event, as an entry of the log', async () => {
  const channel = fresh('per-event-');
  await server.api.publish(channel, 'a', '1');
  await server.api.publish(channel, 'b', '2');
  const [aware, plain] = await server.connectAll(2);
  await subscribeAt(aware, channel, { oyez: AWARE });
  await subscribeAt(plain, channel);
  const { status, text } = await server.api.post(`/channels/${channel}/forget`, { event: 'a' });
  assert.equal(status, 200, text);
  await server.api.publish(channel, 'b', '4');
  const forget = await aware.event('oyez:forget', channel);
  assert.deepEqual(JSON.parse(forget.data), { offset: 3, event: 'a' });
  assert.equal((await aware.event('b', channel)).offset, 4);
  const next = await plain.event('b', channel);
  assert.equal(next.offset, 4);
  assert.ok(!plain.messages.items.some(({ event }) => event.startsWith('oyez:')));
  const { replay } = await subscribeAt(await server.connect(), channel);
  assert.deepEqual(frames(replay), [['b', '4', 4, true]]);
  const { json } = await server.api.get(`/channels/${channel}/history`);
  assert.ok(!json.events.some(({ event, data }) => event === 'a' || data === '1'), JSON.stringify(json.events));
  for (const body of [{}, { event: 7 }, { event: '' }, 'x']) {
    const refused = await server.api.post(`/channels/${channel}/forget`, body);
    assert.equal(refused.status, 400, JSON.stringify(body));
  }
  const none = await server.api.post(`/channels/${fresh()}/forget`, { event: 'a' });
  assert.deepEqual([none.status, none.json.code], [400, 'no_memory']);
});

test('info=position tells where each channel is', async () => {
  const [kept, plain] = [fresh('latest-'), fresh()];
  await server.api.publish(kept, 'e', '1');
  const { channels } = await server.api.publish([kept, plain], 'e', '2', { info: 'position' });
  const { cut } = await subscribeAt(await server.connect(), kept);
  assert.deepEqual(channels[kept], { position: positionOf(cut) });
  assert.deepEqual(channels[plain], {});
  const batch = await server.api.post('/batch_events', { batch: [
    { channel: kept, name: 'e', data: '3', info: 'position' }, { channel: plain, name: 'e', data: 'x' },
  ] });
  assert.deepEqual(batch.json.batch, [{ position: { ...positionOf(cut), offset: 3 } }, {}]);
  const read = await server.api.get(`/channels/${kept}`, { info: 'position' });
  assert.deepEqual(read.json.position, { ...positionOf(cut), offset: 3 });
});

test('an event with if_version is published only where nothing came between', async () => {
  const channel = fresh('latest-');
  const post = (if_version, more = {}) => server.api.post('/events', { name: 'e', channel, data: 'x', if_version, ...more });
  assert.equal((await post(0)).status, 200);
  assert.equal((await post(1)).status, 200);
  const late = await post(1);
  assert.deepEqual([late.status, late.json.code, late.json.version], [409, 'version_mismatch', 2]);
  const { json } = await server.api.get(`/channels/${channel}/history`);
  assert.equal(json.offset, 2);
  assert.equal((await post(2, { if_epoch: 'AAAAAAAA' })).status, 409);
  assert.equal((await post(2, { if_epoch: json.epoch })).status, 200);
});

test('P the official client: bound before, it is shown the replay; on a presence channel the members, too', async (t) => {
  const channel = fresh('presence-cache-');
  const library = server.library();
  const backend = await backendFor(t, library);
  backend.channelData = (socketId) => ({ user_id: socketId, user_info: {} });
  await library.trigger(channel, 'state', { round: 1 });
  const client = clientFor(t, server, { backend });
  const events = new Inbox('events');
  const own = client.subscribe(channel);
  own.bind('pusher:subscription_succeeded', (members) => events.push(['members', members.count]));
  own.bind('state', (data) => events.push(['state', data]));
  assert.deepEqual(await events.take(), ['members', 1]);
  assert.deepEqual(await events.take(), ['state', { round: 1 }]);
});
