// SPDX-License-Identifier: MIT OR Apache-2.0
//! Publishing: an event takes its place in the channel's order and goes to everybody.

use oyez_protocol::encode::{Extras, Frame};
use oyez_protocol::position::Offset;
use oyez_protocol::socket_id::SocketId;
use oyez_protocol::user::UserId;
use oyez_protocol::webhook::{WebhookEvent, WebhookKind};

use super::inspect::nothing_known;
use super::{Home, send_to_all};
use crate::command::{Publish, Room};
use crate::effect::{Answer, Effect, Refused};
use crate::gate::State;
use crate::key::ChannelKey;
use crate::record::{Entry, EntryKind};
use crate::rule::Durability;
use crate::time::Millis;

impl Home {
    pub(super) fn publish(&mut self, publish: Publish, now: Millis, effects: &mut Vec<Effect>) {
        match self.remembers(&publish.key) {
            Some(_) => self.publish_and_remember(publish, now, effects),
            None => self.publish_once(publish, now, effects),
        }
    }

    /// To a channel without memory: whoever is there hears it.
    fn publish_once(&mut self, publish: Publish, now: Millis, effects: &mut Vec<Effect>) {
        let Publish { key, event, data, exclude, wanted, caller, .. } = publish;
        let (term, time) = (self.terms.now(), self.time(now));
        let info = match self.channels.get_mut(&key) {
            None => nothing_known(&key, wanted),
            Some(channel) => {
                if channel.audience.total() > 0 {
                    let frame = Frame::event(key.name(), &event, &data, Extras::default());
                    send_to_all(&key, channel, frame, exclude, effects);
                }
                channel.info(wanted, term, time)
            }
        };
        if let Some(caller) = caller {
            effects.push(Effect::Answer(caller.ticket, Answer::Channel(info)));
        }
    }

    fn publish_and_remember(&mut self, publish: Publish, now: Millis, effects: &mut Vec<Effect>) {
        let Publish { key, event, data, exclude, condition, wanted, room, part, caller } = publish;
        if let Err(refused) = self.make_room(&key, room, now, effects) {
            self.void(part, effects);
            return self.answer(&key, caller, Answer::Refused(refused), effects);
        }
        let (term, time) = (self.terms.now(), self.time(now));
        let channel = self.open(&key, now, effects);
        let memory = channel.memory.as_deref().expect("the channel remembers");
        if let Err(mismatch) = memory.check_event(condition) {
            self.void(part, effects);
            return self.answer(&key, caller, Answer::Truth(mismatch), effects);
        }
        let mut entry = Entry::new(Offset::ZERO, EntryKind::Event, &event, &data, time);
        entry.exclude = exclude.map(Box::new);
        let offset = self.stage(&key, entry, part, now, effects);
        if caller.is_none() {
            return;
        }
        let Some(channel) = self.channels.get_mut(&key) else { return };
        let mut info = channel.info(wanted, term, time);
        if let Some(position) = &mut info.position {
            position.offset = offset;
        }
        self.answer(&key, caller, Answer::Channel(info), effects);
    }

    /// Whether something can be added to a channel's memory.
    pub(super) fn make_room(
        &mut self,
        key: &ChannelKey,
        room: Room,
        now: Millis,
        effects: &mut Vec<Effect>,
    ) -> Result<(), Refused> {
        let rule = self.remembers(key).ok_or(Refused::NoMemory)?;
        if rule.durability == Durability::Full && self.gate.state() == State::Failed {
            return Err(Refused::JournalFailed);
        }
        if self.memory_bytes() >= self.rules.memory_bytes && room != Room::Promised {
            return Err(Refused::MemoryFull);
        }
        if room == Room::Gone && !self.channels.contains_key(key) {
            return Err(Refused::NoRoom);
        }
        self.open(key, now, effects);
        Ok(())
    }

    pub(super) fn client_event(
        &mut self,
        key: &ChannelKey,
        event: String,
        data: String,
        from: SocketId,
        user: Option<UserId>,
        effects: &mut Vec<Effect>,
    ) {
        let Some(channel) = self.channels.get_mut(key) else { return };
        let extras = Extras { user_id: user.as_ref(), ..Extras::default() };
        let frame = Frame::event(key.name(), &event, &data, extras);
        send_to_all(key, channel, frame, Some(from), effects);
        self.webhook(key, WebhookKind::ClientEvent, effects, || WebhookEvent::ClientEvent {
            channel: key.name().to_string(),
            event,
            data,
            socket_id: from.to_string(),
            user_id: user.map(|id| id.to_string()),
        });
    }
}
