// SPDX-License-Identifier: MIT OR Apache-2.0
// One lobby for a test: its own data folder and ports, web app and Oyez started one by one, so that
// each can be killed. OYEZ_BIN names the server; otherwise it is the one that cargo built last.
'use strict';

const { spawn, execFileSync } = require('node:child_process');
const { once } = require('node:events');
const fs = require('node:fs');
const net = require('node:net');
const os = require('node:os');
const path = require('node:path');
const { setInterval: every } = require('node:timers/promises');
const { parse } = require('smol-toml');
const Pusher = require('pusher');
const PusherClient = require('pusher-js');

const FOLDER = path.join(__dirname, '..');

function oyezBinary() {
  if (process.env.OYEZ_BIN) return process.env.OYEZ_BIN;
  const target = process.env.CARGO_TARGET_DIR ?? path.join(FOLDER, '..', '..', 'target');
  const built = ['release', 'debug'].map((profile) => path.join(target, profile, 'oyez')).filter(fs.existsSync);
  const age = (file) => Date.now() - fs.statSync(file).mtimeMs;
  const [newest] = built.sort((a, b) => age(a) - age(b));
  if (!newest) throw new Error('There is no Oyez: set OYEZ_BIN, or `cargo build --release -p oyez`.');
  return newest;
}

async function freePort() {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

/** Resolves with what `check` answers, as soon as that is something. */
async function eventually(check, what, within = 15_000) {
  const end = Date.now() + within;
  for await (const _ of every(25)) {
    const result = await check();
    if (result) return result;
    if (Date.now() > end) throw new Error(`waited in vain for ${what}`);
  }
}

class Lobby {
  #children = new Set();

  /** `settings` are variables; `edit` may change the text of oyez.toml. */
  static async prepare(t, { settings = {}, edit = (text) => text } = {}) {
    const lobby = new Lobby();
    lobby.data = fs.mkdtempSync(path.join(os.tmpdir(), 'lobby-express-'));
    const [port, oyezPort] = [await freePort(), await freePort()];
    const pace = { LOBBY_LOGINS_PER_MINUTE: '1000', LOBBY_REGISTRATIONS_PER_MINUTE: '1000' };
    lobby.env = { ...process.env, ...pace, PORT: String(port), OYEZ_PORT: String(oyezPort), DATA_DIR: lobby.data, ...settings };
    lobby.url = `http://127.0.0.1:${port}`;
    lobby.oyezPort = oyezPort;
    lobby.config = execFileSync(process.execPath, ['setup.js'], { cwd: FOLDER, env: lobby.env, encoding: 'utf8' }).trim();
    fs.writeFileSync(lobby.config, edit(fs.readFileSync(lobby.config, 'utf8')));
    [lobby.app] = parse(fs.readFileSync(lobby.config, 'utf8')).apps;
    t.after(() => lobby.#end());
    return lobby;
  }

  /** Both running. */
  static async start(t, options) {
    const lobby = await Lobby.prepare(t, options);
    await lobby.startWeb();
    await lobby.startOyez();
    return lobby;
  }

  async startWeb(settings = {}) {
    this.web = this.run(process.execPath, ['server.js'], { ...this.env, ...settings });
    await eventually(() => fetch(`${this.url}/login`).then(() => true, () => false), 'the web app');
  }

  async startOyez() {
    this.oyez = this.run(oyezBinary(), ['serve', '--config', this.config], process.env);
    await eventually(() => fetch(`http://127.0.0.1:${this.oyezPort}/up`).then((answer) => answer.ok, () => false), 'Oyez');
  }

  /** A child with what it prints in `output`. */
  run(command, args, env) {
    const child = spawn(command, args, { cwd: FOLDER, env });
    child.output = '';
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (child.output += text));
    child.ended = once(child, 'exit');
    this.#children.add(child);
    return child;
  }

  async kill(child, signal = 'SIGKILL') {
    child.kill(signal);
    return child.ended;
  }

  /** The official server library, at this Oyez. */
  get library() {
    const { id: appId, key, secret } = this.app;
    return new Pusher({ appId, key, secret, host: '127.0.0.1', port: this.oyezPort, useTLS: false });
  }

  /** What Oyez holds for true of a channel. */
  async truth(channel) {
    const answer = await this.library.get({ path: `/channels/${channel}/truth` }).catch((error) => error);
    return answer.status === 200 ? (await answer.json()).data : undefined;
  }

  /**
   * The newest event of that name on a channel, as a page with pusher-js hears it, is `latest.data`.
   * It is a page of `user`, if somebody is named.
   */
  subscribe(t, channel, event, user) {
    const signedAt = (path) => ({
      customHandler: ({ socketId, channelName = '' }, done) =>
        user.send(path, { socket_id: socketId, channel_name: channelName }).then((signed) => done(null, signed), done),
    });
    const client = new PusherClient(this.app.key, {
      cluster: '', wsHost: '127.0.0.1', wsPort: this.oyezPort, forceTLS: false, enabledTransports: ['ws'],
      channelAuthorization: signedAt('/pusher/auth'), userAuthentication: signedAt('/pusher/user-auth'),
    });
    t.after(() => client.disconnect());
    if (user) client.signin();
    const latest = { client };
    client.subscribe(channel).bind(event, (data) => (latest.data = data));
    return latest;
  }

  /** Somebody who is registered. */
  async user(name) {
    const user = new User(this, name);
    const answer = await user.post('/register', { username: name, password: `password of ${name}` });
    if (answer.status !== 303) throw new Error(`${name} cannot register: ${answer.status} ${await answer.text()}`);
    return user;
  }

  async #end() {
    for (const child of this.#children) if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
    await Promise.all([...this.#children].map((child) => child.ended));
    fs.rmSync(this.data, { recursive: true, force: true });
  }
}

/** A browser that follows nothing and keeps the cookie. */
class User {
  cookie = '';

  constructor(lobby, name) {
    this.lobby = lobby;
    this.name = name;
  }

  async get(where, headers = {}) {
    return this.#fetch(where, { headers });
  }

  async post(where, fields = {}, headers = {}) {
    return this.#fetch(where, { method: 'POST', headers: { origin: this.lobby.url, ...headers }, body: new URLSearchParams(fields) });
  }

  /** As a page's script: answers `{status, ...JSON}`. */
  async send(where, fields) {
    const answer = await this.post(where, fields, { accept: 'application/json' });
    const text = await answer.text();
    return { status: answer.status, ...(text && JSON.parse(text)) };
  }

  /** Makes a game and answers its path. */
  async makeGame() {
    return (await this.post('/games')).headers.get('location');
  }

  async #fetch(where, { headers, ...options }) {
    const answer = await fetch(this.lobby.url + where, { redirect: 'manual', headers: { cookie: this.cookie, ...headers }, ...options });
    for (const cookie of answer.headers.getSetCookie()) {
      this.setCookie = cookie;
      [this.cookie] = cookie.split(';');
    }
    return answer;
  }
}

module.exports = { FOLDER, Lobby, User, eventually, freePort, oyezBinary };
