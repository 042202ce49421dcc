// SPDX-License-Identifier: MIT OR Apache-2.0
// The founding app as it is delivered, in both versions: on a free port, with a folder of its own.
//
// OYEZ_TEST_LOBBIES=rust or =express tests only that one. LOBBY_BIN names the built program of the
// Rust version; without it, that is the one beside OYEZ_BIN.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { after } from 'node:test';
import { request } from './http.js';
import { eventually, within } from './inbox.js';
import { LobbyDatabase } from './lobby-database.js';
import { OYEZ, freePort, temporaryFolder } from './server.js';

const EXPRESS = path.resolve(path.dirname(new URL(import.meta.url).pathname), '../../examples/lobby-express');

/** No test reaches a limit unless it is about that limit. */
const LIMITS = {
  loginsPerMinute: 100_000, registrationsPerMinute: 100_000, messagesPerMinute: 1_000_000,
  gamesPerUser: 100_000, gamesPerMinute: 100_000, awaySeconds: 3_600,
};

const VARIABLE = (name) => `LOBBY_${name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`;

/**
 * What differs between the versions: the processes, and what the pages load. `library` is the
 * request for the client library, and which of the two it is.
 */
const VERSIONS = {
  rust: {
    hasCards: true,
    library: { path: '/oyez.js', name: 'oyez.js' },
    processes: ({ port, data, env }) => ({
      app: {
        command: [process.env.LOBBY_BIN ?? path.join(path.dirname(OYEZ), 'lobby'), '--listen', `127.0.0.1:${port}`, '--data', data],
        env,
      },
    }),
    realtimePort: ({ port }) => port,
  },
  express: {
    hasCards: false,
    library: { path: '/javascripts/pusher.js', name: 'pusher-js' },
    prepare: ({ port, oyezPort, data, env }) => {
      Object.assign(env, { PORT: String(port), OYEZ_PORT: String(oyezPort), DATA_DIR: data, NODE_ENV: 'production' });
      execFileSync(process.execPath, ['setup.js'], { cwd: EXPRESS, env });
    },
    processes: ({ data, env }) => ({
      app: { command: [process.execPath, 'server.js'], env, cwd: EXPRESS },
      oyez: { command: [OYEZ, 'serve', '--config', path.join(data, 'oyez.toml')], env: clean() },
    }),
    realtimePort: ({ oyezPort }) => oyezPort,
  },
};

/** Our environment without what is said to the programs under test, or to the tests. */
const clean = () =>
  Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(OYEZ|LOBBY)_/.test(name)));

/** The versions to test. */
export const KINDS = (process.env.OYEZ_TEST_LOBBIES ?? 'rust,express').split(',');

const running = new Set();
process.on('exit', () => running.forEach((child) => child.kill('SIGKILL')));

export class Lobby {
  /** Starts it; `limits` are those of `LIMITS` that shall be others. */
  static async start(kind, limits = {}) {
    const lobby = new Lobby();
    const version = VERSIONS[kind];
    Object.assign(lobby, { kind, hasCards: version.hasCards, library: version.library, log: '', children: {} });
    lobby.folder = temporaryFolder();
    lobby.port = await freePort();
    lobby.oyezPort = await freePort();
    lobby.realtimePort = version.realtimePort(lobby);
    lobby.url = `http://127.0.0.1:${lobby.port}`;
    lobby.data = path.join(lobby.folder, 'data');
    const settings = Object.entries({ ...LIMITS, ...limits }).map(([name, value]) => [VARIABLE(name), String(value)]);
    lobby.env = { ...clean(), ...Object.fromEntries(settings) };
    version.prepare?.(lobby);
    lobby.processes = version.processes(lobby);
    await lobby.restart();
    lobby.database = new LobbyDatabase(kind, path.join(lobby.data, 'lobby.db'));
    return lobby;
  }

  /** Starts those of its processes that do not run, or only these; resolves when they answer. */
  async restart(...only) {
    const names = Object.keys(this.processes).filter((name) => only.length === 0 || only.includes(name));
    for (const name of names) {
      const { command: [program, ...args], env, cwd = this.folder } = this.processes[name];
      if (this.children[name]) continue;
      const child = spawn(program, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
      running.add(child);
      for (const stream of [child.stdout, child.stderr]) stream.on('data', (part) => (this.log += part));
      child.exited = once(child, 'close').then(([code, signal]) => {
        running.delete(child);
        delete this.children[name];
        return { code, signal };
      });
      this.children[name] = child;
    }
    await eventually(async () => {
      const down = names.find((name) => !this.children[name]);
      if (down) throw new Error(`${down} did not start:\n${this.log}`);
      const checks = { app: [this.port, '/login'], oyez: [this.realtimePort, '/up'] };
      return (await Promise.all(names.map((name) => answers(...checks[name])))).every(Boolean);
    }, `that ${names.join(' and ')} answers`, 20_000);
  }

  /** Ends one of its processes as a crash would: `kill -9`. */
  async kill(name = 'app') {
    const child = this.children[name];
    child.kill('SIGKILL');
    await within(20_000, `killing ${name}`, child.exited);
    this.#sane();
  }

  #sane() {
    assert.doesNotMatch(this.log, /panicked at|UnhandledPromiseRejection|uncaughtException/);
  }

  /** Asks it to stop; checks that it ended by itself and without a panic. */
  async stop() {
    this.database.stop();
    for (const [name, child] of Object.entries(this.children).reverse()) {
      child.kill('SIGTERM');
      const { code, signal } = await within(20_000, `stopping ${name}`, child.exited);
      assert.deepEqual({ code, signal }, { code: 0, signal: null }, `${name} did not end cleanly:\n${this.log.slice(-4000)}`);
    }
    this.#sane();
    fs.rmSync(this.folder, { recursive: true, force: true });
  }
}

const answers = (port, path) => request(port, { path, timeout: 1000 }).then(({ status }) => status === 200, () => false);

/** An app for the whole test file. */
export async function useLobby(kind, limits) {
  const lobby = await Lobby.start(kind, limits);
  after(() => lobby.stop());
  return lobby;
}

/** An app for one test. */
export async function lobbyFor(t, kind, limits) {
  const lobby = await Lobby.start(kind, limits);
  t.after(() => lobby.stop());
  return lobby;
}
