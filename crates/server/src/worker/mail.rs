// SPDX-License-Identifier: MIT OR Apache-2.0
//! Mail between workers: what one collected for another in a turn arrives there as one batch.
//!
//! Each mailbox is one queue, first in, first out: all that a channel's cut needs, and enough for
//! whoever was answered to be in order before whoever heard the answer.
//! The queues have no bound of their own, so that no worker ever waits for another; they are
//! bounded at the door: while `limits.backlog_bytes` are on their way, publishers are not read.

use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use super::disconnect::{Disconnect, Name};
use super::relocate::Moved;
use crate::http::Inside;
use crate::resolver::Outcome;
use bytes::Bytes;
use oyez_core::{Answer, Command, Item, Ticket, WorkerId};
use smallvec::SmallVec;
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
    /// A connection that this worker accepted but the other shall serve; or one of its own HTTP
    /// connections that becomes a WebSocket, with the bytes that were read of it.
    Arrival(TcpStream, Bytes),
    /// A WebSocket that moves to the home of its channel.
    Moved(Box<Moved>),
    /// A connection that speaks HTTP, with the bytes that were read of it.
    Http(TcpStream, Bytes),
    /// Somebody answered a question of this worker's home.
    Resolved(u64, Outcome),
    /// The journal failed, because of this.
    JournalFailed(Arc<str>),
    /// A call of the embedding program.
    Inside(Box<Inside>),
    /// The embedding program wants one connection to end, whichever worker has it.
    Disconnect(Arc<Disconnect>),
    /// All workers have taken such a wish.
    Disconnected(Name),
}

/// What a letter weighs beside its contents.
const ENVELOPE: usize = 128;

impl Letter {
    /// Bytes that it holds while it is on its way.
    fn weight(&self) -> usize {
        let contents = match self {
            Letter::Command(Command::Publish(p)) => p.event.len() + p.data.len(),
            Letter::Command(Command::Change(change)) => change.what.weight(),
            Letter::Command(Command::ClientEvent { event, data, .. }) => event.len() + data.len(),
            Letter::Item(Item::Event { frame, .. } | Item::Count { frame, .. }) => {
                frame.bytes().len()
            }
            Letter::Item(Item::Subscribed { frames, .. }) => {
                frames.iter().map(|frame| frame.bytes().len()).sum()
            }
            Letter::Item(Item::Entry(delivery)) => delivery.weight(),
            Letter::Item(Item::Stretch { frames, .. }) => {
                frames.iter().map(|frame| frame.bytes().len()).sum()
            }
            Letter::Resolved(_, Outcome::Truth { data, .. }) => data.len(),
            Letter::Http(_, bytes) | Letter::Arrival(_, bytes) => bytes.len(),
            Letter::Moved(moved) => moved.rest.len(),
            Letter::Inside(call) => call.weight(),
            _ => 0,
        };
        ENVELOPE + contents
    }
}

/// What leaves for one worker at once.
#[derive(Debug)]
struct Batch {
    letters: SmallVec<[Letter; 1]>,
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

/// The way into every worker's mailbox, from one thread. Whoever posts something and then tells
/// somebody about it can be sure that nothing sent because of that overtakes it.
#[derive(Clone, Debug)]
pub(crate) struct Post {
    boxes: Vec<UnboundedSender<Batch>>,
    backlog: Arc<Backlog>,
}

/// One worker's end of the mail.
#[derive(Debug)]
pub(crate) struct Mailbox {
    me: WorkerId,
    post: Post,
    inbox: UnboundedReceiver<Batch>,
    outgoing: Vec<Batch>,
    received: Vec<Batch>,
    /// Of what was taken in this turn: it is on its way until what it caused is.
    taken: usize,
}

/// Batches taken at once; what is beyond them waits for the next turn.
pub(super) const BATCHES: usize = 256;

/// Connects so many workers.
pub(crate) fn mailboxes(workers: usize, backlog: &Arc<Backlog>) -> Vec<Mailbox> {
    let (boxes, inboxes): (Vec<_>, Vec<_>) = (0..workers).map(|_| unbounded_channel()).unzip();
    let post = Post { boxes, backlog: Arc::clone(backlog) };
    let open = |(at, inbox)| Mailbox {
        me: WorkerId(at as u16),
        post: post.clone(),
        inbox,
        outgoing: (0..workers).map(|_| Batch::empty()).collect(),
        received: Vec::new(),
        taken: 0,
    };
    inboxes.into_iter().enumerate().map(open).collect()
}

impl Batch {
    fn empty() -> Batch {
        Batch { letters: SmallVec::new(), weight: 0 }
    }
}

impl Post {
    /// How many workers there are.
    pub(crate) fn workers(&self) -> usize {
        self.boxes.len()
    }

    /// What is on its way between all of them.
    pub(crate) fn backlog(&self) -> Arc<Backlog> {
        Arc::clone(&self.backlog)
    }

    /// Sends one letter now.
    pub(crate) fn send(&self, to: WorkerId, letter: Letter) -> Result<(), Ended> {
        let weight = letter.weight();
        let letters = SmallVec::from_buf([letter]);
        self.send_batch(usize::from(to.0), Batch { letters, weight })
    }

    fn send_batch(&self, to: usize, batch: Batch) -> Result<(), Ended> {
        let weight = batch.weight;
        self.backlog.0.fetch_add(weight, Ordering::Relaxed);
        self.boxes[to].send(batch).map_err(|_| {
            self.backlog.0.fetch_sub(weight, Ordering::Relaxed);
            Ended
        })
    }
}

/// The worker that the mail was for has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ended;

impl Mailbox {
    pub(crate) fn me(&self) -> WorkerId {
        self.me
    }

    /// How many workers there are.
    pub(crate) fn workers(&self) -> usize {
        self.post.workers()
    }

    /// The way into every mailbox, this one included.
    pub(crate) fn post(&self) -> &Post {
        &self.post
    }

    /// Puts a letter to what leaves for that worker at the end of the turn.
    pub(crate) fn put(&mut self, to: WorkerId, letter: Letter) {
        let batch = &mut self.outgoing[usize::from(to.0)];
        batch.weight += letter.weight();
        batch.letters.push(letter);
    }

    /// Sends what was put.
    pub(crate) fn send(&mut self) {
        for (to, outgoing) in self.outgoing.iter_mut().enumerate() {
            if !outgoing.letters.is_empty() {
                // A worker that has ended needs no mail.
                let _ = self.post.send_batch(to, std::mem::replace(outgoing, Batch::empty()));
            }
        }
        let taken = std::mem::take(&mut self.taken);
        self.post.backlog.0.fetch_sub(taken, Ordering::Relaxed);
    }

    /// Waits until there is mail.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.received.is_empty() {
            let received = self.inbox.poll_recv_many(cx, &mut self.received, BATCHES);
            return received.map(|_| ());
        }
        Poll::Ready(())
    }

    /// Whether a letter is there or on its way out.
    pub(crate) fn is_quiet(&self) -> bool {
        self.waiting() == 0 && self.outgoing.iter().all(|batch| batch.letters.is_empty())
    }

    /// How many batches have come.
    pub(crate) fn waiting(&self) -> usize {
        self.received.len() + self.inbox.len()
    }

    /// Takes what has come, in order: so many batches at the most.
    pub(crate) fn take(&mut self, batches: usize, letters: &mut Vec<Letter>) {
        while self.received.len() < batches {
            let Ok(batch) = self.inbox.try_recv() else { break };
            self.received.push(batch);
        }
        let count = batches.min(self.received.len());
        for mut batch in self.received.drain(..count) {
            self.taken += batch.weight;
            letters.extend(batch.letters.drain(..));
        }
    }
}
