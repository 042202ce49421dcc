// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Disconnect`]: the program's wish that one connection ends, by its socket id.
//!
//! Nobody knows which worker has that socket, and it may be on its way from one to another. So all
//! are told. A worker that takes the wish closes the connection if it has it, and from then on
//! closes it if it arrives; then it sends off its mail, and with it whatever it had moved away
//! before. So when the last one has taken the wish, the connection is closed, or it stands in some
//! mailbox before anything that is sent from now on and is closed when it is taken out. Then the
//! caller is answered, and all workers are told, behind whatever still moves, to forget the wish.
//!
//! A wish costs each worker a look at all its sockets, once for all wishes that came together. What
//! is kept of it is kept only until all workers have taken it.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use oyez_core::{AppIndex, WorkerId};
use oyez_protocol::close::CloseCode;
use oyez_protocol::socket_id::SocketId;
use tokio::sync::mpsc;

use super::Worker;
use super::mail::Letter;
use crate::socket::connection::Connection;

/// What a client is told.
const REASON: &str = "The app has ended this connection: reconnect";

/// A connection, whichever worker has it. An app names only its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Name {
    pub(crate) app: AppIndex,
    pub(crate) socket_id: SocketId,
}

impl Name {
    fn of(connection: &Connection) -> Name {
        Name { app: connection.app, socket_id: connection.socket_id }
    }
}

/// See the module. One is shared by the letters to all workers.
#[derive(Debug)]
pub(crate) struct Disconnect {
    name: Name,
    /// Workers that have not taken it yet.
    missing: AtomicUsize,
    done: mpsc::Sender<()>,
}

/// Says when all workers have taken a wish.
#[derive(Debug)]
pub(crate) struct Done(mpsc::Receiver<()>);

impl Disconnect {
    pub(crate) fn new(name: Name, workers: usize) -> (Arc<Disconnect>, Done) {
        let (done, all) = mpsc::channel(1);
        (Arc::new(Disconnect { name, missing: AtomicUsize::new(workers), done }), Done(all))
    }

    /// One more worker has taken it; answers whether that was the last.
    fn is_taken_by_all(&self) -> bool {
        self.missing.fetch_sub(1, Ordering::AcqRel) == 1
    }
}

impl Done {
    /// Waits for it; answers whether it came to that. It does not when a worker ends first.
    pub(crate) async fn wait(mut self) -> bool {
        self.0.recv().await.is_some()
    }
}

/// What a worker knows of such wishes.
#[derive(Debug, Default)]
pub(super) struct Disconnects {
    /// Those that some worker has perhaps not taken yet, and how often each was wished.
    named: HashMap<Name, usize, foldhash::fast::RandomState>,
    /// Those that came with this mail.
    new: Vec<Arc<Disconnect>>,
}

impl Disconnects {
    pub(super) fn take(&mut self, wish: Arc<Disconnect>) {
        *self.named.entry(wish.name).or_default() += 1;
        self.new.push(wish);
    }

    /// All workers have taken a wish, and whatever moved meanwhile has arrived.
    pub(super) fn forget(&mut self, name: Name) {
        if let Some(count) = self.named.get_mut(&name) {
            *count -= 1;
            if *count == 0 {
                self.named.remove(&name);
            }
        }
    }

    /// Whether that connection, which has just arrived, shall end.
    pub(super) fn include(&self, connection: &Connection) -> bool {
        !self.named.is_empty() && self.named.contains_key(&Name::of(connection))
    }

    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.named.is_empty() && self.new.is_empty()
    }
}

impl Worker {
    /// Does what was wished in the mail that was taken.
    pub(super) fn disconnect(&mut self) {
        if self.disconnects.new.is_empty() {
            return;
        }
        let wishes = std::mem::take(&mut self.disconnects.new);
        for slot in 0..self.seats.slots() as u32 {
            let connection = self.seats.connection(slot);
            if connection.is_some_and(|c| c.is_open() && self.disconnects.include(c)) {
                self.close_disconnected(slot);
                self.flush_if_full();
            }
        }
        // What has moved away is in its new worker's queue before anybody hears that this one has
        // taken the wish.
        self.mail.send();
        for wish in wishes {
            if wish.is_taken_by_all() {
                for worker in 0..self.mail.workers() as u16 {
                    // A worker that has ended has forgotten everything.
                    let letter = Letter::Disconnected(wish.name);
                    let _ = self.mail.post().send(WorkerId(worker), letter);
                }
                // Whoever asked may have gone.
                let _ = wish.done.try_send(());
            }
        }
    }

    /// Its client comes back, and is authorised anew.
    pub(super) fn close_disconnected(&mut self, slot: u32) {
        self.close_with(slot, CloseCode::Draining, REASON);
    }
}
