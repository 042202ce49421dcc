// SPDX-License-Identifier: MIT OR Apache-2.0
// Protocol section 7: each webhook, verified by the official library's own check.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { fresh, member } from '../support/names.js';
import { Receiver } from '../support/receiver.js';
import { useServer } from '../support/server.js';

const EVENTS = ['channel_occupied', 'channel_vacated', 'member_added', 'member_removed', 'client_event', 'cache_miss', 'subscription_count'];
const [all, some] = [await Receiver.start(), await Receiver.start()];
after(() => Promise.all([all.stop(), some.stop()]));
const server = await useServer({
  app: { subscription_count: true, webhooks: [all.hook(...EVENTS), some.hook('member_added')] },
});

/** Everything of that channel so far, oldest first, as [name, rest]. */
const told = (receiver, channel) => receiver.events.items.filter((event) => event.channel === channel)
  .map(({ name, channel: _, ...rest }) => [name, rest]);

/** Waits for a webhook that is queued after everything before it. */
async function fence(receiver = all) {
  const channel = fresh(receiver === some ? 'presence-' : '');
  const socket = await server.connect();
  await socket.subscribe(channel, { data: member('fence') });
  await receiver.event(receiver === some ? 'member_added' : 'channel_occupied', channel);
}

test('P-077 channel_occupied with the first subscriber, channel_vacated after the last', async () => {
  const channel = fresh();
  const [a, b] = await server.connectAll(2);
  await a.subscribe(channel);
  await all.event('channel_occupied', channel);
  await b.subscribe(channel);
  await a.close();
  await fence();
  assert.deepEqual(told(all, channel).filter(([name]) => /^channel/.test(name)), []);
  const left = performance.now();
  await b.close();
  await all.event('channel_vacated', channel);
  assert.ok(performance.now() - left >= 150, 'vacated came before webhook_delay');
});

test('P-077 member_added and member_removed of a user, not of a connection', async () => {
  const channel = fresh('presence-');
  const [a, b] = await server.connectAll(2);
  await a.subscribe(channel, { data: { user_id: 7 } });
  assert.deepEqual(await all.event('member_added', channel), { name: 'member_added', channel, user_id: '7' });
  await b.subscribe(channel, { data: { user_id: '7' } });
  await a.close();
  await fence();
  assert.deepEqual(told(all, channel).filter(([name]) => /^member/.test(name)), []);
  await b.close();
  assert.deepEqual(await all.event('member_removed', channel), { name: 'member_removed', channel, user_id: '7' });
  await all.event('channel_vacated', channel);
});

test('P-077 client_event with its data and who sent it', async () => {
  const room = fresh('presence-');
  const socket = await server.connect();
  await socket.subscribe(room, { data: member('u1') });
  await socket.trigger(room, 'client-moved', { x: 1 });
  assert.deepEqual(await all.event('client_event', room), {
    name: 'client_event', channel: room, event: 'client-moved', data: '{"x":1}', socket_id: socket.socketId, user_id: 'u1',
  });
  const plain = fresh('private-');
  await socket.subscribe(plain);
  await socket.trigger(plain, 'client-moved', 'as text');
  assert.deepEqual(await all.event('client_event', plain), {
    name: 'client_event', channel: plain, event: 'client-moved', data: 'as text', socket_id: socket.socketId,
  });
});

test('P-077 cache_miss', async () => {
  const channel = fresh('cache-');
  const socket = await server.connect();
  await socket.subscribe(channel);
  assert.deepEqual(await all.event('cache_miss', channel), { name: 'cache_miss', channel });
});

test('P-077 subscription_count', async () => {
  const channel = fresh();
  const [a, b] = await server.connectAll(2);
  await a.subscribe(channel);
  const last = async (n) => {
    for (;;) if ((await all.event('subscription_count', channel)).subscription_count === n) return;
  };
  await last(1);
  await b.subscribe(channel);
  await last(2);
  await b.close();
  await last(1);
});

test('P-077 each URL gets the events that it asked for', async () => {
  const channel = fresh('presence-');
  const socket = await server.connect();
  await socket.subscribe(channel, { data: member('u1') });
  await some.event('member_added', channel);
  await socket.close();
  await all.event('channel_vacated', channel);
  await fence(some);
  assert.deepEqual(told(some, channel), []);
  assert.ok(some.requests.items.every(({ body }) => body.events.every(({ name }) => name === 'member_added')));
});

test('P-077 every request passed the official check, is JSON, dated, and batched', async () => {
  const burst = Array.from({ length: 30 }, () => fresh());
  const socket = await server.connect();
  const before = all.requests.items.length;
  await Promise.all(burst.map((channel) => socket.subscribe(channel)));
  for (const channel of burst) await all.event('channel_occupied', channel);
  assert.ok(all.requests.items.length - before <= 10, `${all.requests.items.length - before} requests for thirty events`);
  for (const { valid, body, headers } of all.requests.items) {
    assert.ok(valid);
    assert.equal(headers['content-type'], 'application/json');
    assert.equal(headers['x-pusher-key'], server.app.key);
    assert.ok(Math.abs(Date.now() - body.time_ms) < 600_000);
    assert.ok(body.events.length > 0);
  }
  assert.equal(all.mostInFlight, 1, 'one request in flight per URL');
});

test('P-078 a page change within webhook_delay sends nothing', async () => {
  const channel = fresh('presence-');
  let page = await server.connect();
  await page.subscribe(channel, { data: member('u1') });
  await all.event('channel_occupied', channel);
  await all.event('member_added', channel);
  for (let n = 0; n < 5; n++) {
    const next = await server.connect();
    await page.close();
    await next.subscribe(channel, { data: member('u1') });
    page = next;
  }
  // A fence that goes through the same delay: it left after the last page change had come back.
  const other = fresh();
  const leaver = await server.connect();
  await leaver.subscribe(other);
  await leaver.close();
  await all.event('channel_vacated', other);
  await fence();
  assert.deepEqual(told(all, channel).filter(([name]) => name !== 'subscription_count'), []);
  await page.close();
  const removed = await all.event('member_removed', channel);
  assert.equal(removed.user_id, 'u1');
  await all.event('channel_vacated', channel);
});
