// SPDX-License-Identifier: MIT OR Apache-2.0
// The types as a page written in TypeScript sees them.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const here = (name) => fileURLToPath(new URL(name, import.meta.url));

test('a page compiles against the declarations, which say nothing of what is internal', (t) => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'oyez-js-types-'));
  t.after(() => fs.rmSync(folder, { recursive: true }));
  const tsc = (...args) => {
    try {
      return execFileSync(process.execPath, [here('../node_modules/typescript/bin/tsc'), ...args], { encoding: 'utf8' });
    } catch (error) {
      assert.fail(error.stdout);
    }
  };
  tsc('-p', here('../tsconfig.json'), '--outDir', path.join(folder, 'oyez-js'));
  const page = path.join(folder, 'page.ts');
  fs.writeFileSync(page, `
import Pusher, { Oyez, type Channel, type Gap, type Options, type Position } from './oyez-js/index.js';
const options: Options = { wsHost: 'host', cluster: '', enabledTransports: ['ws'], channelAuthorization: { endpoint: '/auth', transport: 'ajax' } };
const pusher: Oyez = new Pusher('key', options);
const channel: Channel = pusher.subscribe('room').bind('e', (data) => data.x, { replay: true });
channel.bind('oyez:gap', ({ reason, from }: Gap) => [reason.length, from?.offset]);
const end: () => void = channel.onTruth((truth) => truth.n);
const position: Position | null = channel.position;
const me: string | undefined = pusher.subscribe('presence-room').members.me?.id;
pusher.connection.bind('state_change', ({ current }: { current: string }) => current.length);
pusher.user.watchlist.bind('online', () => {});
// @ts-expect-error an option that does not exist
new Pusher('key', { wsHots: 'host' });
export { end, position, me };
`);
  tsc('--noEmit', '--strict', '--module', 'ESNext', '--moduleResolution', 'Bundler', '--target', 'ES2022', page);
  for (const file of fs.readdirSync(path.join(folder, 'oyez-js'))) {
    const text = fs.readFileSync(path.join(folder, 'oyez-js', file), 'utf8');
    if (['channel.d.ts', 'pusher.d.ts'].includes(file)) assert.doesNotMatch(text, /_memory|_nextGen|_remove/, file);
  }
});
