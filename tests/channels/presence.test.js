// SPDX-License-Identifier: MIT OR Apache-2.0
// Protocol section 3, "Presence".
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fresh, member, random, seed } from '../support/names.js';
import { serverFor, useServer } from '../support/server.js';
import { channelAuth } from '../support/sign.js';

const server = await useServer({});

const members = (messages) => messages.filter(({ event }) => event.startsWith('pusher_internal:member_'))
  .map(({ event, data }) => [event.slice('pusher_internal:'.length), JSON.parse(data)]);

test('P-029 the answer lists ids, hash and count, the new member included', async () => {
  const channel = fresh('presence-');
  const [a, b] = await server.connectAll(2);
  assert.deepEqual(await a.subscribe(channel, { data: member('a', { name: 'Anna', tags: [1, null] }) }), {
    presence: { ids: ['a'], hash: { a: { name: 'Anna', tags: [1, null] } }, count: 1 },
  });
  const { presence } = await b.subscribe(channel, { data: member('b', { name: 'Bo' }) });
  assert.deepEqual([...presence.ids].sort(), ['a', 'b']);
  assert.deepEqual(presence.hash, { a: { name: 'Anna', tags: [1, null] }, b: { name: 'Bo' } });
  assert.equal(presence.count, 2);
});

test('P-030 member_added with the first connection of a user, member_removed with the last', async () => {
  const channel = fresh('presence-');
  const [watcher, one, two] = await server.connectAll(3);
  await watcher.subscribe(channel, { data: member('watcher') });
  await one.subscribe(channel, { data: member('u', { device: 'phone' }) });
  const second = await two.subscribe(channel, { data: member('u', { device: 'laptop' }) });
  assert.deepEqual(second.presence.ids.sort(), ['u', 'watcher']);
  assert.equal(second.presence.count, 2);
  assert.deepEqual(second.presence.hash.u, { device: 'phone' }, 'a second join does not change what members see');
  await one.unsubscribe(channel);
  await one.alive();
  assert.deepEqual(members(await watcher.fence(channel)), [['member_added', { user_id: 'u', user_info: { device: 'phone' } }]]);
  await two.close();
  const removed = await watcher.event('pusher_internal:member_removed', channel);
  assert.deepEqual(JSON.parse(removed.data), { user_id: 'u' });
  assert.equal(typeof removed.data, 'string');
});

test('P-030 whoever comes back after the last connection left is added anew, with the new user_info', async () => {
  const channel = fresh('presence-');
  const [watcher, socket] = await server.connectAll(2);
  await watcher.subscribe(channel, { data: member('watcher') });
  for (const n of [1, 2]) {
    await socket.subscribe(channel, { data: member('u', { n }) });
    await socket.unsubscribe(channel);
    await socket.alive();
  }
  await watcher.messages.until((all) => members(all).length === 4, 'four changes');
  assert.deepEqual(members(watcher.messages.drain()), [
    ['member_added', { user_id: 'u', user_info: { n: 1 } }], ['member_removed', { user_id: 'u' }],
    ['member_added', { user_id: 'u', user_info: { n: 2 } }], ['member_removed', { user_id: 'u' }],
  ]);
});

test('P-031 nobody gets an event for themselves, not even from another connection of theirs', async () => {
  const channel = fresh('presence-');
  const [one, two] = await server.connectAll(2);
  await one.subscribe(channel, { data: member('me') });
  await two.subscribe(channel, { data: member('me') });
  await two.unsubscribe(channel);
  await two.alive();
  assert.deepEqual(members(await one.fence(channel)), []);
});

test('P-032 numeric ids are compared and reported as strings', async () => {
  const channel = fresh('presence-');
  const [a, b, c] = await server.connectAll(3);
  const first = await a.subscribe(channel, { data: { user_id: 7, user_info: { n: 7 } } });
  assert.deepEqual(first.presence, { ids: ['7'], hash: { 7: { n: 7 } }, count: 1 });
  const second = await b.subscribe(channel, { data: { user_id: '7' } });
  assert.equal(second.presence.count, 1, '7 and "7" are one user');
  await c.subscribe(channel, { data: { user_id: 8 } });
  const added = await a.event('pusher_internal:member_added', channel);
  assert.strictEqual(JSON.parse(added.data).user_id, '8');
  const { json } = await server.api.get(`/channels/${channel}/users`);
  assert.deepEqual(json.users.map(({ id }) => id).sort(), ['7', '8']);
});

test('P-033 without user_info the member is there, with nothing known about them', async () => {
  const channel = fresh('presence-');
  const [a, b] = await server.connectAll(2);
  const { presence } = await a.subscribe(channel, { data: { user_id: 'a' } });
  assert.deepEqual(presence.ids, ['a']);
  assert.equal(presence.count, 1);
  assert.ok('a' in presence.hash, 'pusher-js finds members in the hash');
  await b.subscribe(channel, { data: { user_id: 'b' } });
  const added = JSON.parse((await a.event('pusher_internal:member_added', channel)).data);
  assert.equal(added.user_id, 'b');
  assert.ok(added.user_info === undefined || added.user_info === null || Object.keys(added.user_info).length === 0);
});

const long = 'x'.repeat(1025);
const BAD = {
  'none, not signed in': undefined,
  'empty': '',
  'not JSON': 'hello',
  'half of it': '{"user_id":"1"',
  'more than one value': '{"user_id":"1"}{}',
  'a string': '"1"',
  'a number': '1',
  'null': 'null',
  'an array': '[{"user_id":"1"}]',
  'an empty object': '{}',
  'no user_id': '{"user_info":{"name":"x"}}',
  'user_id null': '{"user_id":null}',
  'user_id true': '{"user_id":true}',
  'user_id an object': '{"user_id":{"id":1}}',
  'user_id an array': '{"user_id":["1"]}',
  'user_id empty': '{"user_id":""}',
  'user_id too long': JSON.stringify({ user_id: 'u'.repeat(129) }),
  'user_info too large': JSON.stringify({ user_id: '1', user_info: { long } }),
};

for (const [what, data] of Object.entries(BAD)) {
  test(`P-034 channel_data: ${what}: subscription_error that says so, though the signature is right`, async () => {
    for (const prefix of ['presence-', 'presence-cache-']) {
      const channel = fresh(prefix);
      const socket = await server.connect();
      const refusal = await socket.refused(channel, { data });
      assert.match(refusal.error, /channel_data|user_id|user_info/);
      assert.ok(Number.isInteger(refusal.status));
      await socket.alive();
      assert.equal((await server.api.get(`/channels/${channel}`)).json.occupied, false);
      await socket.close();
    }
  });
}

test('P-034 user_id and user_info at their limits are taken', async () => {
  const socket = await server.connect();
  await socket.subscribe(fresh('presence-'), { data: { user_id: 'u'.repeat(128) } });
  const user_info = 'x'.repeat(1022); // with its quotes 1,024 bytes
  const { presence } = await socket.subscribe(fresh('presence-'), { data: { user_id: '1', user_info } });
  assert.equal(presence.hash['1'], user_info);
});

test('P-035 member 101 is refused with 403, a second connection of member 100 is not', async () => {
  const channel = fresh('presence-');
  const sockets = await server.connectAll(100);
  await Promise.all(sockets.map((socket, n) => socket.subscribe(channel, { data: member(`u${n}`) })));
  const late = await server.connect();
  const refusal = await late.refused(channel, { data: member('one-too-many') });
  assert.equal(refusal.status, 403);
  assert.match(refusal.error, /100/);
  assert.match(refusal.error, /presence_members/);
  await late.subscribe(channel, { data: member('u99') });
  const next = await server.connect();
  await sockets[0].unsubscribe(channel);
  await sockets[0].alive();
  const { presence } = await next.subscribe(channel, { data: member('now there is room') });
  assert.equal(presence.count, 100);
  sockets.forEach((socket) => socket.vanish());
});

test('P-036 a signed-in connection joins without channel_data, as who it is', async () => {
  const channel = fresh('presence-');
  const [watcher, socket] = await server.connectAll(2);
  await watcher.subscribe(channel, { data: member('watcher') });
  await socket.signin({ id: 'u1', user_info: { name: 'Uma' } });
  const { presence } = await socket.subscribe(channel, { auth: channelAuth(server.app, socket.socketId, channel) });
  assert.deepEqual(presence.hash.u1, { name: 'Uma' });
  const added = await watcher.event('pusher_internal:member_added', channel);
  assert.deepEqual(JSON.parse(added.data), { user_id: 'u1', user_info: { name: 'Uma' } });
  const bare = fresh('presence-');
  await socket.signin({ id: 'u1', user_info: { name: 'Uma' } });
  assert.equal((await socket.refused(bare, { auth: 'app-key:00' })).status, 401, 'the signature is still needed');
});

test('P-038 churn of 200 members: every other member ends with the true set', async (t) => {
  const own = await serverFor(t, { limits: { presence_members: 300 } });
  const dice = random(seed(t));
  const channel = fresh('presence-');
  const watchers = await own.connectAll(5);
  const sets = await Promise.all(watchers.map(async (watcher, n) => {
    const { presence } = await watcher.subscribe(channel, { data: member(`watcher-${n}`) });
    return new Set(presence.ids);
  }));
  const sockets = await own.connectAll(200);
  const joined = new Set();
  const user = (n) => `u${n >> 1}`; // two connections for each user
  await Promise.all(sockets.map(async (socket, n) => {
    for (let round = 1 + dice.below(5); round > 0; round--) {
      await socket.subscribe(channel, { data: member(user(n)) });
      if (round > 1 || dice.chance(0.5)) await socket.unsubscribe(channel);
      else joined.add(n);
      if (dice.chance(0.1)) {
        socket.vanish();
        joined.delete(n);
        return;
      }
    }
    if (!socket.tcp.destroyed) await socket.alive();
  }));
  const truth = [...new Set([...joined].map(user)), ...watchers.map((_, n) => `watcher-${n}`)].sort();
  const apply = (set, messages) => {
    for (const [what, { user_id }] of members(messages)) {
      if (what === 'member_added') {
        assert.ok(!set.has(user_id), `${user_id} was added twice`);
        set.add(user_id);
      } else {
        assert.ok(set.delete(user_id), `${user_id} was removed but not there`);
      }
    }
  };
  for (const [n, watcher] of watchers.entries()) {
    await watcher.messages.until((items) => {
      const set = new Set(sets[n]);
      for (const [what, { user_id }] of members(items)) what === 'member_added' ? set.add(user_id) : set.delete(user_id);
      return JSON.stringify([...set].sort()) === JSON.stringify(truth);
    }, `the true set of ${truth.length}`);
    apply(sets[n], watcher.messages.drain());
    assert.deepEqual([...sets[n]].sort(), truth);
  }
  const { json } = await own.api.get(`/channels/${channel}/users`);
  assert.deepEqual(json.users.map(({ id }) => id).sort(), truth);
  sockets.forEach((socket) => socket.vanish());
});
