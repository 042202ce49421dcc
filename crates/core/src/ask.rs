// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Asking`]: when the one who knows a channel's truth is asked for it.
//!
//! One question runs at a time. A `changed` during it leads to exactly one more after it, so that
//! the last answer always reflects what was true after the last `changed`. Where many `changed`
//! come in a burst, the one more waits for its end. Failures are repeated with growing pauses
//! while anybody listens.

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
    state: State,
    /// Something changed since the last question began.
    again: bool,
    /// When that was.
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
            state: State::Idle,
            again: false,
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

    /// How long a subscription waits for the first answer.
    pub(crate) fn wait(&self) -> Duration {
        self.rule.wait
    }

    /// Somebody came who needs the truth.
    pub(crate) fn arrive(&mut self, now: Millis) -> Step {
        if self.knowledge != Knowledge::Fresh && self.state == State::Idle {
            return self.ask(now);
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
        Some((Worth::New, self.look_later()))
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
        if self.again {
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

    /// Asks what has changed, or plans to.
    fn ask_if_due(&mut self, now: Millis) -> Step {
        if self.due_at() <= now { self.ask(now) } else { self.look_later() }
    }

    /// When what has changed may be asked for.
    fn due_at(&self) -> Millis {
        let Some(began) = self.began else { return Millis(0) };
        let earliest = began + GAP;
        if self.changes < BURST {
            return earliest;
        }
        (self.changed + QUIET).min(began + LONGEST_BURST).max(earliest)
    }

    fn ask(&mut self, now: Millis) -> Step {
        self.run += 1;
        self.state = State::Running;
        (self.again, self.began, self.changes) = (false, Some(now), 0);
        Step { ask: Some(self.run), look_at: None }
    }

    fn pause(&mut self, audience: Audience, now: Millis, rng: &mut StdRng) -> Step {
        self.again = false;
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
            State::Idle if self.again => Some(self.due_at()),
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
mod tests {
    use super::*;
    use rand::SeedableRng;

    fn asking() -> (Asking, StdRng) {
        let rule = AskRule {
            whom: 0,
            wait: Duration::from_millis(300),
            settle: Duration::from_secs(1),
            refresh: None,
        };
        (Asking::new(rule), StdRng::seed_from_u64(1))
    }

    /// A source that answers at once, or after a while; a `changed` every so many milliseconds.
    fn questions(changed: u64, every: u64, answer: u64) -> (usize, Millis) {
        let (mut asking, mut rng) = asking();
        let (mut asked, mut answers, mut last) = (0, Vec::new(), Millis(0));
        for now in 0..20_000 {
            let mut steps = Vec::new();
            if now % every == 0 && now / every < changed {
                let times = if every == 1 { 3 } else { 1 };
                steps.extend((0..times).map(|_| asking.change(None, Millis(now))));
            }
            if asking.looks_at().is_some_and(|at| at <= Millis(now)) {
                steps.push(asking.look(Audience::Somebody, Millis(now)));
            }
            if let Some((run, _)) = answers.pop_if(|(_, at): &mut (u64, u64)| *at <= now) {
                let answered =
                    asking.answered(run, None, Audience::Somebody, Millis(now), &mut rng);
                steps.push(answered.expect("it counts").1);
            }
            for run in steps.into_iter().filter_map(|step| step.ask) {
                (asked, last) = (asked + 1, Millis(now));
                answers.insert(0, (run, now + answer));
            }
        }
        assert_eq!(asking.knowledge(), Knowledge::Fresh);
        (asked, last)
    }

    #[test]
    fn a_burst_of_a_thousand_changed_costs_two_questions_and_the_one_that_makes_sure() {
        for answer in [0, 1, 5, 50, 300] {
            // Three each millisecond, for a third of a second.
            let (asked, last) = questions(334, 1, answer);
            assert!(asked <= 3, "{asked} questions, each answered after {answer} ms");
            assert!(last >= Millis(1333), "the last one makes sure");
        }
    }

    #[test]
    fn what_changes_now_and_then_is_asked_for_at_once_each_time() {
        assert_eq!(questions(10, 100, 5).0, 11);
        assert_eq!(questions(10, 30, 5).0, 11);
    }

    #[test]
    fn what_never_stops_changing_is_asked_for_once_a_second_at_the_least() {
        let (asked, _) = questions(10_000, 1, 5);
        assert!((11..=13).contains(&asked), "{asked}");
    }

    #[test]
    fn an_answer_to_an_older_question_does_not_count() {
        let (mut asking, mut rng) = asking();
        asking.arrive(Millis(0));
        assert_eq!(asking.answered(7, None, Audience::Somebody, Millis(5), &mut rng), None);
        asking.answered(1, None, Audience::Somebody, Millis(5), &mut rng).expect("it counts");
        assert_eq!(asking.answered(1, None, Audience::Somebody, Millis(5), &mut rng), None);
    }

    #[test]
    fn a_truth_is_counted_as_stale_from_a_change_or_a_failure_until_an_answer() {
        let (mut asking, mut rng) = asking();
        let mut stale = 7;
        let mut counted = |asking: &mut Asking| {
            asking.count(&mut stale);
            stale - 7
        };
        assert_eq!(counted(&mut asking), 0, "nobody wanted it yet");
        let run = asking.arrive(Millis(0)).ask.expect("it asks");
        asking.failed(run, Audience::Nobody, Millis(1), &mut rng).expect("it counts");
        assert_eq!([counted(&mut asking), counted(&mut asking)], [1, 1]);
        let run = asking.arrive(Millis(2)).ask.expect("it asks");
        asking.answered(run, None, Audience::Somebody, Millis(3), &mut rng).expect("it counts");
        assert_eq!(counted(&mut asking), 0);
        asking.change(None, Millis(4));
        assert_eq!(counted(&mut asking), 1);
        asking.count_out(&mut stale);
        assert_eq!(stale, 7);
    }

    #[test]
    fn a_version_that_lags_behind_is_asked_for_again() {
        let (mut asking, mut rng) = asking();
        asking.change(Some(7), Millis(0));
        let (worth, step) =
            asking.answered(1, Some(6), Audience::Somebody, Millis(5), &mut rng).expect("counts");
        assert_eq!(worth, Worth::TooOld);
        let at = step.look_at.expect("it pauses");
        assert_eq!(asking.look(Audience::Somebody, at).ask, Some(2));
        let (worth, _) =
            asking.answered(2, Some(7), Audience::Somebody, at, &mut rng).expect("it counts");
        assert_eq!((worth, asking.knowledge()), (Worth::New, Knowledge::Fresh));
    }

    #[test]
    fn failures_are_repeated_with_growing_pauses_while_anybody_listens() {
        let (mut asking, mut rng) = asking();
        let mut now = Millis(0);
        let mut step = asking.arrive(now);
        for nth in 0..12 {
            let run = step.ask.expect("it asks");
            step = asking.failed(run, Audience::Somebody, now, &mut rng).expect("it counts");
            let at = step.look_at.expect("it pauses");
            let longest = FIRST_PAUSE.saturating_mul(1 << nth).min(LONGEST_PAUSE);
            assert!(at.since(now) <= longest && at.since(now) * 2 >= longest - FIRST_PAUSE / 50);
            now = at;
            step = asking.look(Audience::Somebody, now);
        }
        let run = step.ask.expect("it asks");
        let step = asking.failed(run, Audience::Nobody, now, &mut rng).expect("it counts");
        assert_eq!(step, Step::default(), "nobody listens: whoever comes next asks");
        assert!(asking.arrive(now).ask.is_some());
    }
}
