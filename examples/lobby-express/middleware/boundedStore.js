// SPDX-License-Identifier: MIT OR Apache-2.0
// Counts for express-rate-limit, with a bound: its own store keeps every address that it has seen
// within a window, however many an attacker has. Here, when there are too many, the one whose window
// began first is forgotten, and begins anew.
'use strict';

class BoundedStore {
  localKeys = true; // each limiter has a store of its own
  #counts = new Map(); // in the order in which the windows end

  constructor(mostKeys) {
    this.mostKeys = mostKeys;
  }

  init({ windowMs }) {
    this.windowMs = windowMs;
  }

  increment(key) {
    const now = Date.now();
    let count = this.#counts.get(key);
    if (!count || count.resetTime <= now) {
      this.#counts.delete(key);
      count = { totalHits: 0, resetTime: new Date(now + this.windowMs) };
      this.#counts.set(key, count);
      this.#forget(now);
    }
    count.totalHits += 1;
    return { ...count };
  }

  decrement(key) {
    const count = this.#counts.get(key);
    if (count) count.totalHits -= 1;
  }

  resetKey(key) {
    this.#counts.delete(key);
  }

  #forget(now) {
    for (const [key, { resetTime }] of this.#counts) {
      if (resetTime > now && this.#counts.size <= this.mostKeys) break;
      this.#counts.delete(key);
    }
  }
}

module.exports = { BoundedStore };
