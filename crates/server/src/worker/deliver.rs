// SPDX-License-Identifier: MIT OR Apache-2.0
//! Delivering: what homes decided becomes what sockets are due, and leaves at the end of the turn.

use std::net::Shutdown;
use std::sync::atomic::Ordering;

use bytes::Bytes;
use mio::Interest;
use oyez_core::{ChannelKey, Command, Item, Place, Standing};
use oyez_protocol::close::CloseCode;
use oyez_protocol::encode::Frame;
use oyez_protocol::socket_id::SocketId;
use oyez_protocol::user::Member;
use oyez_protocol::websocket::frame;

use super::Worker;
use super::follow::BEHIND_SHARE;
use crate::socket::connection::{Connection, Farewell, Life, Seat, Stage};
use crate::socket::outbox::Written;
use crate::socket::subscriptions::State;

/// A socket that was told goodbye is dropped after so many ticks, whether the client answered or
/// not.
const LINGER_TICKS: u32 = 50;

impl Worker {
    /// Does what a home told this worker's sockets.
    pub(super) fn apply(&mut self, item: Item) {
        match item {
            Item::Event { key, frame, exclude } => self.deliver(&key, frame, exclude),
            Item::Count { key, frame } => self.deliver_count(&key, &frame),
            Item::Entry(delivery) => self.deliver_entry(&delivery),
            Item::Subscribed { key, place, member, frames, standing } => {
                self.subscribed(key, place, member, &frames, standing.as_deref());
            }
            Item::Stretch { key, place, frames, standing, end } => {
                self.stretch(&key, place, &frames, standing, end);
            }
            Item::LeftBehind { key: _, place } => self.left_behind(place),
            Item::Held { key, place } => self.admission_held(&key, place),
            Item::Refused { key, place, frame } => self.refused(&key, place, &frame),
            Item::Presence { place, user, presence } => self.presence(place, user, presence),
            Item::Close { place, code, reason } => {
                if self.seats.at(place).is_some() {
                    self.close_with(place.slot, code, reason);
                }
            }
        }
        self.flush_if_full();
    }

    /// Says what is due early, when a turn has much to say, or so much that a socket which cannot
    /// be written could only find out when it is too late to fall behind. Mail goes first: what
    /// sockets are told may lead to something that must not overtake it.
    pub(super) fn flush_if_full(&mut self) {
        if self.outbox.is_full() || self.outbox.bytes() > self.limits().output_bytes / BEHIND_SHARE
        {
            self.mail.send();
            self.flush();
        }
    }

    /// Every local subscriber but one is due the frame.
    fn deliver(&mut self, key: &ChannelKey, frame: Frame, exclude: Option<SocketId>) {
        let Some(local) = self.channels.find(key) else { return };
        let frame = self.outbox.add(frame.bytes().clone());
        let mut count = 0;
        for subscriber in self.channels.subscribers(local) {
            let Some(connection) = self.seats.connection(subscriber.slot) else { continue };
            if exclude != Some(connection.socket_id) {
                self.outbox.due(subscriber.slot, &mut connection.chain, frame);
                count += 1;
            }
        }
        self.stats().messages_out.add(count);
    }

    fn subscribed(
        &mut self,
        key: ChannelKey,
        place: Place,
        member: Option<Member>,
        frames: &[Frame],
        standing: Option<&Standing>,
    ) {
        self.admission_answered(&key, place);
        let user = member.map(|member| member.user_id);
        let slot = place.slot;
        let local = self.channels.find(&key);
        let held = local.and_then(|local| {
            let connection = self.seats.at(place)?;
            let subscription = connection.subscriptions.get_mut(local)?;
            Some((local, subscription))
        });
        let Some((local, subscription)) = held else {
            // It has gone meanwhile.
            return self.ask(Command::Unsubscribe { key, place, user });
        };
        match subscription.state {
            State::Leaving => {
                if let Some(connection) = self.seats.connection(slot) {
                    connection.subscriptions.remove(local);
                }
                self.channels.release(local);
                return self.ask(Command::Unsubscribe { key, place, user });
            }
            State::Returning => {
                // Its first coming is acknowledged and over at once.
                self.say_all(slot, frames);
                self.ask(Command::Unsubscribe { key, place, user });
                return self.comes_back(place, local);
            }
            State::Pending | State::Live(_) => {}
        }
        subscription.user = user;
        subscription.state = State::Live(self.channels.join(local, slot, subscription.view));
        self.stats().subscriptions.add(1);
        self.say_all(slot, frames);
        if let Some(standing) = standing {
            self.follow(slot, local, *standing);
        }
    }

    fn refused(&mut self, key: &ChannelKey, place: Place, frame: &Frame) {
        self.admission_answered(key, place);
        let Some(local) = self.channels.find(key) else { return };
        let Some(connection) = self.seats.at(place) else { return };
        let Some(subscription) = connection.subscriptions.get_mut(local) else { return };
        let state = subscription.state;
        if state != State::Leaving {
            self.stats().errors.add(1);
            self.say(place.slot, frame.bytes().clone());
        }
        if state == State::Returning {
            return self.comes_back(place, local);
        }
        if let Some(connection) = self.seats.connection(place.slot) {
            connection.subscriptions.remove(local);
        }
        self.channels.release(local);
    }

    pub(super) fn say_all(&mut self, slot: u32, frames: &[Frame]) {
        for frame in frames {
            self.say(slot, frame.bytes().clone());
        }
    }

    /// One socket is due these bytes.
    pub(super) fn say(&mut self, slot: u32, bytes: Bytes) {
        let Some(connection) = self.seats.connection(slot) else { return };
        if connection.is_open() {
            let frame = self.outbox.add(bytes);
            self.outbox.due(slot, &mut connection.chain, frame);
            self.stats().messages_out.add(1);
        }
    }

    /// The same, of bytes that live elsewhere.
    pub(super) fn say_bytes(&mut self, slot: u32, bytes: &[u8]) {
        self.say(slot, Bytes::copy_from_slice(bytes));
    }

    /// Writes each socket that is due anything, once.
    pub(super) fn flush(&mut self) {
        let dirty = self.outbox.take_dirty();
        let limit = self.limits().output_bytes;
        let mut bytes_out = 0;
        let (mut slow, mut failed) = (Vec::new(), Vec::new());
        for &slot in &dirty {
            let Some(connection) = self.seats.connection(slot) else { continue };
            let was_blocked = connection.backlog.is_some();
            let Connection { stream, chain, backlog, .. } = connection;
            match self.outbox.write(chain, backlog, stream) {
                Ok(count) => bytes_out += count as u64,
                Err(_) => {
                    failed.push(slot);
                    continue;
                }
            }
            let Some(backlog) = &connection.backlog else { continue };
            if backlog.cost() > limit && connection.is_open() {
                slow.push(slot);
            }
            let interest = Interest::READABLE | Interest::WRITABLE;
            if !was_blocked && connection.watch(&self.registry, slot, interest).is_err() {
                failed.push(slot);
            }
        }
        self.outbox.clear(dirty);
        self.stats().bytes_out.add(bytes_out);
        for slot in slow {
            self.too_slow(slot);
        }
        for slot in failed {
            self.remove(slot);
        }
        for slot in std::mem::take(&mut self.departing) {
            self.depart(slot);
        }
    }

    /// A blocked socket can be written again.
    pub(super) fn writable(&mut self, slot: u32) {
        let Some(connection) = self.seats.connection(slot) else { return };
        let Some(backlog) = &mut connection.backlog else { return };
        match backlog.write(&mut connection.stream) {
            Err(_) => self.remove(slot),
            Ok((written, count)) => {
                if written == Written::All {
                    connection.backlog = None;
                    match connection.watch(&self.registry, slot, Interest::READABLE) {
                        Ok(()) => {
                            self.depart(slot);
                            self.tell_counts(slot);
                            self.admit_next(slot);
                            self.has_room(slot);
                        }
                        Err(_) => self.remove(slot),
                    }
                }
                self.stats().bytes_out.add(count as u64);
            }
        }
    }

    /// More waits for this socket than may: it gets a clean goodbye instead, comes back and
    /// starts from what is true then.
    fn too_slow(&mut self, slot: u32) {
        let limit = self.limits().output_bytes;
        let reason =
            format!("too slow: more than {limit} bytes were waiting (limits.output_bytes)");
        let code = CloseCode::OverCapacity;
        if let Some(backlog) = self.seats.connection(slot).and_then(|c| c.backlog.as_mut()) {
            backlog.replace([
                Frame::error(Some(code), &reason).bytes().clone(),
                Bytes::copy_from_slice(&frame::close(code.code(), &reason)),
            ]);
            self.stats().slow_closed.add(1);
            self.end(slot, Farewell::Linger);
        }
    }

    /// Closes a connection: `pusher:error`, a close frame, goodbye.
    pub(super) fn close_with(&mut self, slot: u32, code: CloseCode, reason: &str) {
        self.say(slot, Frame::error(Some(code), reason).bytes().clone());
        self.say_bytes(slot, &frame::close(code.code(), reason));
        self.end(slot, Farewell::Linger);
    }

    /// Nothing more will be said to this connection than what it is due already. It leaves all
    /// its channels now, and departs when its last words are out.
    pub(super) fn end(&mut self, slot: u32, then: Farewell) {
        let until = Life::tick(self.now) + LINGER_TICKS;
        self.leave_all(slot);
        let Some(connection) = self.seats.connection(slot) else { return };
        connection.stage = Stage::Closing { until, then };
        // If it is not blocked, the next flush writes its last words.
        self.departing.push(slot);
    }

    /// Lets go of a connection whose last words are out. One that is blocked is seen again when
    /// it can be written, or by the sweep.
    fn depart(&mut self, slot: u32) {
        let now = Life::tick(self.now);
        let Some(connection) = self.seats.connection(slot) else { return };
        match connection.stage {
            Stage::Closing { then, .. }
                if connection.backlog.is_none() && connection.chain.is_empty() =>
            {
                match then {
                    Farewell::Drop => self.remove(slot),
                    Farewell::Linger => {
                        let _ = connection.stream.shutdown(Shutdown::Write);
                        self.gone(slot);
                        self.seats.linger(slot, now);
                        self.stats().connections.set(self.seats.open() as u64);
                    }
                }
            }
            _ => {}
        }
    }

    /// Drops whatever is in that slot.
    pub(super) fn remove(&mut self, slot: u32) {
        self.leave_all(slot);
        self.gone(slot);
        if self.seats.remove(slot).is_some() {
            self.stats().sockets.fetch_sub(1, Ordering::Relaxed);
            self.stats().connections.set(self.seats.open() as u64);
        }
    }

    /// Uncounts a WebSocket that is about to leave its seat.
    fn gone(&mut self, slot: u32) {
        if let Some(connection) = self.seats.connection(slot) {
            let app = connection.app;
            self.shared.apps.get(app).disconnect();
            self.shared.connections.fetch_sub(1, Ordering::Relaxed);
        }
    }

    fn leave_all(&mut self, slot: u32) {
        let Some(connection) = self.seats.connection(slot) else { return };
        let serial = connection.serial;
        self.admissions.remove(&slot);
        let identity = connection.identity.take();
        let app = connection.app;
        let place = self.seats.place(slot, serial);
        while let Some((local, subscription)) =
            self.seats.connection(slot).and_then(|connection| connection.subscriptions.pop())
        {
            match subscription.state {
                State::Live(_) => self.left(local, place, subscription),
                // When its home answers, nobody is here and the answer is an Unsubscribe.
                State::Pending | State::Leaving => self.channels.release(local),
                State::Returning => {
                    self.returns.remove(&(slot, local));
                    self.channels.release(local);
                }
            }
        }
        if let Some(identity) = identity {
            self.sign_out(app, place, &identity);
        }
    }

    /// Whether a slot is due to be dropped because it lingered, or never said what it wanted.
    pub(super) fn is_overdue(&mut self, slot: u32, tick: u32, arrival_ticks: u32) -> bool {
        match self.seats.get_mut(slot) {
            Some(Seat::Arrival(arrival)) => tick.saturating_sub(arrival.since) > arrival_ticks,
            Some(Seat::Lingering(lingering)) => tick > lingering.since + LINGER_TICKS,
            Some(Seat::Open(Connection { stage: Stage::Closing { until, .. }, .. })) => {
                tick > *until
            }
            _ => false,
        }
    }
}
