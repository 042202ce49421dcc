// SPDX-License-Identifier: MIT OR Apache-2.0
// Our own client as Node gets it, given no WebSocket, against a real server.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { fresh } from '../support/names.js';
import { APP, temporaryFolder, useServer } from '../support/server.js';

delete globalThis.WebSocket;
const folder = temporaryFolder();
const outfile = path.join(folder, 'oyez.node.mjs');
const entry = fileURLToPath(new URL('../../clients/js/src/node/index.ts', import.meta.url));
await build({ entryPoints: [entry], outfile, bundle: true, platform: 'node', format: 'esm', target: 'node20', logLevel: 'error' });
const { Pusher } = await import(outfile);
fs.rmSync(folder, { recursive: true });
const server = await useServer({});

/** The next event of that name. */
const next = (emitter, event) => new Promise((resolve) => emitter.bind(event, resolve));

function clientFor(t, key = APP.key) {
  const client = new Pusher(key, { wsHost: '127.0.0.1', wsPort: server.port, forceTLS: false });
  t.after(() => client.disconnect());
  return client;
}

test('without a WebSocket of anybody else a client subscribes and hears events, small and large', async (t) => {
  const channel = clientFor(t).subscribe(fresh());
  await next(channel, 'pusher:subscription_succeeded');
  for (const size of [1, 200, 9_000]) {
    const heard = next(channel, `event-${size}`);
    await server.library().trigger(channel.name, `event-${size}`, { text: 'ü'.repeat(size / 2) });
    assert.equal((await heard).text.length, Math.floor(size / 2));
  }
});

test('a client with a wrong key hears why, and is left alone', async (t) => {
  const client = clientFor(t, 'nobody');
  const { error } = await next(client.connection, 'error');
  assert.equal(error.data.code, 4001);
  assert.equal(client.connection.state, 'disconnected');
});
