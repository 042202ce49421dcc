// SPDX-License-Identifier: MIT OR Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { source } from './support/source.js';

const { BACKOFF, delay } = await source('backoff');
const { fateOf } = await source('protocol');

test('the n-th wait lies between 0 and min(cap, base·2ⁿ), and uses all of it', () => {
  for (let attempt = 0; attempt < 40; attempt++) {
    const window = Math.min(BACKOFF.cap, BACKOFF.base * 2 ** attempt);
    assert.equal(delay(attempt, BACKOFF, () => 0), 0);
    assert.equal(delay(attempt, BACKOFF, () => 0.5), window / 2);
    const drawn = Array.from({ length: 2000 }, () => delay(attempt, BACKOFF));
    assert.ok(drawn.every((wait) => wait >= 0 && wait < window), `attempt ${attempt}`);
    assert.ok(Math.min(...drawn) < window * 0.02 && Math.max(...drawn) > window * 0.98, `attempt ${attempt}`);
  }
});

test('a thousand pages that lost the same server do not come back together', () => {
  const buckets = new Array(10).fill(0);
  for (let page = 0; page < 1000; page++) buckets[Math.floor(delay(0, BACKOFF) / 100)]++;
  assert.ok(buckets.every((count) => count > 50 && count < 160), String(buckets));
});

test('each close code has its fate', () => {
  const cases = { never: [4000, 4001, 4009, 4099], later: [4100, 4199], backoff: [1000, 1001, 1006, 1009, 1011, 4200, 4201, 4299, 4300, 4999] };
  for (const [fate, codes] of Object.entries(cases)) for (const code of codes) assert.equal(fateOf(code), fate, String(code));
});
