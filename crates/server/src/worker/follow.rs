// SPDX-License-Identifier: MIT OR Apache-2.0
//! Following a log: subscribers of channels with memory.
//!
//! A subscriber is live, and due every entry; or it is behind, and due none: then all that is
//! kept of it is how far it was, and when its socket has room it asks the channel's home for what
//! it missed. The home's answer comes in the queue that brings the live entries, so its place
//! there says from where on the subscriber is live again. A slow reader thus costs a few numbers,
//! a long replay is sent as fast as it is read, and a client that lost its place begins anew, all
//! in the same way.

use std::sync::Arc;

use oyez_core::{ChannelKey, Command, Delivery, End, Millis, Place, ReplayOf, Sight, Standing};
use oyez_protocol::channel::ChannelName;
use oyez_protocol::close::CloseCode;
use oyez_protocol::encode::{Frame, ResetReason};
use oyez_protocol::message::MessageError;
use oyez_protocol::position::Offset;

use super::Worker;
use crate::socket::connection::Life;
use crate::socket::outbox::FrameRef;
use crate::socket::subscriptions::{LocalId, LogPlace, Pace, State, Subscription, View};

/// A subscriber whose socket has this part of `limits.output_bytes` waiting is behind.
pub(crate) const BEHIND_SHARE: usize = 4;

/// Bookmarks are sent to clients that count once in so many ticks: 25 seconds.
const MARK_TICKS: u32 = 250;

/// A subscriber who is behind.
#[derive(Debug)]
pub(super) struct Behind {
    standing: Standing,
    /// Questions to the home that are not answered yet.
    asked: u32,
    /// When it asked last, among all questions of this worker: who has waited longest is next.
    turn: u64,
    /// Whether it wants a new cut, and what comes before that is of no use to it.
    is_lost: bool,
}

impl Behind {
    /// It has asked nothing yet.
    fn at(standing: Standing) -> Behind {
        Behind { standing, asked: 0, turn: 0, is_lost: false }
    }
}

/// The frames of an entry, each taken into the turn when the first one is due it.
#[derive(Default)]
struct Taken {
    whole: Option<FrameRef>,
    deltas: [Option<FrameRef>; 2],
    skip: Option<FrameRef>,
}

impl Worker {
    /// Every live local subscriber is due an entry, or what it sees of it.
    pub(super) fn deliver_entry(&mut self, delivery: &Arc<Delivery>) {
        let Delivery { key, offset, sight, exclude, sum } = &**delivery;
        let Some(local) = self.channels.find(key) else { return };
        let before = self.channels.log_place(local);
        let sum = match sight {
            Sight::Truth(..) => *sum,
            Sight::Event(_) => before.and_then(|place| place.sum),
            Sight::Counted(_) => None,
        };
        self.channels.move_log(local, LogPlace { offset: *offset, sum });
        let limit = self.limits().output_bytes / BEHIND_SHARE;
        let (mut taken, mut count, mut slow) = (Taken::default(), 0, Vec::new());
        let is_truth = matches!(sight, Sight::Truth(..));
        let mut views: Vec<(u32, View)> = Vec::new();
        for (at, subscriber) in self.channels.subscribers(local).iter().enumerate() {
            let Some(connection) = self.seats.connection(subscriber.slot) else { continue };
            if subscriber.pace == Pace::Behind {
                continue;
            }
            if connection.backlog.as_ref().is_some_and(|backlog| backlog.cost() > limit) {
                slow.push(at as u32);
                continue;
            }
            let view = subscriber.view;
            let is_excluded = *exclude == Some(connection.socket_id);
            if is_truth && view.counts() && is_excluded != view.lacks_truth() {
                views.push((at as u32, view.after_truth(is_excluded)));
            }
            let outbox = &mut self.outbox;
            let mut take = |frame: &Frame| outbox.add(frame.bytes().clone());
            let frame = match sight {
                _ if is_excluded && !view.counts() => continue,
                _ if is_excluded => *taken
                    .skip
                    .get_or_insert_with(|| take(&Frame::skip(key.name(), *offset, *offset))),
                Sight::Counted(_) if !view.counts() => continue,
                Sight::Event(frame) | Sight::Counted(frame) => {
                    *taken.whole.get_or_insert_with(|| take(frame))
                }
                Sight::Truth(whole, deltas) => {
                    match deltas.iter().position(|(kind, _)| view.takes(*kind)) {
                        Some(nth) => *taken.deltas[nth].get_or_insert_with(|| take(&deltas[nth].1)),
                        None => *taken.whole.get_or_insert_with(|| take(whole)),
                    }
                }
            };
            self.outbox.due(subscriber.slot, &mut connection.chain, frame);
            count += 1;
        }
        self.stats().messages_out.add(count);
        for (at, view) in views {
            if let Some(subscriber) = self.channels.subscriber_mut(local, at) {
                subscriber.view = view;
            }
        }
        for at in slow {
            self.fall_behind(local, at, offset.before());
        }
    }

    /// A subscriber gets nothing more until it asks.
    fn fall_behind(&mut self, local: LocalId, at: u32, shown: Offset) {
        let Some(subscriber) = self.channels.subscriber_mut(local, at) else { return };
        subscriber.pace = Pace::Behind;
        let (slot, speaks) = (subscriber.slot, subscriber.view.speaks());
        let standing = Standing { cut: shown, shown, replay: ReplayOf::TheRule, speaks };
        self.behind.insert((slot, local), Behind::at(standing));
        self.stats().fallen_behind.add(1);
    }

    /// A subscription has begun, as far as that.
    pub(super) fn follow(&mut self, slot: u32, local: LocalId, standing: Standing) {
        if self.channels.log_place(local).is_none_or(|place| place.offset < standing.cut) {
            self.channels.move_log(local, LogPlace { offset: standing.cut, sum: None });
        }
        if standing.shown < standing.cut
            && let Some(at) = self.live_place(slot, local)
            && let Some(subscriber) = self.channels.subscriber_mut(local, at)
        {
            subscriber.pace = Pace::Behind;
            self.behind.insert((slot, local), Behind::at(standing));
            self.catching_up.push(slot);
        }
    }

    /// What a home says to a subscriber who is behind.
    pub(super) fn stretch(
        &mut self,
        key: &ChannelKey,
        place: Place,
        frames: &[Frame],
        standing: Standing,
        end: End,
    ) {
        if self.seats.at(place).is_none() {
            return;
        }
        let slot = place.slot;
        // Whatever becomes of this answer, the next question may be asked.
        self.catching_up.push(slot);
        let Some(local) = self.channels.find(key) else { return };
        let Some(behind) = self.behind.get_mut(&(slot, local)).filter(|b| b.asked > 0) else {
            return;
        };
        behind.asked -= 1;
        behind.standing = standing;
        if std::mem::take(&mut behind.is_lost) {
            behind.asked += 1;
            let (key, reason) = (key.clone(), ResetReason::Resync);
            return self.ask(Command::Resync { key, place, reason });
        }
        if end == End::Reached && behind.asked == 0 {
            self.behind.remove(&(slot, local));
            if let Some(at) = self.live_place(slot, local)
                && let Some(subscriber) = self.channels.subscriber_mut(local, at)
            {
                subscriber.pace = Pace::Live;
            }
        }
        self.say_all(slot, frames);
    }

    /// What a subscriber missed is not remembered any more: it comes back and begins anew.
    pub(super) fn left_behind(&mut self, place: Place) {
        if self.seats.at(place).is_some() {
            let reason = "too slow: what was missed is not remembered any more";
            self.stats().slow_closed.add(1);
            self.close_with(place.slot, CloseCode::OverCapacity, reason);
        }
    }

    /// Those who are behind and have room ask for more. Those who have none are heard of again
    /// when they do.
    pub(super) fn catch_up(&mut self) {
        for slot in std::mem::take(&mut self.catching_up) {
            self.admit_next(slot);
            self.has_room(slot);
        }
    }

    /// A socket may have room for more: of all channels on which it is behind the one asks that
    /// has waited longest. One at a time, or the answers together would be too much for it.
    pub(super) fn has_room(&mut self, slot: u32) {
        if self.behind.is_empty() {
            return;
        }
        let Some(connection) = self.seats.connection(slot) else { return };
        if connection.backlog.is_some() || !connection.is_open() {
            return;
        }
        let (serial, socket) = (connection.serial, connection.socket_id);
        let mut next: Option<(u64, LocalId)> = None;
        for (local, _) in connection.subscriptions.iter() {
            let Some(behind) = self.behind.get(&(slot, local)) else { continue };
            if behind.asked > 0 {
                return;
            }
            if next.is_none_or(|(turn, _)| behind.turn < turn) {
                next = Some((behind.turn, local));
            }
        }
        let Some((_, local)) = next else { return };
        let Some(behind) = self.behind.get_mut(&(slot, local)) else { return };
        self.questions_of_slow += 1;
        behind.asked = 1;
        behind.turn = self.questions_of_slow;
        let standing = behind.standing;
        let (key, place) = (self.channels.key(local).clone(), self.seats.place(slot, serial));
        self.ask(Command::CatchUp { key, place, socket, standing });
    }

    /// A client that counts has lost its place.
    pub(super) fn resync(&mut self, slot: u32, channel: ChannelName) {
        let Some(connection) = self.seats.connection(slot) else { return };
        let (serial, app) = (connection.serial, connection.app);
        let key = self.shared.keys.key(app, channel);
        let local = self.channels.find(&key);
        let held = local.and_then(|id| Some((id, connection.subscriptions.get_mut(id)?)));
        let error = match held {
            None => format!("oyez:resync needs a subscription: subscribe to {} first", key.name()),
            // Its acknowledgement is on its way, and a cut with it.
            Some((_, subscription)) if !matches!(subscription.state, State::Live(_)) => return,
            Some((_, subscription)) if !subscription.view.counts() => {
                "oyez:resync is for clients that said `\"oyez\":{\"v\":1}` when they subscribed"
                    .to_owned()
            }
            Some((local, _)) => match self.channels.log_place(local) {
                Some(place) => return self.begin_anew(slot, serial, local, place),
                None => format!("{} has no memory: there is nothing to resync", key.name()),
            },
        };
        self.complain(slot, MessageError::new(error));
    }

    fn begin_anew(&mut self, slot: u32, serial: u32, local: LocalId, at: LogPlace) {
        if let Some(behind) = self.behind.get_mut(&(slot, local)).filter(|b| b.asked > 0) {
            // One question at a time: this one when the other is answered.
            behind.is_lost = true;
            return;
        }
        if let Some(place) = self.live_place(slot, local) {
            self.fall_behind(local, place, at.offset);
        }
        if let Some(behind) = self.behind.get_mut(&(slot, local)) {
            behind.asked = 1;
        }
        let (key, place) = (self.channels.key(local).clone(), self.seats.place(slot, serial));
        self.ask(Command::Resync { key, place, reason: ResetReason::Resync });
    }

    /// Its place among the channel's subscribers.
    fn live_place(&mut self, slot: u32, local: LocalId) -> Option<u32> {
        let subscriptions = &mut self.seats.connection(slot)?.subscriptions;
        match subscriptions.get_mut(local)?.state {
            State::Live(at) => Some(at),
            _ => None,
        }
    }

    /// A client counts from now on; its first bookmarks come in a while.
    pub(super) fn counts(&mut self, slot: u32) {
        let now = self.now;
        if let Some(connection) = self.seats.connection(slot).filter(|c| !c.life.counts) {
            connection.life.counts = true;
            connection.life.marked = period(connection.serial, now);
        }
    }

    /// Sends a client that counts its bookmarks, when it is time or `now`.
    pub(super) fn mark(&mut self, slot: u32, now: Marking) {
        let Some(connection) = self.seats.connection(slot) else { return };
        let period = period(connection.serial, self.now);
        if !connection.life.counts || (now == Marking::InTime && connection.life.marked == period) {
            return;
        }
        connection.life.marked = period;
        let live = |(local, subscription): (LocalId, &Subscription)| match subscription.state {
            State::Live(at) if subscription.view.counts() => Some((local, at)),
            _ => None,
        };
        let all: Vec<(LocalId, u32)> = connection.subscriptions.iter().filter_map(live).collect();
        for (local, at) in all {
            if self.behind.contains_key(&(slot, local)) {
                continue;
            }
            if let Some(place) = self.channels.log_place(local) {
                let name = self.channels.key(local).name().clone();
                let subscriber = self.channels.subscribers(local).get(at as usize);
                let sum = place.sum.filter(|_| subscriber.is_some_and(|s| !s.view.lacks_truth()));
                let mark = Frame::mark(&name, place.offset, sum);
                self.say(slot, mark.bytes().clone());
            }
        }
    }
}

/// In which period of bookmarks a connection is. Each has a moment of its own.
fn period(serial: u32, now: Millis) -> u16 {
    let phase = serial.wrapping_mul(0x9e37_79b9) % MARK_TICKS;
    ((Life::tick(now) + phase) / MARK_TICKS) as u16
}

/// When bookmarks are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Marking {
    /// When their time has come.
    InTime,
    /// With a ping.
    WithPing,
}
