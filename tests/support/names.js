// SPDX-License-Identifier: MIT OR Apache-2.0
// Names and samples that many tests need.
let last = 0;

/** A channel name nobody else has used. */
export const fresh = (prefix = '') => `${prefix}channel-${process.pid}-${++last}`;

/** One prefix of every kind of channel, with whether it needs a signature and member data. */
export const KINDS = [
  { prefix: '', signed: false, presence: false, cache: false },
  { prefix: 'cache-', signed: false, presence: false, cache: true },
  { prefix: 'private-', signed: true, presence: false, cache: false },
  { prefix: 'private-cache-', signed: true, presence: false, cache: true },
  { prefix: 'private-encrypted-', signed: true, presence: false, cache: false },
  { prefix: 'private-encrypted-cache-', signed: true, presence: false, cache: true },
  { prefix: 'presence-', signed: true, presence: true, cache: false },
  { prefix: 'presence-cache-', signed: true, presence: true, cache: true },
];

/** A presence member. */
export const member = (user_id, user_info = { name: String(user_id) }) => ({ user_id, user_info });

/** A small, seeded generator (mulberry32): the same numbers for the same seed. */
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
  return { below, chance: (p) => next() < p, pick: (list) => list[below(list.length)] };
}

/** The seed of this run: printed, and repeatable with SEED=… */
export function seed(t) {
  const value = Number(process.env.SEED ?? Date.now() % 1_000_000_007);
  t.diagnostic(`SEED=${value}`);
  return value;
}
