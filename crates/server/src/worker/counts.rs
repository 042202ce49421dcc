// SPDX-License-Identifier: MIT OR Apache-2.0
//! Telling subscribers how many they are (`pusher_internal:subscription_count`).
//!
//! Only the newest number is worth anything. So a blocked socket is due none: the newest one of
//! each of its channels is kept for it, and told when it can be written again. However many come
//! and go, a reader who stands still waits with one frame per channel, which all who wait share.

use oyez_core::ChannelKey;
use oyez_protocol::encode::Frame;

use super::Worker;
use crate::socket::subscriptions::LocalId;

impl Worker {
    /// Every local subscriber is due the number, those who are blocked later.
    pub(super) fn deliver_count(&mut self, key: &ChannelKey, number: &Frame) {
        let Some(local) = self.channels.find(key) else { return };
        let mut taken = None;
        let mut count = 0;
        for subscriber in self.channels.subscribers(local) {
            let Some(connection) = self.seats.connection(subscriber.slot) else { continue };
            if connection.backlog.is_some() {
                self.counts.insert((subscriber.slot, local), number.clone());
                continue;
            }
            let frame = *taken.get_or_insert_with(|| self.outbox.add(number.bytes().clone()));
            self.outbox.due(subscriber.slot, &mut connection.chain, frame);
            count += 1;
        }
        self.stats().messages_out.add(count);
    }

    /// A socket that was blocked is due the numbers that it was not told.
    pub(super) fn tell_counts(&mut self, slot: u32) {
        if self.counts.is_empty() {
            return;
        }
        let Some(connection) = self.seats.connection(slot) else { return };
        let held: Vec<LocalId> = connection.subscriptions.iter().map(|(local, _)| local).collect();
        for local in held {
            if let Some(number) = self.counts.remove(&(slot, local)) {
                self.say(slot, number.bytes().clone());
            }
        }
    }
}
