// SPDX-License-Identifier: MIT OR Apache-2.0
// Somebody with an account of the founding app: calls with their session, and browsers signed in
// as them.
import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import { BUILDS } from './browser.js';
import { request } from './http.js';
import { DEADLINE } from './inbox.js';
import { Socket } from './socket.js';

/** Both client libraries, as files. */
const SCRIPTS = {
  'pusher-js': BUILDS.plain,
  'oyez.js': fileURLToPath(new URL('../../clients/js/generated/oyez.js', import.meta.url)),
};
export const LIBRARIES = Object.keys(SCRIPTS);

const PASSWORD = 'correct horse';

/** Passwords are slow to hash, and slower while other tests keep the machine busy. */
const HASHING = 60_000;

/** What a browser prints when it cannot reach a server. */
export const OUTAGE = /net::ERR_|WebSocket connection to .* failed|WebSocket is closed before/;
/** What a browser prints when a server refuses. */
export const REFUSAL = /the server responded with a status of 4\d\d/;

export class Player {
  cookies = {};

  constructor(lobby, name) {
    Object.assign(this, { lobby, name, password: PASSWORD });
  }

  /** A new user. */
  static async register(lobby, name) {
    const player = new Player(lobby, name);
    const { status, text } = await player.call('POST', '/register', { username: name, password: PASSWORD }, {}, HASHING);
    assert.ok(status < 400, `registering ${name}: ${status} ${text}`);
    player.id = await lobby.database.userId(name);
    return player;
  }

  /** Somebody who is not signed in. */
  static stranger(lobby) {
    return new Player(lobby, 'a stranger');
  }

  /** Calls as a page's fetch does; `headers` change single ones, undefined removes one. */
  async call(method, path, form, headers = {}, timeout = DEADLINE) {
    const all = {
      accept: 'application/json', origin: this.lobby.url, cookie: this.cookie,
      ...(form && { 'content-type': 'application/x-www-form-urlencoded' }), ...headers,
    };
    const given = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
    const body = form && new URLSearchParams(form).toString();
    const answer = await request(this.lobby.port, { method, path, body, headers: given, timeout });
    for (const set of answer.headers['set-cookie'] ?? []) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(set);
      this.cookies[name] = value;
    }
    return answer;
  }

  get cookie() {
    const pairs = Object.entries(this.cookies).map((pair) => pair.join('='));
    return pairs.length ? pairs.join('; ') : undefined;
  }

  get(path, headers) {
    return this.call('GET', path, undefined, headers);
  }

  post(path, form = {}, headers) {
    return this.call('POST', path, form, headers);
  }

  /** The same, and fails unless it was done. */
  async does(path, form) {
    const answer = await this.post(path, form);
    assert.ok(answer.status < 400, `${this.name}: POST ${path}: ${answer.status} ${answer.text}`);
    return answer;
  }

  /** Makes a game; its id. */
  async creates() {
    const { status, headers } = await this.post('/games', {}, { accept: 'text/html' });
    assert.equal(status, 303);
    return /^\/lobby\/([0-9a-f-]{36})$/.exec(headers.location)[1];
  }

  joins(game) {
    return this.does(`/lobby/${game}/join`);
  }

  ready(game, ready = true) {
    return this.does(`/lobby/${game}/ready`, { ready: String(ready) });
  }

  says(game, text) {
    return this.does(`/lobby/${game}/messages`, { text });
  }

  /** A raw realtime connection, with the key that a page gets. */
  async socket(t) {
    const { text } = await this.get('/', { accept: 'text/html' });
    const app = { key: /data-pusher-key="([^"]+)"/.exec(text)[1] };
    const socket = await Socket.connect({ port: this.lobby.realtimePort, prefix: '', app }, { headers: { origin: this.lobby.url } });
    t.after(() => socket.close());
    return socket;
  }

  /** What `/pusher/auth` answers: `{status, json}`. */
  auth(socketId, channel) {
    return this.post('/pusher/auth', { socket_id: socketId, channel_name: channel });
  }

  /** A browser window of its own, signed in; `cable` is its network, `options` are Playwright's. */
  async window(t, browser, { cable, ...options } = {}) {
    const context = await browser.newContext({ ...options, ...(cable && { proxy: { server: cable.server } }) });
    t.after(() => context.close());
    const cookies = Object.entries(this.cookies).map(([name, value]) => ({ name, value, url: this.lobby.url }));
    await context.addCookies(cookies);
    return context;
  }

  /**
   * A page at that path. It fails the test if anything goes wrong in it that is not among the
   * patterns it `tolerates`. `library` is the client library it runs with; its scripts come not
   * before the promise `held` is kept.
   */
  async page(t, browser, path, { library = this.lobby.library.name, held, tolerates = [], context, goto = {}, ...options } = {}) {
    const page = await (context ?? await this.window(t, browser, options)).newPage();
    Object.assign(page, { player: this, errors: [] });
    page.on('pageerror', (error) => page.errors.push(String(error.stack ?? error)));
    page.on('console', (message) => {
      if (message.type() === 'error') page.errors.push(`${message.text()} (${message.location().url})`);
    });
    t.after(() => assert.deepEqual(page.errors.filter((error) => !tolerates.some((pattern) => pattern.test(error))), [], `${this.name}'s page`));
    if (held || library !== this.lobby.library.name) await swap(page, this.lobby, library, held);
    await page.goto(this.lobby.url + path, goto);
    return page;
  }
}

/** The page gets that library where its own is asked for, and all its scripts when that is kept. */
async function swap(page, lobby, library, held) {
  await page.route((url) => url.pathname.endsWith('.js'), async (route) => {
    await held;
    const isLibrary = new URL(route.request().url()).pathname === lobby.library.path;
    if (isLibrary && library !== lobby.library.name) await route.fulfill({ path: SCRIPTS[library], contentType: 'text/javascript' });
    else await route.continue();
  });
}

/** So many players, made at once. */
export async function register(lobby, ...names) {
  return Promise.all(names.map((name) => Player.register(lobby, name)));
}
