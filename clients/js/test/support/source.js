// SPDX-License-Identifier: MIT OR Apache-2.0
// A module of the sources, bundled where the test runs: no test depends on an earlier build.
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const SOURCES = fileURLToPath(new URL('../../src', import.meta.url));

export async function source(name) {
  const { outputFiles } = await build({
    entryPoints: [path.join(SOURCES, `${name}.ts`)], bundle: true, format: 'esm', target: 'es2021', external: ['node:*'], write: false, logLevel: 'error',
  });
  const [{ text }] = outputFiles;
  const file = path.join(os.tmpdir(), `oyez-js-${process.pid}-${createHash('sha256').update(text).digest('hex').slice(0, 12)}.mjs`);
  fs.writeFileSync(file, text);
  try {
    return await import(file);
  } finally {
    fs.rmSync(file);
  }
}

/** A small, seeded generator (mulberry32). */
export function random(seed) {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  const below = (n) => Math.floor(next() * n);
  return { next, below, chance: (p) => next() < p, pick: (list) => list[below(list.length)] };
}

/** The seed of this run: printed, and repeatable with SEED=… */
export function seed(t) {
  const value = Number(process.env.SEED ?? Date.now() % 1_000_000_007);
  t.diagnostic(`SEED=${value}`);
  return value;
}
