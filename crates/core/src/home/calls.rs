// SPDX-License-Identifier: MIT OR Apache-2.0
//! Calls with idempotency keys.

use std::time::Duration;

use super::Home;
use crate::effect::{Answer, Begun, Effect, Refused};
use crate::gate::{State, Waiting};
use crate::idempotency::{ANSWER_AGE, CallKey};
use crate::place::Ticket;
use crate::record::{BodyHash, Part, Record, Urgency};
use crate::rule::Durability;
use crate::time::Millis;
use crate::timers::Due;

/// Answers that are too old are looked for so often.
const SWEEP: Duration = Duration::from_secs(30);

impl Home {
    pub(super) fn begin(
        &mut self,
        key: CallKey,
        body: BodyHash,
        ticket: Ticket,
        now: Millis,
        effects: &mut Vec<Effect>,
    ) {
        if self.gate.state() == State::Failed {
            effects.push(Effect::Answer(ticket, Answer::Begun(Begun::JournalFailed)));
            return;
        }
        self.sweep_answers(now + SWEEP);
        if let Some(begun) = self.calls.begin(key, body, ticket) {
            effects.push(Effect::Answer(ticket, Answer::Begun(begun)));
        }
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of Command::Seal")]
    pub(super) fn seal(
        &mut self,
        key: CallKey,
        status: u16,
        answer: Box<[u8]>,
        part: Option<Part>,
        ticket: Ticket,
        now: Millis,
        effects: &mut Vec<Effect>,
    ) {
        if self.gate.state() == State::Failed {
            let refused = Answer::Refused(Refused::JournalFailed);
            effects.push(Effect::Answer(ticket, refused));
            return;
        }
        let (row, expires) = (self.gate.row(), self.time(now) + ANSWER_AGE);
        let Some(answer) = self.calls.seal(&key, row, status, answer, expires) else {
            self.void(part, effects);
            effects.push(Effect::Answer(ticket, Answer::Done));
            return;
        };
        if self.rules.safest == Durability::Off {
            self.gate.wait(Waiting::Stored(key));
            self.gate.wait(Waiting::Answer(ticket, Answer::Done));
            return self.pass(now, effects);
        }
        let records = [Record::Answer { row, app: key.0, answer }].into_iter().collect();
        self.append(records, Urgency::Gated, part, effects);
        self.gate.wait(Waiting::Stored(key));
        self.gate.wait(Waiting::Answer(ticket, Answer::Done));
    }

    pub(super) fn abandon(&mut self, key: &CallKey, part: Option<Part>, effects: &mut Vec<Effect>) {
        self.void(part, effects);
        if let Some(next) = self.calls.abandon(key) {
            effects.push(Effect::Answer(next, Answer::Begun(Begun::First)));
        }
    }

    /// The answer of a call is stored: whoever waited for it has it, too.
    pub(super) fn stored(&mut self, key: &CallKey, effects: &mut Vec<Effect>) {
        let Some((answer, waiting)) = self.calls.stored(key) else { return };
        effects.extend(
            waiting
                .into_iter()
                .map(|ticket| Effect::Answer(ticket, Answer::Begun(Begun::Again(answer.clone())))),
        );
    }

    /// Looks for answers that are too old at that time, unless that is planned already.
    pub(super) fn sweep_answers(&mut self, at: Millis) {
        if self.sweep.is_none() {
            self.sweep = Some(at);
            self.timers.set(at, Due::Answers);
        }
    }

    /// Lets go of answers that are too old.
    pub(super) fn forget_answers(&mut self, now: Millis) {
        self.sweep = None;
        let rows = self.calls.trim(self.time(now));
        if self.rules.safest != Durability::Off {
            if self.cleanup.is_empty() && !rows.is_empty() {
                self.timers.set(now, Due::Cleanup);
            }
            self.cleanup.extend(rows.into_iter().map(Record::Remove));
        }
        if !self.calls.is_empty() {
            self.sweep_answers(now + SWEEP);
        }
    }
}
