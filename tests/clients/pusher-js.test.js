// SPDX-License-Identifier: MIT OR Apache-2.0
// The official `pusher-js` in Node, unchanged, against a server: what its users see.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { backendFor } from '../support/backend.js';
import { Inbox, passing } from '../support/inbox.js';
import { fresh, member } from '../support/names.js';
import { clientFor, connectedFor, recorded, subscribed } from '../support/official.js';
import { Proxy } from '../support/proxy.js';
import { serverFor, useServer } from '../support/server.js';

const server = await useServer({ app: { subscription_count: true } });

test('P-001 pusher-js connects and knows its socket id', async (t) => {
  const client = await connectedFor(t, server);
  assert.match(client.connection.socket_id, /^\d+\.\d+$/);
  assert.deepEqual(client.errors.items, []);
});

test('P-004 with a wrong key it gives up and does not try again', async (t) => {
  const client = clientFor(t, server, { key: 'nobody' });
  const end = await client.states.take((state) => ['failed', 'disconnected'].includes(state), 'the end');
  const error = await client.errors.take();
  assert.equal(error.error?.data?.code ?? error.data?.code, 4001);
  client.states.drain();
  await passing(2_500); // a retry would come after one second
  assert.equal(client.connection.state, end);
  assert.deepEqual(client.states.items, []);
});

test('P-009 with a wsPath', async (t) => {
  const own = await serverFor(t, { path: '/realtime' });
  const client = await connectedFor(t, own);
  const channel = await subscribed(client, fresh());
  await own.api.publish(channel.name, 'event', { a: 1 });
  assert.deepEqual((await channel.events.event('event')).data, { a: 1 });
});

test('the founding page: a subscription and a bound event, as it stands', async (t) => {
  const pusher = await connectedFor(t, server);
  const roomId = process.pid;
  const players = new Inbox('players lists');
  const updatePlayersList = (data) => players.push(data);
  const lobbyChannel = pusher.subscribe(`LOBBY_${roomId}`);
  lobbyChannel.bind('PLAYER_JOIN', (data) => { updatePlayersList(data); });
  await recorded(lobbyChannel, 'lobby').event('pusher:subscription_succeeded');
  await server.library().trigger(`LOBBY_${roomId}`, 'PLAYER_JOIN', { players: ['Anna', 'Bo'] });
  assert.deepEqual(await players.take(), { players: ['Anna', 'Bo'] });
});

test('P-011 every JSON value, and text that is none, through the official libraries', async (t) => {
  const client = await connectedFor(t, server);
  const channel = await subscribed(client, fresh());
  for (const data of [{ a: [1, null, { b: 'ü💥\u0000' }] }, [], 'text', '', 0, true, null, '{"broken":']) {
    await server.library().trigger(channel.name, 'event', data);
    assert.deepEqual((await channel.events.event('event')).data, data);
  }
});

test('P-026 a wrong signature reaches the subscription_error handler with status 401', async (t) => {
  const backend = await backendFor(t, server.library({ secret: 'wrong' }));
  const client = await connectedFor(t, server, { backend });
  for (const prefix of ['private-', 'presence-', 'private-cache-', 'private-encrypted-']) {
    if (prefix === 'private-encrypted-') backend.library = server.library({ secret: 'wrong', encryptionMasterKeyBase64: Buffer.alloc(32, 1).toString('base64') });
    backend.channelData = () => (prefix === 'presence-' ? member('1') : undefined);
    const channel = client.subscribe(fresh(prefix));
    const { data } = await recorded(channel, channel.name).event('pusher:subscription_error');
    assert.equal(data.status, 401, prefix);
    assert.equal(data.type, 'AuthError');
    assert.equal(channel.subscribed, false);
  }
  assert.equal(client.connection.state, 'connected');
});

test('P-025 private channels with channel_data from the endpoint', async (t) => {
  const backend = await backendFor(t, server.library());
  backend.channelData = () => ({ user_id: '1', user_info: { any: 'thing' } });
  const client = await connectedFor(t, server, { backend });
  await subscribed(client, fresh('private-'));
});

test('P-029 P-030 P-031 presence as pages see it', async (t) => {
  const backend = await backendFor(t, server.library());
  const users = ['anna', 'bo', 'anna'];
  backend.channelData = () => member(users.shift());
  const first = await connectedFor(t, server, { backend });
  const room = await subscribed(first, fresh('presence-'));
  assert.equal(room.first.count, 1);
  assert.equal(room.members.me.id, 'anna');
  const second = await connectedFor(t, server, { backend });
  const seen = await subscribed(second, room.name);
  assert.deepEqual(Object.keys(seen.first.members).sort(), ['anna', 'bo']);
  assert.deepEqual((await room.events.event('pusher:member_added')).data, { id: 'bo', info: { name: 'bo' } });
  assert.equal(room.members.count, 2);
  const third = await connectedFor(t, server, { backend });
  await subscribed(third, room.name);
  third.disconnect();
  second.disconnect();
  assert.equal((await room.events.event('pusher:member_removed')).data.id, 'bo');
  assert.equal(room.members.count, 1);
  assert.ok(!room.events.items.some(({ data }) => data?.id === 'anna'));
});

test('P-039 P-040 client events with the sender\'s user_id as metadata', async (t) => {
  const backend = await backendFor(t, server.library());
  const users = ['anna', 'bo'];
  backend.channelData = () => member(users.shift());
  const name = fresh('presence-');
  const anna = await subscribed(await connectedFor(t, server, { backend }), name);
  const bo = await subscribed(await connectedFor(t, server, { backend }), name);
  const typing = new Promise((resolve) => bo.bind('client-typing', (data, meta) => resolve({ data, meta })));
  anna.trigger('client-typing', { on: true });
  assert.deepEqual(await typing, { data: { on: true }, meta: { user_id: 'anna' } });
});

test('P-046 P-047 cache channels: cache_miss handler, then replay', async (t) => {
  const name = fresh('cache-');
  const channel = await subscribed(await connectedFor(t, server), name);
  await channel.events.event('pusher:cache_miss');
  await server.library().trigger(name, 'state', { n: 1 });
  await channel.events.event('state');
  const late = await subscribed(await connectedFor(t, server), name);
  assert.deepEqual((await late.events.event('state')).data, { n: 1 });
});

test('P-053 subscription_count reaches the page', async (t) => {
  const name = fresh();
  const channel = await subscribed(await connectedFor(t, server), name);
  await channel.events.event('pusher:subscription_count');
  await subscribed(await connectedFor(t, server), name);
  assert.equal((await channel.events.event('pusher:subscription_count')).data.subscription_count, 2);
  assert.equal(channel.subscriptionCount, 2);
});

test('P-021 P-020 unsubscribing and subscribing again, from the page', async (t) => {
  const client = await connectedFor(t, server);
  const name = fresh();
  const channel = await subscribed(client, name);
  client.subscribe(name);
  client.unsubscribe(name);
  await server.library().trigger(name, 'unheard', 'x');
  const again = await subscribed(client, name);
  await server.library().trigger(name, 'heard', 'x');
  await again.events.event('heard');
  assert.ok(!channel.events.items.some(({ name: event }) => event === 'unheard'));
});

test('a page that lost its connection comes back to all its channels', async (t) => {
  const proxy = await Proxy.start(server.port);
  t.after(() => proxy.stop());
  const client = await connectedFor(t, server, { wsPort: proxy.port });
  const channel = await subscribed(client, fresh());
  const before = client.connection.socket_id;
  proxy.cut();
  await client.states.take((state) => state === 'connected', 'connected again');
  await channel.events.event('pusher:subscription_succeeded');
  assert.notEqual(client.connection.socket_id, before);
  await server.library().trigger(channel.name, 'event', 'x');
  await channel.events.event('event');
});

test('exclusion by socket id, with the official server library', async (t) => {
  const [sender, other] = [await connectedFor(t, server), await connectedFor(t, server)];
  const name = fresh();
  const [mine, theirs] = [await subscribed(sender, name), await subscribed(other, name)];
  await server.library().trigger(name, 'event', 'x', { socket_id: sender.connection.socket_id });
  await server.library().trigger(name, 'fence', 'x');
  await theirs.events.event('event');
  await mine.events.event('fence');
  assert.ok(!mine.events.items.some(({ name: event }) => event === 'event'));
});

test('the official server library: batches, infos, channels, users', async (t) => {
  const backend = await backendFor(t, server.library());
  backend.channelData = () => member('anna');
  const client = await connectedFor(t, server, { backend });
  const [plain, room] = [await subscribed(client, fresh()), await subscribed(client, fresh('presence-'))];
  const library = server.library();
  await library.triggerBatch([{ channel: plain.name, name: 'one', data: { n: 1 } }, { channel: room.name, name: 'two', data: 'x' }]);
  assert.deepEqual((await plain.events.event('one')).data, { n: 1 });
  await room.events.event('two');
  const get = async (path, params) => (await library.get({ path, params })).json();
  assert.equal((await get('/channels', { filter_by_prefix: 'presence-', info: 'user_count' })).channels[room.name].user_count, 1);
  assert.deepEqual(await get(`/channels/${room.name}/users`), { users: [{ id: 'anna' }] });
  const info = await library.trigger(plain.name, 'three', 'x', { info: 'subscription_count' });
  assert.deepEqual(await info.json(), { channels: { [plain.name]: { subscription_count: 1 } } });
  await assert.rejects(library.get({ path: '/channels/x/users' }), ({ status }) => status === 400);
  await assert.rejects(server.library({ secret: 'wrong' }).trigger(plain.name, 'x', 'x'), ({ status }) => status === 401);
});
