// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Asking`]: when the one who knows a channel's truth is asked for it.
//!
//! One question runs at a time. A `changed` during it leads to exactly one more after it, so that
//! the last answer always reflects what was true after the last `changed`. Where many `changed`
//! come in a burst, the one more waits for its end. Failures are repeated with growing pauses
//! while anybody listens.
//!
//! Whoever comes waits for the answer to a question that began after everything it may know of:
//! see [`Asking::receive`].

use std::time::Duration;

use rand::RngExt;
use rand::rngs::StdRng;

use crate::rule::AskRule;
use crate::time::Millis;

/// The first pause after a failure; each one more doubles it.
const FIRST_PAUSE: Duration = Duration::from_millis(250);

/// No pause is longer.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// So long after a question began the next one may begin.
const GAP: Duration = Duration::from_millis(20);

/// So many `changed` since the last question began are a burst,
const BURST: u32 = 16;

/// which ends when no more come for so long,
const QUIET: Duration = Duration::from_millis(50);

/// or when the last question began so long ago.
const LONGEST_BURST: Duration = Duration::from_secs(1);

/// See the module. One per channel whose truth is asked for.
#[derive(Debug)]
pub(crate) struct Asking {
    rule: AskRule,
    /// Numbers the questions: the answer to an older one does not count.
    run: u64,
    /// The last one whose answer was taken.
    answered: u64,
    state: State,
    /// Something changed since the last question began.
    again: bool,
    /// Somebody came since the last question began for whom another one must be asked.
    awaited: bool,
    /// When the last question began.
    began: Option<Millis>,
    /// How often it changed since.
    changes: u32,
    /// When it changed last.
    changed: Millis,
    knowledge: Knowledge,
    /// In a row.
    failures: u32,
    /// When to make sure.
    settle_at: Option<Millis>,
    refresh_at: Option<Millis>,
    /// The answer must be of that version at least.
    min_version: Option<u64>,
    /// When it will be looked at next.
    look_at: Option<Millis>,
    /// Whether it is among the stale truths that its home counts.
    is_counted: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Idle,
    Running,
    /// After a failure, until then.
    Pausing(Millis),
}

/// What is known of the truth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Knowledge {
    /// Nothing, or what was true before this start.
    Unconfirmed,
    /// What was true after the last `changed`.
    Fresh,
    /// What was true before something changed.
    Stale,
}

/// What an answer was worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Worth {
    /// It is to be taken.
    New,
    /// It is older than what is known to exist.
    TooOld,
}

/// Whether anybody would notice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Audience {
    Somebody,
    Nobody,
}

/// What to do now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Step {
    /// Ask the question of that number.
    pub(crate) ask: Option<u64>,
    /// Look again then.
    pub(crate) look_at: Option<Millis>,
}

impl Asking {
    pub(crate) fn new(rule: AskRule) -> Asking {
        Asking {
            rule,
            run: 0,
            answered: 0,
            state: State::Idle,
            again: false,
            awaited: false,
            began: None,
            changes: 0,
            changed: Millis(0),
            knowledge: Knowledge::Unconfirmed,
            failures: 0,
            settle_at: None,
            refresh_at: None,
            min_version: None,
            look_at: None,
            is_counted: false,
        }
    }

    pub(crate) fn knowledge(&self) -> Knowledge {
        self.knowledge
    }

    /// Brings the number of stale truths up to date: those whose source has something else to say
    /// by now, or cannot be asked. To be called after each change and each answer.
    pub(crate) fn count(&mut self, stale: &mut u64) {
        let is_stale = match self.knowledge {
            Knowledge::Fresh => false,
            Knowledge::Stale => true,
            Knowledge::Unconfirmed => self.failures > 0,
        };
        match (self.is_counted, is_stale) {
            (false, true) => *stale += 1,
            (true, false) => *stale -= 1,
            _ => {}
        }
        self.is_counted = is_stale;
    }

    /// The same when its channel ends.
    pub(crate) fn count_out(&self, stale: &mut u64) {
        *stale -= u64::from(self.is_counted);
    }

    /// Whether no answer is on its way.
    pub(crate) fn is_idle(&self) -> bool {
        self.state == State::Idle
    }

    /// When it is to be looked at.
    pub(crate) fn looks_at(&self) -> Option<Millis> {
        self.look_at
    }

    /// Whom to ask.
    pub(crate) fn whom(&self) -> u32 {
        self.rule.whom
    }

    /// How long a subscription waits for an answer.
    pub(crate) fn wait(&self) -> Duration {
        self.rule.wait
    }

    /// Somebody wants to subscribe. It waits for the answer to the question of that number, or to
    /// a later one.
    ///
    /// That is the first question that knows of every `changed` before it came. Where the rule says
    /// `confirm`, it is the first one that begins after it came: a page may have been made of what
    /// nobody has called `changed` yet, and must not be taken back behind it.
    pub(crate) fn receive(&mut self, now: Millis) -> (u64, Step) {
        let is_known = self.knowledge == Knowledge::Fresh && !self.rule.confirm;
        match self.state {
            State::Idle | State::Running if is_known => (self.answered, Step::default()),
            State::Idle => {
                self.awaited = true;
                let step = self.ask_if_due(now);
                (self.run + u64::from(step.ask.is_none()), step)
            }
            State::Running if self.again || self.rule.confirm => {
                self.awaited = true;
                (self.run + 1, Step::default())
            }
            State::Running => (self.run, Step::default()),
            State::Pausing(_) => (self.run + 1, Step::default()),
        }
    }

    /// The last question whose answer was taken.
    pub(crate) fn last_answered(&self) -> u64 {
        self.answered
    }

    /// Somebody is there who needs the truth.
    pub(crate) fn arrive(&mut self, now: Millis) -> Step {
        if self.knowledge != Knowledge::Fresh && self.state == State::Idle {
            self.awaited = true;
            return self.ask_if_due(now);
        }
        self.refresh(now, Audience::Somebody)
    }

    /// The truth has changed.
    pub(crate) fn change(&mut self, min_version: Option<u64>, now: Millis) -> Step {
        self.min_version = self.min_version.max(min_version);
        if self.knowledge == Knowledge::Fresh {
            self.knowledge = Knowledge::Stale;
        }
        self.settle_at = (!self.rule.settle.is_zero()).then(|| now + self.rule.settle);
        (self.changes, self.changed) = (self.changes.saturating_add(1), now);
        self.again = true;
        match self.state {
            State::Idle => self.ask_if_due(now),
            State::Running | State::Pausing(_) => Step::default(),
        }
    }

    /// The question of that number was answered, with that version if the answer had one. `None`
    /// for one that does not count any more.
    pub(crate) fn answered(
        &mut self,
        run: u64,
        version: Option<u64>,
        audience: Audience,
        now: Millis,
        rng: &mut StdRng,
    ) -> Option<(Worth, Step)> {
        if run != self.run || self.state != State::Running {
            return None;
        }
        if version.is_some() && version < self.min_version {
            return Some((Worth::TooOld, self.pause(audience, now, rng)));
        }
        self.state = State::Idle;
        self.failures = 0;
        self.answered = run;
        if self.again {
            return Some((Worth::New, self.ask_if_due(now)));
        }
        self.min_version = None;
        self.knowledge = Knowledge::Fresh;
        self.refresh_at = None;
        let refresh = self.rule.refresh.filter(|_| audience == Audience::Somebody);
        if let Some(refresh) = refresh {
            // A tenth earlier or later, so that many channels do not ask in step.
            self.refresh_at = Some(now + refresh.mul_f64(rng.random_range(0.9..1.1)));
        }
        let step = if self.awaited { self.ask_if_due(now) } else { self.look_later() };
        Some((Worth::New, step))
    }

    /// The question of that number has no answer.
    pub(crate) fn failed(
        &mut self,
        run: u64,
        audience: Audience,
        now: Millis,
        rng: &mut StdRng,
    ) -> Option<Step> {
        if run != self.run || self.state != State::Running {
            return None;
        }
        Some(self.pause(audience, now, rng))
    }

    /// It is time to look.
    pub(crate) fn look(&mut self, audience: Audience, now: Millis) -> Step {
        if self.look_at.is_some_and(|at| at > now) {
            return Step::default();
        }
        self.look_at = None;
        match self.state {
            State::Running => return Step::default(),
            State::Pausing(until) if until > now => return self.look_later(),
            State::Pausing(_) => {
                self.state = State::Idle;
                return match audience {
                    Audience::Somebody => self.ask(now),
                    // Whoever comes next asks.
                    Audience::Nobody => Step::default(),
                };
            }
            State::Idle => {}
        }
        if self.wants_another() {
            return self.ask_if_due(now);
        }
        if self.settle_at.take_if(|at| *at <= now).is_some() {
            return self.ask(now);
        }
        if self.refresh_at.take_if(|at| *at <= now).is_some() && audience == Audience::Somebody {
            return self.ask(now);
        }
        self.look_later()
    }

    /// Whoever comes when the last question was answered while nobody listened starts the clock.
    fn refresh(&mut self, now: Millis, audience: Audience) -> Step {
        let wants = self.refresh_at.is_none() && self.state == State::Idle;
        if let (Some(refresh), true, Audience::Somebody) = (self.rule.refresh, wants, audience) {
            self.refresh_at = Some(now + refresh);
            return self.look_later();
        }
        Step::default()
    }

    /// Whether the last question is not enough: something has changed, or somebody waits.
    fn wants_another(&self) -> bool {
        self.again || self.awaited
    }

    /// Asks what has changed or is waited for, or plans to.
    fn ask_if_due(&mut self, now: Millis) -> Step {
        if self.due_at() <= now { self.ask(now) } else { self.look_later() }
    }

    /// When the next question may be asked.
    fn due_at(&self) -> Millis {
        let Some(began) = self.began else { return Millis(0) };
        let earliest = began + GAP;
        // Whoever waits does not wait for the end of a burst.
        if self.changes < BURST || self.awaited {
            return earliest;
        }
        (self.changed + QUIET).min(began + LONGEST_BURST).max(earliest)
    }

    fn ask(&mut self, now: Millis) -> Step {
        self.run += 1;
        self.state = State::Running;
        (self.again, self.awaited) = (false, false);
        (self.began, self.changes) = (Some(now), 0);
        Step { ask: Some(self.run), look_at: None }
    }

    fn pause(&mut self, audience: Audience, now: Millis, rng: &mut StdRng) -> Step {
        (self.again, self.awaited) = (false, false);
        if self.knowledge == Knowledge::Fresh {
            self.knowledge = Knowledge::Stale;
        }
        let doubled = FIRST_PAUSE.saturating_mul(1 << self.failures.min(16));
        self.failures = self.failures.saturating_add(1);
        if audience == Audience::Nobody && self.settle_at.is_none() {
            self.state = State::Idle;
            return Step::default();
        }
        let pause = doubled.min(LONGEST_PAUSE).mul_f64(rng.random_range(0.5..1.0));
        self.state = State::Pausing(now + pause);
        self.look_later()
    }

    /// One look is planned at a time, unless an earlier one is needed.
    fn look_later(&mut self) -> Step {
        let next = match self.state {
            State::Running => None,
            State::Pausing(until) => Some(until),
            State::Idle if self.wants_another() => Some(self.due_at()),
            State::Idle => [self.settle_at, self.refresh_at].into_iter().flatten().min(),
        };
        match next {
            Some(at) if self.look_at.is_none_or(|planned| at < planned) => {
                self.look_at = Some(at);
                Step { ask: None, look_at: Some(at) }
            }
            _ => Step::default(),
        }
    }
}

#[cfg(test)]
mod tests;
