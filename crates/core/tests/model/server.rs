// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Server`]: a start of a server, as what its home was told so far. A home has no copy, so it
//! is made anew by telling it all that again: whatever it answers is decided by that alone.

use std::sync::Arc;
use std::time::Duration;

use oyez_core::{
    AppIndex, AppRules, Bounds, ChannelKey, Command, Effect, Home, KeySpace, Listener, Mark,
    Millis, Pattern, Place, Publish, Room, RuleBook, Rules, Standing, Start, Timestamp, Wanted,
    WorkerId, WrittenHistory, WrittenRule,
};
use oyez_protocol::api::Condition;
use oyez_protocol::channel::ChannelName;
use oyez_protocol::position::Term;
use oyez_protocol::socket_id::SocketId;

use crate::Design;
use crate::common::disk::Disk;

const WORKER: WorkerId = WorkerId(0);

/// Something a home was told.
#[derive(Clone, Debug)]
pub(crate) enum Told {
    Publish(u8),
    Committed(Mark),
    Subscribe(usize, Box<Listener>),
    Unsubscribe(usize),
    CatchUp(usize, Standing),
}

/// See the module.
#[derive(Clone)]
pub(crate) struct Server {
    rules: Arc<Rules>,
    found: Arc<Disk>,
    /// Which start it is.
    nth: usize,
    told: Vec<Told>,
}

pub(crate) fn key() -> ChannelKey {
    let name = ChannelName::parse("LOBBY_1", 164).expect("a valid name");
    KeySpace::new(1).key(AppIndex(0), name)
}

pub(crate) fn place(page: usize) -> Place {
    Place { worker: WORKER, slot: page as u32, serial: 1 }
}

pub(crate) fn term(nth: usize) -> Term {
    Term::parse(&format!("term{nth:04}")).expect("of the right form")
}

pub(crate) fn rules(design: &Design) -> Rules {
    let written = WrittenRule {
        pattern: Pattern::new("*"),
        replay: design.replay,
        history: Some(WrittenHistory { events: Some(design.ring), age: None }),
        durability: Some(design.durability),
        truth: None,
    };
    let bounds = Bounds { bytes: 1 << 20, names: 100, safest: design.durability };
    let channels = RuleBook::new(&[written], bounds);
    Rules {
        presence_members: 100,
        webhook_delay: Duration::from_secs(1),
        replay_bytes: design.budget,
        truth_bytes: 1 << 20,
        memory_bytes: 1 << 30,
        idempotency_keys: 100,
        safest: design.durability,
        apps: vec![AppRules { channels, ..AppRules::default() }],
    }
}

impl Server {
    /// A server that starts on that disk.
    pub(crate) fn new(rules: Arc<Rules>, found: Disk, nth: usize) -> Server {
        Server { rules, found: Arc::new(found), nth, told: Vec::new() }
    }

    /// Tells the home something more. Answers what it does.
    pub(crate) fn tell(&mut self, told: Told) -> Vec<Effect> {
        self.told.push(told);
        let (terms, next_row) = (self.found.terms.clone(), self.found.next_row);
        let (time, seed) = (Timestamp(1_700_000_000_000), self.nth as u64);
        let start = Start { home: WORKER, terms, time, next_row, seed };
        let mut home = Home::new(Rules::clone(&self.rules), start);
        self.found.recover(&mut home, WORKER, 1, Millis(0));
        let mut effects = Vec::new();
        for told in &self.told {
            effects.clear();
            home.handle(command(told), Millis(0), &mut effects);
        }
        effects
    }
}

fn command(told: &Told) -> Command {
    let key = key();
    match told {
        Told::Publish(id) => Command::Publish(Box::new(Publish {
            key,
            event: "news".to_owned(),
            data: id.to_string(),
            exclude: None,
            condition: Condition::default(),
            wanted: Wanted::default(),
            room: Room::Left,
            part: None,
            caller: None,
        })),
        Told::Committed(mark) => Command::Committed(*mark),
        Told::Subscribe(page, listener) => Command::Subscribe {
            key,
            place: place(*page),
            member: None,
            listener: Listener::clone(listener),
            room: Room::Left,
        },
        Told::Unsubscribe(page) => Command::Unsubscribe { key, place: place(*page), user: None },
        Told::CatchUp(page, standing) => {
            let socket = SocketId::parse("1.1").expect("of the right form");
            Command::CatchUp { key, place: place(*page), socket, standing: *standing }
        }
    }
}
