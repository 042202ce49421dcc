// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Lane`]: one destination's queue with its waiting room: events are pushed by the router, and
//! taken by the one task that sends to that destination. What leaves the queue leaves the disk.
//!
//! Both live on the sender's thread; no borrow of the queue is held across an `await`.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use tokio::sync::{Notify, watch};
use tokio::time::{Instant, sleep_until};

use super::destination::{DestinationIndex, Destinations};
use super::outcomes::{LostReason, Outcomes};
use super::queue::{Bounds, Departure, Entry, Queue, Sequence};
use super::timing::Timing;
use super::way::Delivery;
use super::writer::Writer;

/// Whether the sender is about to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// It is not.
    Running,
    /// No more events come; what waits leaves at once.
    Flushing,
}

/// What the lanes share.
pub(super) struct Shared {
    pub(super) destinations: Arc<Destinations>,
    pub(super) outcomes: Arc<Outcomes>,
    /// There when there is a data folder.
    pub(super) writer: Option<Rc<Writer>>,
    pub(super) timing: Timing,
    pub(super) phase: watch::Receiver<Phase>,
}

/// One destination's way out.
pub(super) struct Lane {
    pub(super) index: DestinationIndex,
    pub(super) shared: Rc<Shared>,
    queue: RefCell<Queue>,
    changed: Notify,
}

impl Lane {
    /// An empty lane.
    pub(super) fn new(index: DestinationIndex, shared: Rc<Shared>, bounds: &Bounds) -> Lane {
        let queue = Queue::new(shared.destinations.get(index).way.bounds(bounds));
        Lane { index, shared, queue: RefCell::new(queue), changed: Notify::new() }
    }

    /// Takes an event that is not on disk yet.
    pub(super) fn push(&self, sequence: Sequence, json: Arc<str>) {
        if let Some(writer) = &self.shared.writer {
            writer.put(sequence, self.index, json.clone());
        }
        self.restore(sequence, json);
    }

    /// Takes an event that is on disk already.
    pub(super) fn restore(&self, sequence: Sequence, json: Arc<str>) {
        let lost = self.queue.borrow_mut().push(Entry { sequence, json, arrived: Instant::now() });
        self.shared.outcomes.lose(self.index, LostReason::QueueFull, lost.len());
        self.forget(lost);
        self.count_waiting();
        self.changed.notify_one();
    }

    /// Waits until a batch may leave, and makes it ready. `None` when nothing waits and
    /// no more comes.
    pub(super) async fn depart(&self) -> Option<Delivery<'_>> {
        let mut phase = self.shared.phase.clone();
        loop {
            let flushing = *phase.borrow_and_update() == Phase::Flushing;
            let departure =
                self.queue.borrow().departure(Instant::now(), self.shared.timing.batch_window);
            match departure {
                Departure::Empty if flushing => return None,
                Departure::Empty => tokio::select! {
                    () = self.changed.notified() => {}
                    changed = phase.changed() => changed.ok()?,
                },
                Departure::At(end) if !flushing => tokio::select! {
                    () = sleep_until(end) => {}
                    () = self.changed.notified() => {}
                    changed = phase.changed() => changed.ok()?,
                },
                Departure::At(_) | Departure::Now => return Some(self.load()),
            }
        }
    }

    /// The batch on its way has come to its end. Answers how many events were in it.
    pub(super) fn arrive(&self) -> usize {
        let arrived = self.queue.borrow_mut().arrive();
        let events = arrived.len();
        self.forget(arrived.into_iter().map(|entry| entry.sequence));
        self.count_waiting();
        events
    }

    /// Events that wait or are on their way.
    pub(super) fn len(&self) -> usize {
        self.queue.borrow().len()
    }

    fn load(&self) -> Delivery<'_> {
        let way = &self.shared.destinations.get(self.index).way;
        way.load(self.queue.borrow_mut().depart())
    }

    fn forget(&self, sequences: impl IntoIterator<Item = Sequence>) {
        if let Some(writer) = &self.shared.writer {
            sequences.into_iter().for_each(|sequence| writer.delete(sequence));
        }
    }

    fn count_waiting(&self) {
        self.shared.outcomes.of(self.index).set_waiting(self.len());
    }
}
