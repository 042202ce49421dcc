// SPDX-License-Identifier: MIT OR Apache-2.0
// A real server per test file: its own port, config and data folder; stopped by its process id,
// after which it must have ended cleanly and without a panic.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { after } from 'node:test';
import PusherServer from 'pusher';
import { Api, request } from './http.js';
import { eventually, within } from './inbox.js';
import { Socket } from './socket.js';
import { toToml } from './toml.js';

const ROOT = path.resolve(import.meta.dirname ?? path.dirname(new URL(import.meta.url).pathname), '../..');

/** The program under test; `./test` builds it and says which. */
export const OYEZ = process.env.OYEZ_BIN ?? path.join(ROOT, 'target/debug/oyez');
/** Where screenshots and logs of failures go. */
export const OUTPUT = path.join(ROOT, 'tests/output');

/** The Python that has the official library. */
export const PYTHON = process.env.OYEZ_TEST_PYTHON ?? path.join(ROOT, 'tests/.venv/bin/python');

/** Credentials of the app that a server has unless told otherwise. */
export const APP = {
  id: '4711', key: 'app-key', secret: 'app-secret',
  client_events: true, subscription_count: false, watchlist: true,
};

/** A port nobody listens on, below the range from which the kernel gives ports to clients. */
export async function freePort() {
  for (;;) {
    const port = 10_000 + Math.floor(Math.random() * 22_000);
    const probe = net.createServer();
    const free = await new Promise((resolve) => {
      probe.once('error', () => resolve(false));
      probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
    });
    if (free) return port;
  }
}

const running = new Set();
process.on('exit', () => running.forEach((child) => child.kill('SIGKILL')));

/** Starts the program with these arguments and keeps what it prints. */
export function run(args, { cwd, env = {} } = {}) {
  const child = spawn(OYEZ, args, { cwd, env: { ...cleanEnvironment(), ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  running.add(child);
  child.log = '';
  child.out = '';
  child.stdout.on('data', (part) => { child.log += part; child.out += part; });
  child.stderr.on('data', (part) => (child.log += part));
  child.exited = once(child, 'close').then(([code, signal]) => {
    running.delete(child);
    return { code, signal, out: child.out, log: child.log };
  });
  return child;
}

const cleanEnvironment = () =>
  Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('OYEZ_')));

export function temporaryFolder() {
  return fs.mkdtempSync(path.join(os.tmpdir(), 'oyez-test-'));
}

export class Server {
  /**
   * `config` holds top-level keys of the config file, among them `limits`; `app` changes the one
   * app, `apps` replaces it by several; `data` keeps the data folder of an earlier server.
   */
  static async start({ app = {}, apps, data, env, ...config } = {}) {
    const server = new Server();
    server.folder = temporaryFolder();
    server.data = data ?? path.join(server.folder, 'data');
    server.apps = (apps ?? [app]).map((given) => ({ ...APP, ...given }));
    server.app = server.apps[0];
    server.prefix = config.path ?? '';
    server.port = await freePort();
    server.config = path.join(server.folder, 'oyez.toml');
    fs.writeFileSync(server.config, toToml({
      listen: `127.0.0.1:${server.port}`, data_dir: server.data, workers: 2, drain_seconds: 1,
      webhook_delay: '200ms', ...config, apps: server.apps,
    }));
    server.env = env;
    await server.again();
    server.api = new Api(server.port, server.app, server.prefix);
    return server;
  }

  /** Starts it, once more after `kill` or `end`: on the same port, with the same config and data. */
  async again() {
    this.stopping = false;
    this.child = run(['serve', '--config', this.config], { cwd: this.folder, env: this.env });
    await this.#up();
  }

  /** Ends it as a crash would: `kill -9`. */
  async kill() {
    this.child.kill('SIGKILL');
    await within(20_000, 'killing the server', this.child.exited);
    assert.ok(!/panicked at/.test(this.log), `the server panicked:\n${this.log.slice(-4000)}`);
  }

  /** A crash, and the start after it. */
  async crash() {
    await this.kill();
    await this.again();
  }

  async #up() {
    const answers = () => request(this.port, { path: '/up', timeout: 1000 }).then((r) => r.status === 200, () => false);
    await eventually(async () => {
      if (this.child.exitCode !== null) throw new Error(`the server did not start:\n${this.child.log}`);
      return answers();
    }, 'GET /up');
  }

  get log() {
    return this.child.log;
  }

  get pid() {
    return this.child.pid;
  }

  /** Resident memory in KB. */
  memory() {
    return Number(/VmRSS:\s+(\d+)/.exec(fs.readFileSync(`/proc/${this.pid}/status`, 'utf8'))[1]);
  }

  open(options) {
    return Socket.open(this, options);
  }

  connect(options) {
    return Socket.connect(this, options);
  }

  /** Several connected sockets at once. */
  connectAll(count, options) {
    return Promise.all(Array.from({ length: count }, () => this.connect(options)));
  }

  /** The official Node library, pointed here. */
  library(options = {}) {
    return new PusherServer({
      appId: this.app.id, key: this.app.key, secret: this.app.secret,
      host: '127.0.0.1', port: this.port, useTLS: false, ...options,
    });
  }

  /** Asks it to stop; checks that it ended cleanly. */
  async stop() {
    try {
      await this.end();
    } finally {
      fs.rmSync(this.folder, { recursive: true, force: true });
    }
  }

  /** The same, and leaves its data. */
  async end() {
    if (!this.stopping) {
      this.stopping = true;
      this.child.kill('SIGTERM');
    }
    const { code, signal, log } = await within(20_000, 'stopping the server', this.child.exited);
    assert.ok(!/panicked at/.test(log), `the server panicked:\n${log.slice(-4000)}`);
    assert.deepEqual({ code, signal }, { code: 0, signal: null }, `it did not end cleanly:\n${log.slice(-4000)}`);
  }
}

/** A server for the whole test file. */
export async function useServer(options) {
  const server = await Server.start(options);
  after(() => server.stop());
  return server;
}

/** A server for one test. */
export async function serverFor(t, options) {
  const server = await Server.start(options);
  t.after(() => server.stop());
  return server;
}
