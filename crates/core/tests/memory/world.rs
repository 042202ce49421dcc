// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`World`]: homes, workers, a disk, pages and a clock; every effect is judged when it comes out.

mod job;
mod judge;
mod pages;
mod predicted;

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::sync::Arc;

use oyez_core::{
    Caller, ChannelKey, Command, Home, Item, KeySpace, Mark, Millis, Place, Rules, Start, Ticket,
    Timestamp, When, WorkerId,
};
use oyez_protocol::position::Term;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::common::disk::{Disk, Pending, batch};
use crate::history;
use crate::reference::Log;
use crate::tab::Tab;
use job::Try;
use predicted::{Comer, Due};

pub(crate) use job::Job;

pub(crate) struct Channel {
    pub(crate) key: ChannelKey,
    pub(crate) log: Log,
    /// What the one who is asked would answer.
    pub(crate) source: u64,
    /// The question that runs, and what its answer will be.
    pub(crate) question: Option<(u64, u64)>,
    /// What the source was when its home last heard that it has changed.
    pub(crate) told: u64,
}

pub(crate) struct World {
    pub(crate) rng: StdRng,
    pub(crate) wall: u64,
    started: u64,
    rules: Rules,
    keys: KeySpace,
    pub(crate) channels: Vec<Channel>,
    index: HashMap<ChannelKey, usize>,
    pub(crate) homes: Vec<Home>,
    pub(crate) disk: Disk,
    backup: Option<Disk>,
    restored: bool,
    pending: Vec<VecDeque<Pending>>,
    reports: Vec<VecDeque<Mark>>,
    /// What may be seen when a mark is reported: channel and offset.
    gates: Vec<VecDeque<(Mark, usize, usize)>>,
    to_home: Vec<Vec<VecDeque<Command>>>,
    to_worker: Vec<Vec<VecDeque<Item>>>,
    pub(crate) tabs: Vec<Tab>,
    due: HashMap<u32, Due>,
    tries: HashMap<u32, usize>,
    all_tries: Vec<Try>,
    pub(crate) jobs: Vec<Job>,
    /// Readers who begin anew with the answer that is on its way.
    jumped: HashSet<Place>,
    /// Subscriptions that are not admitted yet, and what they must be shown until when.
    comers: HashMap<Place, Comer>,
    calls: u32,
    starts: u32,
    pub(crate) failed: bool,
    one_by_one: bool,
    pub(crate) moments: BTreeMap<&'static str, u64>,
    pub(crate) talks: bool,
}

pub(crate) const RUNS: usize = 3;

impl World {
    pub(crate) fn new(seed: u64) -> World {
        let mut rng = StdRng::seed_from_u64(seed);
        let workers = rng.random_range(1..=RUNS);
        let rules = history::rules(&mut rng);
        let keys = KeySpace::new(rng.random());
        let channels: Vec<Channel> = (history::NAMES.iter())
            .map(|name| {
                let key = history::key(&keys, name);
                let rule = rules.apps[0].channels.find(key.name()).expect("all remember");
                let log = Log::new(Arc::clone(rule));
                Channel { key, log, source: 0, question: None, told: 0 }
            })
            .collect();
        let tabs = (0..6).map(|slot| history::tab(&mut rng, slot, workers)).collect();
        let queues = || (0..workers).map(|_| VecDeque::new()).collect::<Vec<_>>();
        let mut world = World {
            wall: 1_700_000_000_000,
            started: 0,
            rules,
            keys,
            index: channels.iter().enumerate().map(|(at, c)| (c.key.clone(), at)).collect(),
            channels,
            homes: Vec::new(),
            disk: Disk::default(),
            backup: None,
            restored: false,
            pending: queues(),
            reports: (0..workers).map(|_| VecDeque::new()).collect(),
            gates: (0..workers).map(|_| VecDeque::new()).collect(),
            to_home: (0..workers)
                .map(|_| (0..workers).map(|_| VecDeque::new()).collect())
                .collect(),
            to_worker: (0..workers)
                .map(|_| (0..workers).map(|_| VecDeque::new()).collect())
                .collect(),
            tabs,
            due: HashMap::new(),
            tries: HashMap::new(),
            all_tries: Vec::new(),
            jobs: Vec::new(),
            jumped: HashSet::new(),
            comers: HashMap::new(),
            calls: 0,
            starts: 0,
            failed: false,
            one_by_one: rng.random_bool(0.5),
            moments: BTreeMap::new(),
            talks: false,
            rng,
        };
        world.start(workers);
        world
    }

    pub(crate) fn count(&mut self, moment: &'static str) {
        *self.moments.entry(moment).or_default() += 1;
    }

    fn say(&self, what: impl FnOnce() -> String) {
        if self.talks {
            eprintln!("{:>9} {}", self.wall - 1_700_000_000_000, what());
        }
    }

    fn now(&self) -> Millis {
        Millis(self.wall - self.started)
    }

    fn workers(&self) -> usize {
        self.pending.len()
    }

    fn start(&mut self, workers: usize) {
        self.starts += 1;
        self.started = self.wall;
        let term = Term::random(&mut self.rng);
        self.disk.terms.push(term);
        self.homes = (0..workers as u16)
            .map(|home| {
                let (terms, next_row) = (self.disk.terms.clone(), self.disk.next_row);
                let (time, seed) = (Timestamp(self.started), self.rng.random());
                let start = Start { home: WorkerId(home), terms, time, next_row, seed };
                let mut machine = Home::new(self.rules.clone(), start);
                self.disk.recover(&mut machine, WorkerId(home), workers, Millis(0));
                for (row, (app, answer)) in &self.disk.answers {
                    let keeper = self.keys.home_of_call(*app, &answer.key, workers);
                    if keeper == WorkerId(home) {
                        machine.recover_answer(*app, *row, (**answer).clone(), Millis(0));
                    }
                }
                machine
            })
            .collect();
        for channel in &mut self.channels {
            let held = self.disk.entries.values().filter(|(key, _)| *key == channel.key);
            let mut held: Vec<usize> = held.map(|(_, e)| e.offset.get() as usize).collect();
            held.sort_unstable();
            let head = self.disk.head(&channel.key) as usize;
            let epoch = self.disk.identity(&channel.key).map(|i| i.epoch.to_string());
            if let (Some(before), Some(after)) = (&channel.log.epoch, &epoch) {
                assert_eq!(before, after, "T-008: the numbering goes on");
            }
            channel.log.restart(head, &held, self.wall);
            channel.log.epoch = epoch;
        }
    }

    /// The server is killed at this moment, and started again.
    pub(crate) fn crash(&mut self) {
        self.say(|| "crash".to_owned());
        self.count("crash");
        let workers = self.workers();
        for at in 0..workers {
            self.pending[at].clear();
            self.reports[at].clear();
            self.gates[at].clear();
            for other in 0..workers {
                self.to_home[at][other].clear();
                self.to_worker[at][other].clear();
            }
        }
        for tab in &mut self.tabs {
            tab.drop_link();
        }
        for channel in &mut self.channels {
            channel.question = None;
        }
        self.comers.clear();
        self.due.clear();
        self.tries.clear();
        self.failed = false;
        match self.rng.random_range(0..12) {
            0 if self.backup.is_some() => {
                self.say(|| "a backup comes back".to_owned());
                self.disk = self.backup.take().expect("there is one");
                self.restored = true;
                self.count("backup");
            }
            1..4 => self.backup = Some(self.disk.clone()),
            _ => {}
        }
        self.start(workers);
    }

    /// The journal never takes anything again.
    pub(crate) fn fail(&mut self) {
        if std::mem::replace(&mut self.failed, true) {
            return;
        }
        self.count("failed journal");
        for home in 0..self.workers() {
            self.reports[home].clear();
            self.handle(home, Command::JournalFailed);
        }
    }

    pub(crate) fn any_worker(&mut self) -> WorkerId {
        WorkerId(self.rng.random_range(0..self.workers()) as u16)
    }

    fn ticket(&mut self, worker: WorkerId) -> Ticket {
        self.calls += 1;
        Ticket { worker, call: self.calls, part: 0 }
    }

    pub(crate) fn caller(&mut self, worker: WorkerId) -> Caller {
        Caller { ticket: self.ticket(worker), when: When::Durable }
    }

    pub(crate) fn send(&mut self, from: WorkerId, command: Command) {
        let home = command.key().expect("about a channel").home(self.workers());
        self.to_home[at(from)][at(home)].push_back(command);
    }

    /// Something that is on its way arrives. Answers whether anything was.
    pub(crate) fn step(&mut self) -> bool {
        let workers = self.workers();
        let mut ready: Vec<(u8, usize, usize)> = Vec::new();
        for a in 0..workers {
            for b in 0..workers {
                ready.extend((!self.to_home[a][b].is_empty()).then_some((0, a, b)));
                ready.extend((!self.to_worker[a][b].is_empty()).then_some((1, a, b)));
            }
            ready.extend((!self.reports[a].is_empty()).then_some((2, a, a)));
        }
        ready.extend((0..self.tabs.len()).filter(|t| self.can_go_on(*t)).map(|t| (3, t, t)));
        let unwritten = self.pending.iter().any(|queue| !queue.is_empty()) && !self.failed;
        ready.extend(unwritten.then_some((4, 0, 0)));
        if ready.is_empty() {
            return false;
        }
        let (kind, a, b) = ready[self.rng.random_range(0..ready.len())];
        match kind {
            0 => {
                let command = self.to_home[a][b].pop_front().expect("a command");
                self.handle(b, command);
            }
            1 => {
                let item = self.to_worker[a][b].pop_front().expect("an item");
                self.read(WorkerId(a as u16), WorkerId(b as u16), item);
            }
            2 => {
                let mut mark = self.reports[a].pop_front().expect("a mark");
                while !self.one_by_one && self.rng.random_bool(0.6) {
                    match self.reports[a].pop_front() {
                        Some(later) => mark = later,
                        None => break,
                    }
                }
                self.handle(a, Command::Committed(mark));
            }
            3 => self.go_on(a),
            _ => return self.commit(),
        }
        true
    }

    fn commit(&mut self) -> bool {
        let all = self.rng.random_bool(0.5);
        let most: Vec<usize> = (self.pending.iter())
            .map(|_| if all { usize::MAX } else { self.rng.random_range(0..4) })
            .collect();
        let written = batch(&mut self.pending, &most);
        for (home, written) in written.into_iter().enumerate() {
            for pending in written {
                self.disk.write(&pending.records);
                self.reports[home].push_back(pending.mark);
            }
        }
        true
    }

    pub(crate) fn next_tick(&self) -> Option<u64> {
        self.homes.iter().filter_map(Home::next_tick).min().map(|at| at.0 + self.started)
    }

    pub(crate) fn tick(&mut self) {
        for home in 0..self.homes.len() {
            let mut effects = Vec::new();
            let now = self.now();
            self.homes[home].tick(now, &mut effects);
            for channel in &mut self.channels {
                channel.log.trim(self.wall);
            }
            self.judge(home, None, effects);
        }
    }

    /// A home does what it is told.
    fn handle(&mut self, home: usize, mut command: Command) {
        self.say(|| format!("home {home} takes {command:?}"));
        self.tick();
        let predicted = self.predict(home, &mut command);
        let behind = match &command {
            Command::CatchUp { place, .. } => Some(*place),
            _ => None,
        };
        let fails = matches!(command, Command::JournalFailed);
        let resets = |home: &Home| home.tally().resets.iter().sum::<u64>();
        let before = resets(&self.homes[home]);
        let mut effects = Vec::new();
        let now = self.now();
        self.homes[home].handle(command, now, &mut effects);
        if let Some(place) = behind.filter(|_| resets(&self.homes[home]) > before) {
            self.jumped.insert(place);
        }
        self.judge(home, Some(predicted), effects);
        assert!(
            !self.failed || fails || self.due.is_empty(),
            "somebody waits for ever: {:?}",
            self.due
        );
    }

    /// What the journal has not taken.
    pub(crate) fn unwritten(&self) -> Vec<usize> {
        self.pending.iter().map(VecDeque::len).collect()
    }

    /// Whether every call was answered.
    pub(crate) fn is_answered(&self) -> bool {
        self.due.is_empty() && self.tries.is_empty()
    }
}

fn at(worker: WorkerId) -> usize {
    usize::from(worker.0)
}
