// SPDX-License-Identifier: MIT OR Apache-2.0
// WebSocket frames (RFC 6455 section 5) as bytes: built freely, rules or not, and parsed strictly.
import { randomBytes } from 'node:crypto';

export const CONTINUATION = 0x0, TEXT = 0x1, BINARY = 0x2, CLOSE = 0x8, PING = 0x9, PONG = 0xa;

/** One frame as a client sends it; every field can be made wrong on purpose. */
export function frame(opcode, payload = '', { fin = true, rsv = 0, masked = true, length } = {}) {
  const body = Buffer.from(payload);
  const announced = BigInt(length ?? body.length);
  const bit = masked ? 0x80 : 0;
  let head;
  if (announced < 126n) {
    head = Buffer.from([0, bit | Number(announced)]);
  } else if (announced < 0x10000n) {
    head = Buffer.from([0, bit | 126, 0, 0]);
    head.writeUInt16BE(Number(announced), 2);
  } else {
    head = Buffer.from([0, bit | 127, 0, 0, 0, 0, 0, 0, 0, 0]);
    head.writeBigUInt64BE(announced, 2);
  }
  head[0] = (fin ? 0x80 : 0) | (rsv << 4) | opcode;
  if (!masked) return Buffer.concat([head, body]);
  const key = randomBytes(4);
  const bytes = Buffer.allocUnsafe(body.length);
  for (let i = 0; i < body.length; i++) bytes[i] = body[i] ^ key[i & 3];
  return Buffer.concat([head, key, bytes]);
}

export const text = (payload, options) => frame(TEXT, payload, options);
export const json = (value) => frame(TEXT, JSON.stringify(value));

/** A close frame with code and reason, or an empty one. */
export function close(code, reason = '') {
  if (code === undefined) return frame(CLOSE);
  const body = Buffer.alloc(2 + Buffer.byteLength(reason));
  body.writeUInt16BE(code);
  body.write(reason, 2);
  return frame(CLOSE, body);
}

/** One message in fragments of that many bytes each. */
export function fragments(opcode, payload, size) {
  const body = Buffer.from(payload);
  const parts = [];
  for (let at = 0; at < body.length || at === 0; at += size) {
    const fin = at + size >= body.length;
    parts.push(frame(at === 0 ? opcode : CONTINUATION, body.subarray(at, at + size), { fin }));
  }
  return parts;
}

/** Takes whole frames off the front of a server's bytes; throws on what a server must not send. */
export function parse(bytes) {
  const frames = [];
  let at = 0;
  while (bytes.length - at >= 2) {
    const [first, second] = [bytes[at], bytes[at + 1]];
    if (second & 0x80) throw new Error('the server masked a frame');
    if (first & 0x70) throw new Error('the server set reserved bits');
    let length = second & 0x7f;
    let body = at + 2;
    if (length === 126) {
      if (bytes.length - at < 4) break;
      length = bytes.readUInt16BE(at + 2);
      body = at + 4;
    } else if (length === 127) {
      if (bytes.length - at < 10) break;
      length = Number(bytes.readBigUInt64BE(at + 2));
      body = at + 10;
    }
    if (bytes.length < body + length) break;
    const payload = bytes.subarray(body, body + length);
    frames.push({ fin: (first & 0x80) !== 0, opcode: first & 0x0f, payload });
    at = body + length;
  }
  return { frames, rest: bytes.subarray(at) };
}
