// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`SourceStats`]: what the resolver counts of one source. Its thread alone writes; `/metrics`
//! reads.

use std::time::Duration;

use super::failure::FailureKind;
use crate::stats::Tally;

/// Upper bounds of the buckets in which calls are counted by their length, in microseconds.
pub(crate) const CALL_BUCKETS: [u64; 10] =
    [1_000, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 5_000_000];

/// The counters of one source, from the start of the server.
#[derive(Debug)]
pub(crate) struct SourceStats {
    name: String,
    truths: Tally,
    nones: Tally,
    failures: [Tally; FailureKind::ALL.len()],
    waiting: Tally,
    in_flight: Tally,
    calls: [Tally; CALL_BUCKETS.len() + 1],
    call_micros: Tally,
}

impl SourceStats {
    /// Zeros for the source of that name.
    pub(super) fn new(name: &str) -> SourceStats {
        SourceStats {
            name: name.to_owned(),
            truths: Tally::default(),
            nones: Tally::default(),
            failures: Default::default(),
            waiting: Tally::default(),
            in_flight: Tally::default(),
            calls: Default::default(),
            call_micros: Tally::default(),
        }
    }

    /// The URL without its query, or the closure's name: the label in metrics.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Calls that brought a truth.
    pub(crate) fn truths(&self) -> u64 {
        self.truths.get()
    }

    /// Calls that brought the word that there is none.
    pub(crate) fn nones(&self) -> u64 {
        self.nones.get()
    }

    /// Calls that brought neither.
    pub(crate) fn failures(&self, kind: FailureKind) -> u64 {
        self.failures[kind as usize].get()
    }

    /// Questions that wait for their call now.
    pub(crate) fn waiting(&self) -> u64 {
        self.waiting.get()
    }

    /// Calls in flight now.
    pub(crate) fn in_flight(&self) -> u64 {
        self.in_flight.get()
    }

    /// Calls that have ended, by their length: one number per bucket of [`CALL_BUCKETS`], and the
    /// rest. Together they are all calls that have ended.
    pub(crate) fn calls(&self) -> impl Iterator<Item = u64> {
        self.calls.iter().map(Tally::get)
    }

    /// Microseconds of all of them together.
    pub(crate) fn call_micros(&self) -> u64 {
        self.call_micros.get()
    }

    /// Says how many wait and how many are in flight now.
    pub(super) fn set_line(&self, waiting: usize, in_flight: usize) {
        self.waiting.set(waiting as u64);
        self.in_flight.set(in_flight as u64);
    }

    pub(super) fn count_truth(&self) {
        self.truths.add(1);
    }

    pub(super) fn count_none(&self) {
        self.nones.add(1);
    }

    pub(super) fn count_failure(&self, kind: FailureKind) {
        self.failures[kind as usize].add(1);
    }

    /// Counts a call that has ended.
    pub(super) fn count_call(&self, length: Duration) {
        let micros = u64::try_from(length.as_micros()).unwrap_or(u64::MAX);
        let bucket = CALL_BUCKETS.iter().position(|bound| micros <= *bound);
        self.calls[bucket.unwrap_or(CALL_BUCKETS.len())].add(1);
        self.call_micros.add(micros);
    }
}
