// SPDX-License-Identifier: MIT OR Apache-2.0
// Protocol section 1, "Liveness": who is silent is pinged, then closed, and leaves presence.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as frames from '../support/frames.js';
import { passing } from '../support/inbox.js';
import { fresh, member } from '../support/names.js';
import { useServer } from '../support/server.js';

const server = await useServer({ ping_after: 1, pong_timeout: 1 });

/** More than ping_after + pong_timeout, with room for spread timers and a busy machine. */
const PATIENCE = 8_000;

test('P-006 a silent socket is pinged, closed with 4201 and leaves presence', async () => {
  const channel = fresh('presence-');
  const watcher = await server.connect();
  await watcher.subscribe(channel, { data: member('watcher') });
  const silent = await server.connect();
  silent.pongs = false;
  await silent.subscribe(channel, { data: member('silent') });
  await watcher.event('pusher_internal:member_added', channel);
  const start = performance.now();
  const { code } = await silent.closed(PATIENCE);
  assert.equal(code, 4201);
  assert.ok(performance.now() - start >= 1_500, 'closed before ping_after + pong_timeout had passed');
  assert.ok(silent.control.items.some(({ opcode }) => opcode === frames.PING), 'it was pinged first');
  const removed = await watcher.event('pusher_internal:member_removed', channel, PATIENCE);
  assert.deepEqual(JSON.parse(removed.data), { user_id: 'silent' });
});

test('P-006 a socket that answers pings lives', async () => {
  const socket = await server.connect();
  for (let n = 0; n < 4; n++) await socket.frame(frames.PING, PATIENCE);
  await socket.alive();
});

test('P-006 a client that knows no WebSocket pings is asked by pusher:ping, and lives if it answers', async () => {
  const socket = await server.connect();
  socket.pongs = false;
  for (let n = 0; n < 4; n++) {
    await socket.event('pusher:ping', undefined, PATIENCE);
    await socket.send({ event: 'pusher:pong', data: {} });
  }
  await socket.alive();
});

test('P-006 any message counts as a sign of life', async () => {
  const socket = await server.connect();
  socket.pongs = false;
  for (let n = 0; n < 8; n++) {
    await socket.send({ event: 'pusher:unsubscribe', data: { channel: 'never-joined' } });
    await passing(500);
  }
  await socket.alive();
});

test('P-006 the pings of many sockets that came at once are spread in time', async () => {
  const sockets = await server.connectAll(200);
  const times = await Promise.all(sockets.map(async (socket) => {
    await socket.frame(frames.PING, PATIENCE);
    return performance.now();
  }));
  const spread = Math.max(...times) - Math.min(...times);
  assert.ok(spread > 20, `200 pings came within ${spread.toFixed(1)} ms`);
  sockets.forEach((socket) => socket.vanish());
});

test('P-037 a socket that dies without a close leaves presence at once, one whose network is gone after the timeout', async () => {
  const channel = fresh('presence-');
  const watcher = await server.connect();
  await watcher.subscribe(channel, { data: member('watcher') });
  for (const [id, die] of [['reset', (socket) => socket.vanish()], ['gone', (socket) => socket.tcp.pause()]]) {
    const socket = await server.connect();
    await socket.subscribe(channel, { data: member(id) });
    await watcher.event('pusher_internal:member_added', channel);
    die(socket);
    const removed = await watcher.event('pusher_internal:member_removed', channel, PATIENCE);
    assert.deepEqual(JSON.parse(removed.data), { user_id: id });
    socket.vanish();
  }
});
