// SPDX-License-Identifier: MIT OR Apache-2.0
// P-007, Autobahn section 7: the close handshake, its codes and its reasons.
import assert from 'node:assert/strict';
import { useServer } from '../support/server.js';
import { CLOSE, CONTINUATION, PING, PONG, TEXT, close, fragments, frame, ping, stars, testCase, text } from '../support/autobahn.js';

const server = await useServer({});
const it = (...args) => testCase(server, ...args);

/** The server answers a close frame with one close frame, then ends the connection. */
const answers = (code) => async (socket) => {
  const { payload } = await socket.frame(CLOSE);
  assert.equal(payload.length >= 2 ? payload.readUInt16BE(0) : undefined, code);
  await socket.ended();
  assert.ok(!socket.control.items.some(({ opcode }) => opcode === CLOSE), 'a second close frame');
};
const silent = (code) => async (socket) => {
  await answers(code)(socket);
  assert.ok(!socket.control.items.some(({ opcode }) => opcode === PONG), 'it answered after the close frame');
};

it('7.1.1', 'text, then close', { send: [text(ping()), close(1000)], expect: ['pong'], tail: answers(1000) });
it('7.1.2', 'two close frames', { send: [close(1000), close(1000)], tail: answers(1000) });
it('7.1.3', 'a ping after the close is not answered', { send: [close(1000), frame(PING, 'late')], tail: silent(1000) });
it('7.1.4', 'a text after the close is not answered', { send: [close(1000), text(ping())], tail: silent(1000) });
it('7.1.5', 'a close between two fragments', {
  send: [frame(TEXT, 'fragment1', { fin: false }), close(1000), frame(CONTINUATION, 'fragment2')], tail: silent(1000),
});
it('7.1.6', 'a large text, close, ping', {
  send: [...fragments(TEXT, stars(65_000), 5000), close(1000), frame(PING)], expect: ['error'], tail: silent(1000),
});

const body = (length) => frame(CLOSE, Buffer.concat([Buffer.from([0x03, 0xe8]), Buffer.alloc(length - 2, '*')]));
it('7.3.1', 'close without payload', { send: close(), tail: async (socket) => {
  const { payload } = await socket.frame(CLOSE);
  assert.ok(payload.length === 0 || payload.readUInt16BE(0) === 1000);
  await socket.ended();
} });
it('7.3.2', 'close with a payload of one byte', { send: frame(CLOSE, 'a'), fails: 1002 });
it('7.3.3', 'close with a code', { send: close(1000), tail: answers(1000) });
it('7.3.4', 'close with code and reason', { send: close(1000, 'Hello, world!'), tail: answers(1000) });
it('7.3.5', 'close with the longest reason', { send: body(125), tail: answers(1000) });
it('7.3.6', 'close with a reason that is too long', { send: body(126), fails: 1002 });

it('7.5.1', 'close with a reason that is not UTF-8', {
  send: frame(CLOSE, Buffer.concat([Buffer.from([0x03, 0xe8]), Buffer.from('cebae1bdb9cf83cebcceb5eda080656469746564', 'hex')])),
  fails: 1007,
});

[1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999].forEach((code, i) => {
  it(`7.7.${i + 1}`, `close code ${code} is answered by itself`, { send: close(code), tail: answers(code) });
});
[0, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999].forEach((code, i) => {
  it(`7.9.${i + 1}`, `close code ${code} is a protocol error`, { send: close(code), fails: 1002 });
});
[5000, 65_535].forEach((code, i) => {
  it(`7.13.${i + 1}`, `close code ${code} is a protocol error`, { send: close(code), fails: 1002 });
});
