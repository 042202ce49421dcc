// SPDX-License-Identifier: MIT OR Apache-2.0
// The other end of the wire, for what a real server cannot be made to do: each frame is sent by the
// test. Over a real socket.
import { once } from 'node:events';
import { WebSocket, WebSocketServer } from 'ws';
import { source } from './source.js';

const { Pusher } = await source('index');
const DEADLINE = 5_000;

/** Waits for the next item of a queue that matches; fails after a deadline. */
export class Queue {
  items = [];
  #wake = new Set();

  push(item) {
    this.items.push(item);
    for (const wake of this.#wake) wake();
  }

  async take(matches = () => true, what = 'anything') {
    const late = Date.now() + DEADLINE;
    for (;;) {
      const at = this.items.findIndex(matches);
      if (at >= 0) return this.items.splice(at, 1)[0];
      if (Date.now() > late) throw new Error(`${what} did not come; untaken: ${JSON.stringify(this.items)}`);
      await new Promise((resolve) => {
        const done = () => {
          clearTimeout(timer);
          this.#wake.delete(done);
          resolve();
        };
        const timer = setTimeout(done, DEADLINE);
        this.#wake.add(done);
      });
    }
  }
}

class Link {
  received = new Queue();

  constructor(socket, number) {
    this.socket = socket;
    this.id = `${number}.1`;
    socket.on('message', (text) => this.received.push(JSON.parse(text)));
  }

  send(event, data, more = {}) {
    this.raw(JSON.stringify({ event, data: typeof data === 'string' ? data : JSON.stringify(data), ...more }));
  }

  raw(text) {
    this.socket.send(text);
  }

  /** The next message of that name: its data. */
  async heard(event) {
    return (await this.received.take((message) => message.event === event, event)).data;
  }

  /** An event of a channel's log. */
  event(channel, event, offset, data, more = {}) {
    this.send(event, data, { channel, offset, ...more });
  }

  /** The next subscription, answered with that cut (`gen` is echoed); returns what was asked. */
  async answer(cut, more = {}) {
    const asked = await this.heard('pusher:subscribe');
    const oyez = cut && { epoch: 'E', term: 'T', resumed: false, replay: 0, gen: asked.oyez.gen, ...cut };
    this.send('pusher_internal:subscription_succeeded', { ...more, ...(oyez && { oyez }) }, { channel: asked.channel });
    return asked;
  }

  /** All that was sent so far has been handled by the client. */
  async fence() {
    this.raw('{"event":"pusher:ping"}');
    await this.heard('pusher:pong');
  }

  /** The link dies without a goodbye; what was sent before has arrived. */
  async die() {
    await this.fence();
    this.socket.terminate();
  }
}

export async function peerFor(t, { timeout = 120 } = {}) {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  await once(server, 'listening');
  const links = new Queue();
  let count = 0;
  const peer = { links, silent: false, port: server.address().port, urls: [] };
  server.on('connection', (socket, { url }) => {
    peer.urls.push(url);
    const link = new Link(socket, ++count);
    if (!peer.silent) link.send('pusher:connection_established', { socket_id: link.id, activity_timeout: timeout });
    links.push(link);
  });
  peer.next = () => links.take(undefined, 'a connection');
  t.after(() => {
    for (const socket of server.clients) socket.terminate();
    server.close();
  });
  return peer;
}

export { Pusher, WebSocket };

/** A client of that peer, which comes back quickly. */
export function clientFor(t, peer, options = {}) {
  const client = new Pusher('key', {
    wsHost: '127.0.0.1', wsPort: peer.port, forceTLS: false, WebSocket, backoff: { base: 20, cap: 50 }, ...options,
  });
  client.errors = new Queue();
  client.connection.bind('error', (error) => client.errors.push(error));
  t.after(() => client.disconnect());
  return client;
}

/** What the page hears on a channel, as `[event, data]`. */
export function heardOn(channel) {
  const heard = [];
  channel.bind_global((event, data) => heard.push([event, data]));
  return heard;
}
