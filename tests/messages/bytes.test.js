// SPDX-License-Identifier: MIT OR Apache-2.0
// Protocol section 2: what a message carries arrives as it was sent; what is wrong is said.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fresh } from '../support/names.js';
import { serverFor, useServer } from '../support/server.js';
import * as frames from '../support/frames.js';

const server = await useServer({});

const DATA = {
  'plain text': 'hello',
  'an empty string': '',
  'not JSON': '{"broken": ',
  'JSON with its spaces and key order': '{ "b" : 1,\n\t"a" : [ 2.50 , 1e3 ] }',
  'umlauts and CJK': 'Grüße, 你好, שלום',
  'emoji beyond the basic plane': '👩‍👩‍👧‍👦 🏳️‍🌈 𝒳',
  'quotes and backslashes': '"\\"\\\\/\\/\\u0041 \' `',
  'control characters': '\u0000\u0001\b\t\n\f\r\u001f\u007f',
  'line separators': 'a\u2028b\u2029c',
  'a byte order mark and non-characters': '\ufeff\ufffe\uffff\ufffd',
  'escapes that look like escapes': '\\u0000 \\ud800 \\n',
  'HTML': '<script>alert("&amp;")</script>',
  'ten kilobytes': 'x'.repeat(10_240),
  'ten kilobytes of three-byte characters': '語'.repeat(3_413),
  'a number as text': '42',
  'null as text': 'null',
};

for (const [what, data] of Object.entries(DATA)) {
  test(`P-011 data arrives byte for byte: ${what}`, async () => {
    const channel = fresh();
    const socket = await server.connect();
    await socket.subscribe(channel);
    await server.api.publish(channel, 'event', data);
    const message = await socket.event('event', channel);
    assert.equal(message.data, data);
    assert.deepEqual(JSON.parse(message.raw), { event: 'event', channel, data });
    await socket.close();
  });
}

test('P-011 the same, when the publisher wrote every character as an escape', async () => {
  const channel = fresh();
  const socket = await server.connect();
  await socket.subscribe(channel);
  const data = 'aé你👍"\\\n';
  const escaped = [...data].flatMap((c) => c.split('')).map((c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`).join('');
  const answer = await server.api.post('/events', `{"name":"\\u0065vent","channel":"${channel}","data":"${escaped}"}`);
  assert.equal(answer.status, 200, answer.text);
  assert.equal((await socket.event('event', channel)).data, data);
});

test('P-011 event names arrive as they are, odd ones too', async () => {
  const channel = fresh();
  const socket = await server.connect();
  await socket.subscribe(channel);
  for (const name of ['App\\Events\\Moved', 'ünï cöde 🎉', 'with "quotes"', 'a'.repeat(200), '.', 'client', 'pusherx']) {
    await server.api.publish(channel, name, 'x');
    assert.equal((await socket.event(name, channel)).event, name);
  }
});

test('P-011 events arrive in publish order, each once', async () => {
  const channel = fresh();
  const sockets = await server.connectAll(5);
  await Promise.all(sockets.map((socket) => socket.subscribe(channel)));
  for (let n = 0; n < 200; n++) await server.api.publish(channel, 'count', String(n));
  for (const socket of sockets) {
    const seen = (await socket.fence(channel)).map(({ data }) => Number(data));
    assert.deepEqual(seen, Array.from({ length: 200 }, (_, n) => n));
  }
});

const OVERSIZE = 64 * 1024;

test('P-014 a message of exactly the limit is read, one byte more closes with 1009', async () => {
  const padded = (size) => {
    const empty = JSON.stringify({ event: 'pusher:ping', data: '' });
    return empty.replace('""', `"${'x'.repeat(size - empty.length)}"`);
  };
  const fits = await server.connect();
  await fits.sendText(padded(OVERSIZE));
  await fits.event('pusher:pong');
  const over = await server.connect();
  await over.sendText(padded(OVERSIZE + 1));
  assert.equal((await over.closed()).code, 1009);
});

test('P-014 an announced length is refused from the frame head alone, nothing is buffered', async () => {
  for (const length of [OVERSIZE + 1, 2 ** 31, 2 ** 40, Number.MAX_SAFE_INTEGER]) {
    const socket = await server.connect();
    await socket.write(frames.frame(frames.TEXT, '', { length }));
    assert.equal((await socket.closed()).code, 1009, `length ${length}`);
  }
});

test('P-014 the limit counts a message over all its fragments', async () => {
  const socket = await server.connect();
  const part = 'x'.repeat(16 * 1024);
  await socket.write(frames.frame(frames.TEXT, part, { fin: false }));
  for (let n = 0; n < 3; n++) await socket.write(frames.frame(frames.CONTINUATION, part, { fin: false }));
  await socket.write(frames.frame(frames.CONTINUATION, 'x', { fin: true }));
  assert.equal((await socket.closed()).code, 1009);
});

test('P-014 endless fragments do not grow the server', async (t) => {
  const own = await serverFor(t);
  const before = own.memory();
  for (let n = 0; n < 20; n++) {
    const socket = await own.connect();
    await socket.write(frames.frame(frames.TEXT, 'x', { fin: false }));
    const flood = Buffer.concat(Array.from({ length: 5_000 }, () => frames.frame(frames.CONTINUATION, 'x'.repeat(100), { fin: false })));
    socket.write(flood);
    await socket.frame(frames.CLOSE);
    socket.vanish();
  }
  assert.ok(own.memory() - before < 20_000, `grew from ${before} to ${own.memory()} KB`);
});
