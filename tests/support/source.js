// SPDX-License-Identifier: MIT OR Apache-2.0
// A backend that knows the truth of channels: what a rule's `truth.url` points at. It checks each
// question with the official library's own check of webhooks.
import http from 'node:http';
import { once } from 'node:events';
import PusherServer from 'pusher';
import { Inbox, passing } from './inbox.js';
import { APP } from './server.js';

export class Source {
  /** Truths by channel; what is not here is answered 404. */
  truths = new Map();
  /** Every question, as `{channel, app_id, valid, at}`. */
  questions = new Inbox('questions');
  /** How many run at once per channel, at most. */
  mostAtOnce = 0;
  #running = new Map();

  /**
   * How to answer one question: `{status, body, headers, delay, hang}`; by default the channel's
   * truth. `read()` gives the truth as it is at that moment.
   */
  answer = () => ({});

  static async start(app = APP) {
    const source = new Source();
    source.library = new PusherServer({ appId: app.id, key: app.key, secret: app.secret });
    source.http = http.createServer((call, reply) => source.#serve(call, reply));
    source.http.listen(0, '127.0.0.1');
    await once(source.http, 'listening');
    source.port = source.http.address().port;
    return source;
  }

  get url() {
    return `http://127.0.0.1:${this.port}/truth`;
  }

  /** How often it was asked about a channel. */
  asked(channel) {
    return this.questions.items.filter((question) => question.channel === channel).length;
  }

  async #serve(call, reply) {
    const parts = [];
    for await (const part of call) parts.push(part);
    const rawBody = Buffer.concat(parts).toString();
    const { channel, app_id } = JSON.parse(rawBody);
    const valid = this.library.webhook({ headers: call.headers, rawBody }).isValid();
    const running = (this.#running.get(channel) ?? 0) + 1;
    this.#running.set(channel, running);
    this.mostAtOnce = Math.max(this.mostAtOnce, running);
    reply.on('close', () => this.#running.set(channel, this.#running.get(channel) - 1));
    const question = { channel, app_id, valid, at: performance.now(), path: call.url };
    this.questions.push(question);
    const before = this.truths.get(channel);
    const { status, body, headers, delay, hang } = await this.answer(question, this.asked(channel));
    if (hang) return;
    if (delay) await passing(delay);
    const known = body === undefined ? (before === undefined ? undefined : JSON.stringify(before)) : body;
    reply.writeHead(status ?? (known === undefined ? 404 : 200), { 'content-type': 'application/json', ...headers });
    reply.end(known);
  }

  stop() {
    this.http.closeAllConnections();
    return new Promise((resolve) => this.http.close(resolve));
  }
}
