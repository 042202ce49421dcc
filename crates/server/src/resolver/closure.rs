// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Closure`]: asks a function of the embedding program, on a runtime of its own.
//!
//! Both the function and its future run there, and so does everything that is done to what they
//! return.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use oyez_protocol::channel::ChannelName;
use tokio::runtime::Handle;

use super::failure::Failure;
use super::source::TruthClosure;
use super::{Bounds, Outcome, answer};
use crate::outgoing::program;

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
        let asked = async move {
            let _counted = counted;
            match closure(channel.as_str()).await {
                Ok(value) => answer::of_value(value, bounds.answer_bytes),
                Err(error) => Err(Failure::Closure(program::reason(&*error))),
            }
        };
        program::run(&self.runtime, within, asked).await?
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
