// SPDX-License-Identifier: MIT OR Apache-2.0
//! Changing what a channel remembers: its truth, or an event that is to be forgotten.
//!
//! Conditions and changes are judged by the head of the log, so that of two calls at the same
//! moment one sees what the other did. Their answers wait until what they saw is durable.

use std::num::NonZeroU64;

use oyez_protocol::position::Offset;

use super::Home;
use crate::command::{Change, ChangeOf, Room};
use crate::effect::{Answer, Changed, Effect, Refused, TruthAnswer};
use crate::memory::Memory;
use crate::record::{Entry, EntryKind};
use crate::time::Millis;
use crate::value::{Value, merge};

/// What a change comes to.
enum Outcome {
    /// A new truth, carried by that event.
    Truth(String, Value<'static>),
    Delete,
    Forget(String),
    /// It is so already.
    Same,
    Refused(Refused),
    Answer(TruthAnswer),
}

impl Home {
    pub(super) fn change(&mut self, change: Change, now: Millis, effects: &mut Vec<Effect>) {
        let Change { key, what, condition, ttl, exclude, wanted, mut room, part, caller } = change;
        let frees = matches!(what, ChangeOf::Delete | ChangeOf::Forget(_));
        if frees && self.channels.contains_key(&key) {
            // Where there is no room, this makes some.
            room = Room::Promised;
        }
        if let Err(refused) = self.make_room(&key, room, now, effects) {
            self.void(part, effects);
            return self.answer(&key, caller, Answer::Refused(refused), effects);
        }
        let (time, limit) = (self.time(now), self.rules.truth_bytes);
        let channel = self.open(&key, now, effects);
        let memory = channel.memory.as_deref().expect("the channel remembers");
        let epoch = memory.epoch();
        let outcome = match memory.check(condition) {
            Err(mismatch) => Outcome::Answer(mismatch),
            Ok(()) => decide(memory, what, limit),
        };
        let new = |kind, event: &str, data: &str| {
            let mut entry = Entry::new(Offset::ZERO, kind, event, data, time);
            entry.exclude = exclude.map(Box::new);
            entry
        };
        let entry = match outcome {
            Outcome::Truth(event, value) => {
                let mut entry = new(EntryKind::Truth, &event, value.text());
                entry.expires = ttl.and_then(|ttl| NonZeroU64::new((time + ttl).0));
                Some(entry)
            }
            Outcome::Delete => Some(new(EntryKind::Deleted, "", "")),
            Outcome::Forget(event) => Some(new(EntryKind::Forgotten, &event, "")),
            Outcome::Same => None,
            Outcome::Refused(refused) => {
                self.void(part, effects);
                return self.answer(&key, caller, Answer::Refused(refused), effects);
            }
            Outcome::Answer(answer) => {
                self.void(part, effects);
                return self.answer(&key, caller, Answer::Truth(answer), effects);
            }
        };
        let changed = match entry {
            Some(entry) => {
                self.stage(&key, entry, part, now, effects);
                Changed::Yes
            }
            None => {
                self.void(part, effects);
                Changed::No
            }
        };
        let term = self.terms.now();
        let Some(channel) = self.channels.get_mut(&key) else { return };
        let answer = if wanted.anything() {
            let mut info = channel.info(wanted, term, time);
            if let (Some(position), Some(memory)) = (&mut info.position, &channel.memory) {
                position.offset = memory.log().head();
            }
            Answer::Channel(info)
        } else {
            let version = channel.memory.as_deref().map_or(Offset::ZERO, Memory::version);
            Answer::Truth(TruthAnswer::Done { epoch, version, changed })
        };
        self.answer(&key, caller, answer, effects);
    }
}

fn decide(memory: &Memory, what: ChangeOf, limit: usize) -> Outcome {
    let held = memory.log().truth_at_head().map(|kept| &kept.entry);
    let value = held.map(|entry| Value::held(entry.data()));
    let (event, new) = match what {
        ChangeOf::Set(event, value) => (event, value),
        ChangeOf::Merge(event, changes) => {
            (event, merge(value.as_ref().unwrap_or(&Value::null()), &changes))
        }
        ChangeOf::Patch(event, changes) => {
            match changes.apply(value.as_ref().unwrap_or(&Value::null()), limit) {
                Ok(new) => (event, new),
                Err(error) => {
                    return Outcome::Answer(TruthAnswer::DoesNotApply(error.to_string()));
                }
            }
        }
        ChangeOf::Delete if held.is_none() => return Outcome::Same,
        ChangeOf::Delete => return Outcome::Delete,
        ChangeOf::Forget(event) if memory.log().has(&event) => return Outcome::Forget(event),
        ChangeOf::Forget(_) => return Outcome::Same,
    };
    if new.text().len() > limit {
        return Outcome::Refused(Refused::TruthTooLarge);
    }
    let by_rule = || memory.rule().truth.as_ref().map(|rule| rule.event.clone());
    let by_truth = || held.map(|entry| entry.event().to_owned());
    let Some(event) = event.or_else(by_rule).or_else(by_truth) else {
        return Outcome::Refused(Refused::NoEvent);
    };
    let is_same = held.is_some_and(|entry| entry.event() == event)
        && value.is_some_and(|value| value.same(&new));
    if is_same { Outcome::Same } else { Outcome::Truth(event, new) }
}
