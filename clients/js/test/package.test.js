// SPDX-License-Identifier: MIT OR Apache-2.0
// The package as it is published: which file who gets. Runs on dist/, which "npm test" builds just before.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const here = fileURLToPath(new URL('..', import.meta.url));
const require = createRequire(import.meta.url);

test('import and require in Node bring the transport, and the same names', async () => {
  assert.match(import.meta.resolve('oyez-js'), /dist\/oyez\.node\.mjs$/);
  assert.match(require.resolve('oyez-js'), /dist\/oyez\.cjs$/);
  const module = await import('oyez-js');
  const Pusher = require('oyez-js');
  assert.deepEqual(Object.keys(module).filter((name) => !(name in Pusher)), []);
  for (const one of [module.default, Pusher]) {
    assert.ok(one === one.Pusher || one === module.Pusher);
    const client = new one('key', { wsHost: '127.0.0.1', wsPort: 1, forceTLS: false });
    assert.equal(client.connection.state, 'connecting');
    client.disconnect();
  }
  assert.deepEqual([Pusher.default, Pusher.Oyez, Pusher.__esModule], [Pusher, Pusher, true]);
});

test('a bundle for browsers has nothing of Node in it', async () => {
  const { outputFiles: [{ text }] } = await build({
    stdin: { contents: 'import Pusher from "oyez-js"; new Pusher("key")', resolveDir: here }, bundle: true, platform: 'browser', format: 'esm', write: false,
  });
  assert.doesNotMatch(text, /node:|Sec-WebSocket/);
});

test('a program in either kind of module compiles against the declarations', (t) => {
  const folder = fs.mkdtempSync(`${here}/dist/program-`);
  t.after(() => fs.rmSync(folder, { recursive: true }));
  const program = `import Pusher, { type Channel } from 'oyez-js';
export const channel: Channel = new Pusher('key', { wsHost: 'host' }).subscribe('room');\n`;
  const files = ['program.mts', 'program.cts'].map((name) => `${folder}/${name}`);
  for (const file of files) fs.writeFileSync(file, program);
  try {
    execFileSync(process.execPath, [require.resolve('typescript/bin/tsc'), '--noEmit', '--strict', '--module', 'Node16', '--target', 'ES2022', ...files], { encoding: 'utf8' });
  } catch (error) {
    assert.fail(error.stdout);
  }
});
