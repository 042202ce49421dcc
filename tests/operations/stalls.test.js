// SPDX-License-Identifier: MIT OR Apache-2.0
// A server that stands still for a while, and what came meanwhile: SIGSTOP makes all of it wait, so
// that it meets the server in one turn.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { test } from 'node:test';
import * as frames from '../support/frames.js';
import { passing } from '../support/inbox.js';
import { serverFor } from '../support/server.js';

/** While the server stands still, does `act`. */
async function stopped(t, server, act) {
  t.after(() => server.child.kill('SIGCONT'));
  server.child.kill('SIGSTOP');
  await act();
  server.child.kill('SIGCONT');
}

/** Most memory that the server ever held, in KB. */
const peak = (server) =>
  Number(/VmHWM:\s+(\d+)/.exec(fs.readFileSync(`/proc/${server.pid}/status`, 'utf8'))[1]);

test('P-006 a server that stood still closes nobody for a silence that was its own', async (t) => {
  const server = await serverFor(t, { workers: 1, ping_after: 1, pong_timeout: 3 });
  // More than one turn reads.
  const sockets = await server.connectAll(1_500);
  sockets.forEach((socket) => (socket.pongs = false));
  // When it stops, each has been asked; while it stands still, each answers.
  await Promise.all(sockets.map((socket) => socket.frame(frames.PING)));
  await stopped(t, server, async () => {
    sockets.forEach((socket) => (socket.pongs = true));
    await Promise.all(sockets.map((socket) => socket.write(frames.frame(frames.PONG))));
    await passing(5_000);
  });
  await Promise.all(sockets.map((socket) => socket.alive()));
  const goodbyes = sockets.filter((socket) => socket.control.items.some(({ opcode }) => opcode === frames.CLOSE));
  assert.equal(goodbyes.length, 0);
  sockets.forEach((socket) => socket.vanish());
});

test('bursts of 10,000 pings that meet in one turn cost bounded memory, and each is answered', async (t) => {
  const server = await serverFor(t, { workers: 1 });
  const sockets = await server.connectAll(40);
  const burst = Buffer.concat(Array.from({ length: 10_000 }, () => frames.frame(frames.PING)));
  const before = peak(server);
  await stopped(t, server, () => Promise.all(sockets.map((socket) => socket.write(burst))));
  await Promise.all(sockets.map((socket) => socket.control.until((items) => items.length >= 10_000, 'a pong for each')));
  for (const socket of sockets) await socket.alive();
  t.diagnostic(`memory at most +${peak(server) - before} KB`);
  assert.ok(peak(server) - before < 15_000, `the server grew by ${peak(server) - before} KB`);
});
