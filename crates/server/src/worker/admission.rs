// SPDX-License-Identifier: MIT OR Apache-2.0
//! Subscribing to many channels that remember: one after the other, as the socket takes what they
//! show.
//!
//! A page may subscribe to a thousand channels in one breath, and each may have a long replay. If
//! all homes were asked at once, their answers together would be more than may wait for one
//! connection, and a page on a slow link would be closed, come back, and be closed again. So a few
//! are asked, the others wait here; their cut is the moment at which they are asked.

use std::collections::VecDeque;

use oyez_core::{ChannelKey, Place};
use oyez_protocol::message::MessageError;

use super::Worker;
use super::relocate::Wish;
use crate::socket::subscriptions::LocalId;

/// What homes are asked at once for one connection may weigh so much:
const CAPACITY: u32 = 16;

/// a channel that may have a long replay so much,
const REPLAY: u32 = 8;

/// and one whose backend must perhaps be asked first, and which shows one value, so much.
const TRUTH: u32 = 1;

/// The subscriptions of one connection that are not answered yet. Bounded by its subscriptions.
#[derive(Debug, Default)]
pub(super) struct Admissions {
    /// What was asked, by weight.
    asked: u32,
    /// What of it waits for a backend, and shows nothing for a while.
    held: u32,
    waiting: VecDeque<(LocalId, Wish)>,
}

impl Admissions {
    /// Whether something of that weight may be asked now.
    fn has_room_for(&self, weight: u32) -> bool {
        self.asked.saturating_sub(self.held) + weight <= CAPACITY
    }
}

impl Worker {
    /// Asks a channel's home to admit a connection, now or when there is room for what it shows.
    pub(super) fn seek_admission(
        &mut self,
        key: ChannelKey,
        local: LocalId,
        place: Place,
        wish: Wish,
    ) {
        // A channel without memory shows nothing.
        let Some(weight) = self.weight(&key) else {
            if wish.listener.resume.is_some() {
                let name = key.name();
                let error = format!("{name} has no memory: there is no position to resume from");
                self.complain(place.slot, MessageError::new(error));
            }
            return self.ask_to_subscribe(key, place, wish);
        };
        let Some(connection) = self.seats.connection(place.slot) else { return };
        let is_blocked = connection.backlog.is_some();
        let admissions = self.admissions.entry(place.slot).or_default();
        let is_full = !admissions.has_room_for(weight) || !admissions.waiting.is_empty();
        if is_blocked || is_full {
            admissions.waiting.push_back((local, wish));
        } else {
            admissions.asked += weight;
            self.ask_to_subscribe(key, place, wish);
        }
    }

    /// A home has answered.
    pub(super) fn admission_answered(&mut self, key: &ChannelKey, place: Place) {
        if self.admissions.is_empty() || self.seats.at(place).is_none() {
            return;
        }
        let Some(weight) = self.weight(key) else { return };
        let Some(admissions) = self.admissions.get_mut(&place.slot) else { return };
        admissions.asked = admissions.asked.saturating_sub(weight);
        admissions.held = admissions.held.saturating_sub(weight).min(admissions.asked);
        if admissions.asked == 0 && admissions.waiting.is_empty() {
            self.admissions.remove(&place.slot);
        } else {
            self.catching_up.push(place.slot);
        }
    }

    /// A home has asked a backend, and answers later: others need not wait for that.
    pub(super) fn admission_held(&mut self, key: &ChannelKey, place: Place) {
        if self.seats.at(place).is_none() {
            return;
        }
        let Some(weight) = self.weight(key) else { return };
        if let Some(admissions) = self.admissions.get_mut(&place.slot) {
            admissions.held = (admissions.held + weight).min(admissions.asked);
            self.catching_up.push(place.slot);
        }
    }

    /// Somebody who left before its home had answered comes back: one more is asked.
    pub(super) fn admission_repeated(&mut self, key: &ChannelKey, place: Place) {
        if let Some(weight) = self.weight(key) {
            self.admissions.entry(place.slot).or_default().asked += weight;
        }
    }

    /// Asks for the next ones, if the socket has taken what the last ones had to show.
    pub(super) fn admit_next(&mut self, slot: u32) {
        let Some(admissions) = self.admissions.get(&slot) else { return };
        if admissions.waiting.is_empty() || !admissions.has_room_for(TRUTH) {
            return;
        }
        let Some(connection) = self.seats.connection(slot).filter(|c| c.is_open()) else { return };
        if connection.backlog.is_some() {
            // It is heard of again when it has room.
            return;
        }
        if !connection.chain.is_empty() {
            // What it is due is written at the end of this turn: then it will show.
            return self.catching_up.push(slot);
        }
        let serial = connection.serial;
        let place = self.seats.place(slot, serial);
        while let Some(admissions) = self.admissions.get(&slot)
            && let Some((local, _)) = admissions.waiting.front()
        {
            let key = self.channels.key(*local).clone();
            let weight = self.weight(&key).unwrap_or(TRUTH);
            let Some(admissions) = self.admissions.get_mut(&slot) else { return };
            if !admissions.has_room_for(weight) {
                return;
            }
            let Some((_, wish)) = admissions.waiting.pop_front() else { return };
            admissions.asked += weight;
            self.ask_to_subscribe(key, place, wish);
        }
    }

    /// What asking a channel's home weighs; nothing if the channel has no memory.
    fn weight(&self, key: &ChannelKey) -> Option<u32> {
        let rule = self.shared.apps.get(key.app()).rules.find(key.name())?;
        Some(if rule.asked().is_some() { TRUTH } else { REPLAY })
    }

    /// A client leaves a channel whose home was not asked yet. Answers whether that was so.
    pub(super) fn give_up_admission(&mut self, slot: u32, local: LocalId) -> bool {
        let Some(admissions) = self.admissions.get_mut(&slot) else { return false };
        let Some(at) = admissions.waiting.iter().position(|(id, _)| *id == local) else {
            return false;
        };
        admissions.waiting.remove(at);
        if admissions.asked == 0 && admissions.waiting.is_empty() {
            self.admissions.remove(&slot);
        }
        true
    }
}
