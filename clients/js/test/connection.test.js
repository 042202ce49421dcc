// SPDX-License-Identifier: MIT OR Apache-2.0
// The link: states, close codes, silence.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Pusher, Queue, clientFor, peerFor } from './support/peer.js';
import { source } from './support/source.js';

const { addressOf } = await source('options');

/** A client with the states that it goes through. */
function watched(t, peer, options) {
  const client = clientFor(t, peer, options);
  client.states = new Queue();
  client.waits = [];
  client.connection.bind('state_change', ({ previous, current }) => client.states.push(`${previous} > ${current}`));
  client.connection.bind('connecting_in', (seconds) => client.waits.push(seconds));
  client.reached = (state) => client.states.take((change) => change.endsWith(`> ${state}`), state);
  return client;
}

test('connects at once, and knows its socket id', async (t) => {
  const peer = await peerFor(t);
  const client = watched(t, peer, { wsPath: '/realtime' });
  assert.equal(client.connection.state, 'connecting');
  await client.reached('connected');
  assert.equal(client.connection.socket_id, '1.1');
  assert.match(peer.urls[0], /^\/realtime\/app\/key\?protocol=7&client=oyez-js&version=\d+\.\d+\.\d+&flash=false$/);
  assert.ok(Pusher.instances.includes(client));
});

test('where there is no WebSocket the error says what to do', (t) => {
  const had = globalThis.WebSocket;
  delete globalThis.WebSocket;
  t.after(() => { if (had) globalThis.WebSocket = had; });
  assert.throws(() => new Pusher('key', { wsHost: '127.0.0.1' }), /options\.WebSocket/);
  assert.throws(() => new Pusher('key', {}), /wsHost/);
  assert.throws(() => new Pusher(undefined, { wsHost: 'h' }), /key/);
});

test('addresses: as pusher-js has them, and the page\'s own where none is given', (t) => {
  const of = (options) => addressOf('k', options).split('?')[0];
  assert.equal(of({ wsHost: 'h', cluster: 'eu' }), 'wss://h:443/app/k');
  assert.equal(of({ wsHost: 'h', wsPort: 6001, wssPort: 6002, forceTLS: true }), 'wss://h:6002/app/k');
  assert.equal(of({ wsHost: 'h', wsPort: 6001, forceTLS: false }), 'ws://h:6001/app/k');
  t.after(() => delete globalThis.location);
  globalThis.location = { protocol: 'http:', hostname: 'page', port: '8080' };
  assert.equal(of({}), 'ws://page:8080/app/k');
  assert.equal(of({ wsPort: 6001 }), 'ws://page:6001/app/k');
  assert.equal(of({ wsHost: 'h', forceTLS: false }), 'ws://h:80/app/k');
  globalThis.location = { protocol: 'https:', hostname: 'page', port: '' };
  assert.equal(of({}), 'wss://page:443/app/k');
  assert.equal(of({ wsHost: 'h', forceTLS: false }), 'wss://h:443/app/k');
});

for (const code of [4000, 4001, 4009]) {
  test(`P-004 closed with ${code}: an error, disconnected, and no return`, async (t) => {
    const peer = await peerFor(t);
    const client = watched(t, peer);
    const link = await peer.next();
    link.socket.close(code, 'go away');
    await client.reached('disconnected');
    assert.deepEqual((await client.errors.take(({ error }) => error)).error.data, { code, message: 'go away' });
    await new Promise((resolve) => setTimeout(resolve, 200));
    assert.equal(peer.urls.length, 1);
    client.connect();
    await client.reached('connected');
  });
}

test('an error before the handshake counts as a close with its code', async (t) => {
  const peer = await peerFor(t);
  peer.silent = true;
  const client = watched(t, peer);
  (await peer.next()).send('pusher:error', { code: 4001, message: 'no such app' });
  await client.reached('disconnected');
});

test('closed with 4100 it waits a base at least, otherwise it may come at once', async (t) => {
  t.mock.method(Math, 'random', () => 0);
  const peer = await peerFor(t);
  const client = watched(t, peer, { backoff: { base: 300, cap: 300 } });
  for (const [code, least] of [[4100, 290], [4200, 0], [1001, 0], [1011, 0]]) {
    const link = await peer.next();
    await link.fence();
    client.states.items.length = 0;
    const since = performance.now();
    link.socket.close(code);
    await client.reached('connecting');
    await client.reached('connected');
    const waited = performance.now() - since;
    assert.ok(waited >= least && waited < least + 250, `${code}: ${waited} ms`);
  }
  assert.equal(client.waits.length, 4);
});

test('a link that dies is replaced, and the state says so at once', async (t) => {
  const peer = await peerFor(t);
  const client = watched(t, peer);
  const link = await peer.next();
  await link.die();
  assert.deepEqual([await client.states.take(), await client.states.take()], ['connecting > connected', 'connected > connecting']);
  await peer.next();
  await client.reached('connected');
  assert.equal(client.connection.socket_id, '2.1');
});

test('unavailable after a while without a connection, and connected from there', async (t) => {
  const peer = await peerFor(t);
  peer.silent = true;
  const client = watched(t, peer, { unavailableTimeout: 50 });
  await client.reached('unavailable');
  const link = await peer.next();
  link.socket.terminate();
  const second = await peer.next();
  assert.equal(client.connection.state, 'unavailable');
  second.send('pusher:connection_established', { socket_id: '9.9', activity_timeout: 120 });
  assert.equal(await client.states.take(), 'unavailable > connected');
});

test('P-005 after silence it asks; without an answer it takes a new link', async (t) => {
  const peer = await peerFor(t);
  const client = watched(t, peer, { activityTimeout: 40, pongTimeout: 80 });
  const link = await peer.next();
  await link.heard('pusher:ping');
  link.send('pusher:pong', {});
  await link.heard('pusher:ping');
  await peer.next();
  await client.reached('connecting');
  await client.reached('connected');
});

test('the server\'s activity_timeout counts where it is shorter', async (t) => {
  const peer = await peerFor(t, { timeout: 0.04 });
  clientFor(t, peer);
  await (await peer.next()).heard('pusher:ping');
});

test('pusher:error reaches the page and the connection lives', async (t) => {
  const peer = await peerFor(t);
  const client = watched(t, peer);
  const link = await peer.next();
  link.raw(JSON.stringify({ event: 'pusher:error', data: { code: 4301, message: 'slowly' } }));
  assert.deepEqual(await client.errors.take(), { type: 'PusherError', data: { code: 4301, message: 'slowly' } });
  await link.fence();
});

test('disconnect and connect, also from within a handler', async (t) => {
  const peer = await peerFor(t);
  const client = watched(t, peer);
  client.connection.bind('error', () => client.disconnect());
  await (await peer.next()).die();
  await client.reached('disconnected');
  await new Promise((resolve) => setTimeout(resolve, 100));
  assert.equal(peer.urls.length, 1);
  client.connect();
  client.connect();
  await (await peer.next()).fence();
  assert.equal(peer.urls.length, 2);
  assert.equal(client.send_event('x', {}), true);
  client.disconnect();
  assert.equal(client.send_event('x', {}), false);
});

test('the log: to a function of the page', async (t) => {
  const lines = [];
  Pusher.log = (line) => lines.push(line);
  t.after(() => delete Pusher.log);
  const peer = await peerFor(t);
  const client = watched(t, peer);
  await client.reached('connected');
  assert.ok(lines.some((line) => line.includes('connected')));
});
