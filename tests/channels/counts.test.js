// SPDX-License-Identifier: MIT OR Apache-2.0
// Protocol section 3, "Subscription count".
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KINDS, fresh, member } from '../support/names.js';
import { serverFor, useServer } from '../support/server.js';

const server = await useServer({ app: { subscription_count: true } });
const NAME = 'pusher_internal:subscription_count';
const count = ({ data }) => JSON.parse(data).subscription_count;

for (const { prefix, presence } of KINDS) {
  if (presence) continue;
  test(`P-053 ${prefix || 'public'} subscribers are told the count on each change`, async () => {
    const channel = fresh(prefix);
    const [a, b, c] = await server.connectAll(3);
    await a.subscribe(channel);
    const first = await a.event(NAME, channel);
    assert.equal(typeof first.data, 'string');
    assert.equal(count(first), 1);
    await b.subscribe(channel);
    assert.equal(count(await a.event(NAME, channel)), 2);
    assert.equal(count(await b.event(NAME, channel)), 2);
    await c.subscribe(channel);
    assert.equal(count(await a.event(NAME, channel)), 3);
    await b.unsubscribe(channel);
    assert.equal(count(await a.event(NAME, channel)), 2);
    await c.close();
    assert.equal(count(await a.event(NAME, channel)), 1);
  });
}

test('P-053 presence channels have members instead', async () => {
  const channel = fresh('presence-');
  const [a, b] = await server.connectAll(2);
  await a.subscribe(channel, { data: member('a') });
  await b.subscribe(channel, { data: member('b') });
  assert.ok(!(await a.fence(channel)).some(({ event }) => event === NAME));
});

test('P-053 above 100 subscribers: at most every 5 s, and the last word is the truth', async () => {
  const channel = fresh();
  const watcher = await server.connect();
  await watcher.subscribe(channel);
  const sockets = await server.connectAll(149);
  await Promise.all(sockets.map((socket) => socket.subscribe(channel)));
  await watcher.messages.until((items) => items.some((item) => item.event === NAME && count(item) === 150), 'the count of 150', 8_000);
  const counts = watcher.messages.drain().filter(({ event }) => event === NAME).map(count);
  assert.ok(counts.filter((n) => n > 101).length <= 2, `counts above 100: ${counts.filter((n) => n > 100)}`);
  const start = performance.now();
  await Promise.all(sockets.slice(0, 20).map((socket) => socket.unsubscribe(channel)));
  await watcher.messages.until((items) => items.some((item) => item.event === NAME && count(item) === 130), 'the count of 130', 8_000);
  const later = watcher.messages.drain().filter(({ event }) => event === NAME);
  assert.ok(later.length <= 1 + Math.ceil((performance.now() - start) / 5_000), `${later.length} counts`);
  sockets.forEach((socket) => socket.vanish());
});

test('P-053 an app with subscription_count = false says nothing', async (t) => {
  const own = await serverFor(t, { app: { subscription_count: false } });
  const channel = fresh();
  const [a, b] = await own.connectAll(2);
  await a.subscribe(channel);
  await b.subscribe(channel);
  assert.deepEqual(await a.fence(channel), []);
});
