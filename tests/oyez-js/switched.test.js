// SPDX-License-Identifier: MIT OR Apache-2.0
// That the switch switches: what the shared test files get is our own client.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { test } from 'node:test';
import './switch.js';

test('the shared tests run with our own client and our own script', async () => {
  const { PusherJs } = await import('../support/official.js');
  assert.match(fs.readFileSync((await import('./browser.js')).BUILDS.plain, 'utf8'), /generated from clients\/js\/src/);
  assert.equal(PusherJs.VERSION, JSON.parse(fs.readFileSync(new URL('../../clients/js/package.json', import.meta.url))).version);
});
