// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Queue`]: the events of one destination in their order: those that wait, and the batch that
//! is on its way. Pure: time is an argument, and what became of an event is the caller's to say.
//!
//! When it is full the oldest waiting event goes. The batch on its way is not touched: its bytes
//! may have reached the receiver.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use oyez_protocol::limits::Limits;
use tokio::time::Instant;

/// Number of an event on disk and in the order of its destination: each one is greater than all
/// before it, across restarts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Sequence(pub(super) u64);

/// An event that waits.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) sequence: Sequence,
    /// The event's JSON, shared with the other destinations that want it and with the disk.
    pub(super) json: Arc<str>,
    pub(super) arrived: Instant,
}

/// How much a queue and a batch may hold.
#[derive(Clone, Debug)]
pub(super) struct Bounds {
    /// `limits.webhook_queue`.
    pub(super) events: usize,
    /// `limits.webhook_queue_bytes`.
    pub(super) bytes: usize,
    /// `limits.backlog_bytes`: events on their way from the workers.
    pub(super) inbox_bytes: usize,
    /// `limits.webhook_batch`.
    pub(super) batch_events: usize,
    /// `limits.webhook_batch_bytes`: receivers refuse large bodies (Express takes 100 KB).
    pub(super) batch_bytes: usize,
}

impl Bounds {
    /// The bounds that the config sets.
    pub(super) fn new(limits: &Limits) -> Bounds {
        Bounds {
            events: limits.webhook_queue,
            bytes: limits.webhook_queue_bytes,
            inbox_bytes: limits.backlog_bytes,
            batch_events: limits.webhook_batch,
            batch_bytes: limits.webhook_batch_bytes,
        }
    }
}

/// The events of one destination.
#[derive(Debug)]
pub(super) struct Queue {
    bounds: Bounds,
    waiting: VecDeque<Entry>,
    waiting_bytes: usize,
    on_its_way: Vec<Entry>,
}

/// When the next batch may leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Departure {
    /// Nothing waits.
    Empty,
    /// A batch is full, or its window is over.
    Now,
    /// When the window of the first event ends.
    At(Instant),
}

impl Queue {
    /// An empty queue.
    pub(super) fn new(bounds: Bounds) -> Queue {
        Queue { bounds, waiting: VecDeque::new(), waiting_bytes: 0, on_its_way: Vec::new() }
    }

    /// Takes an event, and answers those that had to go for it.
    pub(super) fn push(&mut self, entry: Entry) -> Vec<Sequence> {
        self.waiting_bytes += entry.json.len();
        self.waiting.push_back(entry);
        let mut lost = Vec::new();
        // The newest event stays, however large it is.
        while self.waiting.len() > 1
            && (self.waiting.len() > self.bounds.events || self.waiting_bytes > self.bounds.bytes)
        {
            lost.extend(self.pop().map(|entry| entry.sequence));
        }
        lost
    }

    /// When the next batch may leave, if a batch is open for `window`.
    pub(super) fn departure(&self, now: Instant, window: Duration) -> Departure {
        let Some(first) = self.waiting.front() else { return Departure::Empty };
        let full = self.waiting.len() >= self.bounds.batch_events
            || self.waiting_bytes >= self.bounds.batch_bytes;
        let end = first.arrived + window;
        if full || end <= now { Departure::Now } else { Departure::At(end) }
    }

    /// Puts the oldest waiting events on their way, as many as fit into one request. None may be
    /// on their way already.
    pub(super) fn depart(&mut self) -> &[Entry] {
        debug_assert!(self.on_its_way.is_empty(), "one batch at a time is on its way");
        let mut bytes = 0;
        while let Some(next) = self.waiting.front() {
            bytes += next.json.len();
            let fits = self.on_its_way.len() < self.bounds.batch_events
                && bytes <= self.bounds.batch_bytes;
            if !fits && !self.on_its_way.is_empty() {
                break;
            }
            let entry = self.pop().expect("there is a front");
            self.on_its_way.push(entry);
        }
        &self.on_its_way
    }

    /// The batch on its way has come to its end, a good one or not. Answers what was in it.
    pub(super) fn arrive(&mut self) -> Vec<Entry> {
        self.give_back_memory();
        std::mem::take(&mut self.on_its_way)
    }

    /// Events that wait or are on their way.
    pub(super) fn len(&self) -> usize {
        self.waiting.len() + self.on_its_way.len()
    }

    fn pop(&mut self) -> Option<Entry> {
        let entry = self.waiting.pop_front()?;
        self.waiting_bytes -= entry.json.len();
        Some(entry)
    }

    /// A queue that was long once does not keep its memory.
    fn give_back_memory(&mut self) {
        if self.waiting.is_empty() {
            self.waiting = VecDeque::new();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WINDOW: Duration = Duration::from_millis(50);

    fn queue(events: usize, bytes: usize, batch_events: usize, batch_bytes: usize) -> Queue {
        let inbox_bytes = usize::MAX;
        Queue::new(Bounds { events, bytes, inbox_bytes, batch_events, batch_bytes })
    }

    fn entry(sequence: u64, arrived: Instant, json: &str) -> Entry {
        Entry { sequence: Sequence(sequence), json: json.into(), arrived }
    }

    fn sequences(entries: &[Entry]) -> Vec<u64> {
        entries.iter().map(|entry| entry.sequence.0).collect()
    }

    #[test]
    fn the_first_event_opens_the_window_and_a_full_batch_does_not_wait() {
        let now = Instant::now();
        let mut queue = queue(100, 1_000, 3, 1_000);
        assert_eq!(queue.departure(now, WINDOW), Departure::Empty);
        queue.push(entry(1, now, "{}"));
        queue.push(entry(2, now + WINDOW / 2, "{}"));
        assert_eq!(queue.departure(now + WINDOW / 2, WINDOW), Departure::At(now + WINDOW));
        assert_eq!(queue.departure(now + WINDOW, WINDOW), Departure::Now);
        queue.push(entry(3, now + WINDOW / 2, "{}"));
        assert_eq!(queue.departure(now + WINDOW / 2, WINDOW), Departure::Now);
    }

    #[test]
    fn a_batch_is_bounded_in_events_and_in_bytes_but_never_empty() {
        let now = Instant::now();
        let mut queue = queue(100, 1_000, 3, 10);
        for (sequence, json) in
            [(1, "1"), (2, "2"), (3, "3"), (4, "4444444444"), (5, "a larger one"), (6, "6")]
        {
            queue.push(entry(sequence, now, json));
        }
        for expected in [vec![1, 2, 3], vec![4], vec![5], vec![6]] {
            assert_eq!(sequences(queue.depart()), expected);
            queue.arrive();
        }
        assert_eq!(queue.len(), 0);
    }

    #[test]
    fn the_oldest_waiting_events_go_and_the_batch_on_its_way_stays() {
        let now = Instant::now();
        let mut queue = queue(2, 10, 2, 10);
        queue.push(entry(1, now, "1"));
        assert_eq!(sequences(queue.depart()), [1]);
        assert_eq!(queue.push(entry(2, now, "2")), []);
        assert_eq!(queue.push(entry(3, now, "3")), []);
        assert_eq!(queue.push(entry(4, now, "4")), [Sequence(2)]);
        assert_eq!(queue.push(entry(5, now, "5555555555")), [Sequence(3), Sequence(4)]);
        assert_eq!(sequences(&queue.arrive()), [1]);
        assert_eq!(sequences(queue.depart()), [5]);
    }
}
