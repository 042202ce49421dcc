// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Inbox`]: the way of an event from a worker to the sender's thread.
//!
//! Any thread may offer, only the sender's thread takes. Offering never waits: when too much is
//! on the way, which means that the sender's thread gets no CPU time, the event is refused. What is
//! on the way already stays: for the oldest to go instead, workers would have to share a lock
//! with a thread that is not running. The queues behind it are the ones that let the oldest go.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use oyez_core::AppIndex;
use oyez_protocol::webhook::WebhookEvent;
use tokio::sync::mpsc;

/// Where workers put events.
#[derive(Debug)]
pub(super) struct Inbox {
    sender: mpsc::Sender<(AppIndex, WebhookEvent)>,
    bytes: Arc<AtomicUsize>,
    most_bytes: usize,
}

/// Where the sender's thread finds them.
#[derive(Debug)]
pub(super) struct Arrivals {
    receiver: mpsc::Receiver<(AppIndex, WebhookEvent)>,
    bytes: Arc<AtomicUsize>,
}

/// The event was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// Too much is on the way.
    Full,
    /// Nobody takes events any more.
    Closed,
}

/// A way on which at most so many events with so many bytes of text may be.
pub(super) fn inbox(events: usize, most_bytes: usize) -> (Inbox, Arrivals) {
    let (sender, receiver) = mpsc::channel(events);
    let bytes = Arc::new(AtomicUsize::new(0));
    (Inbox { sender, bytes: bytes.clone(), most_bytes }, Arrivals { receiver, bytes })
}

impl Inbox {
    /// Puts an event on its way. Never waits.
    pub(super) fn offer(&self, app: AppIndex, event: WebhookEvent) -> Result<(), Refused> {
        let weight = event.text_bytes();
        let before = self.bytes.fetch_add(weight, Ordering::Relaxed);
        let offered = if before + weight > self.most_bytes {
            Err(Refused::Full)
        } else {
            self.sender.try_send((app, event)).map_err(|error| match error {
                mpsc::error::TrySendError::Full(_) => Refused::Full,
                mpsc::error::TrySendError::Closed(_) => Refused::Closed,
            })
        };
        if offered.is_err() {
            self.bytes.fetch_sub(weight, Ordering::Relaxed);
        }
        offered
    }
}

impl Arrivals {
    /// The next event; `None` when no more can come.
    pub(super) async fn next(&mut self) -> Option<(AppIndex, WebhookEvent)> {
        let (app, event) = self.receiver.recv().await?;
        self.bytes.fetch_sub(event.text_bytes(), Ordering::Relaxed);
        Some((app, event))
    }

    /// Refuses events from now on. Those on the way still come.
    pub(super) fn close(&mut self) {
        self.receiver.close();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BYTES: usize = 1000;

    fn event(bytes: usize) -> WebhookEvent {
        WebhookEvent::CacheMiss { channel: "x".repeat(bytes) }
    }

    #[tokio::test]
    async fn the_inbox_is_bounded_in_events() {
        let (inbox, mut arrivals) = inbox(2, BYTES);
        assert_eq!(inbox.offer(AppIndex(0), event(1)), Ok(()));
        assert_eq!(inbox.offer(AppIndex(0), event(1)), Ok(()));
        assert_eq!(inbox.offer(AppIndex(0), event(1)), Err(Refused::Full));
        arrivals.next().await.unwrap();
        assert_eq!(inbox.offer(AppIndex(0), event(1)), Ok(()));
    }

    #[tokio::test]
    async fn the_inbox_is_bounded_in_bytes() {
        let (inbox, mut arrivals) = inbox(100, BYTES);
        assert_eq!(inbox.offer(AppIndex(0), event(BYTES)), Ok(()));
        assert_eq!(inbox.offer(AppIndex(0), event(1)), Err(Refused::Full));
        arrivals.next().await.unwrap();
        assert_eq!(inbox.offer(AppIndex(0), event(1)), Ok(()));
    }

    #[tokio::test]
    async fn the_newest_event_is_refused_and_those_on_the_way_arrive_in_order() {
        let (inbox, mut arrivals) = inbox(2, BYTES);
        let offered: Vec<_> = (1..=4).map(|n| inbox.offer(AppIndex(0), event(n))).collect();
        assert_eq!(offered, [Ok(()), Ok(()), Err(Refused::Full), Err(Refused::Full)]);
        assert_eq!(inbox.offer(AppIndex(0), event(BYTES)), Err(Refused::Full));
        for bytes in [1, 2] {
            assert_eq!(arrivals.next().await, Some((AppIndex(0), event(bytes))));
        }
        // What was refused weighs nothing.
        assert_eq!(inbox.offer(AppIndex(0), event(BYTES)), Ok(()));
    }

    #[tokio::test]
    async fn a_closed_inbox_gives_what_it_has_and_takes_no_more() {
        let (inbox, mut arrivals) = inbox(100, BYTES);
        assert_eq!(inbox.offer(AppIndex(0), event(1)), Ok(()));
        arrivals.close();
        assert_eq!(inbox.offer(AppIndex(0), event(1)), Err(Refused::Closed));
        assert!(arrivals.next().await.is_some());
        assert!(arrivals.next().await.is_none());
    }
}
