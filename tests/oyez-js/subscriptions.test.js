// SPDX-License-Identifier: MIT OR Apache-2.0
// What our own client does otherwise than `pusher-js`, against a real server.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fresh } from '../support/names.js';
import { Proxy } from '../support/proxy.js';
import { useServer } from '../support/server.js';
import './switch.js';

const { clientFor, connectedFor, recorded, subscribed } = await import('../support/official.js');
const server = await useServer({});

test('T-021 unsubscribe and subscribe in one tick while events flow: none of the first generation after it', async (t) => {
  const client = await connectedFor(t, server);
  const name = fresh();
  let channel = await subscribed(client, name);
  const library = server.library();
  for (let round = 0; round < 20; round++) {
    const flowing = Promise.all([1, 2, 3].map(() => library.trigger(name, 'event', { round })));
    client.unsubscribe(name);
    const taken = channel.events.items.length;
    const old = channel;
    channel = client.subscribe(name);
    channel.events = recorded(channel, name);
    await channel.events.event('pusher:subscription_succeeded');
    await flowing;
    await library.trigger(name, 'fence', { round });
    await channel.events.event('fence');
    assert.equal(old.events.items.length, taken);
  }
});

test('a cancelled subscription does not come back with the next connection', async (t) => {
  const proxy = await Proxy.start(server.port);
  t.after(() => proxy.stop());
  const client = await connectedFor(t, server, { wsPort: proxy.port });
  const kept = await subscribed(client, fresh());
  const name = fresh();
  client.subscribe(name);
  client.unsubscribe(name);
  proxy.cut();
  await client.states.take((state) => state === 'connecting', 'connecting');
  await client.states.take((state) => state === 'connected', 'connected again');
  await kept.events.event('pusher:subscription_succeeded');
  assert.deepEqual(client.allChannels().map((channel) => channel.name), [kept.name]);
  const { channels } = await (await server.library().get({ path: '/channels' })).json();
  assert.ok(kept.name in channels && !(name in channels));
});

test('fifty pages that lost the server come back spread over the first second', async (t) => {
  const proxy = await Proxy.start(server.port);
  t.after(() => proxy.stop());
  const clients = await Promise.all(Array.from({ length: 50 }, () => connectedFor(t, server, { wsPort: proxy.port })));
  const since = performance.now();
  proxy.cut();
  const times = await Promise.all(clients.map(async (client) => {
    await client.states.take((state) => state === 'connecting', 'connecting');
    await client.states.take((state) => state === 'connected', 'connected again');
    return performance.now() - since;
  }));
  assert.ok(Math.max(...times) < 2_500, `the last after ${Math.max(...times)} ms`);
  const tenths = new Set(times.map((time) => Math.floor(time / 100)));
  assert.ok(tenths.size >= 6, `all within ${tenths.size} tenths of a second`);
});

test('a page with a wrong key hears why, and is left alone', async (t) => {
  const client = clientFor(t, server, { key: 'nobody' });
  await client.states.take((state) => state === 'disconnected', 'disconnected');
  const { error } = await client.errors.take();
  assert.equal(error.data.code, 4001);
  assert.match(error.data.message, /\w/);
});
