// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Shared`]: what all workers see.
//!
//! Everything in it is fixed at start, but for a few atomic numbers: counts that many add to, and
//! the moment at which draining began. Nothing in it is ever locked.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use oyez_core::{AppIndex, Append, KeySpace, Millis, Room, WorkerId};
use oyez_journal::Appender;

use crate::apps::Apps;
use crate::http::HttpStats;
use crate::options::Options;
use crate::resolver::{Resolver, SourceStats};
use crate::stats::WorkerStats;
use crate::webhooks::Webhooks;
#[cfg(test)]
use crate::worker::mail::mailboxes;
use crate::worker::mail::{Backlog, Post};

/// What all workers see.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) options: Options,
    pub(crate) apps: Arc<Apps>,
    pub(crate) keys: KeySpace,
    /// The way to every worker, for those who are none.
    pub(crate) post: Post,
    pub(crate) backlog: Arc<Backlog>,
    pub(crate) webhooks: Webhooks,
    /// Asks backends for truths.
    pub(crate) resolver: Resolver,
    /// What comes of it, for each source.
    pub(crate) sources: Arc<[SourceStats]>,
    /// Makes things durable; nothing without a data folder.
    pub(crate) journal: Option<Appender>,
    /// Why it does not any more.
    journal_failure: OnceLock<Arc<str>>,
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

/// What a server is made of, beside its options.
pub(crate) struct Equipment {
    pub(crate) webhooks: Webhooks,
    pub(crate) resolver: Resolver,
    pub(crate) sources: Arc<[SourceStats]>,
    pub(crate) journal: Option<Appender>,
    pub(crate) post: Post,
    pub(crate) keys: KeySpace,
    pub(crate) start: Instant,
}

#[cfg(test)]
impl Equipment {
    /// Nothing but webhooks.
    pub(crate) fn bare(apps: &Apps, webhooks: Webhooks) -> Equipment {
        let sources = crate::resolver::Sources::new(apps, Vec::new()).expect("no source is wrong");
        let stats = sources.stats();
        let bounds = crate::resolver::Bounds { calls: 1, answer_bytes: 1 };
        Equipment {
            webhooks,
            resolver: Resolver::start(sources, bounds, |_, _| {}).expect("it needs no thread"),
            sources: stats,
            journal: None,
            post: mailboxes(1, &Arc::default())[0].post().clone(),
            keys: KeySpace::new(1),
            start: Instant::now(),
        }
    }
}

impl Shared {
    pub(crate) fn new(
        options: Options,
        apps: Arc<Apps>,
        equipment: Equipment,
        workers: usize,
    ) -> Shared {
        let Equipment { webhooks, resolver, sources, journal, post, keys, start } = equipment;
        Shared {
            channels: apps.iter().map(|_| AtomicUsize::new(0)).collect(),
            options,
            apps,
            keys,
            backlog: post.backlog(),
            post,
            webhooks,
            resolver,
            sources,
            journal,
            journal_failure: OnceLock::new(),
            stats: (0..workers).map(|_| WorkerStats::default()).collect(),
            http_stats: (0..workers).map(|_| Arc::default()).collect(),
            connections: AtomicUsize::new(0),
            draining: Arc::default(),
            drain_began: AtomicU64::new(0),
            start,
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

    /// When that time was zero.
    pub(crate) fn start(&self) -> Instant {
        self.start
    }

    /// The same, finer.
    pub(crate) fn uptime(&self) -> std::time::Duration {
        self.start.elapsed()
    }

    /// Whether so much is on its way between workers that publishers must wait.
    pub(crate) fn is_backlogged(&self) -> bool {
        let limits = &self.options.limits;
        self.backlog.bytes() > limits.backlog_bytes
            || self.waiting_for_journal() > limits.journal_backlog_bytes
    }

    /// Bytes that are not durable yet.
    pub(crate) fn waiting_for_journal(&self) -> usize {
        self.journal.as_ref().map_or(0, Appender::waiting_bytes)
    }

    /// Gives the journal what a home wants to keep.
    pub(crate) fn append(&self, home: WorkerId, append: Append) {
        if let Some(journal) = &self.journal {
            journal.append(home, append);
        }
    }

    /// Nothing becomes durable any more: serves on for those who need not care, and ends.
    pub(crate) fn fail(&self, reason: &Arc<str>) {
        if self.journal_failure.set(Arc::clone(reason)).is_ok() {
            tracing::error!(
                %reason,
                "the journal failed: durable channels answer 503 from now on, and the server ends"
            );
            self.drain();
        }
    }

    /// Why nothing becomes durable any more.
    pub(crate) fn failure(&self) -> Option<&Arc<str>> {
        self.journal_failure.get()
    }

    /// Whether the app may have another channel.
    pub(crate) fn room_for_channel(&self, app: AppIndex) -> Room {
        let channels = self.channels(app).load(Ordering::Relaxed);
        if channels < self.options.limits.channels { Room::Left } else { Room::Gone }
    }

    /// Whether that home holds as much as it may, as of its last turn.
    pub(crate) fn is_memory_full(&self, home: WorkerId) -> bool {
        let share = self.options.limits.memory_bytes.div_ceil(self.stats.len());
        self.stats[usize::from(home.0)].memory_bytes.get() >= share as u64
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
