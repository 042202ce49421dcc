// SPDX-License-Identifier: MIT OR Apache-2.0
// A page with many truths whose backend does not answer: `wait` is kept for all of them.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { test } from 'node:test';
import { listen } from '../support/log.js';
import { fresh } from '../support/names.js';
import { useServer } from '../support/server.js';

const backend = createServer(() => {});
backend.listen(0, '127.0.0.1').unref();
await new Promise((resolve) => backend.once('listening', resolve));
const url = `http://127.0.0.1:${backend.address().port}/`;
const server = await useServer({
  app: { channels: [{ match: 'slow-*', truth: { url, event: 'e', wait: '1s' } }] },
});

/** Milliseconds until the last of so many subscriptions is acknowledged. */
async function lastAcknowledged(count) {
  const channels = Array.from({ length: count }, () => fresh('slow-'));
  const socket = await server.connect();
  let missing = count;
  const done = new Promise((resolve) => {
    listen(socket, (message) => {
      if (message.event !== 'pusher_internal:subscription_succeeded') return;
      missing -= 1;
      if (missing === 0) resolve();
    });
  });
  const began = performance.now();
  for (const channel of channels) await socket.send(socket.subscription(channel));
  await done;
  return performance.now() - began;
}

test('5.3 two hundred subscriptions to truths that do not come wait no longer than one', async () => {
  const [one, many] = [await lastAcknowledged(1), await lastAcknowledged(200)];
  assert.ok(many < 2.5 * one, `one: ${one} ms, two hundred: ${many} ms`);
});
