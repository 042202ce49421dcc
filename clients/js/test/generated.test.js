// SPDX-License-Identifier: MIT OR Apache-2.0
// The script that the server carries is what the sources make, small enough, and does what it says.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { test } from 'node:test';
import vm from 'node:vm';
import { gzipSync } from 'node:zlib';
import { LIMIT, script } from '../build.js';

const files = await script();

for (const name of ['oyez.js', 'oyez.js.map']) {
  test(`generated/${name} is what "npm run build" makes of the sources`, () => {
    const committed = fs.readFileSync(new URL(`../generated/${name}`, import.meta.url), 'utf8');
    assert.ok(committed === files[name], `generated/${name} is stale: run "npm run build" and commit it`);
  });
}

test('it says where it comes from and names no place of the machine that built it', () => {
  assert.match(files['oyez.js'], /^\/\/ SPDX-License-Identifier: MIT OR Apache-2.0\n\/\/ generated from clients\/js\/src by npm run build\n/);
  const { sources } = JSON.parse(files['oyez.js.map']);
  assert.ok(sources.length > 10 && sources.every((source) => source.startsWith('../src/')), String(sources));
});

test('it weighs at most 8 KB gzipped', (t) => {
  const size = gzipSync(files['oyez.js'], { level: 9 }).length;
  t.diagnostic(`${size} of ${LIMIT} bytes`);
  assert.ok(size <= LIMIT, `${size} bytes`);
});

test('as a classic script it defines Pusher and Oyez', () => {
  const scope = vm.createContext({});
  vm.runInContext(files['oyez.js'], scope);
  assert.deepEqual(Object.keys(scope).sort(), ['Oyez', 'Pusher']);
  assert.equal(scope.Pusher, scope.Oyez);
  assert.deepEqual([scope.Pusher.logToConsole, scope.Pusher.instances.length], [false, 0]);
});
