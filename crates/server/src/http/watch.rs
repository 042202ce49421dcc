// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Watch`]: how long one HTTP connection may still do what it does.
//!
//! A request sets no timer. It leaves a note of what the connection is busy with and since when;
//! one alarm per connection looks at the note now and then. It is never set further ahead than
//! the shortest time that a phase of waiting may take, so none is over long before it rings.

use std::cell::{Cell, RefCell};
use std::sync::Arc;
use std::time::Duration;

use oyez_protocol::limits::Limits;
use tokio::time::Instant;

use crate::routes::Progress;

/// How long a client that we are done with may take to hear it.
const LINGER: Duration = Duration::from_secs(2);

/// What a connection is busy with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// Nothing: it waits for a request, or for the client to take the last answer.
    Idle,
    /// The head of a request has begun to arrive.
    Head,
    /// The body of a request is awaited.
    Body,
    /// The backend works on it.
    Call,
    /// The embedding program works on it, and may have begun to answer.
    Routes,
    /// All is said; what the client still sends is thrown away.
    Linger,
}

/// What to do now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Look again then.
    Wait(Instant),
    /// The body is late: the call shall answer so, and look again then.
    BodyLate(Instant),
    /// It has had its time.
    Close,
}

/// One connection's note.
#[derive(Debug)]
pub(super) struct Watch {
    phase: Cell<Phase>,
    since: Cell<Instant>,
    body_is_late: Cell<bool>,
    /// Since when the client takes nothing of what is written.
    blocked_since: Cell<Option<Instant>>,
    upload: RefCell<Option<Upload>>,
    request: Duration,
    keep_alive: Duration,
}

/// A body that the embedding program reads.
#[derive(Debug)]
struct Upload {
    progress: Arc<Progress>,
    /// The number of the wait that was going on at the last look, if nothing has come since.
    seen: Option<usize>,
}

impl Watch {
    /// A connection whose first head has begun to arrive.
    pub(super) fn new(limits: &Limits, now: Instant) -> Watch {
        Watch {
            phase: Cell::new(Phase::Head),
            since: Cell::new(now),
            body_is_late: Cell::new(false),
            blocked_since: Cell::new(None),
            upload: RefCell::default(),
            request: Duration::from_secs(limits.request_seconds as u64),
            keep_alive: Duration::from_secs(limits.keep_alive_seconds as u64),
        }
    }

    /// What the connection is busy with.
    pub(super) fn phase(&self) -> Phase {
        self.phase.get()
    }

    /// Notes what the connection does from now on.
    pub(super) fn enter(&self, phase: Phase) {
        self.phase.set(phase);
        // Nothing is due of a call.
        if phase != Phase::Call {
            self.since.set(Instant::now());
        }
        self.body_is_late.set(false);
    }

    /// Notes that the embedding program has a request now.
    pub(super) fn enter_routes(&self, progress: Arc<Progress>) {
        self.enter(Phase::Routes);
        self.upload.replace(Some(Upload { progress, seen: None }));
    }

    /// Notes that bytes have come.
    pub(super) fn arrived(&self) {
        match self.phase.get() {
            Phase::Idle => self.enter(Phase::Head),
            Phase::Routes => {
                if let Some(upload) = &mut *self.upload.borrow_mut() {
                    upload.seen = None;
                }
            }
            _ => {}
        }
    }

    /// Notes that the client takes nothing.
    pub(super) fn write_blocked(&self) {
        if self.blocked_since.get().is_none() {
            self.blocked_since.set(Some(Instant::now()));
        }
    }

    /// Notes that the client, which took nothing before, has taken something.
    pub(super) fn write_done(&self) {
        self.blocked_since.set(None);
        if self.phase.get() == Phase::Idle {
            self.enter(Phase::Idle);
        }
    }

    /// Whether the body that is awaited has had its time.
    pub(super) fn body_is_late(&self) -> bool {
        self.body_is_late.get()
    }

    /// When to look for the first time.
    pub(super) fn first(&self) -> Instant {
        self.since.get() + self.step()
    }

    /// Looks at the note.
    pub(super) fn look(&self, now: Instant) -> Verdict {
        let granted = match self.phase.get() {
            Phase::Idle => self.keep_alive,
            Phase::Head | Phase::Body => self.request,
            Phase::Linger => LINGER,
            Phase::Call => return Verdict::Wait(now + self.step()),
            Phase::Routes => return self.look_at_routes(now),
        };
        let due = self.since.get() + granted;
        let next = now + self.step();
        if now < due {
            return Verdict::Wait(due.min(next));
        }
        if self.phase.get() == Phase::Body && !self.body_is_late.replace(true) {
            return Verdict::BodyLate(next);
        }
        Verdict::Close
    }

    /// The program may take its time. The client may not: neither to send what is awaited, of
    /// which something must come between two looks, nor to take what is written.
    fn look_at_routes(&self, now: Instant) -> Verdict {
        let next = now + self.step();
        if let Some(upload) = &mut *self.upload.borrow_mut() {
            let awaited = upload.progress.awaited();
            if awaited.is_some() && awaited == upload.seen {
                return Verdict::Close;
            }
            upload.seen = awaited;
        }
        match self.blocked_since.get().map(|since| since + self.keep_alive) {
            Some(due) if now >= due => Verdict::Close,
            Some(due) => Verdict::Wait(due.min(next)),
            None => Verdict::Wait(next),
        }
    }

    /// When lingering shall end, if the connection lingers.
    pub(super) fn linger_until(&self) -> Option<Instant> {
        (self.phase.get() == Phase::Linger).then(|| self.since.get() + LINGER)
    }

    /// The shortest time that may be granted, but for lingering.
    fn step(&self) -> Duration {
        self.request.min(self.keep_alive)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn watch() -> (Watch, Instant) {
        let limits = Limits { request_seconds: 15, keep_alive_seconds: 75, ..Limits::default() };
        let now = Instant::now();
        (Watch::new(&limits, now), now)
    }

    #[test]
    fn p073_each_phase_has_its_time() {
        for (phase, seconds) in [(Phase::Idle, 75), (Phase::Head, 15), (Phase::Linger, 2)] {
            let (watch, _) = watch();
            watch.enter(phase);
            let since = watch.since.get();
            let at = |millis| since + Duration::from_millis(millis);
            assert!(
                matches!(watch.look(at(seconds * 1000 - 1)), Verdict::Wait(t) if t == at(seconds * 1000))
            );
            assert_eq!(watch.look(at(seconds * 1000)), Verdict::Close, "{phase:?}");
        }
    }

    #[test]
    fn p073_a_late_body_is_told_before_the_connection_closes() {
        let (watch, _) = watch();
        watch.enter(Phase::Body);
        let late = watch.since.get() + Duration::from_secs(15);
        assert!(!watch.body_is_late());
        assert!(matches!(watch.look(late), Verdict::BodyLate(_)));
        assert!(watch.body_is_late());
        assert_eq!(watch.look(late), Verdict::Close);
        watch.enter(Phase::Idle);
        assert!(!watch.body_is_late());
    }

    #[test]
    fn the_program_may_take_its_time_and_the_client_may_not() {
        let (watch, now) = watch();
        let progress = Arc::<Progress>::default();
        watch.enter_routes(Arc::clone(&progress));
        let look = |seconds| watch.look(now + Duration::from_secs(seconds));
        assert!(matches!(look(1000), Verdict::Wait(_)), "nobody waits for the client");
        progress.step();
        assert!(matches!(look(1015), Verdict::Wait(_)), "it may have begun just now");
        watch.arrived();
        assert!(matches!(look(1030), Verdict::Wait(_)), "something has come");
        progress.step();
        progress.step();
        assert!(matches!(look(1045), Verdict::Wait(_)), "another part is awaited");
        assert_eq!(look(1060), Verdict::Close);

        watch.enter_routes(Arc::default());
        watch.write_blocked();
        let since = watch.blocked_since.get().expect("it is noted");
        assert!(matches!(watch.look(since + Duration::from_secs(74)), Verdict::Wait(_)));
        assert_eq!(watch.look(since + Duration::from_secs(75)), Verdict::Close);
        watch.write_done();
        assert!(matches!(watch.look(since + Duration::from_secs(75)), Verdict::Wait(_)));
    }

    #[test]
    fn the_alarm_is_never_set_past_a_deadline_that_may_come() {
        let (watch, now) = watch();
        watch.enter(Phase::Call);
        let Verdict::Wait(next) = watch.look(now) else { panic!("a call takes its time") };
        assert_eq!(next, now + Duration::from_secs(15));
        assert_eq!(watch.first(), now + Duration::from_secs(15));
        assert_eq!(watch.linger_until(), None);
        watch.enter(Phase::Linger);
        assert_eq!(watch.linger_until(), Some(watch.since.get() + LINGER));
    }
}
