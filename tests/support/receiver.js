// SPDX-License-Identifier: MIT OR Apache-2.0
// A backend that receives webhooks and verifies each with the official library's own check.
import http from 'node:http';
import { once } from 'node:events';
import PusherServer from 'pusher';
import { DEADLINE, Inbox } from './inbox.js';
import { APP } from './server.js';

export class Receiver {
  /** Every webhook event that was accepted, in order. */
  events = new Inbox('webhook events');
  /** Every request, accepted or not: `{valid, body, at, status}`. */
  requests = new Inbox('webhook requests');
  /** What to answer: a status, or 'hang' to answer never. May be a function of the request's number. */
  answer = 200;
  inFlight = 0;
  mostInFlight = 0;
  #sockets = new Set();

  static async start(app = APP, port = 0) {
    const receiver = new Receiver();
    receiver.app = app;
    receiver.library = new PusherServer({ appId: app.id, key: app.key, secret: app.secret });
    await receiver.listen(port);
    return receiver;
  }

  async listen(port = this.port) {
    this.http = http.createServer((call, reply) => this.#receive(call, reply));
    this.http.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
    });
    this.http.listen(port, '127.0.0.1');
    await once(this.http, 'listening');
    this.port = this.http.address().port;
  }

  get url() {
    return `http://127.0.0.1:${this.port}/hooks`;
  }

  /** The config block that sends these events here. */
  hook(...events) {
    return { url: this.url, events };
  }

  async #receive(call, reply) {
    this.inFlight += 1;
    this.mostInFlight = Math.max(this.mostInFlight, this.inFlight);
    reply.on('close', () => (this.inFlight -= 1));
    const parts = [];
    for await (const part of call) parts.push(part);
    const rawBody = Buffer.concat(parts).toString();
    const hook = this.library.webhook({ headers: call.headers, rawBody });
    const valid = hook.isValid();
    const status = typeof this.answer === 'function' ? this.answer(this.requests.items.length) : this.answer;
    const body = valid ? hook.getData() : undefined;
    this.requests.push({ valid, body, rawBody, headers: call.headers, at: performance.now(), status });
    if (status === 'hang') return;
    if (valid && status < 300) for (const event of body.events) this.events.push(event);
    reply.writeHead(status).end();
  }

  /** Takes the first accepted event of that name (and channel, if given). */
  event(name, channel, deadline = DEADLINE) {
    return this.events.take(
      (event) => event.name === name && (channel === undefined || event.channel === channel),
      `${name} of ${channel ?? 'any channel'}`, deadline,
    );
  }

  /** Goes down: refuses connections until `listen` is called again. */
  async stop() {
    for (const socket of this.#sockets) socket.destroy();
    if (this.http.listening) await new Promise((resolve) => this.http.close(resolve));
  }
}

/** A receiver for one test. */
export async function receiverFor(t, app) {
  const receiver = await Receiver.start(app);
  t.after(() => receiver.stop());
  return receiver;
}
