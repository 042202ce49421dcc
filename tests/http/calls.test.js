// SPDX-License-Identifier: MIT OR Apache-2.0
// Protocol section 6: exclusion, infos, the channel calls, the deprecated forms.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KINDS, fresh, member } from '../support/names.js';
import { useServer } from '../support/server.js';

const server = await useServer({});

test('P-069 the excluded socket gets nothing, every other does, also in batches', async () => {
  const [a, b] = [fresh(), fresh()];
  const [sender, other] = await server.connectAll(2);
  for (const socket of [sender, other]) for (const channel of [a, b]) await socket.subscribe(channel);
  await server.api.publish([a, b], 'one', 'x', { socket_id: sender.socketId });
  const { status } = await server.api.post('/batch_events', { batch: [
    { channel: a, name: 'two', data: 'x', socket_id: sender.socketId },
    { channel: a, name: 'three', data: 'x' },
    { channel: b, name: 'four', data: 'x', socket_id: other.socketId },
    { channel: b, name: 'five', data: 'x', socket_id: '1.1' },
  ] });
  assert.equal(status, 200);
  const names = async (socket, channel) => (await socket.fence(channel)).map(({ event }) => event);
  assert.deepEqual(await names(sender, a), ['three']);
  assert.deepEqual(await names(sender, b), ['four', 'five']);
  assert.deepEqual(await names(other, a), ['one', 'two', 'three']);
  assert.deepEqual(await names(other, b), ['one', 'five']);
});

test('P-069 an empty or null socket_id excludes nobody', async () => {
  const channel = fresh();
  const socket = await server.connect();
  await socket.subscribe(channel);
  const answer = await server.api.post('/events', { name: 'e', channel, data: 'x', socket_id: null });
  assert.equal(answer.status, 200, answer.text);
  await socket.event('e', channel);
});

test('P-070 publish answers {} without info, and the state of each channel with it', async () => {
  const [plain, room, empty] = [fresh(), fresh('presence-'), fresh()];
  const [a, b, c] = await server.connectAll(3);
  for (const socket of [a, b, c]) await socket.subscribe(plain);
  await a.subscribe(room, { data: member('1') });
  await b.subscribe(room, { data: member('1') });
  await c.subscribe(room, { data: member('2') });
  assert.deepEqual(await server.api.publish(plain, 'e', 'x'), {});
  assert.deepEqual(await server.api.publish([plain, empty], 'e', 'x', { info: 'subscription_count' }), {
    channels: { [plain]: { subscription_count: 3 }, [empty]: { subscription_count: 0 } },
  });
  assert.deepEqual(await server.api.publish(room, 'e', 'x', { info: 'user_count,subscription_count' }), {
    channels: { [room]: { user_count: 2, subscription_count: 3 } },
  });
  const batch = await server.api.post('/batch_events', { batch: [
    { channel: plain, name: 'e', data: 'x', info: 'subscription_count' }, { channel: plain, name: 'e', data: 'x' },
    { channel: room, name: 'e', data: 'x', info: 'user_count' },
  ] });
  assert.deepEqual(batch.json, { batch: [{ subscription_count: 3 }, {}, { user_count: 2 }] });
  assert.deepEqual((await server.api.post('/batch_events', { batch: [{ channel: plain, name: 'e', data: 'x' }] })).json, {});
});

test('P-070 user_count of a non-presence channel is a 400, everywhere', async () => {
  const channel = fresh('private-');
  for (const answer of [
    await server.api.post('/events', { name: 'e', channel, data: 'x', info: 'user_count' }),
    await server.api.post('/batch_events', { batch: [{ name: 'e', channel, data: 'x', info: 'user_count' }] }),
    await server.api.get(`/channels/${channel}`, { info: 'user_count' }),
    await server.api.get('/channels', { info: 'user_count' }),
    await server.api.get('/channels', { info: 'user_count', filter_by_prefix: 'private-' }),
  ]) {
    assert.equal(answer.status, 400, answer.text);
    assert.match(answer.json.error, /user_count/);
    assert.match(answer.json.error, /presence/);
  }
});

test('P-070 GET /channels lists what is occupied, filtered, with infos', async () => {
  const tag = fresh('tag');
  const [plain, room] = [`${tag}-plain`, `presence-${tag}`];
  const socket = await server.connect();
  await socket.subscribe(plain);
  await socket.subscribe(room, { data: member('1') });
  const all = (await server.api.get('/channels')).json.channels;
  assert.deepEqual(all[plain], {});
  assert.deepEqual(all[room], {});
  const filtered = await server.api.get('/channels', { filter_by_prefix: `presence-${tag}`, info: 'user_count,subscription_count' });
  assert.deepEqual(filtered.json, { channels: { [room]: { user_count: 1, subscription_count: 1 } } });
  assert.deepEqual((await server.api.get('/channels', { filter_by_prefix: 'nothing-like-it' })).json, { channels: {} });
  await socket.close();
  const after = (await server.api.get('/channels', { filter_by_prefix: tag })).json.channels;
  assert.deepEqual(after, {});
});

test('P-070 GET /channels/CH of every kind', async () => {
  for (const { prefix, presence, cache } of KINDS) {
    const channel = fresh(prefix);
    const info = ['subscription_count', ...(presence ? ['user_count'] : []), ...(cache ? ['cache'] : [])].join(',');
    const expected = (occupied) => ({
      occupied, subscription_count: occupied ? 1 : 0, ...(presence && { user_count: occupied ? 1 : 0 }), ...(cache && { cache: null }),
    });
    assert.deepEqual((await server.api.get(`/channels/${channel}`)).json, { occupied: false });
    assert.deepEqual((await server.api.get(`/channels/${channel}`, { info })).json, expected(false));
    const socket = await server.connect();
    await socket.subscribe(channel, { data: presence ? member('1') : undefined });
    assert.deepEqual((await server.api.get(`/channels/${channel}`)).json, { occupied: true });
    assert.deepEqual((await server.api.get(`/channels/${channel}`, { info })).json, expected(true));
    await socket.close();
  }
});

test('P-070 unknown infos and bad channel names are 400', async () => {
  const unknown = await server.api.get('/channels/c', { info: 'weather' });
  assert.equal(unknown.status, 400);
  assert.match(unknown.json.error, /info|weather/);
  assert.equal((await server.api.get('/channels/not%20a%20name')).status, 400);
  const cache = await server.api.get('/channels/plain', { info: 'cache' });
  assert.ok(cache.status === 400 || cache.json.cache === null, 'cache of a channel that has none');
});

test('P-071 users of a presence channel; of any other: 400', async () => {
  const room = fresh('presence-');
  const [a, b] = await server.connectAll(2);
  await a.subscribe(room, { data: member('1') });
  await b.subscribe(room, { data: member('1') });
  assert.deepEqual((await server.api.get(`/channels/${room}/users`)).json, { users: [{ id: '1' }] });
  assert.deepEqual((await server.api.get(`/channels/${fresh('presence-')}/users`)).json, { users: [] });
  for (const { prefix, presence } of KINDS) {
    if (presence) continue;
    const answer = await server.api.get(`/channels/${fresh(prefix)}/users`);
    assert.equal(answer.status, 400);
    assert.match(answer.json.error, /presence/);
  }
});

test('P-076 the deprecated forms: POST /channels/CH/events?name= with the data as its body, GET stats', async () => {
  const channel = fresh();
  const [sender, listener] = await server.connectAll(2);
  await sender.subscribe(channel);
  await listener.subscribe(channel);
  const body = '{"some":"data"}';
  const answer = await server.api.post(`/channels/${channel}/events`, body, { query: { name: 'old', socket_id: sender.socketId } });
  assert.ok([200, 202].includes(answer.status), answer.text);
  assert.equal((await listener.event('old', channel)).data, body);
  assert.deepEqual(await sender.fence(channel), []);
  assert.equal((await server.api.post(`/channels/${channel}/events`, body)).status, 400, 'without a name');
  assert.equal((await server.api.post(`/channels/${channel}/events`, body, { query: { name: 'pusher:x' } })).status, 400);
  const stats = await server.api.get(`/channels/${channel}/stats`);
  assert.equal(stats.status, 200);
  assert.equal(stats.json.occupied, true);
});

test('P-075 100 concurrent publishes: all arrive, each once, at every subscriber', async () => {
  const channel = fresh();
  const sockets = await server.connectAll(5);
  for (const socket of sockets) await socket.subscribe(channel);
  await Promise.all(Array.from({ length: 100 }, (_, n) => server.api.publish(channel, 'n', String(n))));
  const orders = [];
  for (const socket of sockets) orders.push((await socket.fence(channel)).map(({ data }) => Number(data)));
  for (const order of orders) {
    assert.deepEqual([...order].sort((x, y) => x - y), Array.from({ length: 100 }, (_, n) => n));
    assert.deepEqual(order, orders[0], 'the same order for everybody');
  }
});
