// SPDX-License-Identifier: MIT OR Apache-2.0
//! How an entry becomes part of a log: staged, handed to the journal, and released when it may be
//! seen. Answers that depend on it leave through the same gate.

use std::sync::Arc;
use std::time::Duration;

use oyez_protocol::position::Offset;
use smallvec::SmallVec;

use super::Home;
use crate::channel::Channel;
use crate::command::{Caller, When};
use crate::effect::{Answer, Begun, Effect, Item, Refused};
use crate::gate::{State, Waiting};
use crate::key::ChannelKey;
use crate::log::{Freed, Growth};
use crate::record::{Append, Entry, EntryKind, Mark, Part, Record, Urgency};
use crate::rule::Durability;
use crate::show;
use crate::time::Millis;
use crate::timers::Due;

/// What is to be let go waits so long for something that is appended anyway.
const CLEANUP_DELAY: Duration = Duration::from_secs(1);

/// When so much of what all logs may hold is held, whatever is published to keeps no history: a
/// client that comes back too late then gets a new cut, which is better than a publish refused.
const SQUEEZED: (usize, usize) = (7, 8);

impl Home {
    /// Gives an entry its offset, and sees to it that it is released. The channel has a memory.
    pub(super) fn stage(
        &mut self,
        key: &ChannelKey,
        entry: Entry,
        part: Option<Part>,
        now: Millis,
        effects: &mut Vec<Effect>,
    ) -> Offset {
        let (row, term) = (self.gate.row(), self.terms.now());
        let memory = self.channels.get_mut(key).and_then(|c| c.memory.as_deref_mut());
        let memory = memory.expect("entries are staged on channels that remember");
        let (kept, growth) = memory.change(&mut self.logs, |log| log.stage(term, row, entry));
        let log = memory.log();
        let (offset, durability) = (kept.entry.offset, log.rule().durability);
        if durability != Durability::Off {
            let mut records: SmallVec<[Record; 2]> = SmallVec::new();
            records.push(Record::Entry { row, key: key.clone(), entry: kept.entry });
            if growth == Growth::FirstOfTerm {
                let identity = Box::new(log.identity());
                records.push(Record::Identity { key: key.clone(), identity });
            }
            self.append(records, urgency(durability), part, effects);
        }
        if durability == Durability::Full {
            self.gate.wait(Waiting::Release(key.clone(), offset));
        } else {
            self.release(key, offset, now, effects);
        }
        offset
    }

    /// A home that has nothing to add to a call that spans several still has to say so.
    pub(super) fn void(&mut self, part: Option<Part>, effects: &mut Vec<Effect>) {
        if part.is_some() {
            self.append(SmallVec::new(), Urgency::Relaxed, part, effects);
        }
    }

    pub(super) fn append(
        &mut self,
        mut records: SmallVec<[Record; 2]>,
        urgency: Urgency,
        part: Option<Part>,
        effects: &mut Vec<Effect>,
    ) {
        // What is let go was decided before: an identity among it must not replace a newer one.
        let mut all: SmallVec<[Record; 2]> = std::mem::take(&mut self.cleanup).into();
        all.append(&mut records);
        let records = all;
        effects.push(Effect::Append(Append { mark: self.gate.mark(), records, urgency, part }));
    }

    /// Answers a call when everything that its answer may depend on is durable.
    pub(super) fn answer(
        &mut self,
        key: &ChannelKey,
        caller: Option<Caller>,
        answer: Answer,
        effects: &mut Vec<Effect>,
    ) {
        let Some(Caller { ticket, when }) = caller else { return };
        let memory = self.channels.get(key).and_then(|c| c.memory.as_deref());
        let is_staged = memory.is_some_and(|m| m.log().head() != m.log().committed());
        let answer = match (when == When::Durable && is_staged, self.gate.state()) {
            (true, State::Open) => return self.gate.wait(Waiting::Answer(ticket, answer)),
            // What it depends on will never be durable.
            (true, State::Failed) => Answer::Refused(Refused::JournalFailed),
            (false, _) => answer,
        };
        effects.push(Effect::Answer(ticket, answer));
    }

    /// The journal has everything up to that mark.
    pub(super) fn committed(&mut self, mark: Mark, now: Millis, effects: &mut Vec<Effect>) {
        self.gate.commit(mark);
        self.pass(now, effects);
    }

    /// Lets go what need not wait any more.
    pub(super) fn pass(&mut self, now: Millis, effects: &mut Vec<Effect>) {
        while let Some(waiting) = self.gate.pass() {
            match waiting {
                Waiting::Release(key, offset) => self.release(&key, offset, now, effects),
                Waiting::Answer(ticket, answer) => effects.push(Effect::Answer(ticket, answer)),
                Waiting::Stored(call) => self.stored(&call, effects),
            }
        }
    }

    /// The journal failed: what waits is never seen, and whoever waits is told.
    pub(super) fn journal_failed(&mut self, effects: &mut Vec<Effect>) {
        if self.gate.state() == State::Failed {
            return;
        }
        for waiting in self.gate.fail() {
            if let Waiting::Answer(ticket, _) = waiting {
                effects.push(Effect::Answer(ticket, Answer::Refused(Refused::JournalFailed)));
            }
        }
        for ticket in self.calls.fail() {
            effects.push(Effect::Answer(ticket, Answer::Begun(Begun::JournalFailed)));
        }
    }

    /// Everybody may see a log up to that offset.
    fn release(&mut self, key: &ChannelKey, upto: Offset, now: Millis, effects: &mut Vec<Effect>) {
        let (time, held) = (self.time(now), self.memory_bytes());
        let is_squeezed = held > self.rules.memory_bytes / SQUEEZED.1 * SQUEEZED.0;
        let Some(channel) = self.channels.get_mut(key) else { return };
        let Channel { memory: Some(memory), audience, .. } = channel else { return };
        let mut truth = memory.log().truth().map(|kept| Arc::clone(&kept.entry));
        let mut freed = Freed::default();
        let released = memory.change(&mut self.logs, |log| {
            let released = log.release(upto, &mut freed);
            log.trim(time, &mut freed);
            if is_squeezed {
                log.squeeze(&mut freed);
            }
            released
        });
        for kept in released {
            if audience.total() > 0 {
                let delivery = show::delivery(key, &kept, truth.as_deref(), memory.checks);
                let delivery = Arc::new(delivery);
                effects.extend(
                    audience
                        .workers()
                        .map(|worker| Effect::Send(worker, Item::Entry(Arc::clone(&delivery)))),
                );
            }
            match kept.entry.kind {
                EntryKind::Event => memory.end_miss(),
                EntryKind::Truth => truth = Some(kept.entry),
                EntryKind::Deleted => truth = None,
                EntryKind::Forgotten | EntryKind::Gone => {}
            }
        }
        self.let_go(key, freed, now);
        self.wake(key, now, effects);
        self.plan(key, now);
    }

    /// Tells the journal, some time, what nobody needs any more.
    pub(super) fn let_go(&mut self, key: &ChannelKey, freed: Freed, now: Millis) {
        let memory = self.channels.get(key).and_then(|c| c.memory.as_deref());
        let Some(memory) = memory.filter(|memory| memory.is_kept()) else { return };
        if freed.is_nothing() {
            return;
        }
        if self.cleanup.is_empty() {
            self.timers.set(now + CLEANUP_DELAY, Due::Cleanup);
        }
        if freed.ran_empty {
            let identity = Box::new(memory.log().identity());
            self.cleanup.push(Record::Identity { key: key.clone(), identity });
        }
        let rewritten = freed.rewritten.into_iter();
        self.cleanup.extend(rewritten.map(|kept| Record::Entry {
            row: kept.row,
            key: key.clone(),
            entry: kept.entry,
        }));
        self.cleanup.extend(freed.rows.into_iter().map(Record::Remove));
    }

    /// Nothing was appended for a while.
    pub(super) fn clean_up(&mut self, effects: &mut Vec<Effect>) {
        if !self.cleanup.is_empty() {
            self.append(SmallVec::new(), Urgency::Relaxed, None, effects);
        }
    }
}

fn urgency(durability: Durability) -> Urgency {
    if durability == Durability::Full { Urgency::Gated } else { Urgency::Relaxed }
}
