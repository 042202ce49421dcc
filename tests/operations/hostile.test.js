// SPDX-License-Identifier: MIT OR Apache-2.0
// "Bad input": slow, silent, greedy and hostile connections cost at most their bound and delay
// nobody. What has a statement of its own (P-013, P-014, P-016, P-023, P-073) is tested there.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as frames from '../support/frames.js';
import { RawConnection, request } from '../support/http.js';
import { eventually, passing } from '../support/inbox.js';
import { fresh, member } from '../support/names.js';
import { serverFor, useServer } from '../support/server.js';
import { channelAuth, signedPath } from '../support/sign.js';

const server = await useServer({});

/** Publishes to a channel of its own and measures how long a bystander waits for it, in ms. */
async function latency(bystander, channel) {
  const start = performance.now();
  await server.api.publish(channel, 'ping', 'x');
  await bystander.event('ping', channel);
  return performance.now() - start;
}

test('a reader that never reads costs its bound, is closed with 4100, and delays nobody', async (t) => {
  const own = await serverFor(t);
  const channel = fresh();
  const [deaf, hearing] = await own.connectAll(2);
  for (const socket of [deaf, hearing]) await socket.subscribe(channel);
  deaf.tcp.pause();
  const before = own.memory();
  let slowest = 0;
  for (let n = 0; n < 1_500; n++) {
    const start = performance.now();
    await own.api.publish(channel, 'n', String(n).padEnd(10_000));
    await hearing.event('n', channel);
    slowest = Math.max(slowest, performance.now() - start);
  }
  t.diagnostic(`slowest ${slowest.toFixed(1)} ms, memory +${own.memory() - before} KB`);
  assert.ok(slowest < 500, `somebody else waited ${slowest} ms`);
  assert.ok(own.memory() - before < 20_000, `the server grew by ${own.memory() - before} KB`);
  assert.equal((await own.api.get(`/channels/${channel}`, { info: 'subscription_count' })).json.subscription_count, 1);
  deaf.tcp.resume();
  const { payload } = await deaf.frame(frames.CLOSE);
  assert.equal(payload.readUInt16BE(0), 4100);
});

test('a reader that asks for pongs and never reads them costs its bound', async (t) => {
  const own = await serverFor(t, { limits: { messages_per_second: 1_000_000 } });
  const socket = await own.connect();
  socket.tcp.pause();
  const before = own.memory();
  const flood = Buffer.concat(Array.from({ length: 500 }, () => frames.frame(frames.PING, 'x'.repeat(125))));
  for (let n = 0; n < 200 && !socket.tcp.destroyed; n++) {
    if (!socket.tcp.write(flood) && socket.tcp.writableLength > 5_000_000) break;
  }
  const other = await own.connect();
  await other.alive();
  assert.ok(own.memory() - before < 20_000, `the server grew by ${own.memory() - before} KB`);
  socket.vanish();
});

test('a reader of tiny frames that never reads is closed with 4100 when their number is its bound, not their bytes', async (t) => {
  const own = await serverFor(t, { workers: 1, limits: { messages_per_second: 1_000_000 } });
  const channel = fresh();
  const deaf = await own.connect();
  await deaf.subscribe(channel);
  deaf.tcp.pause();
  const metric = async (name) => Number(new RegExp(`^oyez_${name}\\S* (\\d+)$`, 'm').exec((await request(own.port, { path: '/metrics' })).text)[1]);
  // Until its socket takes no more.
  for (let before = -1, taken = 0; taken > before;) {
    before = taken;
    for (let n = 0; n < 20; n++) await own.api.publish(channel, 'n', 'x'.repeat(10_000));
    taken = await metric('bytes_sent');
  }
  assert.equal(await metric('slow_readers_closed'), 0);
  const pings = 20_000; // 40 KB of pongs: a twentieth of what may wait
  await deaf.write(Buffer.concat(Array.from({ length: pings }, () => frames.frame(frames.PING))));
  await eventually(async () => await metric('slow_readers_closed') === 1, 'the deaf one is closed');
  deaf.tcp.resume();
  assert.equal((await deaf.frame(frames.CLOSE)).payload.readUInt16BE(0), 4100);
});

test('clients that send one byte a second are read, and delay nobody', async () => {
  const channel = fresh();
  const bystander = await server.connect();
  await bystander.subscribe(channel);
  const slow = await server.connectAll(20);
  const bytes = frames.json({ event: 'pusher:ping', data: {} });
  for (let at = 0; at < 3; at++) {
    for (const socket of slow) await socket.write(bytes.subarray(at, at + 1));
    assert.ok(await latency(bystander, channel) < 500);
    await passing(1_000);
  }
  for (const socket of slow) {
    await socket.write(bytes.subarray(3));
    await socket.event('pusher:pong');
  }
});

test('a storm of subscribes, wrong signatures and errors on one socket delays nobody', async () => {
  const channel = fresh();
  const bystander = await server.connect();
  await bystander.subscribe(channel);
  const storm = await server.connect();
  const wrong = Array.from({ length: 5_000 }, () => frames.json({ event: 'pusher:subscribe', data: { channel: fresh('private-'), auth: 'app-key:00' } }));
  storm.write(Buffer.concat(wrong));
  const times = [];
  for (let n = 0; n < 20; n++) times.push(await latency(bystander, channel));
  assert.ok(Math.max(...times) < 1_000, `the bystander waited ${Math.max(...times)} ms`);
  await storm.messages.until((items) => items.length >= 5_000, 'an answer to each', 20_000);
});

test('three hundred connections that come and go in every half-open state leave nothing behind', async (t) => {
  const own = await serverFor(t);
  const channel = fresh('presence-');
  for (let round = 0; round < 3; round++) {
    const sockets = await own.connectAll(100);
    await Promise.all(sockets.map((socket, n) => {
      if (n % 4 === 0) socket.send(socket.subscription(channel, { data: member(`u${n}`) }));
      if (n % 4 === 1) socket.write(frames.frame(frames.TEXT, '', { length: 1_000 }));
      if (n % 4 === 2) socket.write(frames.frame(frames.TEXT, 'half', { fin: false }));
      return n % 2 ? socket.vanish() : socket.close();
    }));
  }
  const { json } = await own.api.get('/channels');
  assert.deepEqual(json.channels, {});
  const socket = await own.connect();
  const { presence } = await socket.subscribe(channel, { data: member('last') });
  assert.equal(presence.count, 1);
});

test('a goodbye that comes together with the last bytes is noticed: whoever is gone leaves at once', async (t) => {
  const own = await serverFor(t);
  const hello = Buffer.from(`GET /app/${own.app.key}?protocol=7 HTTP/1.1\r\nhost: x\r\nupgrade: websocket\r\n`
    + 'connection: Upgrade\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-version: 13\r\n\r\n');
  const connections = [];
  for (let n = 0; n < 300; n++) {
    const connection = await RawConnection.open(own.port);
    if (n % 2) await connection.write(hello);
    connection.socket.end(n % 2 ? undefined : hello);
    connections.push(connection);
  }
  const sockets = await own.connectAll(100);
  for (const socket of sockets) socket.tcp.end(frames.json(socket.subscription(fresh())));
  await Promise.all(connections.map((connection) => connection.until((_, closed) => closed, 'the end of a half-closed handshake', 5_000)));
  await Promise.all(sockets.map((socket) => socket.ended(5_000)));
  await eventually(async () => Object.keys((await own.api.get('/channels')).json.channels).length === 0, 'no channel is left occupied');
});

test('a publisher that pipelines and never reads its answers costs its bound', async (t) => {
  const own = await serverFor(t);
  const before = own.memory();
  const connection = await RawConnection.open(own.port);
  connection.socket.pause();
  const call = `GET ${signedPath(own.app, 'GET', own.api.path('/channels'))} HTTP/1.1\r\nhost: x\r\n\r\n`;
  const many = call.repeat(200);
  for (let n = 0; n < 200 && !connection.closed; n++) {
    connection.socket.write(many);
    if (connection.socket.writableLength > 4_000_000) break;
  }
  await (await own.connect()).alive();
  assert.equal((await own.api.get('/channels')).status, 200);
  assert.ok(own.memory() - before < 20_000, `the server grew by ${own.memory() - before} KB`);
  connection.destroy();
});

test('a channel name cannot be made to cross into another channel, app or frame', async (t) => {
  const own = await serverFor(t, { apps: [{}, { id: '2', key: 'other-key', secret: 'other-secret' }] });
  const [mine, theirs] = [await own.connect(), await own.connect({ app: own.apps[1] })];
  const channel = fresh();
  await mine.subscribe(channel);
  await theirs.subscribe(channel);
  await own.api.publish(channel, 'event', '","channel":"other","x":"');
  assert.equal((await mine.event('event', channel)).data, '","channel":"other","x":"');
  await theirs.alive();
  assert.deepEqual(theirs.messages.items, [], 'apps do not hear each other');
  const room = fresh('private-');
  const data = '{"a":"x","y":"z"}';
  const crossing = `${theirs.socketId}:${room}`;
  assert.equal((await mine.refused(room, { auth: channelAuth(own.app, crossing, '', data), data })).status, 401);
});

test('no secret and no signature reaches the log', async (t) => {
  const own = await serverFor(t, { app: { secret: 'do-not-print-me' } });
  const socket = await own.connect();
  await socket.refused(fresh('private-'), { auth: 'app-key:00' });
  await own.api.post('/events', 'not json', { forge: { auth_signature: '00' } });
  await own.api.publish(fresh(), 'e', 'x');
  await socket.subscribe(fresh('private-'));
  await own.stop();
  assert.ok(!own.log.includes('do-not-print-me'));
  assert.doesNotMatch(own.log, /auth_signature=[0-9a-f]{64}/);
});
