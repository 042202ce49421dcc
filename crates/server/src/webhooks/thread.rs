// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Plan`]: what the sender's thread does, from its first event to its last.
//!
//! Everything here runs on that one thread, so receivers never take time from the workers; only
//! name look-ups and commits, which would make it wait, run on threads of their own.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use oyez_core::AppIndex;
use oyez_protocol::webhook::WebhookEvent;
use tokio::runtime::Runtime;
use tokio::sync::watch;
use tokio::task::{JoinSet, LocalSet, spawn_local};
use tokio::time::{Instant, timeout, timeout_at};

use super::destination::{DestinationIndex, Destinations};
use super::inbox::Arrivals;
use super::lane::{Lane, Phase, Shared};
use super::losses::LossReport;
use super::outcomes::{LostReason, Outcomes};
use super::queue::{Bounds, Sequence};
use super::sender::Sender;
use super::store::{Store, Stored};
use super::timing::Timing;
use super::writer::Writer;
use crate::outgoing::client::HttpClient;

/// Everything the thread needs.
pub(super) struct Plan {
    pub(super) destinations: Arc<Destinations>,
    pub(super) outcomes: Arc<Outcomes>,
    pub(super) bounds: Bounds,
    pub(super) timing: Timing,
    pub(super) arrivals: Arrivals,
    pub(super) http: HttpClient,
    /// The file, and what waited in it.
    pub(super) store: Option<(Store, Vec<Stored>)>,
    /// By when to stop, once somebody says so.
    pub(super) stop: watch::Receiver<Option<Instant>>,
}

impl Plan {
    /// Runs to the end.
    pub(super) fn run(self, runtime: &Runtime) {
        LocalSet::new().block_on(runtime, self.carry_out());
    }

    async fn carry_out(self) {
        let Plan { destinations, outcomes, bounds, timing, mut arrivals, http, store, mut stop } =
            self;
        let (phase, phase_now) = watch::channel(Phase::Running);
        let (store, restored) = store.unzip();
        let writer = store
            .is_some()
            .then(|| Rc::new(Writer::new(destinations.clone(), outcomes.clone(), timing.clone())));
        let shared = Rc::new(Shared {
            destinations: destinations.clone(),
            outcomes: outcomes.clone(),
            writer: writer.clone(),
            timing: timing.clone(),
            phase: phase_now,
        });
        let router = Router::new(shared, &bounds);
        router.restore(restored.unwrap_or_default());

        let mut senders = JoinSet::new();
        for lane in &router.lanes {
            senders.spawn_local(Sender::new(lane.clone(), http.clone()).run());
        }
        let commits = writer
            .clone()
            .zip(store)
            .map(|(writer, store)| spawn_local(async move { writer.run(store).await }));
        let mut report = LossReport::new(destinations, outcomes.clone());

        let deadline = tokio::select! {
            deadline = router.run(&mut arrivals, &mut stop) => deadline,
            () = report.run(&timing) => unreachable!("the report has no end of its own"),
        };

        arrivals.close();
        while let Some((app, event)) = arrivals.next().await {
            router.route(app, &event);
        }
        phase.send_replace(Phase::Flushing);
        let _ = timeout_at(deadline, async { while senders.join_next().await.is_some() {} }).await;
        senders.shutdown().await;

        if let Some((writer, commits)) = writer.as_ref().zip(commits) {
            writer.close();
            if timeout(timing.last_commit, commits).await.is_err() {
                tracing::error!("webhooks: the last commit to the data folder took too long");
            }
        }
        router.account_for_the_rest(writer.as_deref());
        report.log_new();
    }
}

/// Gives each event to the lanes that want it.
struct Router {
    shared: Rc<Shared>,
    lanes: Vec<Rc<Lane>>,
    last: Cell<Sequence>,
}

impl Router {
    fn new(shared: Rc<Shared>, bounds: &Bounds) -> Router {
        let lane = |place| Rc::new(Lane::new(DestinationIndex(place), shared.clone(), bounds));
        let lanes = (0..shared.destinations.iter().count()).map(lane).collect();
        Router { shared, lanes, last: Cell::new(Sequence(0)) }
    }

    /// Puts into the lanes what waited on disk. What the config no longer knows is dropped.
    fn restore(&self, stored: Vec<Stored>) {
        let (mut restored, mut dropped) = (0_usize, 0_usize);
        for event in stored {
            self.last.set(event.sequence);
            let kind = WebhookEvent::from_json(&event.json).map(|event| event.kind());
            let to = |kind| self.shared.destinations.find(&event.app_id, &event.receiver, kind);
            match kind.ok().and_then(to) {
                Some(destination) => {
                    self.lanes[destination.0].restore(event.sequence, event.json);
                    restored += 1;
                }
                None => {
                    self.shared.writer.iter().for_each(|writer| writer.delete(event.sequence));
                    dropped += 1;
                }
            }
        }
        if restored > 0 {
            tracing::info!(events = restored, "webhook events of the last run are sent now");
        }
        if dropped > 0 {
            tracing::warn!(
                events = dropped,
                "webhook events of the last run are dropped: their app or receiver is not in the \
                 config, or does not want them any more"
            );
        }
    }

    /// Routes events until told to stop, or until nobody is left who could send one. Answers by
    /// when to be done.
    async fn run(
        &self,
        arrivals: &mut Arrivals,
        stop: &mut watch::Receiver<Option<Instant>>,
    ) -> Instant {
        loop {
            tokio::select! {
                arrival = arrivals.next() => match arrival {
                    Some((app, event)) => self.route(app, &event),
                    None => return Instant::now(),
                },
                deadline = stop.wait_for(Option::is_some) => {
                    return deadline.ok().and_then(|deadline| *deadline).unwrap_or_else(Instant::now);
                }
            }
        }
    }

    fn route(&self, app: AppIndex, event: &WebhookEvent) {
        let mut json: Option<Arc<str>> = None;
        for destination in self.shared.destinations.of(app, event.kind()) {
            let json = json.get_or_insert_with(|| event.to_json().into()).clone();
            let sequence = Sequence(self.last.get().0 + 1);
            self.last.set(sequence);
            self.lanes[destination.0].push(sequence, json);
        }
    }

    /// Says what becomes of the events that are still here when everything has ended.
    fn account_for_the_rest(&self, writer: Option<&Writer>) {
        let rest: usize = self.lanes.iter().map(|lane| lane.len()).sum();
        let Some(writer) = writer else {
            for lane in &self.lanes {
                self.shared.outcomes.lose(lane.index, LostReason::Stopped, lane.len());
            }
            return;
        };
        let unsaved = writer.unsaved();
        for destination in &unsaved {
            self.shared.outcomes.lose(*destination, LostReason::Stopped, 1);
        }
        let kept = rest.saturating_sub(unsaved.len());
        if kept > 0 {
            tracing::info!(
                events = kept,
                "webhook events wait in the data folder for the next start"
            );
        }
    }
}

/// How long the last commit may take beyond the deadline, and a little more to end the thread.
pub(super) fn grace(timing: &Timing) -> Duration {
    timing.last_commit + Duration::from_secs(1)
}
