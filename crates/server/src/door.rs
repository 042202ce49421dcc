// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Door`]: how HTTP calls reach the homes of channels, and how their answers come back.
//!
//! A door belongs to the HTTP tasks of one worker's thread. It posts their commands to the homes
//! concerned, and answers a call when each home has done its part, or, where a home has nothing to
//! say, when it has the command in its queue. Either way what was answered is in order before
//! anything that is sent because of the answer.

use oyez_core::{
    Answer, ChannelInfo, ChannelKey, Command, ListFrom, Publication, Room, Ticket, Wanted, WorkerId,
};
use oyez_protocol::channel::ChannelName;
use oyez_protocol::user::UserId;
use slab::Slab;
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use tokio::sync::{Notify, oneshot};

use crate::apps::App;
use crate::shared::Shared;
use crate::worker::mail::{Ended, Letter, Post};

/// The way from one worker's HTTP tasks to all homes.
#[derive(Clone)]
pub(crate) struct Door(Rc<Inner>);

struct Inner {
    shared: Arc<Shared>,
    worker: WorkerId,
    post: Post,
    calls: RefCell<Slab<Call>>,
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
    pub(crate) fn new(shared: Arc<Shared>, worker: WorkerId, post: Post) -> Door {
        Door(Rc::new(Inner {
            shared,
            worker,
            post,
            calls: RefCell::default(),
            room: Notify::new(),
            waiting: Cell::new(0),
        }))
    }

    /// Publishes all of them, in order. Answers one info for each, in the same order; none at all
    /// when nobody wanted any. All or nothing: an error means that nothing was published.
    pub(crate) async fn publish(
        &self,
        app: &Arc<App>,
        publications: Vec<Publication>,
    ) -> Result<Vec<ChannelInfo>, Unavailable> {
        let shared = &self.0.shared;
        if shared.draining.load(Ordering::Acquire) {
            return Err(Unavailable::Draining);
        }
        let room = shared.room_for_channel(app.index);
        if room == Room::Gone && publications.len() > 1 && publications.iter().any(remembers) {
            // Only the home knows whether the channel exists, and then it is too late for the
            // others.
            return Err(Unavailable::Channels);
        }
        while shared.is_backlogged() {
            self.0.waiting.set(self.0.waiting.get() + 1);
            self.0.room.notified().await;
            if shared.draining.load(Ordering::Acquire) {
                return Err(Unavailable::Draining);
            }
        }
        if !publications.iter().any(awaits_home) {
            for publication in publications {
                self.post_publication(app, publication, room, None).map_err(unavailable)?;
            }
            return Ok(Vec::new());
        }
        let mut publications = publications.into_iter();
        let answers = self.call(publications.len(), |ticket| {
            let publication = publications.next().expect("one for each part");
            self.post_publication(app, publication, room, Some(ticket))
        });
        let answers = answers.await.map_err(unavailable)?;
        if answers.contains(&Answer::NoRoom) {
            return Err(Unavailable::Channels);
        }
        Ok(answers.into_iter().map(info).collect())
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

    /// The occupied channels whose names begin with `prefix`, sorted by name: each that is there
    /// during the whole call. No home is asked for too many of them at once.
    pub(crate) async fn list(
        &self,
        app: &Arc<App>,
        prefix: String,
        wanted: Wanted,
    ) -> BTreeMap<ChannelName, ChannelInfo> {
        let homes = (0..self.0.post.workers() as u16).map(WorkerId);
        let mut unfinished: Vec<_> = homes.map(|home| (home, ListFrom::START)).collect();
        let mut channels = BTreeMap::new();
        while !unfinished.is_empty() {
            let answers = self.call(unfinished.len(), |ticket| {
                let (app, prefix) = (app.index, prefix.clone());
                let (home, from) = unfinished[ticket.part as usize];
                let command = Command::List { app, prefix, wanted, from, ticket };
                self.0.post.send(home, Letter::Command(command))
            });
            let answers = answers.await.unwrap_or_default();
            let asked = std::mem::take(&mut unfinished);
            for ((home, _), answer) in asked.into_iter().zip(answers) {
                if let Answer::Channels(some, more) = answer {
                    channels.extend(some);
                    unfinished.extend(more.map(|from| (home, from)));
                }
            }
        }
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

    fn post_publication(
        &self,
        app: &App,
        publication: Publication,
        room: Room,
        ticket: Option<Ticket>,
    ) -> Result<(), Ended> {
        let Publication { channel, event, data, exclude, wanted } = publication;
        let key = self.key(app, channel);
        let home = key.home(self.0.post.workers());
        let command = Command::Publish { key, event, data, exclude, wanted, room, ticket };
        self.0.post.send(home, Letter::Command(command))
    }

    /// One question to one home.
    async fn ask(
        &self,
        key: ChannelKey,
        command: impl FnOnce(ChannelKey, Ticket) -> Command,
    ) -> Answer {
        let home = key.home(self.0.post.workers());
        let mut once = Some((key, command));
        let answers = self.call(1, |ticket| {
            let (key, command) = once.take().expect("there is one part");
            self.0.post.send(home, Letter::Command(command(key, ticket)))
        });
        answers.await.ok().and_then(|mut answers| answers.pop()).unwrap_or(Answer::Done)
    }

    /// Sends one command for each part and waits for all answers, which come in the order of the
    /// parts.
    async fn call(
        &self,
        parts: usize,
        mut send: impl FnMut(Ticket) -> Result<(), Ended>,
    ) -> Result<Vec<Answer>, Ended> {
        let (done, answers) = oneshot::channel();
        let call = Call { answers: (0..parts).map(|_| None).collect(), missing: parts, done };
        let (worker, call) = (self.0.worker, self.0.calls.borrow_mut().insert(call) as u32);
        for part in 0..parts as u32 {
            if send(Ticket { worker, call, part }).is_err() {
                // Nobody would ever answer this part. The call stays where it is, so that answers to
                // the other parts never meet another call; the server is about to end anyway.
                return Err(Ended);
            }
        }
        let answers = answers.await.map_err(|_| Ended)?;
        Ok(answers.into_iter().flatten().collect())
    }
}

/// A worker ends only when the server stops.
fn unavailable(_: Ended) -> Unavailable {
    Unavailable::Draining
}

/// Whether only the home can say that the event is in order, or something else that is wanted.
fn awaits_home(publication: &Publication) -> bool {
    publication.wanted.anything() || remembers(publication)
}

/// Whether the channel exists once it is published to.
fn remembers(publication: &Publication) -> bool {
    publication.channel.kind().cache
}

fn info(answer: Answer) -> ChannelInfo {
    match answer {
        Answer::Channel(info) => info,
        _ => ChannelInfo::default(),
    }
}
