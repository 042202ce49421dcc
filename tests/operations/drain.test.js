// SPDX-License-Identifier: MIT OR Apache-2.0
// SIGTERM: planned closes with 4200 in slices, no accepted publish lost (design, section 7).
import assert from 'node:assert/strict';
import http from 'node:http';
import { test } from 'node:test';
import { RawConnection } from '../support/http.js';
import { within } from '../support/inbox.js';
import { fresh } from '../support/names.js';
import { Server } from '../support/server.js';

/** Asks the server to stop, without waiting for it. */
function terminate(server) {
  server.stopping = true;
  server.child.kill('SIGTERM');
}

test('drain: every socket is closed with 4200, in slices over drain_seconds, and the server ends cleanly', async () => {
  const server = await Server.start({ drain_seconds: 2 });
  const sockets = await server.connectAll(200);
  const start = performance.now();
  terminate(server);
  const times = await Promise.all(sockets.map(async (socket) => {
    const { code } = await socket.closed();
    assert.equal(code, 4200);
    return performance.now() - start;
  }));
  times.sort((a, b) => a - b);
  assert.ok(times.at(-1) - times[0] > 1_000, `all were closed within ${Math.round(times.at(-1) - times[0])} ms`);
  const largestGap = Math.max(...times.slice(1).map((time, i) => time - times[i]));
  assert.ok(largestGap < 1_000, `a gap of ${Math.round(largestGap)} ms between slices`);
  assert.ok(times.at(-1) < 4_000);
  await server.stop();
});

test('drain: an idle server ends at once', async () => {
  const server = await Server.start({ drain_seconds: 10 });
  terminate(server);
  await within(2_000, 'stopping', server.child.exited);
  await server.stop();
});

test('drain: publishes in flight are all answered, and what was answered 200 was delivered', async () => {
  const server = await Server.start({ drain_seconds: 1 });
  const channel = fresh();
  const listener = await server.connect();
  await listener.subscribe(channel);
  const agent = new http.Agent({ keepAlive: true, maxSockets: 8 });
  const answers = [];
  let stop = false;
  const publishers = Array.from({ length: 8 }, async (_, p) => {
    for (let n = 0; !stop; n++) {
      const id = `${p}-${n}`;
      try {
        const { status, json } = await server.api.post('/events', { name: 'n', channel, data: id }, { agent });
        answers.push({ id, status });
        if (status !== 200) return assert.equal(typeof json.error, 'string');
      } catch (error) {
        // A connection refused or closed before the request was read: the publish was not accepted.
        answers.push({ id, error: error.code });
        return undefined;
      }
    }
    return undefined;
  });
  await listener.messages.until((items) => items.length > 100, 'a hundred events');
  terminate(server);
  await listener.closed();
  stop = true;
  await Promise.all(publishers);
  await server.stop();
  agent.destroy();
  const delivered = listener.messages.items.map(({ data }) => data);
  assert.equal(new Set(delivered).size, delivered.length, 'delivered twice');
  const statuses = new Set(answers.map(({ status, error }) => status ?? error));
  for (const status of statuses) assert.ok([200, 503, 'ECONNREFUSED', 'ECONNRESET', 'EPIPE'].includes(status), String(status));
  const accepted = answers.filter(({ status }) => status === 200).map(({ id }) => id);
  assert.deepEqual(accepted.filter((id) => !delivered.includes(id)), [], 'accepted, but not delivered');
});

test('drain: a request that is half sent is answered', async () => {
  const server = await Server.start({ drain_seconds: 2 });
  await server.connect();
  const connection = await RawConnection.open(server.port);
  await connection.write('GET /up HTTP/1.1\r\n');
  await connection.write('host: x\r\n');
  terminate(server);
  await connection.write('\r\n');
  await connection.until((text, closed) => /^HTTP\/1.1 (200|503)/.test(text) || closed, 'an answer');
  await server.stop();
});

test('drain: whoever comes during it is refused, or told 4200', async () => {
  const server = await Server.start({ drain_seconds: 2 });
  const sockets = await server.connectAll(50);
  terminate(server);
  await Promise.race(sockets.map((socket) => socket.closed()));
  let late;
  try {
    late = await server.open();
  } catch {
    late = null; // the port is closed already
  }
  if (late?.status === 101) assert.equal((await late.closed()).code, 4200);
  else if (late) assert.equal(late.status, 503);
  await server.stop();
});

test('drain: SIGINT is the same goodbye', async () => {
  const server = await Server.start({ drain_seconds: 1 });
  const socket = await server.connect();
  server.stopping = true;
  server.child.kill('SIGINT');
  assert.equal((await socket.closed()).code, 4200);
  await server.stop();
});
