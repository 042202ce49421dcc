// SPDX-License-Identifier: MIT OR Apache-2.0
// The agreed form of a value and its checksum, against vectors that the server's tests read too.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { test } from 'node:test';
import { source } from './support/source.js';

const { canonical, fnv1a, sum } = await source('json');
const vectors = JSON.parse(fs.readFileSync(new URL('vectors.json', import.meta.url), 'utf8'));

test('T-027 every vector has its canonical form and its sum', () => {
  for (const { json, canonical: form, sum: expected } of vectors.values) {
    assert.equal(canonical(JSON.parse(json)), form, json);
    assert.equal(sum(JSON.parse(json)), expected, json);
  }
});

test('T-027 the checksum is FNV-1a of the UTF-8 bytes', () => {
  for (const { text, sum: expected } of vectors.fnv1a) assert.equal(fnv1a(text), expected, text);
});

test('the canonical form is itself JSON of an equal value', () => {
  for (const { json } of vectors.values) {
    const value = JSON.parse(json);
    assert.equal(canonical(JSON.parse(canonical(value))), canonical(value), json);
  }
});
