// SPDX-License-Identifier: MIT OR Apache-2.0
// A wire between clients and a server that knows frames: it can be taken down and put up again, and
// can die right after a chosen message of the server.
import { once } from 'node:events';
import net from 'node:net';
import { parse } from './frames.js';

export class Link {
  /** How many connections went through. */
  count = 0;
  isDown = false;
  /** Of a message of the server: whether the wire dies behind it. May also change the message. */
  cutsAfter = () => false;
  /** Replaces a message's text by another; undefined leaves it. */
  changes = () => undefined;
  #nears = new Set();
  #fars = new Set();

  static async start(target) {
    const link = new Link();
    link.listener = net.createServer((near) => link.#join(near, target));
    link.listener.listen(0, '127.0.0.1');
    await once(link.listener, 'listening');
    link.port = link.listener.address().port;
    return link;
  }

  #join(near, target) {
    near.on('error', () => {});
    if (this.isDown) return near.destroy();
    this.count += 1;
    const far = net.connect(target, '127.0.0.1');
    near.setNoDelay(true);
    far.setNoDelay(true);
    this.#nears.add(near);
    this.#fars.add(far);
    near.on('close', () => {
      this.#nears.delete(near);
      this.#fars.delete(far);
      far.destroy();
    });
    far.on('error', () => near.destroy());
    far.on('close', () => near.end());
    near.pipe(far);
    let bytes = Buffer.alloc(0);
    let isOpen = false;
    far.on('data', (part) => {
      bytes = Buffer.concat([bytes, part]);
      if (!isOpen) {
        const end = bytes.indexOf('\r\n\r\n');
        if (end < 0) return;
        isOpen = true;
        near.write(bytes.subarray(0, end + 4));
        bytes = bytes.subarray(end + 4);
      }
      const { frames, rest } = parse(bytes);
      for (const { opcode, payload } of frames) {
        const text = opcode === 1 ? payload.toString() : '';
        const other = this.changes(text);
        const end = payload.byteOffset - bytes.byteOffset + payload.length;
        const start = end - payload.length - headerLength(payload.length);
        near.write(other === undefined ? bytes.subarray(start, end) : serverText(other));
        if (!this.cutsAfter(text)) continue;
        near.end();
        far.removeAllListeners('data');
        far.destroy();
        return;
      }
      bytes = Buffer.from(rest);
    });
  }

  /** Cuts everything, and lets nobody through until `up`. */
  down() {
    this.isDown = true;
    this.cut();
  }

  up() {
    this.isDown = false;
  }

  /** Takes nothing from the server until `flow`; connections stay. */
  stall() {
    for (const far of this.#fars) far.pause();
  }

  flow() {
    for (const far of this.#fars) far.resume();
  }

  cut() {
    for (const near of this.#nears) near.destroy();
  }

  stop() {
    this.cut();
    return new Promise((resolve) => this.listener.close(resolve));
  }
}

const headerLength = (length) => (length < 126 ? 2 : length < 0x10000 ? 4 : 10);

/** A text message as a server frames it. */
function serverText(text) {
  const body = Buffer.from(text);
  const head = Buffer.alloc(headerLength(body.length));
  head[0] = 0x81;
  if (head.length === 2) head[1] = body.length;
  else if (head.length === 4) {
    head[1] = 126;
    head.writeUInt16BE(body.length, 2);
  } else {
    head[1] = 127;
    head.writeBigUInt64BE(BigInt(body.length), 2);
  }
  return Buffer.concat([head, body]);
}

/** A wire to a server, for one test. */
export async function linkFor(t, server) {
  const link = await Link.start(server.port);
  t.after(() => link.stop());
  return link;
}
