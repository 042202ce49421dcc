// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Writer`]: keeps the file in step with the queues, without making them wait for the disk.
//!
//! An event that still waits after [`Timing::keep_after`] is committed, together with others that
//! are not much younger, on a thread where waiting harms nobody; one commit at a time. An event
//! that was delivered sooner never touches the disk. Owned by the sender's thread, and so without
//! locks.
//!
//! A commit that fails is logged and counted, and repeated with whatever came since; meanwhile
//! webhooks go out as if there were no data folder.

use std::cell::{Cell, RefCell};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::task::spawn_blocking;
use tokio::time::{Instant, sleep};

use super::changes::{Changes, Put};
use super::destination::{DestinationIndex, Destinations};
use super::outcomes::Outcomes;
use super::queue::Sequence;
use super::store::{Change, Store, StoreError};
use super::timing::Timing;

/// What is not on disk yet.
pub(super) struct Writer {
    pending: RefCell<Changes>,
    changed: Notify,
    closing: Cell<bool>,
    destinations: Arc<Destinations>,
    outcomes: Arc<Outcomes>,
    timing: Timing,
}

impl Writer {
    /// A writer with nothing to do.
    pub(super) fn new(
        destinations: Arc<Destinations>,
        outcomes: Arc<Outcomes>,
        timing: Timing,
    ) -> Writer {
        Writer {
            pending: RefCell::default(),
            changed: Notify::new(),
            closing: Cell::new(false),
            destinations,
            outcomes,
            timing,
        }
    }

    /// An event waits for that destination.
    pub(super) fn put(&self, sequence: Sequence, destination: DestinationIndex, json: Arc<str>) {
        let put = Put { destination, json, since: Instant::now() };
        self.change(|pending| pending.put(sequence, put));
    }

    /// An event waits no more: delivered or lost.
    pub(super) fn delete(&self, sequence: Sequence) {
        self.change(|pending| pending.delete(sequence, Instant::now()));
    }

    fn change(&self, change: impl FnOnce(&mut Changes)) {
        let mut pending = self.pending.borrow_mut();
        let idle = pending.oldest().is_none();
        change(&mut pending);
        if idle {
            self.changed.notify_one();
        }
    }

    /// Where the events go that are not on disk: after [`Writer::run`] has ended, those that the
    /// next start will not find.
    pub(super) fn unsaved(&self) -> Vec<DestinationIndex> {
        self.pending.borrow().puts().map(|(_, put)| put.destination).collect()
    }

    /// Lets [`Writer::run`] commit what is left and end.
    pub(super) fn close(&self) {
        self.closing.set(true);
        self.changed.notify_one();
    }

    /// Commits until closed. Ends early when closed while the disk fails.
    pub(super) async fn run(&self, store: Store) {
        let mut store = Some(store);
        while let Some(changes) = self.due().await {
            let Some(open) = store.take() else { return };
            let destinations = self.destinations.clone();
            let committed = spawn_blocking(move || {
                let result = open.commit(rows(&changes, &destinations));
                (open, changes, result)
            })
            .await;
            let Ok((open, changes, result)) = committed else {
                tracing::error!(
                    "webhooks: writing to the data folder panicked; from now on nothing is kept there"
                );
                self.outcomes.count_store_failure();
                return;
            };
            store = match result {
                Ok(()) => {
                    self.outcomes.count_stored(changes.puts().len());
                    Some(open)
                }
                Err(error) => {
                    self.failed(&error);
                    self.pending.borrow_mut().give_back(changes);
                    if self.closing.get() {
                        return;
                    }
                    self.recover(open).await
                }
            };
        }
    }

    /// Waits for the next commit, and takes what belongs into it. `None` when closed and there is
    /// nothing left.
    async fn due(&self) -> Option<Changes> {
        loop {
            let oldest = self.pending.borrow().oldest();
            let now = Instant::now();
            match oldest {
                None if self.closing.get() => return None,
                None => self.changed.notified().await,
                Some(_) if self.closing.get() => return Some(self.pending.borrow_mut().take(now)),
                Some(oldest) => {
                    let left = (oldest + self.timing.keep_after).saturating_duration_since(now);
                    if left.is_zero() {
                        let until = now.checked_sub(self.timing.keep_along).unwrap_or(now);
                        return Some(self.pending.borrow_mut().take(until));
                    }
                    self.pause(left).await;
                }
            }
        }
    }

    /// Opens the file again, as often as it takes. `None` when closed before it could be opened.
    async fn recover(&self, store: Store) -> Option<Store> {
        let mut reopened = spawn_blocking(move || store.reopen()).await.ok()?;
        loop {
            let path = match reopened {
                Ok(store) => {
                    self.pause(self.timing.commit_retry).await;
                    return Some(store);
                }
                Err((path, error)) => {
                    self.failed(&error);
                    path
                }
            };
            self.pause(self.timing.commit_retry).await;
            if self.closing.get() {
                return None;
            }
            reopened = spawn_blocking(move || Store::open_again(path)).await.ok()?;
        }
    }

    /// Waits, but not while closing.
    async fn pause(&self, duration: Duration) {
        let end = Instant::now() + duration;
        while !self.closing.get() {
            tokio::select! {
                () = sleep(end - Instant::now()) => return,
                () = self.changed.notified() => {}
            }
        }
    }

    fn failed(&self, error: &StoreError) {
        self.outcomes.count_store_failure();
        let cause = std::error::Error::source(error).map(ToString::to_string).unwrap_or_default();
        tracing::error!(cause, "webhooks are not kept in the data folder: {error}");
    }
}

/// The rows to change.
fn rows<'a>(
    changes: &'a Changes,
    destinations: &'a Destinations,
) -> impl Iterator<Item = (Sequence, Change<'a>)> {
    let put = |(sequence, put): (Sequence, &'a Put)| {
        let destination = destinations.get(put.destination);
        let (app_id, receiver) = (destination.app_id.as_str(), destination.name.as_str());
        (sequence, Change::Put { app_id, receiver, json: &put.json })
    };
    let deletes = changes.deletes().map(|sequence| (sequence, Change::Delete));
    changes.puts().map(put).chain(deletes)
}
