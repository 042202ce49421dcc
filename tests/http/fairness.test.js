// SPDX-License-Identifier: MIT OR Apache-2.0
// HTTP gives way: however many requests wait, those who hold a WebSocket are served in between.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RawConnection } from '../support/http.js';
import { serverFor } from '../support/server.js';
import { strangers } from '../support/strangers.js';

const STRANGERS = 600;
const ROUNDS = 10;

/** How long both take that are asked at the same time: `[ping, request]` in ms. */
async function race(socket, connection) {
  const start = performance.now();
  const since = () => performance.now() - start;
  const answers = connection.answers ?? 0;
  connection.answers = answers + 1;
  connection.write('GET /nothing HTTP/1.1\r\nhost: x\r\n\r\n');
  const count = () => connection.text.split('HTTP/1.1 404').length - 1;
  return Promise.all([
    socket.alive().then(since),
    connection.until(() => count() > answers, 'an answer', 30_000).then(since),
  ]);
}

// Measured against a request that waits in the same crowd, not against a clock: on any machine a
// stranger's request waits for all the others, and a WebSocket must not.
test('strangers who pipeline requests without end wait for each other, and WebSockets do not wait for them', async (t) => {
  const own = await serverFor(t, { workers: 1 });
  const socket = await own.connect();
  await strangers(t, own.port, STRANGERS);
  const connection = await RawConnection.open(own.port);
  const times = [];
  for (let round = 0; round < ROUNDS; round++) times.push(await race(socket, connection));
  const [pings, requests] = [0, 1].map((at) => times.map((pair) => pair[at]).sort((a, b) => a - b)[ROUNDS / 2]);
  t.diagnostic(`median of a ping ${pings.toFixed(1)} ms, of a request ${requests.toFixed(1)} ms`);
  assert.ok(pings * 4 < requests, `a ping took ${pings} ms, a stranger's request ${requests} ms`);
  connection.destroy();
});
