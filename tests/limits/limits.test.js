// SPDX-License-Identifier: MIT OR Apache-2.0
// Every limit of the server's own table does what the table says. A new row without a case here
// fails, so does a case whose row is gone.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { describe, test } from 'node:test';
import { Server } from '../support/server.js';
import { CALL_LIMITS } from './calls.js';
import { MEMORY_LIMITS } from './memory.js';
import { SOCKET_LIMITS } from './sockets.js';

const CASES = { ...SOCKET_LIMITS, ...CALL_LIMITS, ...MEMORY_LIMITS };

test('every row of the table of limits has a case here', () => {
  const source = fs.readFileSync(new URL('../../crates/protocol/src/limits.rs', import.meta.url), 'utf8');
  const table = source.slice(source.lastIndexOf('limits! {'));
  const keys = [...table.matchAll(/^ {4}(\w+): "[^"]*" = /gm)].map(([, key]) => key);
  assert.ok(keys.length > 10);
  assert.deepEqual(Object.keys(CASES).sort(), keys.sort());
});

describe('limits', { concurrency: 3 }, () => {
  for (const [key, { value, check, prepare, app }] of Object.entries(CASES)) {
    test(`limits.${key} = ${value}`, async () => {
      const prepared = await prepare?.();
      const server = await Server.start({ limits: { [key]: value }, app: app?.(prepared) });
      try {
        await check(server, key, prepared);
      } finally {
        await server.stop();
        await prepared?.stop();
      }
    });
  }
});
