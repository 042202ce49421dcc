// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Sender`]: sends one destination's batches, one at a time, and repeats a batch until the
//! receiver takes it or its time is over.
//!
//! Every destination has a sender of its own, so whoever hangs delays nobody else. Delivery is at
//! least once: a receiver that took a batch but whose answer was lost gets the same again.
//! Dropping a sender at any `await` loses nothing: a batch stays in the queue, and on disk, until
//! its end is known.

use std::rc::Rc;

use tokio::time::{Instant, sleep};

use super::backoff::Backoff;
use super::failure::Failure;
use super::lane::{Lane, Phase};
use super::outcomes::LostReason;
use super::way::Delivery;
use crate::outgoing::client::HttpClient;

/// One destination's task.
pub(super) struct Sender {
    lane: Rc<Lane>,
    http: HttpClient,
    failure_logged: Option<Instant>,
}

/// How a batch came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// The receiver took it.
    Delivered,
    /// Nobody took it in time.
    Expired,
    /// The server stops, and the next start will send it.
    Kept,
}

impl Sender {
    /// The sender of that lane.
    pub(super) fn new(lane: Rc<Lane>, http: HttpClient) -> Sender {
        Sender { lane, http, failure_logged: None }
    }

    /// Sends until the lane ends.
    pub(super) async fn run(mut self) {
        let lane = Rc::clone(&self.lane);
        let outcomes = &lane.shared.outcomes;
        while let Some(delivery) = lane.depart().await {
            match self.deliver(&delivery).await {
                End::Delivered => outcomes.of(lane.index).count_delivered(lane.arrive()),
                End::Expired => outcomes.lose(lane.index, LostReason::Expired, lane.arrive()),
                End::Kept => return,
            }
        }
    }

    /// Attempts until the end of the batch.
    async fn deliver(&mut self, delivery: &Delivery<'_>) -> End {
        let shared = self.lane.shared.clone();
        let destination = shared.destinations.get(self.lane.index);
        let outcomes = shared.outcomes.of(self.lane.index);
        let first = Instant::now();
        let mut backoff = Backoff::new(&shared.timing);
        let mut logged = false;
        loop {
            let Err(failure) = delivery.attempt(&self.http, &shared.timing).await else {
                if logged {
                    tracing::info!(
                        app = destination.app_id,
                        url = destination.shown,
                        waiting = self.lane.len(),
                        "the webhook was delivered after {:?}",
                        first.elapsed()
                    );
                }
                return End::Delivered;
            };
            outcomes.count_failed_attempt();
            logged |= self.log(&failure);
            let left = shared.timing.retry_for.saturating_sub(first.elapsed());
            if left.is_zero() {
                return End::Expired;
            }
            let wait = backoff.next_wait(rand::random()).min(left);
            if self.stopped_during(wait).await {
                return End::Kept;
            }
            outcomes.count_retry();
        }
    }

    /// Waits. True when the server stops meanwhile and the batch is safe on disk; without a disk
    /// attempts go on for as long as the server lets them.
    async fn stopped_during(&self, wait: std::time::Duration) -> bool {
        if self.lane.shared.writer.is_none() {
            sleep(wait).await;
            return false;
        }
        let mut phase = self.lane.shared.phase.clone();
        tokio::select! {
            () = sleep(wait) => false,
            _ = phase.wait_for(|phase| *phase == Phase::Flushing) => true,
        }
    }

    /// Logs a failure, unless one of this destination was logged a moment ago. Answers whether it
    /// did.
    fn log(&mut self, failure: &Failure) -> bool {
        let every = self.lane.shared.timing.log_every;
        if self.failure_logged.is_some_and(|logged| logged.elapsed() < every) {
            return false;
        }
        self.failure_logged = Some(Instant::now());
        let destination = self.lane.shared.destinations.get(self.lane.index);
        tracing::warn!(
            app = destination.app_id,
            url = destination.shown,
            waiting = self.lane.len(),
            "a webhook was not delivered and will be tried again: {failure}"
        );
        true
    }
}
