// SPDX-License-Identifier: MIT OR Apache-2.0
// A client that has lost its place asks for a new cut at any moment, also while it is shown a long
// replay in pieces: each question is answered, or the client would wait until it gives up the link.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AWARE, listen } from '../support/log.js';
import { within } from '../support/inbox.js';
import { fresh } from '../support/names.js';
import { useServer } from '../support/server.js';

const server = await useServer({
  limits: { history_bytes: 64 * 1024 * 1024, replay_bytes: 16 * 1024 },
  app: { channels: [
    { match: 'long-*', replay: 'all', history: { events: 5_000 }, durable: false },
  ] },
});

test('t027: each resync is answered, also in the midst of a long replay', async () => {
  const channel = fresh('long-');
  const data = 'x'.repeat(8_000);
  for (let n = 0; n < 200; n += 10) {
    const batch = Array.from({ length: 10 }, () => ({ channel, name: 'e', data }));
    assert.equal((await server.api.post('/batch_events', { batch })).status, 200);
  }
  for (let after = 1; after <= 40; after++) {
    const socket = await server.connect();
    // It stays on the worker of its first channel; for half of them that is not the other's home.
    await socket.send(socket.subscription(fresh('first-')));
    await socket.event('pusher_internal:subscription_succeeded');
    let seen = 0;
    const reset = new Promise((resolve) => {
      listen(socket, (message) => {
        if (message.event === 'oyez:reset') resolve();
        if (message.event === 'e' && ++seen === after) {
          socket.send({ event: 'oyez:resync', data: { channel, have: null } });
        }
      });
    });
    await socket.send(socket.subscription(channel, { oyez: AWARE }));
    await within(3_000, `a new cut for who asked after ${after} frames`, reset);
    socket.vanish();
  }
});
