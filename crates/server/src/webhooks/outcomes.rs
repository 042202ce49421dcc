// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Outcomes`]: what became of webhook events, per destination, for `/metrics` and the log.
//!
//! All counters are atomic: workers, the sender's thread and whoever reads metrics touch them
//! at once, and each counter stands for itself. They begin at zero with the server.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use tokio::sync::Notify;

use super::destination::{DestinationIndex, Destinations};

/// What became of the events of all destinations.
#[derive(Debug, Default)]
pub(super) struct Outcomes {
    destinations: Box<[DestinationOutcomes]>,
    stored: AtomicU64,
    store_failures: AtomicU64,
    /// Told of every loss; the loss report waits for it.
    pub(super) losses: Notify,
}

/// What became of the events of one receiver of one app.
#[derive(Debug)]
pub(crate) struct DestinationOutcomes {
    app_id: String,
    url: String,
    delivered: AtomicU64,
    failed_attempts: AtomicU64,
    retries: AtomicU64,
    lost: [AtomicU64; LostReason::ALL.len()],
    waiting: AtomicUsize,
}

/// Why webhook events were lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LostReason {
    /// More events were waiting than `limits.webhook_queue` allows; the oldest went.
    QueueFull,
    /// The receiver did not take them within five minutes of the first attempt.
    Expired,
    /// The server stopped before they could be delivered, and has no data folder.
    Stopped,
}

impl LostReason {
    /// All reasons.
    pub(crate) const ALL: [LostReason; 3] =
        [LostReason::QueueFull, LostReason::Expired, LostReason::Stopped];

    /// The reason's name in metrics.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            LostReason::QueueFull => "queue_full",
            LostReason::Expired => "expired",
            LostReason::Stopped => "stopped",
        }
    }
}

impl DestinationOutcomes {
    /// The app's id.
    pub(crate) fn app_id(&self) -> &str {
        &self.app_id
    }

    /// The URL without its query, or `closure`.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Events that the receiver has taken.
    pub(crate) fn delivered(&self) -> u64 {
        self.delivered.load(Ordering::Relaxed)
    }

    /// Attempts that failed.
    pub(crate) fn failed_attempts(&self) -> u64 {
        self.failed_attempts.load(Ordering::Relaxed)
    }

    /// Attempts that repeated an earlier one.
    pub(crate) fn retries(&self) -> u64 {
        self.retries.load(Ordering::Relaxed)
    }

    /// Events lost for that reason.
    pub(crate) fn lost(&self, reason: LostReason) -> u64 {
        self.lost[reason as usize].load(Ordering::Relaxed)
    }

    /// Events that wait or are on their way now.
    pub(crate) fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }

    /// Counts events as delivered.
    pub(super) fn count_delivered(&self, events: usize) {
        self.delivered.fetch_add(events as u64, Ordering::Relaxed);
    }

    /// Counts an attempt that failed.
    pub(super) fn count_failed_attempt(&self) {
        self.failed_attempts.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts an attempt that repeats an earlier one.
    pub(super) fn count_retry(&self) {
        self.retries.fetch_add(1, Ordering::Relaxed);
    }

    /// Says how many events wait now. Only the destination's own queue calls it.
    pub(super) fn set_waiting(&self, events: usize) {
        self.waiting.store(events, Ordering::Relaxed);
    }
}

impl Outcomes {
    /// Zeros for those destinations.
    pub(super) fn new(destinations: &Destinations) -> Outcomes {
        let zero = |destination: &super::destination::Destination| DestinationOutcomes {
            app_id: destination.app_id.clone(),
            url: destination.shown.clone(),
            delivered: AtomicU64::new(0),
            failed_attempts: AtomicU64::new(0),
            retries: AtomicU64::new(0),
            lost: Default::default(),
            waiting: AtomicUsize::new(0),
        };
        Outcomes { destinations: destinations.iter().map(zero).collect(), ..Outcomes::default() }
    }

    /// Of one destination.
    pub(super) fn of(&self, destination: DestinationIndex) -> &DestinationOutcomes {
        &self.destinations[destination.0]
    }

    /// Of all destinations, in the order of their indexes.
    pub(super) fn all(&self) -> &[DestinationOutcomes] {
        &self.destinations
    }

    /// Counts lost events and wakes the loss report.
    pub(super) fn lose(&self, destination: DestinationIndex, reason: LostReason, events: usize) {
        if events > 0 {
            self.of(destination).lost[reason as usize].fetch_add(events as u64, Ordering::Relaxed);
            self.losses.notify_one();
        }
    }

    /// Events written to the data folder.
    pub(super) fn stored(&self) -> u64 {
        self.stored.load(Ordering::Relaxed)
    }

    /// Counts events as written to the data folder.
    pub(super) fn count_stored(&self, events: usize) {
        self.stored.fetch_add(events as u64, Ordering::Relaxed);
    }

    /// Commits to the data folder that failed.
    pub(super) fn store_failures(&self) -> u64 {
        self.store_failures.load(Ordering::Relaxed)
    }

    /// Counts a commit that failed.
    pub(super) fn count_store_failure(&self) {
        self.store_failures.fetch_add(1, Ordering::Relaxed);
    }
}
