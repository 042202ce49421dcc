// SPDX-License-Identifier: MIT OR Apache-2.0
//! Truths that somebody is asked for, and those who wait for the answer.

use std::time::Duration;

use oyez_protocol::api::Condition;
use oyez_protocol::position::Offset;

use super::Home;
use crate::ask::{Audience, Step, Worth};
use crate::channel::Channel;
use crate::command::{Change, ChangeOf, Reply, Room};
use crate::effect::{Answer, Certainty, Effect, Question, Refused, Wanted};
use crate::key::ChannelKey;
use crate::memory::{Held, TruthReader};
use crate::place::Ticket;
use crate::time::Millis;

impl Home {
    /// The source of the truth has changed.
    pub(super) fn changed(
        &mut self,
        key: &ChannelKey,
        min_version: Option<u64>,
        room: Room,
        now: Millis,
        effects: &mut Vec<Effect>,
    ) -> Answer {
        match self.remembers(key) {
            None => return Answer::Refused(Refused::NoMemory),
            Some(rule) if rule.asked().is_none() => {
                return Answer::Refused(Refused::NobodyToAsk);
            }
            Some(_) => {}
        }
        if let Err(refused) = self.make_room(key, room, now, effects) {
            return Answer::Refused(refused);
        }
        let channel = self.open(key, now, effects);
        let asking = channel.memory.as_deref_mut().and_then(|memory| memory.asking.as_deref_mut());
        let step = asking.map(|asking| asking.change(min_version, now)).unwrap_or_default();
        self.do_step(key, step, now, effects);
        Answer::Done
    }

    /// A question was answered.
    pub(super) fn replied(
        &mut self,
        key: &ChannelKey,
        run: u64,
        reply: Reply,
        now: Millis,
        effects: &mut Vec<Effect>,
    ) {
        let audience = self.audience(key);
        let rng = &mut self.rng;
        let memory = self.channels.get_mut(key).and_then(|c| c.memory.as_deref_mut());
        let Some(asking) = memory.and_then(|memory| memory.asking.as_deref_mut()) else { return };
        let (step, what) = match reply {
            Reply::Failed => match asking.failed(run, audience, now, rng) {
                Some(step) => (step, None),
                None => return,
            },
            Reply::Nothing => match asking.answered(run, None, audience, now, rng) {
                Some((_, step)) => (step, Some(ChangeOf::Delete)),
                None => return,
            },
            Reply::Truth(value, version) => {
                match asking.answered(run, version, audience, now, rng) {
                    Some((Worth::New, step)) => (step, Some(ChangeOf::Set(None, value))),
                    Some((Worth::TooOld, step)) => (step, None),
                    None => return,
                }
            }
        };
        self.do_step(key, step, now, effects);
        if let Some(what) = what {
            let change = Change {
                key: key.clone(),
                what,
                condition: Condition::default(),
                ttl: None,
                exclude: None,
                wanted: Wanted::default(),
                room: Room::Left,
                part: None,
                caller: None,
            };
            self.change(change, now, effects);
            if let Some(memory) = self.channels.get_mut(key).and_then(|c| c.memory.as_deref_mut()) {
                memory.take_in_answer();
            }
        }
        self.wake(key, now, effects);
        self.plan(key, now);
    }

    /// Does what the one who asks has decided.
    pub(super) fn do_step(
        &mut self,
        key: &ChannelKey,
        step: Step,
        now: Millis,
        effects: &mut Vec<Effect>,
    ) {
        let memory = self.channels.get_mut(key).and_then(|c| c.memory.as_deref_mut());
        if let Some(asking) = memory.and_then(|memory| memory.asking.as_deref_mut()) {
            asking.count(&mut self.tally.stale_truths);
            if let Some(run) = step.ask {
                let question = Question { key: key.clone(), whom: asking.whom(), run };
                effects.push(Effect::Ask(question));
            }
        }
        if let Some(at) = step.look_at {
            self.plan_at(key, at.max(now));
        }
    }

    /// Whoever waits for a truth and need not wait any more is answered.
    pub(super) fn wake(&mut self, key: &ChannelKey, now: Millis, effects: &mut Vec<Effect>) {
        let Some(channel) = self.channels.get_mut(key) else { return };
        let Channel { memory: Some(memory), .. } = channel else { return };
        if !memory.readers.is_empty() {
            let value = memory.value();
            let is_ready = memory.is_ready();
            memory.readers.retain(|reader| {
                let is_there = value.as_ref().is_ok_and(|v| v.entry.offset >= reader.at_least);
                // For nothing in particular: what there is, once it is known.
                let is_known = reader.at_least == Offset::ZERO && is_ready;
                let waits = reader.until > now && !is_there && !is_known;
                if !waits {
                    effects.push(Effect::Answer(reader.ticket, answer(&value)));
                }
                waits
            });
        }
        let is_over = |held: &&Held| held.until <= now || memory.shows_answer(held.run);
        let due = memory.held.iter().take_while(is_over).count();
        let due: Vec<Held> = memory.held.drain(..due).collect();
        for Held { place, member, listener, .. } in due {
            self.admit(key, place, member, &listener, now, effects);
        }
    }

    /// `GET …/truth`.
    #[expect(clippy::too_many_arguments, reason = "the parts of Command::ReadTruth")]
    pub(super) fn read_truth(
        &mut self,
        key: &ChannelKey,
        at_least: Option<Offset>,
        patience: Duration,
        room: Room,
        ticket: Ticket,
        now: Millis,
        effects: &mut Vec<Effect>,
    ) {
        let Some(rule) = self.remembers(key) else {
            effects.push(Effect::Answer(ticket, Answer::Refused(Refused::NoMemory)));
            return;
        };
        let (is_asked, is_there) = (rule.asked().is_some(), self.channels.contains_key(key));
        // Somebody can be asked, or the channel may get its truth any moment.
        let may_come = is_asked || at_least.is_some_and(|version| version > Offset::ZERO);
        if may_come && (is_there || room == Room::Left) {
            self.open(key, now, effects);
        }
        let Some(channel) = self.channels.get_mut(key) else {
            effects.push(Effect::Answer(ticket, Answer::Refused(Refused::NoTruth)));
            return;
        };
        let Channel { memory: Some(memory), .. } = channel else { return };
        let value = memory.value();
        let at_least = at_least.unwrap_or(Offset::ZERO);
        let is_enough = value.as_ref().is_ok_and(|value| value.entry.offset >= at_least);
        let is_waiting =
            !is_enough && (at_least > Offset::ZERO || (is_asked && !memory.is_ready()));
        if !is_waiting {
            effects.push(Effect::Answer(ticket, answer(&value)));
            if memory.certainty() == Certainty::Stale {
                // Nobody may have been there to ask for it. Whoever reads again shall know more.
                let step = memory.asking.as_deref_mut().map(|asking| asking.arrive(now));
                self.do_step(key, step.unwrap_or_default(), now, effects);
            }
            return;
        }
        // Without a version in mind nobody waits longer than a subscriber would.
        let wait = memory.asking.as_deref().filter(|_| at_least == Offset::ZERO);
        let until = now + wait.map_or(patience, |asking| asking.wait().min(patience));
        memory.readers.push(TruthReader { ticket, at_least, until });
        let step = memory.asking.as_deref_mut().map(|asking| asking.arrive(now));
        self.do_step(key, step.unwrap_or_default(), now, effects);
        self.plan_at(key, until);
    }

    pub(super) fn audience(&self, key: &ChannelKey) -> Audience {
        let is_heard = self.channels.get(key).is_some_and(|channel| {
            let waits = |memory: &crate::memory::Memory| {
                !memory.held.is_empty() || !memory.readers.is_empty()
            };
            channel.audience.total() > 0 || channel.memory.as_deref().is_some_and(waits)
        });
        if is_heard { Audience::Somebody } else { Audience::Nobody }
    }
}

fn answer(value: &Result<crate::effect::TruthValue, Refused>) -> Answer {
    match value {
        Ok(value) => Answer::Value(Box::new(value.clone())),
        Err(refused) => Answer::Refused(*refused),
    }
}
