// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Committer`]: the one thread that drives a [`Journal`]; [`Appender`]: the way to it.
//!
//! Whatever queued while the last commit ran goes with the next one: no timer, and under load few
//! syncs for many appends. Homes post and never wait; they are told up to which mark everything
//! of theirs is durable. The channel has no bound of its own, so that workers never wait for the
//! disk: whoever lets publishers in looks at [`Appender::waiting_bytes`].
//!
//! The thread owns the journal and what is pending. Shared are the channel, [`Stats`], the count
//! of waiting bytes, and the flag that says "failed", which is never taken back.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::thread::{self, JoinHandle, Thread};
use std::time::{Duration, Instant};

use oyez_core::{Append, Mark, Urgency, WorkerId};

use crate::journal::Journal;
use crate::pending::{Batch, Bounds, Pending, bytes};
use crate::stats::Stats;

/// How long appends that nobody waits for may wait for company.
const RELAXED_WAIT: Duration = Duration::from_millis(50);

/// What a home is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Report {
    /// Its appends up to this mark would survive now.
    Committed(Mark),
    /// A commit failed: nothing after the last committed mark ever will. Told once.
    Failed(Arc<str>),
}

/// The thread that commits.
#[derive(Debug)]
pub struct Committer {
    appender: Appender,
    thread: Option<JoinHandle<()>>,
}

/// Posts appends to the committer. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Appender {
    sender: Sender<Message>,
    shared: Arc<Shared>,
    thread: Thread,
}

#[derive(Debug, Default)]
pub(crate) struct Shared {
    waiting_bytes: AtomicUsize,
    is_failed: AtomicBool,
    stats: Stats,
}

#[derive(Debug)]
pub(crate) enum Message {
    Append(WorkerId, Append),
    Stop,
}

impl Committer {
    /// Starts the thread. `report` is called on it, for homes `0..homes`, in the order of commits;
    /// it must not block.
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn start(
        journal: Box<dyn Journal>,
        homes: usize,
        report: impl Fn(WorkerId, Report) + Send + 'static,
    ) -> std::io::Result<Committer> {
        let (sender, receiver) = channel();
        let shared = Arc::new(Shared::default());
        let mut work = Work::new(journal, homes, report, Arc::clone(&shared), Bounds::default());
        let thread =
            thread::Builder::new().name("journal".into()).spawn(move || work.run(&receiver))?;
        let appender = Appender { sender, shared, thread: thread.thread().clone() };
        Ok(Committer { appender, thread: Some(thread) })
    }

    /// The way to it.
    pub fn appender(&self) -> Appender {
        self.appender.clone()
    }

    /// Commits what was posted until now and ends the thread. A call that lacks parts is not
    /// committed, nor is what its homes posted after it.
    pub fn stop(mut self) {
        self.end();
    }

    fn end(&mut self) {
        let Some(thread) = self.thread.take() else { return };
        // Fails only when the thread has ended already.
        let _ = self.appender.sender.send(Message::Stop);
        self.appender.thread.unpark();
        // Whatever made it panic has been said by the hook.
        let _ = thread.join();
    }
}

impl Drop for Committer {
    fn drop(&mut self) {
        self.end();
    }
}

impl Appender {
    /// Posts an append of that home, one of the `homes` of the start; never blocks. Appends of one home are kept in the order in
    /// which they are posted. After a failed commit, or after the committer was stopped, they are
    /// dropped and never reported committed.
    pub fn append(&self, home: WorkerId, append: Append) {
        if self.is_failed() {
            return;
        }
        let bytes = bytes(&append);
        let is_urgent = append.urgency == Urgency::Gated || append.part.is_some();
        let waiting = self.shared.waiting_bytes.fetch_add(bytes, Ordering::SeqCst);
        if self.sender.send(Message::Append(home, append)).is_err() {
            self.shared.waiting_bytes.fetch_sub(bytes, Ordering::SeqCst);
        }
        // When something waits already the thread is awake, or wakes within `RELAXED_WAIT`.
        if is_urgent || waiting == 0 {
            self.thread.unpark();
        }
    }

    /// Bytes that were posted and are not durable yet.
    pub fn waiting_bytes(&self) -> usize {
        self.shared.waiting_bytes.load(Ordering::Relaxed)
    }

    /// Whether a commit has failed: then nothing becomes durable any more.
    pub fn is_failed(&self) -> bool {
        self.shared.is_failed.load(Ordering::Acquire)
    }

    /// What was counted.
    pub fn stats(&self) -> &Stats {
        &self.shared.stats
    }
}

/// What the thread owns.
pub(crate) struct Work<R> {
    journal: Box<dyn Journal>,
    homes: usize,
    report: R,
    shared: Arc<Shared>,
    pending: Pending,
    /// When appends that nobody waits for began to wait for company.
    since: Option<Instant>,
    /// The greatest mark of each home in the batch.
    marks: Vec<Option<Mark>>,
}

impl<R: Fn(WorkerId, Report)> Work<R> {
    pub(crate) fn new(
        journal: Box<dyn Journal>,
        homes: usize,
        report: R,
        shared: Arc<Shared>,
        bounds: Bounds,
    ) -> Work<R> {
        shared.stats.sized(journal.bytes());
        let (pending, marks) = (Pending::new(homes, bounds), vec![None; homes]);
        Work { journal, homes, report, shared, pending, since: None, marks }
    }

    /// Serves the channel until somebody posts [`Message::Stop`].
    pub(crate) fn run(&mut self, receiver: &Receiver<Message>) {
        loop {
            let received =
                if self.pending.is_full() { Received::Nothing } else { self.receive(receiver) };
            match received {
                Received::Append => continue,
                Received::Nothing => {}
                Received::End => break,
            }
            let Some(wait) = self.turn() else { continue };
            // Full of what waits for the rest of its call: the rest must get in.
            match self.receive(receiver) {
                Received::Append => {}
                Received::Nothing => wait.park(),
                Received::End => break,
            }
        }
        self.finish(receiver);
    }

    fn receive(&mut self, receiver: &Receiver<Message>) -> Received {
        match receiver.try_recv() {
            Ok(Message::Append(_, append)) if self.is_failed() => {
                self.done(bytes(&append));
                Received::Append
            }
            Ok(Message::Append(home, append)) => {
                self.pending.push(home, append);
                Received::Append
            }
            Err(TryRecvError::Empty) => Received::Nothing,
            Ok(Message::Stop) | Err(TryRecvError::Disconnected) => Received::End,
        }
    }

    /// Commits what is ready; says how long to wait for more when nothing is.
    fn turn(&mut self) -> Option<Wait> {
        if self.pending.is_empty() {
            self.since = None;
            // Who adds to nothing unparks; who adds to something is waited for a little.
            let nothing = self.shared.waiting_bytes.load(Ordering::SeqCst) == 0;
            return Some(if nothing { Wait::Long } else { Wait::Short(RELAXED_WAIT) });
        }
        if !self.pending.is_gated() && !self.pending.is_full() {
            let waited = self.since.get_or_insert_with(Instant::now).elapsed();
            if let Some(left) = RELAXED_WAIT.checked_sub(waited).filter(|left| !left.is_zero()) {
                return Some(Wait::Short(left));
            }
        }
        self.since = None;
        let batch = self.pending.take_complete();
        if batch.is_empty() {
            return Some(Wait::Short(RELAXED_WAIT));
        }
        self.commit(batch);
        None
    }

    fn commit(&mut self, batch: Batch) {
        let begun = Instant::now();
        let journal = &mut self.journal;
        let result = catch_unwind(AssertUnwindSafe(|| journal.commit(&batch.appends)));
        let reason = match result {
            Ok(Ok(())) => return self.committed(&batch, begun.elapsed()),
            Ok(Err(error)) => error.to_string(),
            Err(_) => "the journal panicked: nothing is durable any more".to_owned(),
        };
        self.shared.is_failed.store(true, Ordering::Release);
        let given_up = self.pending.clear();
        self.done(batch.bytes + given_up.bytes);
        let reason: Arc<str> = reason.into();
        for home in 0..self.homes {
            (self.report)(WorkerId(home as u16), Report::Failed(Arc::clone(&reason)));
        }
    }

    fn committed(&mut self, batch: &Batch, took: Duration) {
        let records = batch.appends.iter().map(|append| append.records.len() as u64).sum();
        self.shared.stats.committed(batch.appends.len() as u64, records, took);
        self.shared.stats.sized(self.journal.bytes());
        self.done(batch.bytes);
        for (home, append) in batch.from.iter().zip(&batch.appends) {
            self.marks[usize::from(home.0)] = Some(append.mark);
        }
        for (home, mark) in self.marks.iter_mut().enumerate() {
            if let Some(mark) = mark.take() {
                (self.report)(WorkerId(home as u16), Report::Committed(mark));
            }
        }
    }

    fn finish(&mut self, receiver: &Receiver<Message>) {
        let batch = self.pending.take_complete();
        if !batch.is_empty() {
            self.commit(batch);
        }
        let given_up = self.pending.clear();
        self.done(given_up.bytes);
        for message in receiver.try_iter() {
            if let Message::Append(_, append) = message {
                self.done(bytes(&append));
            }
        }
    }

    fn done(&self, bytes: usize) {
        self.shared.waiting_bytes.fetch_sub(bytes, Ordering::SeqCst);
    }

    fn is_failed(&self) -> bool {
        self.shared.is_failed.load(Ordering::Acquire)
    }
}

/// What came out of the channel.
#[derive(Clone, Copy, Debug)]
enum Received {
    Append,
    Nothing,
    /// The committer is to stop.
    End,
}

/// How long to wait for more.
#[derive(Clone, Copy, Debug)]
enum Wait {
    /// Until somebody wakes the thread.
    Long,
    /// At most so long.
    Short(Duration),
}

impl Wait {
    fn park(self) {
        match self {
            Wait::Long => thread::park(),
            Wait::Short(time) => thread::park_timeout(time),
        }
    }
}
