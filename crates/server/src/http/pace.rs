// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Pace`]: how long a worker's HTTP connections may work between two of its turns.
//!
//! The runtime knows no order of importance: left alone, the worker's turn would wait until each
//! connection that has something to do has done some of it. Here they count the time that they
//! work; once [`BUDGET`] is spent, they wait for the next turn, in the order in which they came. So
//! a turn is never further away than the budget and one request, and a connection never further
//! than those before it. Whoever comes while there is time does not wait, and what a connection
//! does while it waits is a look at a number.
//!
//! It belongs to one thread.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

/// What all connections together may work between two turns.
const BUDGET: Duration = Duration::from_millis(2);

/// See the module.
#[derive(Debug)]
pub(crate) struct Pace {
    budget: Duration,
    /// Worked since the last turn, less what the connection has that works now.
    spent: Cell<Duration>,
    /// Since when a connection works.
    since: Cell<Option<Instant>>,
    /// Requests that it has begun to answer since.
    begun: Cell<usize>,
    /// Those that wait; `None` for who has gone.
    waiting: RefCell<VecDeque<Option<Waker>>>,
    /// The number of the first that waits: all before it have been called.
    first: Cell<u64>,
    /// Whether somebody was called and has not come yet.
    called: Cell<bool>,
    /// Whether all wait for a turn.
    is_turn_wanted: Cell<bool>,
    worker: RefCell<Option<Waker>>,
}

impl Default for Pace {
    fn default() -> Pace {
        Pace::new(BUDGET)
    }
}

impl Pace {
    fn new(budget: Duration) -> Pace {
        Pace {
            budget,
            spent: Cell::default(),
            since: Cell::default(),
            begun: Cell::default(),
            waiting: RefCell::default(),
            first: Cell::default(),
            called: Cell::default(),
            is_turn_wanted: Cell::default(),
            worker: RefCell::default(),
        }
    }

    /// Waits until the connections wait for a turn: for the worker, which must end it with
    /// [`Pace::turned`].
    pub(crate) fn poll_turn(&self, cx: &Context<'_>) -> Poll<()> {
        if self.is_turn_wanted.get() {
            return Poll::Ready(());
        }
        match &mut *self.worker.borrow_mut() {
            Some(worker) => worker.clone_from(cx.waker()),
            none => *none = Some(cx.waker().clone()),
        }
        Poll::Pending
    }

    /// The worker has had a turn.
    pub(crate) fn turned(&self) {
        self.spent.set(Duration::ZERO);
        self.is_turn_wanted.set(false);
        if !self.called.get() {
            self.call_next();
        }
    }

    /// Lets the connection of the next request breathe if it has had its time. Its first one since
    /// it was let in is never too many.
    pub(super) async fn next_request(&self) {
        let begun = self.begun.get();
        self.begun.set(begun + 1);
        if begun > 0 && self.worked() >= self.budget {
            tokio::task::yield_now().await;
        }
    }

    fn worked(&self) -> Duration {
        self.spent.get() + self.since.get().map_or(Duration::ZERO, |since| since.elapsed())
    }

    fn is_spent(&self) -> bool {
        self.spent.get() >= self.budget
    }

    fn go_on(&self) {
        if self.waiting.borrow().is_empty() {
            return;
        }
        match self.is_spent() {
            true => self.want_turn(),
            false => self.call_next(),
        }
    }

    fn call_next(&self) {
        loop {
            let Some(next) = self.waiting.borrow_mut().pop_front() else { return };
            self.first.set(self.first.get() + 1);
            if let Some(next) = next {
                self.called.set(true);
                return next.wake();
            }
        }
    }

    fn want_turn(&self) {
        if !self.is_turn_wanted.replace(true)
            && let Some(worker) = self.worker.borrow_mut().take()
        {
            worker.wake();
        }
    }
}

/// One connection's place among those that wait.
pub(super) struct Pass<'a> {
    pace: &'a Pace,
    /// Its number, while it waits.
    number: Option<u64>,
}

impl<'a> Pass<'a> {
    /// For a connection that does not wait.
    pub(super) fn new(pace: &'a Pace) -> Pass<'a> {
        Pass { pace, number: None }
    }

    /// Waits until the connection may work. It does until what is answered is dropped.
    pub(super) fn poll_work(&mut self, cx: &Context<'_>) -> Poll<Work<'a>> {
        let pace = self.pace;
        let mut waiting = pace.waiting.borrow_mut();
        match self.number {
            Some(number) => match number.checked_sub(pace.first.get()) {
                Some(at) => {
                    waiting[at as usize] = Some(cx.waker().clone());
                    return Poll::Pending;
                }
                None => {
                    self.number = None;
                    pace.called.set(false);
                }
            },
            None if waiting.is_empty() && !pace.is_spent() => {}
            None => {
                self.number = Some(pace.first.get() + waiting.len() as u64);
                waiting.push_back(Some(cx.waker().clone()));
                if pace.is_spent() {
                    pace.want_turn();
                }
                return Poll::Pending;
            }
        }
        pace.since.set(Some(Instant::now()));
        pace.begun.set(0);
        Poll::Ready(Work(pace))
    }
}

impl Drop for Pass<'_> {
    fn drop(&mut self) {
        let Some(number) = self.number else { return };
        match number.checked_sub(self.pace.first.get()) {
            Some(at) => self.pace.waiting.borrow_mut()[at as usize] = None,
            // It was called and will not come.
            None => {
                self.pace.called.set(false);
                self.pace.go_on();
            }
        }
    }
}

/// A connection works, for as long as this lives.
pub(super) struct Work<'a>(&'a Pace);

impl Drop for Work<'_> {
    fn drop(&mut self) {
        self.0.spent.set(self.0.worked());
        self.0.since.set(None);
        self.0.go_on();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::Wake;

    #[derive(Default)]
    struct Calls(AtomicUsize);

    impl Wake for Calls {
        fn wake(self: Arc<Calls>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Somebody who may be woken.
    #[derive(Default)]
    struct Task(Arc<Calls>);

    impl Task {
        fn waker(&self) -> Waker {
            Arc::clone(&self.0).into()
        }

        fn is_called(&self) -> bool {
            self.0.0.swap(0, Ordering::Relaxed) > 0
        }

        /// Works for no time, if it may.
        fn works(&self, pass: &mut Pass<'_>) -> bool {
            pass.poll_work(&Context::from_waker(&self.waker())).is_ready()
        }

        fn wants_turn(&self, pace: &Pace) -> bool {
            pace.poll_turn(&Context::from_waker(&self.waker())).is_ready()
        }
    }

    const LONG: Duration = Duration::from_secs(3600);

    #[test]
    fn whoever_comes_while_there_is_time_does_not_wait_and_wants_no_turn() {
        let (pace, worker, task) = (Pace::new(LONG), Task::default(), Task::default());
        let mut passes = [Pass::new(&pace), Pass::new(&pace)];
        for _ in 0..1000 {
            assert!(passes.iter_mut().all(|pass| task.works(pass)));
        }
        assert!(!worker.wants_turn(&pace) && !worker.is_called());
    }

    #[test]
    fn when_time_is_spent_a_turn_is_wanted_and_all_wait_for_it_in_their_order() {
        let (pace, worker) = (Pace::new(Duration::from_nanos(1)), Task::default());
        let tasks: [Task; 4] = Default::default();
        let mut passes = [(); 4].map(|()| Pass::new(&pace));
        assert!(!worker.wants_turn(&pace));
        assert!(tasks[0].works(&mut passes[0]), "there is time");
        for _ in 0..2 {
            for at in [2, 3, 1, 0] {
                assert!(!tasks[at].works(&mut passes[at]), "it is spent");
            }
        }
        assert!(worker.is_called() && worker.wants_turn(&pace));
        for at in [2, 3, 1, 0] {
            pace.turned();
            assert!(tasks[at].is_called());
            assert!(!tasks.iter().any(Task::is_called), "one works at a time");
            assert!(tasks[at].works(&mut passes[at]));
            assert_eq!(worker.wants_turn(&pace), at != 0, "for those who wait still");
        }
    }

    #[test]
    fn while_there_is_time_each_that_has_worked_calls_the_next() {
        let (mut pace, worker) = (Pace::new(Duration::ZERO), Task::default());
        pace.budget = LONG;
        pace.spent.set(LONG);
        let tasks: [Task; 3] = Default::default();
        let mut passes = [(); 3].map(|()| Pass::new(&pace));
        for (task, pass) in tasks.iter().zip(&mut passes) {
            assert!(!task.works(pass));
        }
        pace.turned();
        for (task, pass) in tasks.iter().zip(&mut passes) {
            assert!(task.is_called() && task.works(pass));
        }
        assert!(!worker.wants_turn(&pace));
    }

    #[test]
    fn whoever_goes_while_it_waits_or_when_it_is_called_keeps_nobody() {
        let pace = Pace::new(LONG);
        pace.spent.set(LONG);
        let tasks: [Task; 4] = Default::default();
        let mut passes = [(); 4].map(|()| Some(Pass::new(&pace)));
        for (task, pass) in tasks.iter().zip(passes.iter_mut().flatten()) {
            assert!(!task.works(pass));
        }
        passes[1] = None;
        pace.turned();
        assert!(tasks[0].is_called());
        passes[0] = None;
        assert!(tasks[2].is_called() && !tasks[1].is_called());
        let mut last = passes[2].take().expect("it is there");
        assert!(tasks[2].works(&mut last) && tasks[3].is_called());
    }
}
