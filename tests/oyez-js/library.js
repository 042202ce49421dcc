// SPDX-License-Identifier: MIT OR Apache-2.0
// Our own client in Node, where the tests of `pusher-js` expect that: with a WebSocket class,
// which Node 20 lacks, and with tweetnacl for encrypted channels. Built from its sources here, so
// that no test runs against a stale build.
import { createRequire } from 'node:module';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import faye from 'faye-websocket';
import nacl from 'tweetnacl';
import { temporaryFolder } from '../support/server.js';

const CLIENT = fileURLToPath(new URL('../../clients/js', import.meta.url));

/** The script that the server carries. */
export const SCRIPT = path.join(CLIENT, 'generated/oyez.js');

/** The browser script of tweetnacl. */
export const NACL = createRequire(import.meta.url).resolve('tweetnacl/nacl-fast.min.js');

const folder = temporaryFolder();
const outfile = path.join(folder, 'oyez.mjs');
await build({ entryPoints: [path.join(CLIENT, 'src/index.ts')], outfile, bundle: true, format: 'esm', target: 'es2022', logLevel: 'error' });
const { Pusher } = await import(outfile);
fs.rmSync(folder, { recursive: true });

export default class extends Pusher {
  constructor(key, options) {
    super(key, { WebSocket: faye.Client, nacl, ...options });
  }
}
