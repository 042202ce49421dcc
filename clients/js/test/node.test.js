// SPDX-License-Identifier: MIT OR Apache-2.0
// In Node without a global WebSocket: the transport of our own, against a peer that sends bytes.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Queue, clientFor, peerFor } from './support/peer.js';
import { BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, closing, established, frame, rawPeerFor, text } from './support/raw.js';
import { source } from './support/source.js';

delete globalThis.WebSocket;
const { Pusher } = await source('node/index');
const { MESSAGE_LIMIT, Socket } = await source('node/socket');

/** A socket whose events are recorded. */
function socketFor(t, url) {
  const socket = new Socket(url);
  socket.messages = new Queue();
  socket.ends = new Queue();
  socket.errors = [];
  socket.onmessage = ({ data }) => socket.messages.push(data);
  socket.onclose = ({ code, reason }) => socket.ends.push({ code, reason });
  socket.onerror = ({ message }) => socket.errors.push(message);
  t.after(() => socket.close());
  return socket;
}

/** A socket and its other end. */
async function linkFor(t, options) {
  const peer = await rawPeerFor(t, options);
  const socket = socketFor(t, peer.url);
  return { socket, link: await peer.next() };
}

function nodeClientFor(t, port, options) {
  const client = new Pusher('key', { wsHost: '127.0.0.1', wsPort: port, forceTLS: false, backoff: { base: 20, cap: 50 }, ...options });
  client.states = new Queue();
  client.errors = new Queue();
  client.connection.bind('state_change', ({ current }) => client.states.push(current));
  client.connection.bind('error', ({ type, error }) => type === 'WebSocketError' && client.errors.push(error.data));
  client.reached = (state) => client.states.take((current) => current === state, state);
  t.after(() => client.disconnect());
  return client;
}

test('a client that was given no WebSocket connects, also when the first frame comes with the handshake', async (t) => {
  const peer = await rawPeerFor(t, { first: established() });
  const client = nodeClientFor(t, peer.port);
  await client.reached('connected');
  const { request, frames } = await peer.next();
  assert.match(request.url, /^\/app\/key\?protocol=7&client=oyez-js/);
  assert.equal(request.headers['sec-websocket-version'], '13');
  client.subscribe('room');
  const { masked, payload } = await frames.take();
  assert.ok(masked);
  assert.equal(JSON.parse(payload).event, 'pusher:subscribe');
});

test('a WebSocket of the options, then the global one, go before our own', async (t) => {
  class Other { constructor(url) { made.push([this.constructor.name, url.slice(0, 5)]); } close() {} }
  class Global extends Other {}
  const made = [];
  t.after(() => delete globalThis.WebSocket);
  globalThis.WebSocket = Global;
  nodeClientFor(t, 1, { WebSocket: Other });
  nodeClientFor(t, 1);
  assert.deepEqual(made, [['Other', 'ws://'], ['Global', 'ws://']]);
});

test('messages: whole, in fragments with a ping between, byte by byte, of each form of length', async (t) => {
  const { socket, link } = await linkFor(t);
  link.stream.write(frame(TEXT, 'whole'));
  const euro = Buffer.from('a€b');
  link.stream.write(Buffer.concat([
    frame(TEXT, euro.subarray(0, 2), { fin: false }), frame(PING, 'p'), frame(CONTINUATION, '', { fin: false }),
    frame(CONTINUATION, euro.subarray(2, 3), { fin: false }), frame(CONTINUATION, euro.subarray(3)),
  ]));
  for (const form of [7, 16, 64]) link.stream.write(frame(TEXT, `form ${form}`, { form }));
  for (const byte of Buffer.concat([frame(TEXT, 'slowly', { form: 64 }), frame(TEXT, '')])) {
    await new Promise((resolve) => link.stream.write(Buffer.of(byte), resolve));
  }
  for (const expected of ['whole', 'a€b', 'form 7', 'form 16', 'form 64', 'slowly', '']) assert.equal(await socket.messages.take(), expected);
  const pong = await link.heard(PONG);
  assert.deepEqual([pong.masked, pong.payload.toString()], [true, 'p']);
});

test('what it sends is masked and has the form that its length asks for', async (t) => {
  const { socket, link } = await linkFor(t, { first: frame(TEXT, 'hello') });
  await socket.messages.take();
  for (const [length, form] of [[0, 7], [125, 7], [126, 16], [65_535, 16], [65_536, 64]]) {
    socket.send('x'.repeat(length));
    const sent = await link.heard(TEXT);
    assert.deepEqual([sent.masked, sent.form, sent.payload.toString()], [true, form, 'x'.repeat(length)]);
  }
  socket.send('ü💥');
  assert.equal((await link.heard(TEXT)).payload.toString(), 'ü💥');
});

test('a message of the greatest size arrives; a larger one is refused before it has come', async (t) => {
  const { socket, link } = await linkFor(t);
  link.stream.write(frame(TEXT, Buffer.alloc(MESSAGE_LIMIT, 'x')));
  assert.equal((await socket.messages.take()).length, MESSAGE_LIMIT);
  link.stream.write(frame(TEXT, Buffer.alloc(10), { fin: false }));
  link.stream.write(frame(CONTINUATION, Buffer.alloc(MESSAGE_LIMIT - 9)).subarray(0, 10));
  assert.equal((await socket.ends.take()).code, 1009);
  assert.equal((await link.heard(CLOSE)).payload.readUInt16BE(), 1009);
  await link.ended;
});

for (const [what, code, bytes] of [
  ['reserved bits', 1002, frame(TEXT, 'x', { first: 0xc1 })],
  ['an opcode that there is not', 1002, frame(3, 'x')],
  ['a masked frame', 1002, Buffer.of(0x81, 0x81, 0, 0, 0, 0, 0x78)],
  ['a ping in parts', 1002, frame(PING, 'x', { fin: false })],
  ['a ping that is too long', 1002, frame(PING, Buffer.alloc(126))],
  ['a continuation of nothing', 1002, frame(CONTINUATION, 'x')],
  ['a message within another', 1002, Buffer.concat([frame(TEXT, 'x', { fin: false }), frame(TEXT, 'x')])],
  ['a close with half a code', 1002, frame(CLOSE, 'x')],
  ['a close with a code that may not be sent', 1002, closing(1006)],
  ['a binary message', 1003, frame(BINARY, 'x')],
  ['text that is not UTF-8', 1007, frame(TEXT, Buffer.of(0xff))],
  ['text that ends within a character', 1007, frame(TEXT, Buffer.of(0xe2, 0x82))],
  ['an enormous length', 1009, Buffer.of(0x81, 127, 255, 255, 255, 255, 255, 255, 255, 255)],
]) {
  test(`${what}: refused with ${code}, and nothing after it is heard`, async (t) => {
    const { socket, link } = await linkFor(t);
    link.stream.write(Buffer.concat([bytes, frame(TEXT, 'after')]));
    const end = await socket.ends.take();
    assert.equal(end.code, code);
    assert.deepEqual(socket.errors, [end.reason]);
    assert.equal((await link.heard(CLOSE)).payload.readUInt16BE(), code);
    await link.ended;
    assert.deepEqual([socket.messages.items, socket.ends.items], [[], []]);
  });
}

test('a close is answered with its code, and told once with its reason', async (t) => {
  const { socket, link } = await linkFor(t);
  link.stream.write(Buffer.concat([closing(4200, 'go elsewhere'), frame(TEXT, 'after')]));
  assert.deepEqual(await socket.ends.take(), { code: 4200, reason: 'go elsewhere' });
  assert.equal((await link.heard(CLOSE)).payload.readUInt16BE(), 4200);
  await link.ended;
  assert.deepEqual([socket.messages.items, socket.ends.items, socket.errors], [[], [], []]);
});

test('closing says so, hears no more messages, and ends with the answer or soon without one', async (t) => {
  for (const answer of ['answers', 'is silent']) {
    const { socket, link } = await linkFor(t, { first: frame(TEXT, 'hello') });
    await socket.messages.take();
    socket.close(1000, 'bye');
    socket.send('late');
    const { payload } = await link.heard(CLOSE);
    assert.deepEqual([payload.readUInt16BE(), payload.subarray(2).toString()], [1000, 'bye']);
    if (answer === 'answers') link.stream.write(Buffer.concat([frame(TEXT, 'after'), closing(1000)]));
    assert.equal((await socket.ends.take()).code, answer === 'answers' ? 1000 : 1006);
    await link.ended;
    assert.deepEqual([socket.messages.items, link.frames.items], [[], []]);
  }
});

test('a link that breaks, or never was, ends with 1006 and says why', async (t) => {
  const { socket, link } = await linkFor(t);
  link.stream.destroy();
  assert.equal((await socket.ends.take()).code, 1006);
  const ends = async (url) => {
    const { ends, errors } = socketFor(t, url);
    const { code, reason } = await ends.take();
    assert.deepEqual([code, errors], [1006, [reason]]);
    return reason;
  };
  const head = 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n';
  assert.match(await ends((await rawPeerFor(t, { answer: `${head}Sec-WebSocket-Accept: no\r\n\r\n` })).url), /handshake/);
  assert.match(await ends((await rawPeerFor(t, { answer: 'HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n' })).url), /503/);
  assert.match(await ends('ws://127.0.0.1:1/'), /ECONNREFUSED/);
  assert.match(await ends((await rawPeerFor(t)).url.replace('ws:', 'wss:')), /\w/);
  const early = socketFor(t, (await rawPeerFor(t)).url);
  early.close();
  assert.equal((await early.ends.take()).code, 1006);
  assert.throws(() => new Socket('ws://'), /URL/);
});

test('P-004 closed with 4001 a client stays away and says why; with 4200 and when cut it comes back', async (t) => {
  const peer = await rawPeerFor(t, { first: established() });
  const client = nodeClientFor(t, peer.port);
  await client.reached('connected');
  (await peer.next()).stream.write(closing(4200, 'restart'));
  assert.deepEqual(await client.errors.take(), { code: 4200, message: 'restart' });
  await client.reached('connected');
  (await peer.next()).stream.destroy();
  assert.equal((await client.errors.take()).code, 1006);
  await client.reached('connected');
  (await peer.next()).stream.write(Buffer.concat([text({ event: 'pusher:error', data: { code: 4001, message: 'no such app' } }), closing(4001, 'no such app')]));
  await client.reached('disconnected');
  assert.deepEqual(await client.errors.take(), { code: 4001, message: 'no such app' });
});

test('the peer of the other tests, whose WebSocket is not ours, understands it', async (t) => {
  const peer = await peerFor(t);
  const client = clientFor(t, peer, { WebSocket: Socket });
  const link = await peer.next();
  const channel = client.subscribe('room');
  const heard = new Queue();
  channel.bind('e', (data) => heard.push(data));
  await link.answer();
  link.send('e', { long: 'ü'.repeat(100_000) }, { channel: 'room' });
  assert.equal((await heard.take()).long.length, 100_000);
  await link.fence();
  client.disconnect();
  const code = await new Promise((resolve) => link.socket.once('close', resolve));
  assert.equal(code, 1000);
});
