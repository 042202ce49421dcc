// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`WorkerStats`]: what a worker counts.
//!
//! Each worker writes its own numbers alone, on cache lines of its own; `/metrics` reads them all.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use oyez_protocol::encode::ResetReason;

/// A number that one thread writes and others read.
#[derive(Debug, Default)]
pub(crate) struct Tally(AtomicU64);

impl Tally {
    /// Adds, without a locked instruction: there is only one writer.
    pub(crate) fn add(&self, count: u64) {
        self.0.store(self.0.load(Ordering::Relaxed).wrapping_add(count), Ordering::Relaxed);
    }

    pub(crate) fn sub(&self, count: u64) {
        self.add(count.wrapping_neg());
    }

    pub(crate) fn set(&self, value: u64) {
        self.0.store(value, Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Upper bounds of the buckets in which turns are counted by their length, in microseconds.
pub(crate) const TURN_BUCKETS: [u64; 9] =
    [100, 250, 500, 1_000, 2_500, 5_000, 10_000, 50_000, 250_000];

/// What one worker counts.
#[derive(Debug, Default)]
#[repr(align(128))]
pub(crate) struct WorkerStats {
    /// Sockets before or after their handshake that this worker has been given; any worker may
    /// add to it, to keep the load even.
    pub(crate) sockets: AtomicUsize,
    /// The same of HTTP connections.
    pub(crate) http_connections: AtomicUsize,
    /// WebSockets that are open now.
    pub(crate) connections: Tally,
    /// Subscriptions that hear their channel now.
    pub(crate) subscriptions: Tally,
    /// WebSockets ever opened.
    pub(crate) opened: Tally,
    /// Refused, by a close code.
    pub(crate) refused: Tally,
    /// Messages from clients.
    pub(crate) messages_in: Tally,
    /// Frames for clients.
    pub(crate) messages_out: Tally,
    /// Bytes read from WebSockets.
    pub(crate) bytes_in: Tally,
    /// Bytes written to WebSockets.
    pub(crate) bytes_out: Tally,
    /// Events that homes on this worker put in order.
    pub(crate) events: Tally,
    /// `pusher:error` sent to clients.
    pub(crate) errors: Tally,
    /// Closed because `limits.output_bytes` were waiting for them.
    pub(crate) slow_closed: Tally,
    /// Subscribers that could not keep up with a channel that remembers.
    pub(crate) fallen_behind: Tally,
    /// Remembered events that newcomers were shown.
    pub(crate) replayed: Tally,
    /// Subscriptions that went on where they were.
    pub(crate) resumed: Tally,
    /// Subscriptions that began anew where they wanted to go on, by reason.
    pub(crate) resets: [Tally; ResetReason::ALL.len()],
    /// Bytes that all logs of this worker's home hold.
    pub(crate) memory_bytes: Tally,
    /// Channels of this worker's home whose truth has changed at its source or cannot be asked for.
    pub(crate) stale_truths: Tally,
    /// Closed because they were silent for too long.
    pub(crate) silent_closed: Tally,
    /// Panics caught; each is a bug.
    pub(crate) panics: Tally,
    /// Microseconds by which the last tick came late.
    pub(crate) delay_micros: Tally,
    /// Turns by their length: one bucket each, and the rest.
    pub(crate) turns: [Tally; TURN_BUCKETS.len() + 1],
    /// Microseconds of all turns together.
    pub(crate) turn_micros: Tally,
}

impl WorkerStats {
    /// Counts a turn of the worker's loop.
    pub(crate) fn turn(&self, micros: u64) {
        let bucket = TURN_BUCKETS.iter().position(|bound| micros <= *bound);
        self.turns[bucket.unwrap_or(TURN_BUCKETS.len())].add(1);
        self.turn_micros.add(micros);
    }
}
