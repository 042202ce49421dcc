// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Closure`]: asks a function of the embedding program, on a runtime of its own.
//!
//! Both the function and its future run there, and so does everything that is done to what they
//! return. However long it blocks, whatever it panics with: our thread only waits for the task,
//! and no longer than the time of the call.

use std::any::Any;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use oyez_protocol::channel::ChannelName;
use tokio::runtime::Handle;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::failure::{Failure, one_line};
use super::source::TruthClosure;
use super::{Bounds, Outcome, answer};
use crate::outgoing::client::with_causes;

/// A function and where it runs.
pub(super) struct Closure {
    runtime: Handle,
    closure: TruthClosure,
    /// Tasks that exist, those included that go on after their time because they block.
    tasks: Arc<AtomicUsize>,
}

impl Closure {
    pub(super) fn new(runtime: Handle, closure: TruthClosure) -> Closure {
        Closure { runtime, closure, tasks: Arc::default() }
    }

    /// Asks. At most as many tasks exist as calls may be in flight.
    pub(super) async fn ask(
        &self,
        channel: ChannelName,
        within: Duration,
        bounds: Bounds,
    ) -> Result<Outcome, Failure> {
        let counted = Counted::new(&self.tasks);
        if counted.before >= bounds.calls {
            return Err(Failure::Stuck(counted.before));
        }
        let closure = Arc::clone(&self.closure);
        let mut task = Aborted(self.runtime.spawn(async move {
            let _counted = counted;
            match closure(channel.as_str()).await {
                Ok(value) => answer::of_value(value, bounds.answer_bytes),
                Err(error) => Err(Failure::Closure(one_line(&with_causes(&*error)))),
            }
        }));
        match timeout(within, &mut task.0).await {
            Ok(Ok(result)) => result,
            Ok(Err(error)) => match error.try_into_panic() {
                Ok(panic) => Err(Failure::Panic(message(panic))),
                Err(_) => Err(Failure::RuntimeEnded),
            },
            Err(_) => Err(Failure::NoAnswer(within)),
        }
    }
}

/// A task that nobody waits for any more ends at its next `await`.
struct Aborted(JoinHandle<Result<Outcome, Failure>>);

impl Drop for Aborted {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Counts a task from now until it is dropped.
struct Counted {
    tasks: Arc<AtomicUsize>,
    before: usize,
}

impl Counted {
    fn new(tasks: &Arc<AtomicUsize>) -> Counted {
        Counted { tasks: Arc::clone(tasks), before: tasks.fetch_add(1, Ordering::Relaxed) }
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.tasks.fetch_sub(1, Ordering::Relaxed);
    }
}

fn message(panic: Box<dyn Any + Send>) -> String {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    one_line(text.unwrap_or("without a message"))
}
