// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`World`]: homes, workers, the mail between them and a clock, driven by a seed.
//!
//! Mail between two workers is first in, first out; which pair's mail comes next is for the seed
//! to say. Nothing here waits or runs at the same time: a history is a list of steps.

use std::collections::VecDeque;
use std::time::Duration;

use oyez_core::{
    AppIndex, AppRules, Bounds, Command, Durability, Effect, Home, IDENTITY_AGE, KeySpace, Mark,
    Millis, Pattern, Place, Replay, RuleBook, Ticket, WorkerId, WrittenRule,
};
use oyez_protocol::webhook::WebhookKind;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::client::State;
use crate::names;
use crate::plan::Plan;
use crate::reference::{AppConfig, Config, GRACE, Letter, Reference};
use crate::tally::Moment;
use crate::worker::{ChannelTruth, Truth, Worker};

/// The first app has everything switched on, the second one nothing.
pub(crate) const APPS: [AppIndex; 2] = [AppIndex(0), AppIndex(1)];

/// After so long nothing is due any more but forgetting.
const REST: Duration = Duration::from_secs(15);

pub(crate) struct World {
    pub(crate) rng: StdRng,
    pub(crate) now: Millis,
    pub(crate) reference: Reference,
    pub(crate) workers: Vec<Worker>,
    homes: Vec<Home>,
    /// From each worker to each home.
    commands: Vec<Vec<VecDeque<Command>>>,
    /// From each home to each worker.
    letters: Vec<Vec<VecDeque<Letter>>>,
    /// What each home has appended and its journal has not committed.
    journals: Vec<VecDeque<Mark>>,
    own_letters: OwnLetters,
    calls: u32,
    /// Whether to print what happens.
    pub(crate) talks: bool,
    /// All effects as text, when somebody wants to compare them.
    pub(crate) transcript: Option<Vec<String>>,
}

/// How a home's letters reach the sockets of its own thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum OwnLetters {
    AtOnce,
    Queued,
}

impl World {
    pub(crate) fn new(plan: &Plan, seed: u64) -> World {
        let mut rng = StdRng::seed_from_u64(seed);
        let workers = rng.random_range(1..=4);
        let keys = KeySpace::new(rng.random());
        let config = Config {
            workers,
            durability: [Durability::Off, Durability::Relaxed, Durability::Full]
                [rng.random_range(0..3)],
            presence_members: plan.presence_members,
            webhook_delay: Duration::from_secs([0, 3, 10][rng.random_range(0..3)]),
            apps: vec![
                AppConfig { subscription_count: true, webhooks: webhooks(&mut rng) },
                AppConfig { subscription_count: false, webhooks: Vec::new() },
            ],
        };
        let apps = config.apps.iter().map(|app| app_rules(app, config.durability)).collect();
        let (members, delay) = (config.presence_members, config.webhook_delay);
        let rules = names::rules(members, delay, config.durability, apps);
        let channels = APPS
            .iter()
            .flat_map(|app| plan.channels.iter().map(|name| names::channel_key(&keys, *app, name)));
        let users =
            APPS.iter().flat_map(|app| (0..plan.users).map(|u| names::user_key(&keys, *app, u)));
        let reference = Reference::new(config, channels.collect(), users.collect());
        let ids = || (0..workers as u16).map(WorkerId);
        World {
            now: Millis(rng.random_range(0..5_000)),
            reference,
            workers: ids().map(|id| Worker::new(id, plan.seats)).collect(),
            homes: ids()
                .map(|id| Home::new(rules.clone(), names::start(id, rng.random())))
                .collect(),
            commands: ids().map(|_| ids().map(|_| VecDeque::new()).collect()).collect(),
            letters: ids().map(|_| ids().map(|_| VecDeque::new()).collect()).collect(),
            journals: ids().map(|_| VecDeque::new()).collect(),
            own_letters: [OwnLetters::AtOnce, OwnLetters::Queued][rng.random_range(0..2)],
            calls: 0,
            talks: false,
            transcript: None,
            rng,
        }
    }

    /// A ticket for a call on that worker.
    pub(crate) fn ticket(&mut self, worker: WorkerId) -> Ticket {
        self.calls += 1;
        Ticket { worker, call: self.calls, part: 0 }
    }

    /// A worker sends a command to the home of its channel.
    pub(crate) fn send(&mut self, from: WorkerId, command: Command) {
        let home = command.key().expect("a command for one home").home(self.homes.len());
        self.send_to(from, home, command);
    }

    pub(crate) fn send_to(&mut self, from: WorkerId, home: WorkerId, command: Command) {
        self.commands[at(from)][at(home)].push_back(command);
    }

    /// A connection dies.
    pub(crate) fn die(&mut self, place: Place) {
        for command in self.workers[at(place.worker)].die(place.slot, &self.reference) {
            self.send(place.worker, command);
        }
    }

    /// Between which two workers there is mail: from, to, and whether it goes to a home.
    fn mail(&self) -> Vec<(usize, usize, Direction)> {
        let all = |queues: &[Vec<usize>], direction| {
            let rows = queues.iter().enumerate();
            rows.flat_map(|(from, row)| {
                row.iter().enumerate().map(move |(to, len)| (from, to, *len))
            })
            .filter(|(_, _, len)| *len > 0)
            .map(|(from, to, _)| (from, to, direction))
            .collect::<Vec<_>>()
        };
        let commands: Vec<Vec<usize>> =
            self.commands.iter().map(|row| row.iter().map(VecDeque::len).collect()).collect();
        let letters: Vec<Vec<usize>> =
            self.letters.iter().map(|row| row.iter().map(VecDeque::len).collect()).collect();
        let mut mail = all(&commands, Direction::ToHome);
        mail.extend(all(&letters, Direction::ToWorker));
        let journals = self.journals.iter().enumerate().filter(|(_, marks)| !marks.is_empty());
        mail.extend(journals.map(|(home, _)| (home, home, Direction::FromJournal)));
        mail
    }

    /// Some of the mail between two workers arrives; answers whether there was any.
    pub(crate) fn deliver(&mut self, most: usize) -> bool {
        let mail = self.mail();
        if mail.is_empty() {
            return false;
        }
        let (from, to, direction) = mail[self.rng.random_range(0..mail.len())];
        for _ in 0..self.rng.random_range(1..=most) {
            match direction {
                Direction::ToHome => {
                    let Some(command) = self.commands[from][to].pop_front() else { break };
                    self.handle(WorkerId(to as u16), command);
                }
                Direction::ToWorker => {
                    let Some(letter) = self.letters[from][to].pop_front() else { break };
                    self.read(WorkerId(from as u16), WorkerId(to as u16), letter);
                }
                // One commit takes in as much as there is, or a part of it.
                Direction::FromJournal => {
                    let Some(mark) = self.journals[to].pop_front() else { break };
                    if self.rng.random_bool(0.5) || self.journals[to].is_empty() {
                        self.handle(WorkerId(to as u16), Command::Committed(mark));
                    }
                }
            }
        }
        true
    }

    fn handle(&mut self, home: WorkerId, command: Command) {
        if self.talks {
            eprintln!("{:>8} home {} takes {command:?}", self.now.0, home.0);
        }
        let (machine, now) = (&mut self.homes[at(home)], self.now);
        let (transcript, journal) = (&mut self.transcript, &mut self.journals[at(home)]);
        let letters = self.reference.command(home, command, now, |command| {
            let mut effects = Vec::new();
            machine.handle(command, now, &mut effects);
            note(transcript, &effects);
            journal.extend(effects.iter().filter_map(mark));
            effects
        });
        self.post(home, letters);
    }

    fn post(&mut self, home: WorkerId, letters: Vec<(WorkerId, Letter)>) {
        for (worker, letter) in letters {
            if worker == home && self.own_letters == OwnLetters::AtOnce {
                self.read(home, worker, letter);
            } else {
                self.letters[at(home)][at(worker)].push_back(letter);
            }
        }
    }

    fn read(&mut self, home: WorkerId, worker: WorkerId, letter: Letter) {
        if self.talks {
            eprintln!("{:>8} worker {} reads {letter:?}", self.now.0, worker.0);
        }
        if let Some(command) = self.workers[at(worker)].read(letter, &self.reference) {
            self.reference.tally.count(Moment::LateAnswer);
            self.send_to(worker, home, command);
        }
    }

    /// The clock goes on.
    pub(crate) fn wait(&mut self, time: Duration) {
        self.now = self.now + time;
    }

    /// Every home does what is due.
    pub(crate) fn tick(&mut self) {
        for home in 0..self.homes.len() {
            let mut effects = Vec::new();
            self.homes[home].tick(self.now, &mut effects);
            if self.talks && !effects.is_empty() {
                eprintln!("{:>8} home {home} sees what is due", self.now.0);
            }
            note(&mut self.transcript, &effects);
            self.journals[home].extend(effects.iter().filter_map(mark));
            let home = WorkerId(home as u16);
            let letters = self.reference.tick(home, self.now, effects);
            self.post(home, letters);
        }
    }

    fn next_tick(&self) -> Option<Millis> {
        self.homes.iter().filter_map(Home::next_tick).min()
    }

    /// All mail arrives, connections that were told to go are gone, and everything that is due
    /// soon is done when it is due.
    fn settle(&mut self) {
        let until = self.now + REST;
        loop {
            while self.deliver(8) {}
            let told = self.workers.iter().flat_map(Worker::clients).find(|c| c.is_told_to_go);
            if let Some(place) = told.map(|client| client.place) {
                self.die(place);
                continue;
            }
            match self.next_tick().filter(|at| *at <= until) {
                Some(next) => {
                    self.now = self.now.max(next);
                    self.tick();
                }
                None => break,
            }
        }
        self.now = until;
        self.tick();
        // Cleaning up is all that may be left.
        while self.deliver(8) {}
    }

    /// Everything settles, and then everybody knows what is true.
    pub(crate) fn rest(&mut self) {
        self.settle();
        let truth = self.truth();
        for (channel, truth) in self.reference.channels.iter().zip(&truth.channels) {
            assert_eq!(channel.audience, truth.per_worker, "{:?}", channel.key);
            let users: Vec<_> = channel.members.keys().collect();
            assert_eq!(users, truth.members.keys().collect::<Vec<_>>(), "{:?}", channel.key);
            assert_eq!(channel.occupied.is_here(), channel.total() > 0);
            assert_eq!(channel.occupied.is_believed_here(), channel.total() > 0, "P-078");
            for (user, told) in &channel.attended {
                assert_eq!(told.is_believed_here(), channel.members.contains_key(user), "P-078");
            }
        }
        for worker in &self.workers {
            worker.check_rest(&self.reference, &truth);
        }
    }

    /// What the sockets that are alive make true.
    fn truth(&self) -> Truth {
        let empty = ChannelTruth { per_worker: vec![0; self.workers.len()], ..Default::default() };
        let mut truth = Truth {
            channels: vec![empty; self.reference.channels.len()],
            signed_in: Default::default(),
        };
        for client in self.workers.iter().flat_map(Worker::clients) {
            for (at, subscription) in &client.subscriptions {
                assert_eq!(subscription.state, State::Live, "every subscription is answered");
                let channel = &mut truth.channels[*at];
                channel.per_worker[usize::from(client.place.worker.0)] += 1;
                if let Some(user) = subscription.user {
                    let known = &self.reference.channels[*at].members;
                    channel.members.insert(user, known.get(&user).and_then(|a| a.info));
                }
            }
            if let Some(user) = client.user {
                *truth.signed_in.entry(user).or_default() += 1;
            }
        }
        truth
    }

    /// Everybody leaves, and after a while homes hold nothing.
    pub(crate) fn end(&mut self) {
        self.rest();
        let places: Vec<_> =
            self.workers.iter().flat_map(Worker::clients).map(|client| client.place).collect();
        for place in places {
            self.die(place);
        }
        self.rest();
        // A channel may have been looked at a moment before it was idle, and is once more then.
        let until = self.now + 2 * IDENTITY_AGE + GRACE;
        while let Some(next) = self.next_tick() {
            assert!(next <= until, "something is still due after {:?}", next.since(self.now));
            self.now = self.now.max(next);
            self.tick();
        }
        assert_eq!(self.reference.open, [0, 0], "as many channels are closed as were opened");
        for home in &self.homes {
            let held = format!("{home:?}");
            assert!(held.contains("channels: {}, users: {}, timers: Timers { heap: [],"), "{held}");
        }
    }
}

fn note(transcript: &mut Option<Vec<String>>, effects: &[Effect]) {
    if let Some(transcript) = transcript {
        transcript.extend(effects.iter().map(|effect| format!("{effect:?}")));
    }
}

/// Where mail goes.
#[derive(Clone, Copy, Debug)]
enum Direction {
    ToHome,
    ToWorker,
    FromJournal,
}

fn at(worker: WorkerId) -> usize {
    usize::from(worker.0)
}

fn app_rules(app: &AppConfig, durability: Durability) -> AppRules {
    let written = WrittenRule {
        pattern: Pattern::new("*cache-*"),
        replay: Replay::Latest,
        history: None,
        durability: Some(durability),
        truth: None,
    };
    let bounds = Bounds { bytes: 1 << 20, names: 100, safest: durability };
    AppRules {
        subscription_count: app.subscription_count,
        webhooks: app.webhooks.clone(),
        channels: RuleBook::new(&[written], bounds),
    }
}

/// Which append an effect is.
fn mark(effect: &Effect) -> Option<Mark> {
    match effect {
        Effect::Append(append) => Some(append.mark),
        _ => None,
    }
}

/// All webhooks, or any of them.
fn webhooks(rng: &mut StdRng) -> Vec<WebhookKind> {
    let all = rng.random_bool(0.5);
    WebhookKind::ALL.into_iter().filter(|_| all || rng.random_bool(0.5)).collect()
}
