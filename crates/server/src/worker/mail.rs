// SPDX-License-Identifier: MIT OR Apache-2.0
//! Mail between workers: what one collected for another in a turn arrives there as one batch.
//!
//! Each pair of workers has a first-in-first-out order, which is all that a channel's cut needs.
//! The queues have no bound of their own, so that no worker ever waits for another; they are
//! bounded at the door: while `limits.backlog_bytes` are on their way, publishers are not read.

use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use super::relocate::Moved;
use bytes::Bytes;
use oyez_core::{Answer, Command, Item, Ticket, WorkerId};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// One thing that a worker tells another.
#[derive(Debug)]
pub(crate) enum Letter {
    /// To the home of a channel or user.
    Command(Command),
    /// From a home to the sockets of a worker.
    Item(Item),
    /// From a home to a call that waits.
    Answer(Ticket, Answer),
    /// A connection that this worker accepted but the other shall serve.
    Arrival(TcpStream),
    /// A WebSocket that moves to the home of its channel.
    Moved(Box<Moved>),
    /// A connection that speaks HTTP, with the bytes that were read of it.
    Http(TcpStream, Bytes),
}

/// What a letter weighs beside its contents.
const ENVELOPE: usize = 128;

impl Letter {
    /// Bytes that it holds while it is on its way.
    fn weight(&self) -> usize {
        let contents = match self {
            Letter::Command(Command::Publish { event, data, .. }) => event.len() + data.len(),
            Letter::Command(Command::ClientEvent { event, data, .. }) => event.len() + data.len(),
            Letter::Item(Item::Event { frame, .. }) => frame.bytes().len(),
            Letter::Item(Item::Subscribed { frames, .. }) => {
                frames.iter().map(|frame| frame.bytes().len()).sum()
            }
            Letter::Http(_, bytes) => bytes.len(),
            Letter::Moved(moved) => moved.rest.len(),
            _ => 0,
        };
        ENVELOPE + contents
    }
}

#[derive(Debug)]
struct Batch {
    letters: Vec<Letter>,
    weight: usize,
}

/// Bytes on their way between all workers.
#[derive(Debug, Default)]
pub(crate) struct Backlog(AtomicUsize);

impl Backlog {
    pub(crate) fn bytes(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

/// One worker's end of the mail.
#[derive(Debug)]
pub(crate) struct Mailbox {
    me: WorkerId,
    inbox: UnboundedReceiver<Batch>,
    others: Vec<UnboundedSender<Batch>>,
    outgoing: Vec<Batch>,
    backlog: Arc<Backlog>,
    received: Vec<Batch>,
}

/// Batches taken in one turn; what is beyond them waits for the next.
const BATCHES_PER_TURN: usize = 64;

/// Connects so many workers.
pub(crate) fn mailboxes(workers: usize, backlog: &Arc<Backlog>) -> Vec<Mailbox> {
    let (senders, receivers): (Vec<_>, Vec<_>) = (0..workers).map(|_| unbounded_channel()).unzip();
    let open = |(at, inbox)| Mailbox {
        me: WorkerId(at as u16),
        inbox,
        others: senders.clone(),
        outgoing: (0..workers).map(|_| Batch { letters: Vec::new(), weight: 0 }).collect(),
        backlog: Arc::clone(backlog),
        received: Vec::new(),
    };
    receivers.into_iter().enumerate().map(open).collect()
}

impl Mailbox {
    pub(crate) fn me(&self) -> WorkerId {
        self.me
    }

    /// How many workers there are.
    pub(crate) fn workers(&self) -> usize {
        self.others.len()
    }

    /// Puts a letter to what leaves for that worker at the end of the turn.
    pub(crate) fn put(&mut self, to: WorkerId, letter: Letter) {
        let batch = &mut self.outgoing[usize::from(to.0)];
        batch.weight += letter.weight();
        batch.letters.push(letter);
    }

    /// Sends what was put. A worker that has ended needs no mail.
    pub(crate) fn send(&mut self) {
        for (to, batch) in self.others.iter().zip(&mut self.outgoing) {
            if batch.letters.is_empty() {
                continue;
            }
            let weight = std::mem::take(&mut batch.weight);
            self.backlog.0.fetch_add(weight, Ordering::Relaxed);
            let letters = std::mem::take(&mut batch.letters);
            if to.send(Batch { letters, weight }).is_err() {
                self.backlog.0.fetch_sub(weight, Ordering::Relaxed);
            }
        }
    }

    /// Waits until there is mail.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.received.is_empty() {
            let received = self.inbox.poll_recv_many(cx, &mut self.received, BATCHES_PER_TURN);
            return received.map(|_| ());
        }
        Poll::Ready(())
    }

    /// Whether a letter is there or on its way out.
    pub(crate) fn is_quiet(&self) -> bool {
        self.received.is_empty()
            && self.inbox.is_empty()
            && self.outgoing.iter().all(|batch| batch.letters.is_empty())
    }

    /// Takes what has come, in order per sender.
    pub(crate) fn take(&mut self, letters: &mut Vec<Letter>) {
        while self.received.len() < BATCHES_PER_TURN {
            let Ok(batch) = self.inbox.try_recv() else { break };
            self.received.push(batch);
        }
        for mut batch in self.received.drain(..) {
            self.backlog.0.fetch_sub(batch.weight, Ordering::Relaxed);
            letters.append(&mut batch.letters);
        }
    }
}
