// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Shared`]: what all workers see.
//!
//! Everything in it is fixed at start, but for a few atomic numbers: counts that many add to, and
//! the moment at which draining began. Nothing in it is ever locked.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::Instant;

use oyez_core::{AppIndex, KeySpace, Millis, Room};

use crate::apps::Apps;
use crate::http::HttpStats;
use crate::options::Options;
use crate::stats::WorkerStats;
use crate::webhooks::Webhooks;
use crate::worker::mail::Backlog;

/// What all workers see.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) options: Options,
    pub(crate) apps: Arc<Apps>,
    pub(crate) keys: KeySpace,
    pub(crate) backlog: Arc<Backlog>,
    pub(crate) webhooks: Webhooks,
    /// One per worker.
    pub(crate) stats: Vec<WorkerStats>,
    /// The same of HTTP.
    pub(crate) http_stats: Vec<Arc<HttpStats>>,
    /// WebSockets of all workers.
    pub(crate) connections: AtomicUsize,
    /// Channels of each app.
    channels: Vec<AtomicUsize>,
    /// HTTP connections that wait to be told of draining see this.
    pub(crate) draining: Arc<AtomicBool>,
    /// When draining began; 0 before.
    drain_began: AtomicU64,
    start: Instant,
}

impl Shared {
    pub(crate) fn new(
        options: Options,
        apps: Arc<Apps>,
        webhooks: Webhooks,
        workers: usize,
    ) -> Shared {
        Shared {
            channels: apps.iter().map(|_| AtomicUsize::new(0)).collect(),
            options,
            apps,
            keys: KeySpace::new(rand::random()),
            backlog: Arc::default(),
            webhooks,
            stats: (0..workers).map(|_| WorkerStats::default()).collect(),
            http_stats: (0..workers).map(|_| Arc::default()).collect(),
            connections: AtomicUsize::new(0),
            draining: Arc::default(),
            drain_began: AtomicU64::new(0),
            start: Instant::now(),
        }
    }

    /// The time, as the core counts it.
    pub(crate) fn now(&self) -> Millis {
        self.at(Instant::now())
    }

    /// A time, as the core counts it.
    pub(crate) fn at(&self, time: Instant) -> Millis {
        let since = time.saturating_duration_since(self.start);
        Millis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
    }

    /// The same, finer.
    pub(crate) fn uptime(&self) -> std::time::Duration {
        self.start.elapsed()
    }

    /// Whether so much is on its way between workers that publishers must wait.
    pub(crate) fn is_backlogged(&self) -> bool {
        self.backlog.bytes() > self.options.limits.backlog_bytes
    }

    /// Whether the app may have another channel.
    pub(crate) fn room_for_channel(&self, app: AppIndex) -> Room {
        let channels = self.channels(app).load(Ordering::Relaxed);
        if channels < self.options.limits.channels { Room::Left } else { Room::Gone }
    }

    /// How many channels the app has, in all homes.
    pub(crate) fn channels(&self, app: AppIndex) -> &AtomicUsize {
        &self.channels[app.0 as usize]
    }

    /// Begins to stop. The first call counts.
    pub(crate) fn drain(&self) {
        let now = self.now().0.max(1);
        let _ = self.drain_began.compare_exchange(0, now, Ordering::Relaxed, Ordering::Relaxed);
        self.draining.store(true, Ordering::Release);
    }

    /// When draining began.
    pub(crate) fn drain_began(&self) -> Option<Millis> {
        match self.drain_began.load(Ordering::Relaxed) {
            0 => None,
            at => Some(Millis(at)),
        }
    }
}
