// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Stage`]: what all actors of a run share: where the server is, what time it is, which act is
//! played, and how far everybody is.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rand::rngs::StdRng;
use rand::seq::IteratorRandom;
use tokio::sync::watch;
use tokio::time::Instant;

/// The acts of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// Publishers publish, readers are slow, links are cut.
    Load,
    /// Publishers finish what they began; readers are fast and stay.
    Calm,
    /// Everybody goes.
    End,
}

/// How far a subscription is; nothing while it is not settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// The last offset.
    pub offset: Option<u64>,
    /// Whether it counts what cannot be seen, too.
    pub counts: bool,
}

/// See the module.
#[derive(Debug)]
pub struct Stage {
    /// Where the server is, whichever it is.
    pub address: SocketAddr,
    began: Instant,
    phase: watch::Sender<Phase>,
    seen: Mutex<HashMap<(String, &'static str), Seen>>,
    sockets: Mutex<HashMap<String, String>>,
}

impl Seen {
    /// Of a plain client.
    pub fn plain(offset: Option<u64>) -> Seen {
        Seen { offset, counts: false }
    }

    /// Of one that counts.
    pub fn aware(offset: Option<u64>) -> Seen {
        Seen { offset, counts: true }
    }
}

impl Stage {
    /// A stage on which the load begins.
    pub fn new(address: SocketAddr) -> Stage {
        Stage {
            address,
            began: Instant::now(),
            phase: watch::Sender::new(Phase::Load),
            seen: Mutex::default(),
            sockets: Mutex::default(),
        }
    }

    /// Since the run's start.
    pub fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }

    /// Which act is played.
    pub fn phase(&self) -> Phase {
        *self.phase.borrow()
    }

    /// Tells of each new act.
    pub fn phases(&self) -> watch::Receiver<Phase> {
        self.phase.subscribe()
    }

    /// Begins another act.
    pub fn enter(&self, phase: Phase) {
        self.phase.send_replace(phase);
    }

    /// A subscription is so far.
    pub fn see(&self, client: &str, channel: &'static str, seen: Seen) {
        lock(&self.seen).insert((client.to_owned(), channel), seen);
    }

    /// A client has lost its link.
    pub fn unsee(&self, client: &str) {
        lock(&self.seen).retain(|(who, _), _| who != client);
    }

    /// How far a client is on a channel.
    pub fn seen(&self, client: &str, channel: &'static str) -> Option<Seen> {
        lock(&self.seen).get(&(client.to_owned(), channel)).copied()
    }

    /// A client has a socket of that id.
    pub fn add_socket(&self, client: &str, id: &str) {
        lock(&self.sockets).insert(client.to_owned(), id.to_owned());
    }

    /// It has none.
    pub fn remove_socket(&self, client: &str) {
        lock(&self.sockets).remove(client);
    }

    /// The id of some socket that is open.
    pub fn any_socket(&self, rng: &mut StdRng) -> Option<String> {
        lock(&self.sockets).values().choose(rng).cloned()
    }
}

/// Nobody panics while holding these; if somebody does, the run has failed anyway.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
