// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Resolver`]: asks the backend for a channel's truth (truth 5.6).
//!
//! **What it promises.** Each question gets exactly one [`Outcome`], unless the server stops: what
//! the backend answered in time and within bounds, or why it did not. Asking never waits. A source
//! that hangs, floods or lies costs its own channels their answer and nobody else theirs.
//!
//! **What it never does.** It does not decide when to ask, and never repeats a question: that is
//! the core's, which has at most one question per channel on its way. It follows no redirect,
//! keeps no answer, and runs no code of an embedding app on its own thread.
//!
//! **What is bounded.** Calls in flight ([`Line`](line::Line): fair among sources), the time of
//! each, the bytes and the depth of each answer. Questions that wait are bounded by the channels
//! that there are.
//!
//! **Who owns what.** Workers put questions into a queue; everything else belongs to one thread of
//! our own, which also calls back with the answers. Without sources there is no such thread.
//!
//! ```text
//! worker → queue → thread: line → call → (post | closure) → answer → worker
//! ```

mod answer;
mod call;
mod closure;
mod failure;
mod line;
mod post;
mod report;
mod source;
mod stats;
#[cfg(test)]
mod tests;
mod thread;

use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::Duration;

use oyez_core::{AppIndex, WorkerId};
use oyez_protocol::channel::ChannelName;
use tokio::sync::{mpsc as queue, watch};

pub(crate) use failure::FailureKind;
pub(crate) use source::Sources;
pub use source::{SourceKind, SourceOptions, SourcesError, TruthClosure, TruthFuture};
pub(crate) use stats::{CALL_BUCKETS, SourceStats};

use thread::Plan;

/// Asks for truths. Cheap to clone; every worker has one. When the last one is dropped it ends
/// like after [`Resolver::stop`].
#[derive(Clone, Debug)]
pub(crate) struct Resolver {
    running: Option<Arc<Running>>,
}

#[derive(Debug)]
struct Running {
    questions: queue::UnboundedSender<Question>,
    stop: watch::Sender<Stage>,
    ended: Mutex<mpsc::Receiver<()>>,
}

/// Whether the thread shall go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Running,
    Stopping,
}

/// What a channel's truth is, please.
#[derive(Clone, Debug)]
pub(crate) struct Question {
    /// The channel's app: its id is told to the backend, its secret signs.
    pub(crate) app: AppIndex,
    /// Whom to ask.
    pub(crate) source: SourceIndex,
    /// The channel.
    pub(crate) channel: ChannelName,
    /// Comes back with the outcome.
    pub(crate) ticket: ResolveTicket,
}

/// A source, by its place in the list that [`Sources::new`] was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct SourceIndex(pub(crate) u32);

/// Who asked, and which of their questions it was. Nothing here reads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct ResolveTicket {
    /// Whose question it is.
    pub(crate) worker: WorkerId,
    /// Which of the worker's questions.
    pub(crate) number: u64,
}

/// What came of a question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The backend answered 200 with a value, or the closure gave one.
    Truth {
        /// The value as JSON without white space between its tokens, otherwise as it came: keys in
        /// their order, numbers and escapes as they were written. At most as many bytes as
        /// [`Bounds::answer_bytes`] and at most [`DEPTH`] deep, so any parser takes it.
        data: String,
        /// The header `Oyez-Version`, or else the value's own field `version` where that is a
        /// whole number and the value an object.
        version: Option<u64>,
    },
    /// The backend answered 404, or the closure gave `None`: the channel has no truth.
    None,
    /// Neither: the reason, for logs and the console, in one line of at most some hundred bytes.
    /// Holds no secret and no query of a URL; of a closure's own error it holds the text.
    Failed(String),
}

/// An answer that is nested deeper is refused: common parsers would not take it.
pub(crate) const DEPTH: usize = 127;

/// What the resolver may use.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    /// Calls in flight, of all sources together. One source alone gets half of them, rounded up.
    /// At least 1.
    pub(crate) calls: usize,
    /// Bytes of an answer; a longer one is cut off and fails.
    pub(crate) answer_bytes: usize,
}

impl Resolver {
    /// Starts the thread, when there is any source. From then on `answer` is called on that thread
    /// with each outcome: it must neither wait nor panic.
    ///
    /// # Errors
    /// When the machine gives no thread.
    pub(crate) fn start(
        sources: Sources,
        bounds: Bounds,
        answer: impl Fn(ResolveTicket, Outcome) + Send + Sync + 'static,
    ) -> Result<Resolver, std::io::Error> {
        if sources.is_empty() {
            return Ok(Resolver { running: None });
        }
        // Not bounded here: the core has one question per channel on its way, at most.
        let (questions, arrivals) = queue::unbounded_channel();
        let (stop, stop_told) = watch::channel(Stage::Running);
        let (ended_tell, ended) = mpsc::channel();
        let plan = Plan { sources, bounds, arrivals, stop: stop_told, answer: Box::new(answer) };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .thread_name("resolver-aside")
            .build()?;
        std::thread::Builder::new().name("resolver".to_owned()).spawn(move || {
            plan.run(&runtime);
            // A name look-up that hangs must not hold up the end.
            runtime.shutdown_background();
            let _ = ended_tell.send(());
        })?;
        Ok(Resolver {
            running: Some(Arc::new(Running { questions, stop, ended: Mutex::new(ended) })),
        })
    }

    /// Asks. Never waits; the outcome comes by the callback. A question to a stopped resolver gets
    /// none.
    pub(crate) fn ask(&self, question: Question) {
        if let Some(running) = &self.running {
            let _ = running.questions.send(question);
        }
    }

    /// Drops all calls and all questions and ends. No outcome comes after it has returned. Blocks
    /// for an instant: as long as the callback takes, at most [`LONGEST_STOP`].
    pub(crate) fn stop(&self) {
        let Some(running) = &self.running else { return };
        running.stop.send_replace(Stage::Stopping);
        let ended = running.ended.lock().unwrap_or_else(PoisonError::into_inner);
        if ended.recv_timeout(LONGEST_STOP) == Err(mpsc::RecvTimeoutError::Timeout) {
            tracing::error!("the resolver's thread did not end in time");
        }
    }
}

/// Stopping waits no longer for the thread, which has nothing to wait for.
const LONGEST_STOP: Duration = Duration::from_secs(1);
