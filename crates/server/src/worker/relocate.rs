// SPDX-License-Identifier: MIT OR Apache-2.0
//! Moving a connection to the home of its first channel.
//!
//! A channel whose subscribers live on its home worker needs no mail to reach them, and a worker
//! that need not be woken costs nothing. So a connection that subscribes for the first time, and
//! of which nothing is known anywhere else yet, moves to the channel's home, unless that worker
//! has its share of sockets already: a channel with very many subscribers stays spread.

use std::sync::atomic::Ordering;

use mio::{Interest, Token};
use oyez_core::{ChannelKey, Command, Listener, Place, WorkerId};
use oyez_protocol::user::Member;

use super::Worker;
use super::mail::Letter;
use crate::socket::connection::{Connection, Seat};
use crate::socket::subscriptions::View;

/// A worker may have so many sockets more than the one that offers it another, plus one in
/// [`SLACK_SHARE`].
const SLACK: usize = 16;
const SLACK_SHARE: usize = 32;

/// A connection on its way to another worker, with what it wanted when it left.
#[derive(Debug)]
pub(crate) struct Moved {
    connection: Connection,
    subscribe: Admitted,
    /// Bytes that were read of it, but not heard yet.
    pub(super) rest: Vec<u8>,
}

/// A subscription that was let in.
#[derive(Debug)]
pub(super) struct Admitted {
    pub(super) key: ChannelKey,
    pub(super) wish: Wish,
}

/// As whom, and from where on.
#[derive(Debug)]
pub(super) struct Wish {
    pub(super) member: Option<Member>,
    pub(super) listener: Listener,
}

/// A connection that shall move as soon as it is not being listened to.
#[derive(Debug)]
pub(super) struct Move {
    pub(super) slot: u32,
    pub(super) to: WorkerId,
    pub(super) subscribe: Admitted,
}

impl Worker {
    /// Subscribes a connection to a channel that it may have, here or where it then moves.
    pub(super) fn subscribe_to(&mut self, slot: u32, subscribe: Admitted) {
        let to = subscribe.key.home(self.mail.workers());
        let stays = self.shared.draining.load(Ordering::Relaxed);
        if to != self.mail.me() && !stays && self.is_fair(to) && self.is_movable(slot) {
            self.moving = Some(Move { slot, to, subscribe });
        } else {
            self.subscribe_here(slot, subscribe);
        }
    }

    fn subscribe_here(&mut self, slot: u32, subscribe: Admitted) {
        let Admitted { key, wish } = subscribe;
        let Some(connection) = self.seats.connection(slot) else { return };
        let view = View::of(wish.listener.aware.as_deref());
        let local = self.channels.hold(&key);
        connection.subscriptions.insert(local, view);
        let serial = connection.serial;
        if view.counts() {
            self.counts(slot);
        }
        let place = self.seats.place(slot, serial);
        self.seek_admission(key, local, place, wish);
    }

    pub(super) fn ask_to_subscribe(&mut self, key: ChannelKey, place: Place, wish: Wish) {
        let Wish { member, listener } = wish;
        let room = self.shared.room_for_channel(key.app());
        self.ask(Command::Subscribe { key, place, member, listener, room });
    }

    fn is_fair(&self, to: WorkerId) -> bool {
        let sockets = |worker: WorkerId| {
            self.shared.stats[usize::from(worker.0)].sockets.load(Ordering::Relaxed)
        };
        let mine = sockets(self.mail.me());
        sockets(to) <= mine + SLACK + mine / SLACK_SHARE
    }

    /// Whether nobody but this worker knows of the connection, and nothing waits for it.
    fn is_movable(&mut self, slot: u32) -> bool {
        self.seats.connection(slot).is_some_and(|connection| {
            connection.is_open()
                && connection.subscriptions.len() == 0
                && connection.identity.is_none()
                && connection.backlog.is_none()
                && connection.chain.is_empty()
        })
    }

    /// Sends the connection on its way; `rest` was read of it, but not heard.
    pub(super) fn depart_for(&mut self, moving: Move, rest: &[u8]) {
        let Move { slot, to, subscribe } = moving;
        let Some(mut connection) = self.seats.release(slot) else { return };
        let _ = self.registry.deregister(&mut connection.stream);
        self.stats().connections.set(self.seats.open() as u64);
        self.stats().sockets.fetch_sub(1, Ordering::Relaxed);
        self.shared.stats[usize::from(to.0)].sockets.fetch_add(1, Ordering::Relaxed);
        let moved = Moved { connection, subscribe, rest: rest.to_vec() };
        self.mail.put(to, Letter::Moved(Box::new(moved)));
    }

    /// Takes in a connection that another worker sent.
    pub(super) fn take_in(&mut self, moved: Moved) {
        let Moved { connection, subscribe, mut rest } = moved;
        let slot = self.seats.admit(connection);
        self.stats().connections.set(self.seats.open() as u64);
        let Some(Seat::Open(connection)) = self.seats.get_mut(slot) else { return };
        let token = Token(slot as usize);
        if self.registry.register(&mut connection.stream, token, Interest::READABLE).is_err() {
            return self.remove(slot);
        }
        if self.disconnects.include(connection) {
            // It was wished while the connection was on its way.
            return self.close_disconnected(slot);
        }
        self.subscribe_here(slot, subscribe);
        if !rest.is_empty() {
            self.guarded(slot, |worker| worker.heard(slot, &mut rest));
        }
    }
}
