// SPDX-License-Identifier: MIT OR Apache-2.0
// The other end of the wire, byte by byte: answers the handshake, and then only what the test says.
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import http from 'node:http';
import { Queue } from './peer.js';

export const CONTINUATION = 0, TEXT = 1, BINARY = 2, CLOSE = 8, PING = 9, PONG = 10;

/** A server's frame; `form` is how its length is written, in bits, and `first` what its first byte is. */
export function frame(opcode, payload, { fin = true, form, first } = {}) {
  const body = Buffer.from(payload);
  const { length } = body;
  form ??= length < 126 ? 7 : length < 65536 ? 16 : 64;
  const head = Buffer.alloc(form === 7 ? 2 : form === 16 ? 4 : 10);
  head[0] = first ?? ((fin ? 0x80 : 0) | opcode);
  head[1] = form === 7 ? length : form === 16 ? 126 : 127;
  if (form === 16) head.writeUInt16BE(length, 2);
  if (form === 64) head.writeBigUInt64BE(BigInt(length), 2);
  return Buffer.concat([head, body]);
}

export const text = (value) => frame(TEXT, JSON.stringify(value));
export const established = () => text({ event: 'pusher:connection_established', data: JSON.stringify({ socket_id: '1.1', activity_timeout: 120 }) });

export function closing(code, reason = '') {
  const payload = Buffer.alloc(2);
  payload.writeUInt16BE(code);
  return frame(CLOSE, Buffer.concat([payload, Buffer.from(reason)]));
}

/** Takes frames apart: `{opcode, masked, form, payload}` each. */
function reader(push) {
  let bytes = Buffer.alloc(0);
  return (chunk) => {
    bytes = Buffer.concat([bytes, chunk]);
    for (;;) {
      if (bytes.length < 2) return;
      const short = bytes[1] & 0x7f;
      const form = short < 126 ? 7 : short === 126 ? 16 : 64;
      const start = 2 + (form === 7 ? 0 : form / 8) + 4;
      if (bytes.length < start) return;
      const length = form === 7 ? short : form === 16 ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2));
      if (bytes.length < start + length) return;
      const mask = bytes.subarray(start - 4, start);
      const payload = Buffer.from(bytes.subarray(start, start + length).map((byte, n) => byte ^ mask[n % 4]));
      push({ opcode: bytes[0] & 0x0f, masked: bytes[1] >= 0x80, form, payload });
      bytes = bytes.subarray(start + length);
    }
  };
}

/** `first`: bytes that come together with the answer to the handshake; `answer`: another answer. */
export async function rawPeerFor(t, { first = Buffer.alloc(0), answer } = {}) {
  const server = http.createServer((_, reply) => reply.writeHead(404).end('no'));
  const links = new Queue();
  const streams = new Set();
  server.on('upgrade', (request, stream) => {
    streams.add(stream);
    stream.on('error', () => {});
    stream.on('end', () => stream.end());
    const link = { stream, request, frames: new Queue(), ended: once(stream, 'close') };
    link.heard = (opcode) => link.frames.take((one) => one.opcode === opcode, `opcode ${opcode}`);
    stream.on('data', reader((one) => link.frames.push(one)));
    const accept = createHash('sha1').update(`${request.headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
    const head = answer ?? `HTTP/1.1 101 Switching Protocols\r\nUpgrade: WebSocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`;
    stream.write(Buffer.concat([Buffer.from(head), first]));
    links.push(link);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    for (const stream of streams) stream.destroy();
    server.close();
  });
  const { port } = server.address();
  return { port, url: `ws://127.0.0.1:${port}/app/key?protocol=7`, next: () => links.take(undefined, 'a connection') };
}
