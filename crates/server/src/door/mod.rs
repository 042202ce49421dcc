// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Door`]: how HTTP calls reach the homes of channels, and how their answers come back.
//!
//! A door belongs to the HTTP tasks of one worker's thread. It posts their commands to the homes
//! concerned, and answers a call when each home has done its part, or, where a home has nothing to
//! say, when it has the command in its queue. Either way what was answered is in order before
//! anything that is sent because of the answer.

mod once;
mod order;

use oyez_core::{
    Answer, CallId, Caller, ChannelInfo, ChannelKey, Command, Durability, ListFrom, Part, Room,
    Ticket, Wanted, When, WorkerId,
};
use oyez_protocol::api::ReadHistory;
use oyez_protocol::channel::ChannelName;
use oyez_protocol::position::Offset;
use oyez_protocol::user::UserId;
use slab::Slab;
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::sync::{Notify, oneshot};

use crate::apps::App;
use crate::shared::Shared;
use crate::worker::mail::{Ended, Letter, Post};
pub(crate) use once::{Composed, Idempotency, Once};
pub(crate) use order::{Order, What};

/// The way from one worker's HTTP tasks to all homes.
#[derive(Clone)]
pub(crate) struct Door(Rc<Inner>);

struct Inner {
    shared: Arc<Shared>,
    worker: WorkerId,
    post: Post,
    calls: RefCell<Slab<Call>>,
    /// Of calls that touch several homes.
    serial: Cell<u64>,
    /// Wakes calls that wait for the backlog to shrink.
    room: Notify,
    waiting: Cell<usize>,
}

struct Call {
    answers: Vec<Option<Answer>>,
    missing: usize,
    done: oneshot::Sender<Vec<Option<Answer>>>,
}

/// Why a call was not done. Nothing of it was.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unable {
    /// The server is about to stop.
    #[error("the server is shutting down: send this to another, or again in a moment")]
    Draining,
    /// The app has as many channels as it may.
    #[error("the app has too many channels (limits.channels)")]
    Channels,
    /// The channels remember as much as they may.
    #[error("the channels remember as much as they may (limits.memory_bytes)")]
    Memory,
    /// The channels of one home hold as much as they may.
    #[error("the channels remember as much as they may (limits.memory_bytes)")]
    MemoryFull,
    /// Nothing can be made durable any more.
    #[error("the server cannot store anything any more and is about to stop: see its log")]
    JournalFailed,
    /// The channel has no memory.
    #[error(
        "{0} has no memory: give it `replay`, `history` or `truth` with a rule in [[apps.channels]]"
    )]
    NoMemory(ChannelName),
    /// By its rule the event is a truth, but its data is none.
    #[error("the data of this event on {channel} is the channel's truth and must be JSON: {error}")]
    NotJson {
        /// The channel.
        channel: ChannelName,
        /// What is wrong with the data.
        error: String,
    },
    /// By its rule the event is a truth, but larger than one may be.
    #[error("the truth would be larger than it may be (limits.truth_bytes)")]
    TruthTooLarge,
    /// Something that depends on what a channel holds is one of several.
    #[error(
        "a merge, a patch, a condition, or a truth without an `event` where the rule names none must \
         stand alone in its call: whether it applies is not known before, and a call is done as a \
         whole or not at all"
    )]
    NotAlone,
}

/// Orders that can be carried out, and what is known of their channels.
struct Plan {
    orders: Vec<(Order, Fate)>,
    room: Room,
}

/// Whose word an order needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    /// Nobody's: once its home has it in its queue it is in order.
    Posted,
    /// Its home's.
    Decided,
    /// Its home's, which also adds to the journal.
    Kept,
}

impl Plan {
    /// Ties the appends of several homes together, with so many beside.
    fn part(&self, door: &Door, beside: u32) -> Option<Part> {
        let kept = self.orders.iter().filter(|(_, fate)| *fate == Fate::Kept).count() as u32;
        let parts = kept + beside;
        (parts > 1).then(|| Part { call: door.call_id(), parts })
    }
}

impl Door {
    pub(crate) fn new(shared: Arc<Shared>, worker: WorkerId, post: Post) -> Door {
        Door(Rc::new(Inner {
            shared,
            worker,
            post,
            calls: RefCell::default(),
            serial: Cell::new(0),
            room: Notify::new(),
            waiting: Cell::new(0),
        }))
    }

    /// Does what a call wants, in order. Answers one answer for each order; none at all when no
    /// home has anything to say. All or nothing: an error means that nothing was done.
    pub(crate) async fn carry_out_all(
        &self,
        app: &Arc<App>,
        orders: Vec<Order>,
    ) -> Result<Vec<Answer>, Unable> {
        self.let_in().await?;
        let plan = self.prepare(app, orders)?;
        let part = plan.part(self, 0);
        self.carry_out(app, plan, part, When::Durable).await
    }

    /// Waits until there is room for more.
    async fn let_in(&self) -> Result<(), Unable> {
        let shared = &self.0.shared;
        loop {
            if shared.draining.load(Ordering::Acquire) {
                return Err(Unable::Draining);
            }
            if !shared.is_backlogged() {
                return Ok(());
            }
            self.0.waiting.set(self.0.waiting.get() + 1);
            self.0.room.notified().await;
        }
    }

    /// Checks everything that can be known before.
    fn prepare(&self, app: &Arc<App>, orders: Vec<Order>) -> Result<Plan, Unable> {
        let shared = &self.0.shared;
        let is_alone = orders.len() == 1;
        let room = shared.room_for_channel(app.index);
        let is_memory_short = self.is_memory_short();
        let plan = |order: Order| {
            let rule = app.rules.find(&order.channel).map(|rule| &**rule);
            let order = order.by_rule(rule)?;
            if order.weight() > shared.options.limits.truth_bytes {
                return Err(Unable::TruthTooLarge);
            }
            if order.is_conditional(rule) && !is_alone {
                return Err(Unable::NotAlone);
            }
            if rule.is_some() && !is_alone {
                // What a home finds out is too late for the others.
                if room == Room::Gone {
                    return Err(Unable::Channels);
                }
                if shared.is_memory_full(self.home_of(app, &order)) {
                    return Err(Unable::MemoryFull);
                }
            }
            if rule.is_some() && !is_alone && is_memory_short {
                // Likewise.
                return Err(Unable::Memory);
            }
            if rule.is_some_and(|rule| rule.durability == Durability::Full)
                && shared.failure().is_some()
            {
                return Err(Unable::JournalFailed);
            }
            let fate = match (order.awaits_home(rule), order.is_kept(rule)) {
                (_, true) => Fate::Kept,
                (true, false) => Fate::Decided,
                (false, false) => Fate::Posted,
            };
            Ok((order, fate))
        };
        let orders = orders.into_iter().map(plan).collect::<Result<_, _>>()?;
        Ok(Plan { orders, room: if is_alone { room } else { Room::Promised } })
    }

    /// Whether some home may soon have no memory left. What homes hold is known as of their last
    /// tick, so a sixteenth is spared for what came since.
    fn is_memory_short(&self) -> bool {
        let shared = &self.0.shared;
        let share = shared.options.limits.memory_bytes.div_ceil(self.workers()) as u64;
        shared.stats.iter().any(|stats| stats.memory_bytes.get() >= share - share / 16)
    }

    async fn carry_out(
        &self,
        app: &Arc<App>,
        plan: Plan,
        part: Option<Part>,
        when: When,
    ) -> Result<Vec<Answer>, Unable> {
        let room = plan.room;
        if plan.orders.iter().all(|(_, fate)| *fate == Fate::Posted) {
            for (order, _) in plan.orders {
                self.post_order(app, order, room, None, None).map_err(unavailable)?;
            }
            return Ok(Vec::new());
        }
        let mut orders = plan.orders.into_iter();
        let answers = self.call(orders.len(), |ticket| {
            let (order, fate) = orders.next().expect("one for each part");
            let part = part.filter(|_| fate == Fate::Kept);
            self.post_order(app, order, room, part, Some(Caller { ticket, when }))
        });
        answers.await.map_err(unavailable)
    }

    /// What is known of one channel.
    pub(crate) async fn inspect(
        &self,
        app: &Arc<App>,
        channel: ChannelName,
        wanted: Wanted,
    ) -> ChannelInfo {
        let key = self.key(app, channel);
        match self.ask(key, |key, ticket| Command::Inspect { key, wanted, ticket }).await {
            Answer::Channel(info) => info,
            _ => ChannelInfo::default(),
        }
    }

    /// A channel's truth; waited for if that is wanted.
    pub(crate) async fn truth(
        &self,
        app: &Arc<App>,
        channel: ChannelName,
        at_least: Option<Offset>,
        patience: Duration,
    ) -> Answer {
        let (key, room) = (self.key(app, channel), self.0.shared.room_for_channel(app.index));
        self.ask(key, |key, ticket| Command::ReadTruth { key, at_least, patience, room, ticket })
            .await
    }

    /// A part of a channel's history.
    pub(crate) async fn history(
        &self,
        app: &Arc<App>,
        channel: ChannelName,
        query: ReadHistory,
    ) -> Answer {
        let key = self.key(app, channel);
        self.ask(key, |key, ticket| Command::ReadHistory { key, query, ticket }).await
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

    fn post_order(
        &self,
        app: &App,
        order: Order,
        room: Room,
        part: Option<Part>,
        caller: Option<Caller>,
    ) -> Result<(), Ended> {
        let key = self.key(app, order.channel.clone());
        let home = key.home(self.workers());
        self.0.post.send(home, Letter::Command(order.command(key, room, part, caller)))
    }

    fn home_of(&self, app: &App, order: &Order) -> WorkerId {
        self.key(app, order.channel.clone()).home(self.workers())
    }

    fn workers(&self) -> usize {
        self.0.post.workers()
    }

    /// Names a call that touches several homes.
    fn call_id(&self) -> CallId {
        let serial = self.0.serial.get() + 1;
        self.0.serial.set(serial);
        CallId { worker: self.0.worker, serial }
    }

    /// One question to the home of a channel.
    async fn ask(
        &self,
        key: ChannelKey,
        command: impl FnOnce(ChannelKey, Ticket) -> Command,
    ) -> Answer {
        let home = key.home(self.workers());
        self.ask_home(home, |ticket| command(key, ticket)).await
    }

    /// One question to one home.
    async fn ask_home(&self, home: WorkerId, command: impl FnOnce(Ticket) -> Command) -> Answer {
        let mut once = Some(command);
        let answers = self.call(1, |ticket| {
            let command = once.take().expect("there is one part");
            self.0.post.send(home, Letter::Command(command(ticket)))
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
fn unavailable(_: Ended) -> Unable {
    Unable::Draining
}
