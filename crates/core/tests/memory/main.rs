// SPDX-License-Identifier: MIT OR Apache-2.0
//! Random histories of channels that remember: rules of every kind, truths that are set and truths
//! that are asked for, conditions, idempotency keys, slow readers, a clock, a journal that commits
//! late or fails, and servers that are killed at any moment; against a small reference log.
//!
//! ```text
//! OYEZ_SEED=7 cargo test -p oyez-core --test memory       one history, step by step
//! OYEZ_HISTORIES=100 cargo test -p oyez-core --test memory a hundred times as many
//! ```

#[path = "../common/mod.rs"]
mod common;
mod history;
mod reference;
mod tab;
mod world;

use std::collections::BTreeMap;

use history::History;

/// The first histories are short, so that the first one to fail is mostly a short one.
fn steps(seed: u64) -> usize {
    20 + (seed as usize / 40).min(120)
}

fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{variable} must be a number, not {text}")))
}

struct Failure(u64);

impl Drop for Failure {
    fn drop(&mut self) {
        eprintln!("run it again: OYEZ_SEED={} cargo test -p oyez-core --test memory", self.0);
    }
}

/// I1 to I10 over whole transcripts: T-002, T-003, T-008, T-012 to T-017, T-021 to T-027.
fn histories(share: u64) {
    if let Some(seed) = number("OYEZ_SEED") {
        if seed % 2 == share {
            History::run(seed, steps(seed), true);
        }
        return;
    }
    let mut moments: BTreeMap<&'static str, u64> = BTreeMap::new();
    let count = 5_200 * number("OYEZ_HISTORIES").unwrap_or(1);
    for nth in 0..count {
        let seed = nth * 2 + share;
        let failure = Failure(seed);
        let world = History::run(seed, steps(seed), false);
        std::mem::forget(failure);
        for (moment, times) in world.moments {
            *moments.entry(moment).or_default() += times;
        }
    }
    eprintln!("{count} histories: {moments:?}");
    for moment in [
        "resumed",
        "refused to resume",
        "behind",
        "reset",
        "stretch",
        "crash",
        "acknowledged",
        "mismatch",
        "again",
        "conflict",
        "asked",
        "delta",
        "expired",
        "forgotten",
        "backup",
        "failed journal",
        "replayed",
        "skip",
        "two homes",
        "left behind",
        "as it came",
        "newer than it came",
        "out of patience",
    ] {
        assert!(moments.get(moment).is_some_and(|times| *times >= 20), "{moment}: {moments:?}");
    }
}

#[test]
fn every_promise_is_kept_in_any_history() {
    histories(0);
}

#[test]
fn every_promise_is_kept_in_any_other_history() {
    histories(1);
}
