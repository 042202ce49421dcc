// SPDX-License-Identifier: MIT OR Apache-2.0
//! Readers who are behind: what they missed, or a new beginning; and what calls read of the past.

use oyez_protocol::api::{Expected, ReadHistory};
use oyez_protocol::encode::{Frame, ResetReason};
use oyez_protocol::position::Offset;
use oyez_protocol::socket_id::SocketId;

use super::Home;
use crate::effect::{Answer, Effect, End, History, Item, Refused};
use crate::key::ChannelKey;
use crate::log::{Past, Reader, Stretch};
use crate::memory::Memory;
use crate::place::{Place, Speaks, Standing};
use crate::record::{EntryKind, Timestamp};
use crate::time::Millis;

impl Home {
    /// A reader who was too slow has room again.
    pub(super) fn catch_up(
        &mut self,
        key: &ChannelKey,
        place: Place,
        socket: SocketId,
        standing: Standing,
        effects: &mut Vec<Effect>,
    ) {
        let (budget, term) = (self.rules.replay_bytes, self.terms.now());
        let memory = self.channels.get(key).and_then(|c| c.memory.as_deref());
        let Some(memory) = memory else { return };
        let own = Reader { speaks: standing.speaks, socket: Some(socket) };
        let held = memory.stretch(key, own, standing, budget);
        let (frames, standing) = match held {
            Some(stretch) => stretch,
            // The newest truth is all that counts.
            None if standing.speaks == Speaks::Oyez || memory.log().truth().is_some() => {
                self.tally.reset(ResetReason::Slow);
                // Whoever does not count would take what it has seen for something new.
                let after = match standing.speaks {
                    Speaks::Oyez => Offset::ZERO,
                    Speaks::Pusher => standing.shown,
                };
                let reason = ResetReason::Slow;
                memory.recut(key, standing.speaks, after, reason, term, budget)
            }
            None => {
                let item = Item::LeftBehind { key: key.clone(), place };
                effects.push(Effect::Send(place.worker, item));
                return;
            }
        };
        let item = stretch(key, memory, place, frames, standing);
        effects.push(Effect::Send(place.worker, item));
    }

    /// A client that counts has lost its place.
    pub(super) fn resync(
        &mut self,
        key: &ChannelKey,
        place: Place,
        reason: ResetReason,
        effects: &mut Vec<Effect>,
    ) {
        let (budget, term) = (self.rules.replay_bytes, self.terms.now());
        let memory = self.channels.get(key).and_then(|c| c.memory.as_deref());
        let Some(memory) = memory else { return };
        self.tally.reset(reason);
        let (frames, standing) =
            memory.recut(key, Speaks::Oyez, Offset::ZERO, reason, term, budget);
        let item = stretch(key, memory, place, frames, standing);
        effects.push(Effect::Send(place.worker, item));
    }

    /// `GET …/history`.
    pub(super) fn history(
        &mut self,
        key: &ChannelKey,
        request: ReadHistory,
        now: Millis,
        effects: &mut Vec<Effect>,
    ) -> Answer {
        if self.remembers(key).is_none() {
            return Answer::Refused(Refused::NoMemory);
        }
        // A channel to which nothing was ever published has a history, too: an empty one.
        self.open(key, now, effects);
        let answer = self.pages(key, request, now);
        self.close_if_idle(key, now, effects);
        answer
    }

    fn pages(&self, key: &ChannelKey, request: ReadHistory, now: Millis) -> Answer {
        let (time, term) = (self.time(now), self.terms.now());
        let memory = self.channels.get(key).and_then(|c| c.memory.as_deref());
        let Some(memory) = memory else { return Answer::Refused(Refused::NoMemory) };
        let position = memory.position(term);
        let ReadHistory { since, epoch, term, limit } = request;
        let after = since.unwrap_or_else(|| memory.log().low().before().min(position.offset));
        let epoch = named(epoch, position.epoch);
        let term = named(term, position.term);
        let judged = memory.log().judge(Past { epoch, term, offset: after }, &self.terms);
        let entries = match judged {
            Err(reason) => return Answer::History(Box::new(History::Gone(position, reason))),
            Ok(()) => memory.log().entries(Stretch { after, upto: position.offset }),
        };
        let old = |at: Timestamp| at + memory.rule().age <= time;
        let entries = entries.filter(|kept| kept.entry.kind != EntryKind::Gone);
        let entries = entries.filter(|kept| !old(kept.entry.time));
        let entries = entries.take(limit).map(|kept| kept.entry.clone()).collect();
        Answer::History(Box::new(History::Entries(position, entries)))
    }
}

/// Frames for a reader, and whether they bring it to the end of what may be seen.
fn stretch(
    key: &ChannelKey,
    memory: &Memory,
    place: Place,
    frames: Vec<Frame>,
    standing: Standing,
) -> Item {
    let end = match standing.shown >= memory.log().committed() {
        true => End::Reached,
        false => End::Ahead,
    };
    Item::Stretch { key: key.clone(), place, frames, standing, end }
}

/// The name that a caller expects; what there is, if it said nothing.
fn named<T>(expected: Expected<T>, actual: T) -> Option<T> {
    match expected {
        Expected::Any => Some(actual),
        Expected::This(name) => Some(name),
        Expected::Foreign => None,
    }
}
