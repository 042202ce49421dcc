// SPDX-License-Identifier: MIT OR Apache-2.0
// Calls of the HTTP API: signed ones in one line, and raw bytes for what no client would send.
import http from 'node:http';
import net from 'node:net';
import { once } from 'node:events';
import { signedPath } from './sign.js';
import { DEADLINE, Late } from './inbox.js';

/** One request; resolves to `{status, headers, text, json}`. Sends exactly the body given. */
export function request(port, { method = 'GET', path, body, headers = {}, agent = false, timeout = DEADLINE }) {
  return new Promise((resolve, reject) => {
    const call = http.request({ host: '127.0.0.1', port, method, path, headers, agent }, (answer) => {
      const parts = [];
      answer.on('data', (part) => parts.push(part));
      answer.on('error', reject);
      answer.on('end', () => resolve(response(answer.statusCode, answer.headers, Buffer.concat(parts))));
    });
    call.setTimeout(timeout, () => call.destroy(new Late(`${method} ${path}: no answer in ${timeout} ms`)));
    call.on('error', reject);
    call.end(body);
  });
}

function response(status, headers, bytes) {
  const text = bytes.toString();
  let json;
  try {
    json = JSON.parse(text);
  } catch {
    json = undefined;
  }
  return { status, headers, text, json };
}

/** The signed API of one app on one server. */
export class Api {
  constructor(port, app, prefix = '') {
    Object.assign(this, { port, app, prefix });
  }

  path(rest) {
    return `${this.prefix}/apps/${this.app.id}${rest}`;
  }

  /** `options` go to `signedPath`: query, change, forge, at, escape; or are `headers`, `agent`. */
  call(method, rest, body, options = {}) {
    const bytes = body === undefined || typeof body === 'string' || Buffer.isBuffer(body)
      ? body : JSON.stringify(body);
    return request(this.port, {
      method,
      path: signedPath(this.app, method, this.path(rest), { ...options, body: bytes }),
      body: options.sent ?? bytes,
      headers: { ...(bytes === undefined ? {} : { 'content-type': 'application/json' }), ...options.headers },
      agent: options.agent,
      timeout: options.timeout,
    });
  }

  get(rest, query = {}, options = {}) {
    return this.call('GET', rest, undefined, { ...options, query });
  }

  post(rest, body, options) {
    return this.call('POST', rest, body, options);
  }

  /** Publishes and fails unless it was accepted; resolves to the answer's JSON. */
  async publish(channel, name, data, extra = {}) {
    const channels = Array.isArray(channel) ? channel : [channel];
    const text = typeof data === 'string' ? data : JSON.stringify(data);
    const answer = await this.post('/events', { name, channels, data: text, ...extra });
    if (answer.status !== 200) throw new Error(`publish ${name}: ${answer.status} ${answer.text}`);
    return answer.json;
  }
}

/** A raw TCP connection that keeps all it hears; `until` waits for a pattern in it. */
export class RawConnection {
  text = '';
  closed = false;
  #changed = [];

  static async open(port) {
    const socket = net.connect(port, '127.0.0.1');
    await once(socket, 'connect');
    return new RawConnection(socket);
  }

  constructor(socket) {
    this.socket = socket;
    socket.setNoDelay(true);
    socket.on('data', (bytes) => this.#note(() => (this.text += bytes.toString('latin1'))));
    socket.on('close', () => this.#note(() => (this.closed = true)));
    socket.on('error', () => {});
  }

  #note(change) {
    change();
    for (const wake of this.#changed.splice(0)) wake();
  }

  write(bytes) {
    return new Promise((resolve) => this.socket.write(bytes, () => resolve()));
  }

  /** Waits until `holds(text, closed)`; returns what it returned. */
  async until(holds, what, deadline = DEADLINE) {
    const end = performance.now() + deadline;
    for (;;) {
      const value = holds(this.text, this.closed);
      if (value) return value;
      const left = end - performance.now();
      if (left <= 0) throw new Late(`${what}: not within ${deadline} ms; heard ${this.text.slice(0, 300)}`);
      let timer;
      await Promise.race([
        new Promise((resolve) => this.#changed.push(resolve)),
        new Promise((resolve) => (timer = setTimeout(resolve, left))),
      ]);
      clearTimeout(timer);
    }
  }

  /** Waits for n complete responses with content-length and returns their status and body. */
  responses(n, deadline) {
    return this.until((text) => {
      const all = parseResponses(text);
      return all.length >= n && all;
    }, `${n} responses`, deadline);
  }

  destroy() {
    this.socket.destroy();
  }
}

function parseResponses(text) {
  const found = [];
  for (let at = 0; ; ) {
    const head = text.indexOf('\r\n\r\n', at);
    if (head < 0) return found;
    const lines = text.slice(at, head);
    const status = Number(lines.split(' ')[1]);
    const length = Number(/content-length: *(\d+)/i.exec(lines)?.[1] ?? 0);
    if (text.length < head + 4 + length) return found;
    if (status >= 200) found.push({ status, head: lines, body: text.slice(head + 4, head + 4 + length) });
    at = head + 4 + length;
  }
}
