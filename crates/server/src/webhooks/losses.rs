// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`LossReport`]: logs lost events at a bounded rate: one line per destination and reason in
//! [`Timing::log_every`], with the number lost since the last one. No loss goes unlogged.

use std::sync::Arc;

use super::destination::{DestinationIndex, Destinations};
use super::outcomes::{LostReason, Outcomes};
use super::timing::Timing;

/// Remembers which losses it has logged.
pub(super) struct LossReport {
    destinations: Arc<Destinations>,
    outcomes: Arc<Outcomes>,
    logged: Vec<[u64; LostReason::ALL.len()]>,
}

impl LossReport {
    /// A report that has logged nothing yet.
    pub(super) fn new(destinations: Arc<Destinations>, outcomes: Arc<Outcomes>) -> LossReport {
        let logged = vec![Default::default(); outcomes.all().len()];
        LossReport { destinations, outcomes, logged }
    }

    /// Logs losses as they come, until dropped.
    pub(super) async fn run(&mut self, timing: &Timing) {
        loop {
            self.outcomes.losses.notified().await;
            tokio::time::sleep(timing.loss_gather).await;
            self.log_new();
            tokio::time::sleep(timing.log_every).await;
        }
    }

    /// Logs what was lost since the last time. Answers the number of lines.
    pub(super) fn log_new(&mut self) -> usize {
        let mut lines = 0;
        for (place, logged) in self.logged.iter_mut().enumerate() {
            let index = DestinationIndex(place);
            for reason in LostReason::ALL {
                let total = self.outcomes.of(index).lost(reason);
                let fresh = total - std::mem::replace(&mut logged[reason as usize], total);
                if fresh == 0 {
                    continue;
                }
                let destination = self.destinations.get(index);
                let advice = match reason {
                    LostReason::QueueFull => "too many were waiting (limits.webhook_queue)",
                    LostReason::Expired => "the receiver did not take them for five minutes",
                    LostReason::Stopped => "the server stopped; a data_dir would have kept them",
                };
                tracing::error!(
                    app = destination.app_id,
                    url = destination.shown,
                    events = fresh,
                    reason = reason.name(),
                    "webhook events are lost: {advice}"
                );
                lines += 1;
            }
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::apps::Apps;
    use crate::options::{AppOptions, WebhookOptions};

    #[test]
    fn losses_of_one_kind_are_one_line_until_there_are_more() {
        let url = |url: &str| WebhookOptions::url(url, []);
        let webhooks = vec![url("http://a/"), url("http://b/")];
        let apps =
            Apps::new(vec![AppOptions { webhooks, ..AppOptions::new("1", "k", "s") }]).unwrap();
        let destinations = Arc::new(Destinations::new(&apps).unwrap());
        let outcomes = Arc::new(Outcomes::new(&destinations));
        let mut report = LossReport::new(destinations, outcomes.clone());
        assert_eq!(report.log_new(), 0);
        for _ in 0..1_000 {
            outcomes.lose(DestinationIndex(0), LostReason::QueueFull, 1);
            outcomes.lose(DestinationIndex(1), LostReason::QueueFull, 1);
            outcomes.lose(DestinationIndex(1), LostReason::Expired, 7);
        }
        assert_eq!(report.log_new(), 3);
        assert_eq!(report.log_new(), 0);
        outcomes.lose(DestinationIndex(1), LostReason::Expired, 1);
        assert_eq!(report.log_new(), 1);
        assert_eq!(outcomes.of(DestinationIndex(1)).lost(LostReason::Expired), 7_001);
    }
}
