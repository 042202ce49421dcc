// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Stage`]: one home, two workers and a clock, for interleavings that are played by hand.

use std::time::Duration;

use oyez_core::{
    Answer, AppIndex, AppRules, Cached, Command, Durability, Effect, Home, Item, KeySpace,
    Listener, Millis, Place, Publish, Room, RuleBook, Sight, Ticket, UserPresence, Wanted,
    WorkerId,
};
use oyez_protocol::api::Condition;
use oyez_protocol::socket_id::SocketId;
use oyez_protocol::webhook::{WebhookEvent, WebhookKind};

use crate::heard::{self, Heard, Info, User};
use crate::names;

/// `webhook_delay` on the stage.
pub(crate) const WEBHOOK_DELAY: Duration = Duration::from_secs(3);

const APP: AppIndex = AppIndex(0);

/// What happened, in order, in words that are easy to compare.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Line {
    /// The subscribers of a worker hear it, all but one.
    All(u16, Heard, Option<SocketId>),
    /// A subscription of that slot begins so.
    Begins(u32, Vec<Heard>),
    Refused(u32, Heard),
    Word(u32, UserPresence),
    Close(u32),
    Webhook(WebhookEvent),
    Opened,
    Closed,
}

pub(crate) struct Stage {
    home: Home,
    keys: KeySpace,
    now: Millis,
}

/// The place of a slot; even slots are on the first worker, odd ones on the second.
pub(crate) fn place(slot: u32) -> Place {
    Place { worker: WorkerId((slot % 2) as u16), slot, serial: 1 }
}

pub(crate) fn socket(slot: u32) -> SocketId {
    names::socket_id(WorkerId(0), slot)
}

/// An event of the backend as subscribers hear it.
pub(crate) fn event(data: &str, offset: Option<u64>) -> Heard {
    let (name, data) = ("news".to_owned(), data.to_owned());
    Heard::Event { name, data, user: None, offset, replayed: false }
}

/// The same as a newcomer is shown it.
pub(crate) fn replayed(data: &str, offset: u64) -> Heard {
    let (name, data) = ("news".to_owned(), data.to_owned());
    Heard::Event { name, data, user: None, offset: Some(offset), replayed: true }
}

impl Stage {
    pub(crate) fn new() -> Stage {
        let (webhooks, channels) = (WebhookKind::ALL.to_vec(), RuleBook::default());
        let apps = vec![AppRules { subscription_count: true, webhooks, channels }];
        let rules = names::rules(100, WEBHOOK_DELAY, Durability::Off, apps);
        let home = Home::new(rules, names::start(WorkerId(0), 1));
        Stage { home, keys: KeySpace::new(1), now: Millis(0) }
    }

    fn handle(&mut self, command: Command) -> (Vec<Line>, Option<Answer>) {
        let mut effects = Vec::new();
        self.home.handle(command, self.now, &mut effects);
        lines(effects)
    }

    pub(crate) fn subscribe(
        &mut self,
        channel: &str,
        slot: u32,
        member: Option<(User, Info)>,
    ) -> Vec<Line> {
        let key = names::channel_key(&self.keys, APP, channel);
        let member = member.map(|(user, info)| names::member(user, info));
        let (listener, room) = (Listener::default(), Room::Left);
        self.handle(Command::Subscribe { key, place: place(slot), member, listener, room }).0
    }

    pub(crate) fn unsubscribe(
        &mut self,
        channel: &str,
        slot: u32,
        user: Option<User>,
    ) -> Vec<Line> {
        let key = names::channel_key(&self.keys, APP, channel);
        let user = user.map(names::user_id);
        self.handle(Command::Unsubscribe { key, place: place(slot), user }).0
    }

    pub(crate) fn publish(
        &mut self,
        channel: &str,
        data: &str,
        exclude: Option<SocketId>,
    ) -> Vec<Line> {
        let key = names::channel_key(&self.keys, APP, channel);
        let (event, data) = ("news".to_owned(), data.to_owned());
        let publish = Publish {
            key,
            event,
            data,
            exclude,
            condition: Condition::default(),
            wanted: Wanted::default(),
            room: Room::Left,
            part: None,
            caller: None,
        };
        self.handle(Command::Publish(Box::new(publish))).0
    }

    pub(crate) fn client_event(&mut self, channel: &str, data: &str, slot: u32) -> Vec<Line> {
        let key = names::channel_key(&self.keys, APP, channel);
        let (event, data) = ("client-news".to_owned(), data.to_owned());
        let from = socket(slot);
        self.handle(Command::ClientEvent { key, event, data, from, user: None }).0
    }

    /// What `info=cache` says of a channel.
    pub(crate) fn cached(&mut self, channel: &str) -> Option<Cached> {
        let key = names::channel_key(&self.keys, APP, channel);
        let wanted = Wanted { cache: true, ..Wanted::default() };
        match self.handle(Command::Inspect { key, wanted, ticket: ticket() }).1 {
            Some(Answer::Channel(info)) => info.cache.expect("wanted"),
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn sign_in(&mut self, user: User, slot: u32) -> Vec<Line> {
        let key = names::user_key(&self.keys, APP, user);
        self.handle(Command::SignIn { key, place: place(slot) }).0
    }

    pub(crate) fn sign_out(&mut self, user: User, slot: u32) -> Vec<Line> {
        let key = names::user_key(&self.keys, APP, user);
        self.handle(Command::SignOut { key, place: place(slot) }).0
    }

    pub(crate) fn watch(&mut self, user: User, slot: u32) -> Vec<Line> {
        let key = names::user_key(&self.keys, APP, user);
        self.handle(Command::Watch { key, place: place(slot) }).0
    }

    pub(crate) fn terminate(&mut self, user: User) -> Vec<Line> {
        let key = names::user_key(&self.keys, APP, user);
        self.handle(Command::Terminate { key, ticket: ticket() }).0
    }

    /// So much time passes, and what becomes due is done.
    pub(crate) fn wait(&mut self, time: Duration) -> Vec<Line> {
        self.now = self.now + time;
        let mut effects = Vec::new();
        self.home.tick(self.now, &mut effects);
        lines(effects).0
    }
}

fn ticket() -> Ticket {
    Ticket { worker: WorkerId(0), call: 1, part: 0 }
}

fn lines(effects: Vec<Effect>) -> (Vec<Line>, Option<Answer>) {
    let mut answers = Vec::new();
    let mut lines = Vec::new();
    for effect in effects {
        lines.push(match effect {
            Effect::Answer(_, answer) => {
                answers.push(answer);
                continue;
            }
            Effect::Send(worker, Item::Event { frame, exclude, .. }) => {
                Line::All(worker.0, heard::read(&frame).1, exclude)
            }
            Effect::Send(worker, Item::Count { frame, .. }) => {
                Line::All(worker.0, heard::read(&frame).1, None)
            }
            Effect::Send(worker, Item::Entry(delivery)) => match &delivery.sight {
                Sight::Event(frame) => Line::All(worker.0, heard::read(frame).1, delivery.exclude),
                other => panic!("no event: {other:?}"),
            },
            Effect::Send(
                _,
                item @ (Item::Held { .. } | Item::Stretch { .. } | Item::LeftBehind { .. }),
            ) => {
                panic!("nobody fell behind: {item:?}")
            }
            effect @ (Effect::Append(_) | Effect::Ask(_)) => panic!("nothing survives: {effect:?}"),
            Effect::Send(_, Item::Subscribed { place, frames, .. }) => {
                let frames = frames.iter().map(|frame| heard::read(frame).1);
                Line::Begins(place.slot, frames.collect())
            }
            Effect::Send(_, Item::Refused { place, frame, .. }) => {
                Line::Refused(place.slot, heard::read(&frame).1)
            }
            Effect::Send(_, Item::Presence { place, presence, .. }) => {
                Line::Word(place.slot, presence)
            }
            Effect::Send(_, Item::Close { place, .. }) => Line::Close(place.slot),
            Effect::Webhook(_, event) => Line::Webhook(event),
            Effect::Opened(_) => Line::Opened,
            Effect::Closed(_) => Line::Closed,
        });
    }
    assert!(answers.len() <= 1);
    (lines, answers.pop())
}
