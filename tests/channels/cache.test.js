// SPDX-License-Identifier: MIT OR Apache-2.0
// Protocol section 3: cache channels and subscription counts.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { KINDS, fresh, member } from '../support/names.js';
import { useServer } from '../support/server.js';
import { Receiver } from '../support/receiver.js';

const receiver = await Receiver.start();
after(() => receiver.stop());
const server = await useServer({ app: { webhooks: [receiver.hook('cache_miss')] } });
const CACHES = KINDS.filter(({ cache }) => cache);
const dataFor = ({ presence }, id = 'me') => (presence ? member(id) : undefined);

for (const kind of CACHES) {
  test(`P-046 ${kind.prefix} replays its last event right after the success frame`, async () => {
    const channel = fresh(kind.prefix);
    for (const n of [1, 2, 3]) await server.api.publish(channel, `event-${n}`, `value ${n}`);
    const socket = await server.connect();
    await socket.send(socket.subscription(channel, { data: dataFor(kind) }));
    const [success, replay] = (await socket.messages.until((items) => items.length >= 2, 'success and replay')).slice();
    assert.equal(success.event, 'pusher_internal:subscription_succeeded');
    assert.deepEqual([replay.event, replay.channel, replay.data], ['event-3', channel, 'value 3']);
    assert.equal(replay.seq, success.seq + 1);
    socket.messages.drain();
    assert.deepEqual((await socket.fence(channel)).map(({ event }) => event), [], 'nothing else');
  });

  test(`P-047 ${kind.prefix} says cache_miss when there is nothing to replay`, async () => {
    const channel = fresh(kind.prefix);
    const [first, second] = await server.connectAll(2);
    for (const [n, socket] of [first, second].entries()) {
      await socket.subscribe(channel, { data: dataFor(kind, `u${n}`) });
      const miss = await socket.event('pusher:cache_miss');
      assert.equal(miss.channel, channel);
    }
    await server.api.publish(channel, 'event', 'x');
    for (const socket of [first, second]) await socket.event('event', channel);
    const third = await server.connect();
    await third.subscribe(channel, { data: dataFor(kind, 'u3') });
    await third.event('event', channel);
    assert.ok(!third.messages.items.some(({ event }) => event === 'pusher:cache_miss'));
  });
}

test('P-047 one cache_miss webhook per channel and empty period', async () => {
  const channel = fresh('cache-');
  const sockets = await server.connectAll(3);
  for (const socket of sockets) {
    await socket.subscribe(channel);
    await socket.event('pusher:cache_miss');
  }
  await receiver.event('cache_miss', channel);
  const other = fresh('cache-');
  await sockets[0].subscribe(other); // a fence: its webhook is queued after all of the above
  await receiver.event('cache_miss', other);
  assert.ok(!receiver.events.items.some((event) => event.channel === channel), 'a second webhook for the same period');
});

test('P-048 the last event is kept with no subscriber at all', async () => {
  const channel = fresh('cache-');
  const first = await server.connect();
  await first.subscribe(channel);
  await server.api.publish(channel, 'event', 'old');
  await first.event('event', channel);
  await first.close();
  await server.api.publish(channel, 'event', 'published to nobody');
  assert.equal((await server.api.get(`/channels/${channel}`)).json.occupied, false);
  const late = await server.connect();
  await late.subscribe(channel);
  assert.equal((await late.event('event', channel)).data, 'published to nobody');
});

test('P-049 info=cache tells the kept event and how long it is kept', async () => {
  const channel = fresh('cache-');
  const empty = await server.api.get(`/channels/${channel}`, { info: 'cache' });
  assert.equal(empty.status, 200);
  assert.strictEqual(empty.json.cache, null);
  await server.api.publish(channel, 'event', '{"some":"state"}');
  const { json } = await server.api.get(`/channels/${channel}`, { info: 'cache,subscription_count' });
  assert.equal(json.cache.data, '{"some":"state"}');
  assert.ok(json.cache.ttl > 1_700 && json.cache.ttl <= 1_800, `ttl ${json.cache.ttl}`);
  const socket = await server.connect();
  await socket.subscribe(channel);
  const answer = await server.api.get(`/channels/${channel}`, { info: 'cache,subscription_count' });
  assert.equal(answer.json.occupied, true);
  assert.equal(answer.json.subscription_count, 1);
});

for (const prefix of ['private-cache-', 'presence-cache-']) {
  test(`P-050 client events on ${prefix} are not kept`, async () => {
    const channel = fresh(prefix);
    const presence = prefix.startsWith('presence');
    const [a, b, late] = await server.connectAll(3);
    await a.subscribe(channel, { data: presence ? member('a') : undefined });
    await b.subscribe(channel, { data: presence ? member('b') : undefined });
    await a.trigger(channel, 'client-x', 'passing');
    await b.event('client-x', channel);
    await late.subscribe(channel, { data: presence ? member('late') : undefined });
    await late.event('pusher:cache_miss', channel);
    await server.api.publish(channel, 'kept', 'x');
    await a.trigger(channel, 'client-x', 'passing');
    await b.messages.until((items) => items.filter(({ event }) => event === 'client-x').length === 1, 'the second client event');
    const later = await server.connect();
    await later.subscribe(channel, { data: presence ? member('later') : undefined });
    assert.equal((await later.messages.take(({ event }) => !event.includes('member'))).event, 'kept');
  });
}

test('P-046 an event that excluded a socket is replayed to others all the same', async () => {
  const channel = fresh('cache-');
  const [sender, late] = await server.connectAll(2);
  await sender.subscribe(channel);
  await sender.event('pusher:cache_miss');
  await server.api.publish(channel, 'event', 'x', { socket_id: sender.socketId });
  assert.deepEqual(await sender.fence(channel), []);
  await server.api.publish(channel, 'event', 'y', { socket_id: sender.socketId });
  await late.subscribe(channel);
  assert.equal((await late.event('event', channel)).data, 'y');
});
