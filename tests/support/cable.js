// SPDX-License-Identifier: MIT OR Apache-2.0
// The network cable of one browser: a SOCKS5 proxy through which all its connections go, pages and
// sockets alike, and which can be unplugged.
import { once } from 'node:events';
import net from 'node:net';

const NO_AUTHENTICATION = Buffer.from([5, 0]);
const CONNECTED = Buffer.from([5, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
const IPV4 = 1, NAME = 3;

export class Cable {
  isPlugged = true;
  #nears = new Set();

  static async start() {
    const cable = new Cable();
    cable.listener = net.createServer((near) => cable.#greet(near));
    cable.listener.listen(0, '127.0.0.1');
    await once(cable.listener, 'listening');
    cable.server = `socks5://127.0.0.1:${cable.listener.address().port}`;
    return cable;
  }

  #greet(near) {
    near.on('error', () => {});
    if (!this.isPlugged) return near.destroy();
    this.#nears.add(near);
    near.on('close', () => this.#nears.delete(near));
    near.setNoDelay(true);
    near.once('data', () => {
      near.write(NO_AUTHENTICATION);
      near.once('data', (request) => this.#join(near, request));
    });
  }

  #join(near, request) {
    const far = net.connect(...destination(request));
    far.setNoDelay(true);
    far.on('connect', () => {
      near.write(CONNECTED);
      near.pipe(far).pipe(near);
    });
    for (const [one, other] of [[near, far], [far, near]]) {
      one.on('error', () => other.destroy());
      one.on('close', () => other.destroy());
    }
  }

  /** Cuts everything, and lets nothing through until `plug`. */
  unplug() {
    this.isPlugged = false;
    for (const near of this.#nears) near.destroy();
  }

  plug() {
    this.isPlugged = true;
  }

  stop() {
    this.unplug();
    return new Promise((resolve) => this.listener.close(resolve));
  }
}

/** Port and host that a request names. */
function destination(request) {
  const end = request[3] === NAME ? 5 + request[4] : 8;
  const host = request[3] === IPV4 ? request.subarray(4, 8).join('.') : request.subarray(5, end).toString();
  return [request.readUInt16BE(end), host];
}

/** A cable for one test. */
export async function cableFor(t) {
  const cable = await Cable.start();
  t.after(() => cable.stop());
  return cable;
}
