// SPDX-License-Identifier: MIT OR Apache-2.0
// Protocol section 1: connecting, being refused, staying alive.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as frames from '../support/frames.js';
import { fresh } from '../support/names.js';
import { serverFor, useServer } from '../support/server.js';
import { Socket } from '../support/socket.js';

const server = await useServer({ activity_timeout: 30 });

test('P-001 connection_established is the first frame, its data a string with id and timeout', async () => {
  const socket = await server.connect();
  assert.equal(socket.hello.seq, 0);
  assert.equal(typeof socket.hello.data, 'string');
  const hello = JSON.parse(socket.hello.data);
  assert.match(hello.socket_id, /^\d+\.\d+$/);
  assert.equal(hello.activity_timeout, 30);
  assert.deepEqual(Object.keys(socket.hello).filter((key) => !['raw', 'seq'].includes(key)), ['event', 'data']);
});

test('P-001 ids of many connections at once differ and do not count up', async () => {
  const sockets = await server.connectAll(200);
  const ids = sockets.map((socket) => socket.socketId);
  assert.equal(new Set(ids).size, 200);
  const firsts = ids.map((id) => BigInt(id.split('.')[0])).sort((a, b) => (a < b ? -1 : 1));
  const steps = firsts.slice(1).map((id, i) => id - firsts[i]);
  assert.ok(steps.filter((step) => step <= 2n).length < 20, 'socket ids can be guessed from one another');
  sockets.forEach((socket) => socket.vanish());
});

test('P-005 a ping event and a ping frame are both answered', async () => {
  const socket = await server.connect();
  for (const message of [{ event: 'pusher:ping', data: {} }, { event: 'pusher:ping' }, { event: 'pusher:ping', data: '' }]) {
    await socket.send(message);
    const pong = await socket.event('pusher:pong');
    assert.deepEqual(pong.data, {});
  }
  await socket.write(frames.frame(frames.PING, 'are you there?'));
  const { payload } = await socket.frame(frames.PONG);
  assert.equal(payload.toString(), 'are you there?');
});

for (const protocol of [5, 6, 7]) {
  test(`P-008 protocol ${protocol} connects, subscribes and receives`, async () => {
    const channel = fresh();
    const socket = await server.connect({ query: { protocol } });
    await socket.subscribe(channel);
    await server.api.publish(channel, 'greeting', 'hello');
    assert.equal((await socket.event('greeting', channel)).data, 'hello');
    await socket.close();
  });
}

test('P-001 the handshake is answered in whatever pieces it comes, and with a frame in the same packet', async () => {
  const slow = await server.connect({ slowly: true });
  await slow.byteByByte(frames.json({ event: 'pusher:ping', data: {} }));
  await slow.event('pusher:pong');
  const channel = fresh();
  const eager = await server.connect({
    also: Buffer.concat([
      frames.json({ event: 'pusher:subscribe', data: { channel, auth: '' } }),
      frames.json({ event: 'pusher:ping', data: {} }),
    ]),
  });
  await eager.subscribed(channel);
  await eager.event('pusher:pong');
  assert.equal(eager.hello.seq, 0);
});

test('P-001 the query may hold anything else, header names any case, and no subprotocol is invented', async () => {
  const path = `/app/${server.app.key}?client=%22js%22&protocol=7&x=%ff&&version=&flash=false&protocol_x=9`;
  const socket = await Socket.open(server, {
    path, headers: { 'SEC-WEBSOCKET-EXTENSIONS': 'permessage-deflate; client_max_window_bits', connection: 'keep-alive, Upgrade' },
  });
  assert.equal(socket.status, 101);
  assert.equal(socket.header('sec-websocket-protocol'), undefined);
  assert.equal(socket.header('sec-websocket-extensions'), undefined, 'compression was accepted but not announced to tests');
  await socket.event('pusher:connection_established');
});

test('P-003 an upgrade that is not a WebSocket handshake gets an HTTP error, not a connection', async () => {
  for (const [headers, statuses] of [
    [{ 'sec-websocket-version': '8' }, [400, 426]],
    [{ 'sec-websocket-key': 'short' }, [400]],
  ]) {
    const socket = await Socket.open(server, { headers });
    assert.ok(statuses.includes(socket.status), `${JSON.stringify(headers)} was answered ${socket.status}`);
    socket.vanish();
  }
});

test('P-009 a path prefix stands before /app and /apps', async (t) => {
  const prefixed = await serverFor(t, { path: '/realtime' });
  const channel = fresh();
  const socket = await prefixed.connect();
  await socket.subscribe(channel);
  await prefixed.api.publish(channel, 'greeting', 'hello');
  assert.equal((await socket.event('greeting', channel)).data, 'hello');
  const bare = await Socket.open(prefixed, { path: `/app/${prefixed.app.key}?protocol=7` });
  if (bare.status === 101) assert.equal((await bare.closed()).code, 4005);
  else assert.equal(bare.status, 404);
});
