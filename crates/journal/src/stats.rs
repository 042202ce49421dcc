// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Stats`]: what the committer counts. Its thread alone writes; anybody may read.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Upper bounds of the buckets in which commits are counted by their length, in microseconds.
pub const COMMIT_BUCKETS: [u64; 10] =
    [100, 250, 500, 1_000, 2_500, 5_000, 10_000, 50_000, 250_000, 1_000_000];

/// What the committer counts, since its start.
#[derive(Debug, Default)]
pub struct Stats {
    commits: AtomicU64,
    appends: AtomicU64,
    records: AtomicU64,
    largest: AtomicU64,
    last_micros: AtomicU64,
    total_micros: AtomicU64,
    buckets: [AtomicU64; COMMIT_BUCKETS.len() + 1],
    journal_bytes: AtomicU64,
}

impl Stats {
    /// Commits that succeeded.
    pub fn commits(&self) -> u64 {
        self.commits.load(Ordering::Relaxed)
    }

    /// Appends in them.
    pub fn appends(&self) -> u64 {
        self.appends.load(Ordering::Relaxed)
    }

    /// Records in them.
    pub fn records(&self) -> u64 {
        self.records.load(Ordering::Relaxed)
    }

    /// The most appends that one commit had.
    pub fn largest_commit(&self) -> u64 {
        self.largest.load(Ordering::Relaxed)
    }

    /// How long the last commit took, in microseconds.
    pub fn last_micros(&self) -> u64 {
        self.last_micros.load(Ordering::Relaxed)
    }

    /// How long all commits took together, in microseconds.
    pub fn total_micros(&self) -> u64 {
        self.total_micros.load(Ordering::Relaxed)
    }

    /// Commits by their length: one count for each of [`COMMIT_BUCKETS`], and one for the rest.
    pub fn buckets(&self) -> [u64; COMMIT_BUCKETS.len() + 1] {
        self.buckets.each_ref().map(|count| count.load(Ordering::Relaxed))
    }

    /// How large the journal is on disk, in bytes.
    pub fn journal_bytes(&self) -> u64 {
        self.journal_bytes.load(Ordering::Relaxed)
    }

    pub(crate) fn sized(&self, bytes: u64) {
        self.journal_bytes.store(bytes, Ordering::Relaxed);
    }

    pub(crate) fn committed(&self, appends: u64, records: u64, took: Duration) {
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let bucket = COMMIT_BUCKETS.iter().position(|bound| micros <= *bound);
        add(&self.buckets[bucket.unwrap_or(COMMIT_BUCKETS.len())], 1);
        add(&self.commits, 1);
        add(&self.appends, appends);
        add(&self.records, records);
        add(&self.total_micros, micros);
        self.last_micros.store(micros, Ordering::Relaxed);
        self.largest.store(self.largest_commit().max(appends), Ordering::Relaxed);
    }
}

/// Adds, without a locked instruction: there is only one writer.
fn add(count: &AtomicU64, more: u64) {
    count.store(count.load(Ordering::Relaxed).wrapping_add(more), Ordering::Relaxed);
}
