// SPDX-License-Identifier: MIT OR Apache-2.0
//! A history: steps of a [`Plan`] drawn from a seed, then everybody leaves.

use std::time::Duration;

use oyez_core::{
    Caller, Command, ListFrom, Listener, Place, Publish, Room, Wanted, When, WorkerId,
};
use oyez_protocol::api::Condition;
use oyez_protocol::channel::Access;
use oyez_protocol::socket_id::SocketId;
use rand::RngExt;

use crate::client::{Client, State, Subscription};
use crate::names;
use crate::plan::{Act, Plan};
use crate::tally::Moment;
use crate::worker::Worker;
use crate::world::{APPS, World};

/// Drives a world along a plan.
pub(crate) struct History<'p> {
    pub(crate) world: World,
    plan: &'p Plan,
    published: u32,
}

/// What is told of a history while it runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Telling {
    Nothing,
    /// Every step is printed.
    Aloud,
    /// Every effect goes into the transcript.
    InWriting,
}

impl History<'_> {
    /// Runs the history of that seed.
    pub(crate) fn run(plan: &Plan, seed: u64, telling: Telling) -> World {
        let mut world = World::new(plan, seed);
        world.talks = telling == Telling::Aloud;
        world.transcript = (telling == Telling::InWriting).then(Vec::new);
        let mut history = History { world, plan, published: 0 };
        history.gather();
        for _ in 0..plan.steps(seed) {
            let number = history.world.rng.random_range(0..plan.weights());
            let act = plan.act(number);
            if telling == Telling::Aloud {
                eprintln!("{:>8} {act:?}", history.world.now.0);
            }
            history.act(act);
        }
        history.world.end();
        history.world
    }

    /// The crowd comes before the history begins.
    fn gather(&mut self) {
        let crowd = self.plan.crowd.clone();
        let count = if crowd.is_empty() { 0 } else { self.world.rng.random_range(crowd) };
        for _ in 0..count {
            let worker = self.any_worker();
            if let Some(place) = self.world.workers[at(worker)].connect(APPS[0]) {
                self.subscribe_to(place, 0);
            }
        }
        while self.world.deliver(32) {}
    }

    fn act(&mut self, act: Act) {
        match act {
            Act::Connect => self.connect(),
            Act::Die => {
                if let Some(place) = self.any_place() {
                    self.world.die(place);
                }
            }
            Act::Subscribe => self.subscribe(),
            Act::Unsubscribe => self.unsubscribe(),
            Act::Publish => self.publish(),
            Act::ClientEvent => self.client_event(),
            Act::SignIn => self.sign_in(),
            Act::Terminate => self.terminate(),
            Act::Ask => self.ask(),
            Act::Deliver => {
                self.world.deliver(4);
            }
            Act::Moment => self.wait(0..100),
            Act::Seconds => self.wait(100..6_000),
            Act::HalfHour => self.wait(20 * 60_000..35 * 60_000),
            Act::Month => self.wait(29 * 24 * 3_600_000..32 * 24 * 3_600_000),
            Act::Rest => self.world.rest(),
        }
    }

    /// Time passes; now and then a worker is busy and does not look what is due.
    fn wait(&mut self, millis: std::ops::Range<u64>) {
        let millis = self.world.rng.random_range(millis);
        self.world.wait(Duration::from_millis(millis));
        if self.world.rng.random_bool(0.8) {
            self.world.tick();
        }
    }

    fn connect(&mut self) {
        let app = APPS[usize::from(self.world.rng.random_bool(0.2))];
        let worker = self.any_worker();
        self.world.workers[at(worker)].connect(app);
    }

    fn any_worker(&mut self) -> WorkerId {
        let worker = self.world.rng.random_range(0..self.world.workers.len());
        self.world.workers[worker].id
    }

    fn any_place(&mut self) -> Option<Place> {
        let clients = self.world.workers.iter().flat_map(Worker::clients);
        let places: Vec<Place> = clients.map(|client| client.place).collect();
        if places.is_empty() {
            self.connect();
            return None;
        }
        Some(places[self.world.rng.random_range(0..places.len())])
    }

    fn client(&mut self, place: Place) -> &mut Client {
        let client = self.world.workers[at(place.worker)].client(place.slot);
        client.expect("somebody who is connected")
    }

    /// Any channel of an app, by its number in the reference.
    fn any_channel(&mut self, app: usize) -> usize {
        let count = self.plan.channels.len();
        app * count + self.world.rng.random_range(0..count)
    }

    /// Any user of an app, by its number in the reference.
    fn any_user(&mut self, app: usize) -> usize {
        let count = self.plan.users as usize;
        app * count + self.world.rng.random_range(0..count)
    }

    fn subscribe(&mut self) {
        let Some(place) = self.any_place() else { return };
        let app = self.client(place).app.0 as usize;
        let channel = self.any_channel(app);
        self.subscribe_to(place, channel);
    }

    fn subscribe_to(&mut self, place: Place, channel: usize) {
        let (key, kind) = (
            self.world.reference.channels[channel].key.clone(),
            self.world.reference.channels[channel].kind,
        );
        let user = self.client(place).user.map(|user| self.world.reference.users[user].key.clone());
        if kind.access == Access::User && user.as_ref() != Some(&key) {
            return;
        }
        match self.client(place).subscriptions.get_mut(&channel) {
            // T-021: it left and came back before its home had answered, so it never left.
            Some(held) if held.state == State::Leaving => {
                held.state = State::Pending;
                self.world.reference.tally.count(Moment::ReturnBeforeAnswer);
            }
            Some(_) => {}
            None => {
                self.client(place).subscriptions.insert(channel, Subscription::pending());
                let member = (kind.access == Access::Presence).then(|| {
                    let user = self.world.rng.random_range(0..self.plan.users);
                    let info = self.world.rng.random_range(0..3_u32).checked_sub(1);
                    names::member(user, info)
                });
                let (listener, room) = (Listener::default(), Room::Left);
                let command = Command::Subscribe { key, place, member, listener, room };
                self.world.send(place.worker, command);
            }
        }
    }

    /// A subscription of any client, in any of some states.
    fn any_subscription(&mut self, states: &[State]) -> Option<(Place, usize)> {
        let clients = self.world.workers.iter().flat_map(Worker::clients);
        let all: Vec<(Place, usize)> = clients
            .flat_map(|client| {
                client.subscriptions.iter().map(move |(at, s)| (client.place, *at, s))
            })
            .filter(|(_, _, subscription)| states.contains(&subscription.state))
            .map(|(place, at, _)| (place, at))
            .collect();
        (!all.is_empty()).then(|| all[self.world.rng.random_range(0..all.len())])
    }

    fn unsubscribe(&mut self) {
        let any = [State::Pending, State::Leaving, State::Live];
        let Some((place, channel)) = self.any_subscription(&any) else { return };
        let World { workers, reference, .. } = &mut self.world;
        let command = workers[at(place.worker)].unsubscribe(place.slot, channel, reference);
        if let Some(command) = command {
            self.world.send(place.worker, command);
        }
    }

    fn next_data(&mut self) -> String {
        self.published += 1;
        format!("{}", self.published)
    }

    fn any_wanted(&mut self) -> Wanted {
        let mut coin = || self.world.rng.random_bool(0.3);
        Wanted { user_count: coin(), subscription_count: coin(), cache: coin(), position: false }
    }

    fn publish(&mut self) {
        let app = usize::from(self.world.rng.random_bool(0.2));
        let (from, channel) = (self.any_worker(), self.any_channel(app));
        let exclude = self.any_exclusion();
        let ticket = self.world.ticket(from);
        let publish = Publish {
            key: self.world.reference.channels[channel].key.clone(),
            event: "news".to_owned(),
            data: self.next_data(),
            exclude,
            condition: Condition::default(),
            wanted: self.any_wanted(),
            room: Room::Left,
            part: None,
            // Now and then nobody waits for the answer.
            caller: (self.world.rng.random_bool(0.7))
                .then_some(Caller { ticket, when: When::Durable }),
        };
        self.world.send(from, Command::Publish(Box::new(publish)));
    }

    /// Mostly nobody, sometimes somebody who is here, or was or will be.
    fn any_exclusion(&mut self) -> Option<SocketId> {
        match self.world.rng.random_range(0..6) {
            0 => {
                let place = self.any_place()?;
                Some(self.client(place).socket)
            }
            1 => Some(names::socket_id(WorkerId(0), self.world.rng.random_range(0..20))),
            _ => None,
        }
    }

    fn client_event(&mut self) {
        let Some((place, channel)) = self.any_subscription(&[State::Live]) else { return };
        let kind = self.world.reference.channels[channel].kind;
        if kind.encrypted || !matches!(kind.access, Access::Private | Access::Presence) {
            return;
        }
        let (from, user) = {
            let client = self.client(place);
            (client.socket, client.subscriptions[&channel].user)
        };
        let command = Command::ClientEvent {
            key: self.world.reference.channels[channel].key.clone(),
            event: "client-news".to_owned(),
            data: self.next_data(),
            from,
            user: user.map(names::user_id),
        };
        self.world.send(place.worker, command);
    }

    fn sign_in(&mut self) {
        let Some(place) = self.any_place() else { return };
        if self.client(place).user.is_some() {
            return;
        }
        let app = self.client(place).app.0 as usize;
        let user = self.any_user(app);
        let watching: Vec<usize> =
            (0..self.world.rng.random_range(0..4)).map(|_| self.any_user(app)).collect();
        let client = self.client(place);
        client.user = Some(user);
        client.watching = watching.into_iter().map(|user| (user, None)).collect();
        let watching: Vec<usize> = client.watching.keys().copied().collect();
        let key = |world: &World, user: usize| world.reference.users[user].key.clone();
        let key_of_me = key(&self.world, user);
        self.world.send(place.worker, Command::SignIn { key: key_of_me, place });
        for user in watching {
            let key = key(&self.world, user);
            self.world.send(place.worker, Command::Watch { key, place });
        }
    }

    fn terminate(&mut self) {
        let (from, app) = (self.any_worker(), usize::from(self.world.rng.random_bool(0.2)));
        let user = self.any_user(app);
        let key = self.world.reference.users[user].key.clone();
        let ticket = self.world.ticket(from);
        self.world.send(from, Command::Terminate { key, ticket });
    }

    fn ask(&mut self) {
        let (from, app) = (self.any_worker(), usize::from(self.world.rng.random_bool(0.2)));
        let (channel, wanted) = (self.any_channel(app), self.any_wanted());
        let reference = &self.world.reference.channels[channel];
        let (key, is_presence) = (reference.key.clone(), reference.is_presence());
        let ticket = self.world.ticket(from);
        match self.world.rng.random_range(0..3) {
            0 => self.world.send(from, Command::Inspect { key, wanted, ticket }),
            1 if is_presence => self.world.send(from, Command::ListMembers { key, ticket }),
            _ => {
                let prefixes = ["", "p", "presence-", "cache-"];
                let prefix = prefixes[self.world.rng.random_range(0..prefixes.len())];
                for home in 0..self.world.workers.len() as u16 {
                    let prefix = prefix.to_owned();
                    let command = Command::List {
                        app: APPS[app],
                        prefix,
                        wanted,
                        from: ListFrom::START,
                        ticket,
                    };
                    self.world.send_to(from, WorkerId(home), command);
                }
            }
        }
    }
}

fn at(worker: WorkerId) -> usize {
    usize::from(worker.0)
}
