// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Door`]: how HTTP calls reach the homes of channels, and how their answers come back.
//!
//! A door belongs to one worker's thread: its HTTP tasks put commands there and wait; the worker
//! takes them in its next turn. A call is answered when every home concerned has done its part, or
//! has it in its queue where nothing can overtake it; so what was answered is in order before
//! anything that is sent because of the answer. Nothing here is shared with another thread.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, Waker};

use oyez_core::{Answer, ChannelInfo, ChannelKey, Command, Publication, Ticket, Wanted, WorkerId};
use oyez_protocol::channel::ChannelName;
use oyez_protocol::user::UserId;
use slab::Slab;
use tokio::sync::{Notify, oneshot};

use crate::apps::App;
use crate::shared::Shared;

/// The way from one worker's HTTP tasks to all homes.
#[derive(Clone)]
pub(crate) struct Door(Rc<Inner>);

struct Inner {
    shared: Arc<Shared>,
    worker: WorkerId,
    workers: usize,
    commands: RefCell<Vec<(WorkerId, Command)>>,
    calls: RefCell<Slab<Call>>,
    /// Calls to which no home answers.
    posting: RefCell<Vec<u32>>,
    /// Wakes the worker.
    listener: RefCell<Option<Waker>>,
    /// Wakes calls that wait for the backlog to shrink.
    room: Notify,
    waiting: Cell<usize>,
}

struct Call {
    answers: Vec<Option<Answer>>,
    missing: usize,
    done: oneshot::Sender<Vec<Option<Answer>>>,
}

/// The call cannot be done now: answer 503.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unavailable {
    /// The server is about to stop.
    #[error("the server is shutting down: send this to another, or again in a moment")]
    Draining,
    /// The app has as many channels as it may.
    #[error("the app has too many channels (limits.channels)")]
    Channels,
}

impl Door {
    pub(crate) fn new(shared: Arc<Shared>, worker: WorkerId, workers: usize) -> Door {
        Door(Rc::new(Inner {
            shared,
            worker,
            workers,
            commands: RefCell::default(),
            calls: RefCell::default(),
            posting: RefCell::default(),
            listener: RefCell::default(),
            room: Notify::new(),
            waiting: Cell::new(0),
        }))
    }

    /// Publishes all of them, in order. Answers one info for each, in the same order. All or
    /// nothing: an error means that nothing was published.
    pub(crate) async fn publish(
        &self,
        app: &Arc<App>,
        publications: Vec<Publication>,
    ) -> Result<Vec<ChannelInfo>, Unavailable> {
        let shared = &self.0.shared;
        if shared.draining.load(Ordering::Acquire) {
            return Err(Unavailable::Draining);
        }
        let opens = publications.iter().any(|publication| publication.channel.kind().cache);
        if opens && !shared.has_room_for_channel(app.index) {
            return Err(Unavailable::Channels);
        }
        while shared.is_backlogged() {
            self.0.waiting.set(self.0.waiting.get() + 1);
            self.0.room.notified().await;
        }
        let count = publications.len();
        let mut publications = publications.into_iter();
        let answers = self.call(count, |ticket| {
            let publication = publications.next().expect("one for each part");
            let Publication { channel, event, data, exclude, wanted } = publication;
            let matters = wanted.anything() || channel.kind().cache;
            let key = self.key(app, channel);
            let home = key.home(self.0.workers);
            let ticket = matters.then_some(ticket);
            (home, Command::Publish { key, event, data, exclude, wanted, ticket })
        });
        Ok(answers.await.into_iter().map(info).collect())
    }

    /// What is known of one channel.
    pub(crate) async fn inspect(
        &self,
        app: &Arc<App>,
        channel: ChannelName,
        wanted: Wanted,
    ) -> ChannelInfo {
        let key = self.key(app, channel);
        info(self.ask(key, |key, ticket| Command::Inspect { key, wanted, ticket }).await)
    }

    /// The occupied channels whose names begin with `prefix`, sorted by name.
    pub(crate) async fn list(
        &self,
        app: &Arc<App>,
        prefix: String,
        wanted: Wanted,
    ) -> Vec<(ChannelName, ChannelInfo)> {
        let answers = self.call(self.0.workers, |ticket| {
            let (app, prefix) = (app.index, prefix.clone());
            (WorkerId(ticket.part as u16), Command::List { app, prefix, wanted, ticket })
        });
        let lists = answers.await.into_iter().map(|answer| match answer {
            Answer::Channels(channels) => channels,
            _ => Vec::new(),
        });
        let mut channels: Vec<_> = lists.flatten().collect();
        channels.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
        channels
    }

    /// The users on a presence channel.
    pub(crate) async fn members(&self, app: &Arc<App>, channel: ChannelName) -> Vec<UserId> {
        let key = self.key(app, channel);
        match self.ask(key, |key, ticket| Command::ListMembers { key, ticket }).await {
            Answer::Members(ids) => ids,
            _ => Vec::new(),
        }
    }

    /// Closes all connections of a user, with 4009.
    pub(crate) async fn terminate(&self, app: &Arc<App>, user: UserId) {
        let key = self.key(app, ChannelName::of_user(user.as_str()));
        self.ask(key, |key, ticket| Command::Terminate { key, ticket }).await;
    }

    /// Waits until an HTTP task has put a command.
    pub(crate) fn poll_knocked(&self, cx: &mut Context<'_>) -> Poll<()> {
        if !self.0.commands.borrow().is_empty() {
            return Poll::Ready(());
        }
        let mut listener = self.0.listener.borrow_mut();
        if !listener.as_ref().is_some_and(|waker| waker.will_wake(cx.waker())) {
            *listener = Some(cx.waker().clone());
        }
        Poll::Pending
    }

    /// Takes the commands that were put.
    pub(crate) fn take(&self, commands: &mut Vec<(WorkerId, Command)>) {
        commands.append(&mut self.0.commands.borrow_mut());
    }

    /// Hands an answer to the call that waits for it.
    pub(crate) fn answer(&self, ticket: Ticket, answer: Answer) {
        let mut calls = self.0.calls.borrow_mut();
        let Some(call) = calls.get_mut(ticket.call as usize) else { return };
        call.answers[ticket.part as usize] = Some(answer);
        call.missing -= 1;
        if call.missing == 0 {
            let call = calls.remove(ticket.call as usize);
            // Whoever asked may have gone.
            let _ = call.done.send(call.answers);
        }
    }

    /// All commands that were taken are with their homes, or on their way there: calls that wait
    /// for nothing else are done.
    pub(crate) fn posted(&self) {
        for call in self.0.posting.borrow_mut().drain(..) {
            let call = self.0.calls.borrow_mut().remove(call as usize);
            let _ = call.done.send(call.answers);
        }
    }

    /// Lets calls go on that waited for the backlog to shrink.
    pub(crate) fn relieve(&self) {
        if self.0.waiting.get() > 0 && !self.0.shared.is_backlogged() {
            self.0.waiting.set(0);
            self.0.room.notify_waiters();
        }
    }

    fn key(&self, app: &App, channel: ChannelName) -> ChannelKey {
        self.0.shared.keys.key(app.index, channel)
    }

    async fn ask(
        &self,
        key: ChannelKey,
        command: impl FnOnce(ChannelKey, Ticket) -> Command,
    ) -> Answer {
        let home = key.home(self.0.workers);
        let mut once = Some((key, command));
        let answers = self.call(1, |ticket| {
            let (key, command) = once.take().expect("there is one part");
            (home, command(key, ticket))
        });
        answers.await.pop().unwrap_or(Answer::Done)
    }

    /// Puts one command for each part and waits for all answers, which come in the order of the
    /// parts.
    async fn call(
        &self,
        parts: usize,
        command: impl FnMut(Ticket) -> (WorkerId, Command),
    ) -> Vec<Answer> {
        if parts == 0 {
            return Vec::new();
        }
        let answers = self.put(parts, command);
        let answers = answers.await.expect("a call is removed only with all its answers");
        answers.into_iter().flatten().collect()
    }

    /// Puts the commands of a call; what it waits for comes through the receiver.
    fn put(
        &self,
        parts: usize,
        mut command: impl FnMut(Ticket) -> (WorkerId, Command),
    ) -> oneshot::Receiver<Vec<Option<Answer>>> {
        let (done, answers) = oneshot::channel();
        let mut calls = self.0.calls.borrow_mut();
        let entry = calls.vacant_entry();
        let (worker, call) = (self.0.worker, entry.key() as u32);
        let mut missing = 0;
        let mut waits = Vec::with_capacity(parts);
        for part in 0..parts as u32 {
            let put = command(Ticket { worker, call, part });
            let answered = !matches!(put.1, Command::Publish { ticket: None, .. });
            missing += usize::from(answered);
            waits.push((!answered).then(|| Answer::Channel(ChannelInfo::default())));
            self.0.commands.borrow_mut().push(put);
        }
        entry.insert(Call { answers: waits, missing, done });
        if missing == 0 {
            self.0.posting.borrow_mut().push(call);
        }
        if let Some(worker) = &*self.0.listener.borrow() {
            worker.wake_by_ref();
        }
        answers
    }
}

fn info(answer: Answer) -> ChannelInfo {
    match answer {
        Answer::Channel(info) => info,
        _ => ChannelInfo::default(),
    }
}
