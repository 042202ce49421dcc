// SPDX-License-Identifier: MIT OR Apache-2.0
// How long to wait before trying again: full jitter, so that ten thousand pages that lost the same
// server do not come back in the same instant.
//
// The n-th try in a row (n = 0, 1, …) waits a uniformly random time between 0 and
// min(cap, base · 2ⁿ): the first one somewhere in the first second, later ones within up to 30 s.

export interface Backoff {
  /** The window of the first try, in ms. */
  base: number;
  /** The largest window, in ms. */
  cap: number;
}

export const BACKOFF: Backoff = { base: 1_000, cap: 30_000 };

/** A connection that lived this long, in ms, starts the count of tries afresh. */
export const STABLE_AFTER = 5_000;

/** The wait before try number `attempt` (0 is the first), in ms. */
export function delay(attempt: number, { base, cap }: Backoff, random = Math.random): number {
  return random() * Math.min(cap, base * 2 ** attempt);
}
