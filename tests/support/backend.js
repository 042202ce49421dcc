// SPDX-License-Identifier: MIT OR Apache-2.0
// The backend of a page: the authorisation endpoints that `pusher-js` calls, answered by the
// official Node library. What it says about a user is decided by functions that a test sets.
import http from 'node:http';
import { once } from 'node:events';

export class Backend {
  /** What a presence (or any) channel's authorisation carries; undefined for none. */
  channelData = () => undefined;
  /** Who signs in. */
  user = () => ({ id: 'somebody' });
  /** Every call: `{path, form}`. */
  calls = [];

  static async start(library, port = 0) {
    const backend = new Backend();
    backend.library = library;
    backend.http = http.createServer((call, reply) => backend.#serve(call, reply));
    backend.http.listen(port, '127.0.0.1');
    await once(backend.http, 'listening');
    backend.port = backend.http.address().port;
    return backend;
  }

  get url() {
    return `http://127.0.0.1:${this.port}`;
  }

  async #serve(call, reply) {
    const parts = [];
    for await (const part of call) parts.push(part);
    const { pathname, searchParams } = new URL(call.url, this.url);
    const form = new URLSearchParams(call.method === 'GET' ? searchParams : Buffer.concat(parts).toString());
    const allow = { 'access-control-allow-origin': '*', 'access-control-allow-headers': '*' };
    if (call.method === 'OPTIONS') return reply.writeHead(204, allow).end();
    this.calls.push({ path: pathname, form });
    const answer = this.#answer(pathname, form);
    reply.writeHead(answer ? 200 : 403, { ...allow, 'content-type': 'application/json' });
    reply.end(JSON.stringify(answer ?? { error: 'forbidden' }));
  }

  #answer(path, form) {
    const socketId = form.get('socket_id');
    if (path === '/user-auth') {
      const user = this.user(socketId);
      return user && this.library.authenticateUser(socketId, user);
    }
    const channel = form.get('channel_name');
    const data = this.channelData(socketId, channel);
    return data === null ? undefined : this.library.authorizeChannel(socketId, channel, data);
  }

  stop() {
    this.http.closeAllConnections();
    return new Promise((resolve) => this.http.close(resolve));
  }
}

/** A backend for one test. */
export async function backendFor(t, library) {
  const backend = await Backend.start(library);
  t.after(() => backend.stop());
  return backend;
}
