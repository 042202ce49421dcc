// SPDX-License-Identifier: MIT OR Apache-2.0
// How an Autobahn case is told here. The suite's server echoes; ours answers a text that is not
// JSON by `pusher:error`, and `pusher:ping` by `pusher:pong`: that is how a message is seen to have
// been accepted. Closing cases are literal.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as frames from './frames.js';

export const { frame, text, close, fragments, TEXT, BINARY, CONTINUATION, PING, PONG, CLOSE } = frames;

/** A text of that many bytes that is answered by exactly one `pusher:error`. */
export const stars = (length) => '*'.repeat(length);
/** A message that is answered by `pusher:pong`, of at least that many bytes. */
export const ping = (note = '') => JSON.stringify({ event: 'pusher:ping', data: note });

/** Ways to send the same bytes. */
export const WHOLE = (socket, bytes) => socket.write(bytes);
export const OCTETS = (socket, bytes) => socket.byteByByte(bytes);
export const CHOPS = (size) => async (socket, bytes) => {
  for (let at = 0; at < bytes.length; at += size) await socket.write(bytes.subarray(at, at + size));
};

/**
 * One case: sends the frames, then awaits what must come. `expect` is a list of 'error' and 'pong'
 * (texts), a Buffer or string (the payload of a PONG frame); `fails` is the code with which the
 * server must close. Without `fails` the connection must live and owe nothing more.
 */
export function testCase(server, number, what, { send, how = WHOLE, expect = [], fails, tail }) {
  test(`P-007 Autobahn ${number}: ${what}`, async () => {
    const socket = await server.connect();
    socket.pongs = false;
    const bytes = Buffer.concat([send].flat());
    const writing = how(socket, bytes);
    for (const answer of expect) {
      if (answer === 'error' || answer === 'pong') await socket.event(`pusher:${answer}`);
      else assert.equal((await socket.frame(PONG)).payload.toString('latin1'), Buffer.from(answer, 'latin1').toString('latin1'));
    }
    if (tail) await tail(socket);
    if (fails !== undefined) {
      const { code } = await socket.closed();
      assert.equal(code, fails);
    } else if (!tail) {
      await writing;
      await socket.alive();
      await socket.close();
    }
    assert.deepEqual(socket.messages.items.map(({ raw }) => raw), [], 'answers that nobody asked for');
    assert.deepEqual(socket.control.items.filter(({ opcode }) => opcode === PONG), [], 'pongs that nobody asked for');
  });
}
