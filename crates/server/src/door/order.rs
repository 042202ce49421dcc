// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Order`]: what a call wants of one channel, and the command that asks its home for it.

use std::time::Duration;

use oyez_core::{
    Caller, Change, ChangeOf, ChannelKey, Command, Durability, MemoryRule, Part, Publish, Room,
    Value, Wanted,
};
use oyez_protocol::api::Condition;
use oyez_protocol::channel::ChannelName;
use oyez_protocol::socket_id::SocketId;

use super::Unable;

/// What a call wants of one channel.
#[derive(Debug)]
pub(crate) struct Order {
    pub(crate) channel: ChannelName,
    pub(crate) what: What,
    /// The connection that shall not hear of it.
    pub(crate) exclude: Option<SocketId>,
    /// What must be so.
    pub(crate) condition: Condition,
    /// What the answer shall say of the channel.
    pub(crate) wanted: Wanted,
}

/// What is to be done.
#[derive(Debug)]
pub(crate) enum What {
    /// An event goes to everybody.
    Event(String, String),
    /// What is remembered changes; a truth for so long.
    Change(ChangeOf, Option<Duration>),
    /// The source of the truth has changed, and has that version now.
    Changed(Option<u64>),
}

impl Order {
    /// An event with no condition.
    pub(crate) fn event(channel: ChannelName, event: String, data: String) -> Order {
        Order::new(channel, What::Event(event, data))
    }

    pub(crate) fn new(channel: ChannelName, what: What) -> Order {
        let wanted = Wanted::default();
        Order { channel, what, exclude: None, condition: Condition::default(), wanted }
    }

    /// Whether only the channel's home can say that it was done.
    pub(super) fn awaits_home(&self, rule: Option<&MemoryRule>) -> bool {
        rule.is_some() || self.wanted.anything() || !matches!(self.what, What::Event(..))
    }

    /// Whether its home adds to the journal.
    pub(super) fn is_kept(&self, rule: Option<&MemoryRule>) -> bool {
        let is_kept = rule.is_some_and(|rule| rule.durability != Durability::Off);
        is_kept && !matches!(self.what, What::Changed(_))
    }

    /// Whether its home may refuse it for what the channel holds then.
    pub(super) fn is_conditional(&self, rule: Option<&MemoryRule>) -> bool {
        let has_event = rule.is_some_and(|rule| rule.truth.is_some());
        let may_not_apply = match &self.what {
            What::Change(ChangeOf::Merge(..) | ChangeOf::Patch(..), _) => true,
            // Only a truth that is there already could say under which name it is told.
            What::Change(ChangeOf::Set(None, _), _) => !has_event,
            _ => false,
        };
        may_not_apply || self.condition != Condition::default()
    }

    /// Bytes of the truth that it sets.
    pub(super) fn weight(&self) -> usize {
        match &self.what {
            What::Change(ChangeOf::Set(_, value), _) => value.text().len(),
            _ => 0,
        }
    }

    /// Where the rule says so, an event is a new truth.
    pub(super) fn by_rule(mut self, rule: Option<&MemoryRule>) -> Result<Order, Unable> {
        if let (What::Event(event, data), Some(rule)) = (&mut self.what, rule)
            && rule.is_set_by(event)
        {
            let value = Value::parse(data).map_err(|error| Unable::NotJson {
                channel: self.channel.clone(),
                error: error.to_string(),
            })?;
            let set = ChangeOf::Set(Some(std::mem::take(event)), value.into_owned());
            self.what = What::Change(set, None);
        }
        let is_plain = matches!(self.what, What::Event(..));
        let is_conditional = self.condition != Condition::default();
        if rule.is_none() && (!is_plain || is_conditional) {
            return Err(Unable::NoMemory(self.channel));
        }
        Ok(self)
    }

    pub(super) fn command(
        self,
        key: ChannelKey,
        room: Room,
        part: Option<Part>,
        caller: Option<Caller>,
    ) -> Command {
        let Order { what, exclude, condition, wanted, .. } = self;
        match what {
            What::Event(event, data) => Command::Publish(Box::new(Publish {
                key,
                event,
                data,
                exclude,
                condition,
                wanted,
                room,
                part,
                caller,
            })),
            What::Change(what, ttl) => Command::Change(Box::new(Change {
                key,
                what,
                condition,
                ttl,
                exclude,
                wanted,
                room,
                part,
                caller,
            })),
            What::Changed(min_version) => {
                let ticket = caller.map(|caller| caller.ticket);
                Command::Changed { key, min_version, room, ticket }
            }
        }
    }
}
