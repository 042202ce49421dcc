// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Writer`]: keeps the file in step with the queues, without making them wait for the disk.
//!
//! Changes are gathered for [`Timing::commit_window`] and committed as one, on a thread where
//! waiting harms nobody; one commit at a time. An event that came and was delivered within the
//! window never touches the disk. Owned by the sender's thread, and so without locks.
//!
//! A commit that fails is logged and counted, and repeated with whatever came since; meanwhile
//! webhooks go out as if there were no data folder.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::Notify;
use tokio::task::spawn_blocking;
use tokio::time::{Instant, sleep};

use super::destination::{DestinationIndex, Destinations};
use super::outcomes::Outcomes;
use super::queue::Sequence;
use super::store::{Change, Store, StoreError};
use super::timing::Timing;

/// What is not on disk yet.
pub(super) struct Writer {
    pending: RefCell<Pending>,
    changed: Notify,
    closing: Cell<bool>,
    destinations: Arc<Destinations>,
    outcomes: Arc<Outcomes>,
    timing: Timing,
}

type Pending = BTreeMap<Sequence, Step>;

/// What has to be done about one event.
#[derive(Debug)]
enum Step {
    Put(DestinationIndex, Arc<str>),
    Delete,
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
        self.note(sequence, Step::Put(destination, json));
    }

    /// An event waits no more: delivered or lost.
    pub(super) fn delete(&self, sequence: Sequence) {
        let known = self.pending.borrow_mut().remove(&sequence);
        if !matches!(known, Some(Step::Put(..))) {
            self.note(sequence, Step::Delete);
        }
    }

    fn note(&self, sequence: Sequence, step: Step) {
        let mut pending = self.pending.borrow_mut();
        if pending.is_empty() {
            self.changed.notify_one();
        }
        pending.insert(sequence, step);
    }

    /// Where the events go that are not on disk: after [`Writer::run`] has ended, those that the
    /// next start will not find.
    pub(super) fn unsaved(&self) -> Vec<DestinationIndex> {
        let put = |step: &Step| match step {
            Step::Put(destination, _) => Some(*destination),
            Step::Delete => None,
        };
        self.pending.borrow().values().filter_map(put).collect()
    }

    /// Lets [`Writer::run`] commit what is left and end.
    pub(super) fn close(&self) {
        self.closing.set(true);
        self.changed.notify_one();
    }

    /// Commits until closed. Ends early when closed while the disk fails.
    pub(super) async fn run(&self, store: Store) {
        let mut store = Some(store);
        loop {
            while self.pending.borrow().is_empty() {
                if self.closing.get() {
                    return;
                }
                self.changed.notified().await;
            }
            self.pause(self.timing.commit_window).await;
            let steps = self.pending.take();
            let Some(open) = store.take() else { return };
            let destinations = self.destinations.clone();
            let committed = spawn_blocking(move || {
                let result = open.commit(
                    steps.iter().map(|(sequence, step)| (*sequence, step.change(&destinations))),
                );
                (open, steps, result)
            })
            .await;
            let Ok((open, steps, result)) = committed else {
                tracing::error!(
                    "webhooks: writing to the data folder panicked; from now on nothing is kept there"
                );
                self.outcomes.count_store_failure();
                return;
            };
            store = match result {
                Ok(()) => {
                    self.outcomes.count_stored(steps.values().filter(|step| step.is_put()).count());
                    Some(open)
                }
                Err(error) => {
                    self.failed(&error);
                    self.give_back(steps);
                    if self.closing.get() {
                        return;
                    }
                    self.recover(open).await
                }
            };
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
    async fn pause(&self, duration: std::time::Duration) {
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

    /// Puts the steps of a failed commit before those that came since.
    fn give_back(&self, steps: Pending) {
        let mut pending = self.pending.borrow_mut();
        for (sequence, step) in steps {
            match (pending.get(&sequence), &step) {
                (None, _) => {
                    pending.insert(sequence, step);
                }
                // It never got there, so there is nothing to delete.
                (Some(Step::Delete), Step::Put(..)) => {
                    pending.remove(&sequence);
                }
                (Some(_), _) => {}
            }
        }
    }
}

impl Step {
    fn is_put(&self) -> bool {
        matches!(self, Step::Put(..))
    }

    fn change<'a>(&'a self, destinations: &'a Destinations) -> Change<'a> {
        match self {
            Step::Put(destination, json) => {
                let destination = destinations.get(*destination);
                Change::Put { app_id: &destination.app_id, url: &destination.url, json }
            }
            Step::Delete => Change::Delete,
        }
    }
}
