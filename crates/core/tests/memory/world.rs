// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`World`]: homes, workers, a disk, pages and a clock; every effect is judged when it comes out.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::sync::Arc;

use oyez_core::{
    Answer, Begun, BodyHash, CallId, Caller, ChangeOf, Changed, ChannelInfo, ChannelKey, Command,
    Durability, Effect, EntryKind, Home, Item, KeySpace, Mark, Millis, Part, Place, Publish,
    Question, Record, Refused, Room, Rules, Sight, Speaks, Standing, Start, Ticket, Timestamp,
    TruthAnswer, Wanted, When, WorkerId, checksum,
};
use oyez_protocol::api::{Condition, Expected};
use oyez_protocol::encode::Frame;
use oyez_protocol::position::{Epoch, Offset, Term};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::Value as Json;

use crate::common::disk::{Disk, Pending, batch};
use crate::common::page::Client;
use crate::common::seen::{self, Cut, Seen};
use crate::history;
use crate::reference::{Log, Said};
use crate::tab::{Link, Tab};

pub(crate) struct Channel {
    pub(crate) key: ChannelKey,
    pub(crate) log: Log,
    /// What the one who is asked would answer.
    pub(crate) source: u64,
    /// The question that runs, and what its answer will be.
    pub(crate) question: Option<(u64, u64)>,
}

/// What a caller must be told.
#[derive(Debug)]
struct Due {
    channel: usize,
    /// It must be durable so far.
    upto: usize,
    answer: Answer,
    /// Whether anything changed may depend on what is held a moment longer.
    lenient: bool,
}

/// One try of a job.
#[derive(Debug)]
pub(crate) struct Try {
    job: usize,
    body: u8,
    worker: WorkerId,
    part: Option<Part>,
    missing: usize,
}

/// A call with an idempotency key.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) channels: Vec<usize>,
    pub(crate) begun: u64,
    pub(crate) acked: bool,
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
                Channel { key, log, source: 0, question: None }
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

    fn can_go_on(&self, tab: usize) -> bool {
        let tab = &self.tabs[tab];
        let can_ask = matches!(tab.link, Link::Behind { asked: false, .. }) && !tab.slow;
        (!tab.wire.is_empty() && !tab.slow) || (can_ask && tab.wire.is_empty())
    }

    /// A page hears a frame, or its worker asks for more.
    fn go_on(&mut self, at: usize) {
        let tab = &mut self.tabs[at];
        if let Some(seen) = tab.wire.pop_front() {
            if let Seen::Skip { .. } = seen {
                *self.moments.entry("skip").or_default() += 1;
            }
            let lost = tab.page.hear(&seen);
            if lost.is_some() {
                let by_delta = matches!(&seen, Seen::Event(event) if event.delta.is_some());
                assert!(by_delta, "a page lost its place: {seen:?} {:?}", tab.page);
                self.resync(at);
            }
            return;
        }
        if let Link::Behind { standing, asked } = &mut tab.link {
            *asked = true;
            let (standing, place, socket) = (*standing, tab.place(), tab.socket());
            let key = self.channels[tab.channel].key.clone();
            self.send(place.worker, Command::CatchUp { key, place, socket, standing });
        }
    }

    /// As a worker does when a client says that it lost its place.
    fn resync(&mut self, at: usize) {
        let tab = &mut self.tabs[at];
        match tab.link {
            Link::Behind { asked: true, .. } => {
                // The answer that comes may not be a reset: it asks again.
                tab.page.lost = false;
                return;
            }
            Link::Off | Link::Pending => return,
            Link::Live | Link::Behind { .. } => tab.fall_behind(Offset::ZERO),
        }
        if let Link::Behind { asked, .. } = &mut tab.link {
            *asked = true;
        }
        let (place, key) = (tab.place(), self.channels[tab.channel].key.clone());
        let reason = oyez_protocol::encode::ResetReason::Resync;
        self.send(place.worker, Command::Resync { key, place, reason });
    }

    pub(crate) fn subscribe(&mut self, at: usize, listener: oyez_core::Listener) {
        let tab = &mut self.tabs[at];
        tab.connect();
        let (place, key) = (tab.place(), self.channels[tab.channel].key.clone());
        let (member, room) = (None, Room::Left);
        self.send(place.worker, Command::Subscribe { key, place, member, listener, room });
    }

    pub(crate) fn drop_link(&mut self, at: usize) {
        let tab = &mut self.tabs[at];
        if tab.drop_link() {
            let (place, key) = (tab.place(), self.channels[tab.channel].key.clone());
            self.send(place.worker, Command::Unsubscribe { key, place, user: None });
        }
    }

    /// What a worker does with an item.
    fn read(&mut self, home: WorkerId, worker: WorkerId, item: Item) {
        match item {
            Item::Entry(delivery) => {
                let channel = self.index[&delivery.key];
                for at in 0..self.tabs.len() {
                    let tab = &mut self.tabs[at];
                    if tab.channel == channel && tab.worker == worker {
                        let moment = tab.deliver(&delivery);
                        if let Some(moment) = moment {
                            self.count(moment);
                        }
                    }
                }
            }
            Item::Subscribed { key, place, frames, standing, .. } => {
                let tab = &mut self.tabs[place.slot as usize];
                if tab.place() == place && tab.link == Link::Pending {
                    tab.follow(&frames, *standing.expect("the channel remembers"));
                } else {
                    let leave = Command::Unsubscribe { key, place, user: None };
                    self.to_home[at(worker)][at(home)].push_back(leave);
                }
            }
            Item::Stretch { place, frames, standing, end, .. } => {
                let tab = &mut self.tabs[place.slot as usize];
                let jumps = self.jumped.remove(&place);
                if tab.place() == place {
                    tab.stretch(&frames, standing, end, jumps);
                }
            }
            Item::LeftBehind { place, .. } => {
                self.count("left behind");
                if self.tabs[place.slot as usize].place() == place {
                    self.drop_link(place.slot as usize);
                }
            }
            Item::Held { .. } => {}
            other => panic!("no part of these histories: {other:?}"),
        }
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

    /// What must follow on a command: entries of a log, by whether they must come.
    fn predict(&mut self, home: usize, command: &mut Command) -> Predicted {
        let mut predicted = Predicted::default();
        match command {
            Command::Publish(publish) => self.predict_publish(publish, &mut predicted),
            Command::Change(change) => {
                let at = self.index[&change.key];
                let log = &self.channels[at].log;
                let known = !log.entries.is_empty() && log.epoch.is_some();
                if !known {
                    change.condition.epoch = Expected::Any;
                }
                let log = &self.channels[at].log;
                let (head, full) = (log.entries.len(), log.rule.durability == Durability::Full);
                let truth = log.truth(head);
                let answer = if self.failed && full {
                    Answer::Refused(Refused::JournalFailed)
                } else if let Some(mismatch) = mismatch(log, truth.unwrap_or(0), change.condition) {
                    self.count("mismatch");
                    mismatch
                } else {
                    decide(log, &change.what, &mut predicted, at)
                };
                let upto = head + predicted.must.len();
                if let Some(caller) = change.caller {
                    let lenient = !predicted.may.is_empty();
                    let due = Due { channel: at, upto, answer, lenient };
                    self.due.insert(caller.ticket.call, due);
                }
                for (_, said) in &mut predicted.must {
                    said.exclude = change.exclude;
                    said.time = self.wall;
                    said.term = *self.disk.terms.last().expect("of this start");
                }
            }
            Command::Committed(mark) => {
                while let Some((_, at, upto)) = self.gates[home].pop_front_if(|(m, ..)| *m <= *mark)
                {
                    self.channels[at].log.release(upto, self.wall);
                }
            }
            Command::Replied { key, reply: oyez_core::Reply::Truth(value, _), .. } => {
                let said = self.said(EntryKind::Truth, "state", value.text());
                predicted.may.push((self.index[key], said));
            }
            Command::Subscribe { key, .. } => {
                let at = self.index[key];
                self.channels[at].log.trim(self.wall);
            }
            _ => {}
        }
        predicted
    }

    fn said(&self, kind: EntryKind, event: &str, data: &str) -> Said {
        let term = *self.disk.terms.last().expect("of this start");
        let (event, data) = (event.to_owned(), data.to_owned());
        Said { kind, event, data, time: self.wall, exclude: None, term, forgotten: false }
    }

    fn predict_publish(&mut self, publish: &mut Publish, predicted: &mut Predicted) {
        let at = self.index[&publish.key];
        if self.channels[at].log.entries.is_empty() || self.channels[at].log.epoch.is_none() {
            publish.condition.epoch = Expected::Any;
        }
        let log = &self.channels[at].log;
        let (head, full) = (log.entries.len(), log.rule.durability == Durability::Full);
        let truth = log.truth(head);
        let holds_none = log.rule.truth.is_none() && truth.is_none();
        let version = if holds_none { head } else { truth.unwrap_or(0) };
        let answer = if self.failed && full {
            Answer::Refused(Refused::JournalFailed)
        } else if let Some(mismatch) = mismatch(log, version, publish.condition) {
            self.count("mismatch");
            mismatch
        } else {
            let mut said = self.said(EntryKind::Event, &publish.event, &publish.data);
            said.exclude = publish.exclude;
            predicted.must.push((at, said));
            let term = *self.disk.terms.last().expect("of this start");
            let epoch = epoch(&self.channels[at].log);
            let offset = Offset::new(head as u64 + 1).expect("small");
            let position = Some(oyez_protocol::position::Position { epoch, term, offset });
            Answer::Channel(ChannelInfo { position, ..ChannelInfo::default() })
        };
        let upto = head + predicted.must.len();
        if let Some(caller) = publish.caller {
            let due = Due { channel: at, upto, answer, lenient: false };
            self.due.insert(caller.ticket.call, due);
        }
    }

    /// Every effect of a home is judged in its order.
    fn judge(&mut self, home: usize, predicted: Option<Predicted>, effects: Vec<Effect>) {
        let predicted = predicted.unwrap_or_default();
        let mut staged: Vec<(usize, Said)> = Vec::new();
        for effect in &effects {
            let Effect::Append(append) = effect else { continue };
            for record in &append.records {
                let Record::Entry { key, entry, .. } = record else { continue };
                if entry.kind == EntryKind::Gone {
                    continue;
                }
                let at = self.index[key];
                let mut said = self.said(entry.kind, entry.event(), entry.data());
                said.exclude = entry.exclude.as_deref().copied();
                assert_eq!(entry.time.0, self.wall, "its time");
                let log = &mut self.channels[at].log;
                log.push(said.clone());
                assert_eq!(entry.offset.get() as usize, log.entries.len(), "one after the other");
                if log.rule.durability == Durability::Full {
                    self.gates[home].push_back((append.mark, at, log.entries.len()));
                } else {
                    let upto = log.entries.len();
                    log.release(upto, self.wall);
                }
                staged.push((at, said));
            }
        }
        let is_off = |at: usize| self.channels[at].log.rule.durability == Durability::Off;
        let (off, must): (Vec<_>, Vec<_>) =
            predicted.must.into_iter().partition(|(at, _)| is_off(*at));
        for (at, said) in off {
            let log = &mut self.channels[at].log;
            log.push(said);
            let upto = log.entries.len();
            log.release(upto, self.wall);
        }
        let mut left = staged.into_iter();
        for (at, said) in must {
            let (there, is) = left.next().expect("what must be kept is given to the journal");
            assert_eq!(
                (there, is.kind, &is.event, is.exclude),
                (at, said.kind, &said.event, said.exclude)
            );
            assert!(same(&is.data, &said.data), "{} is not {}", is.data, said.data);
        }
        for (at, is) in left {
            let may = |(other, said): &(usize, Said)| {
                *other == at && is.kind == said.kind && same(&is.data, &said.data)
            };
            if !predicted.may.iter().any(may) {
                assert_eq!(is.kind, EntryKind::Deleted, "nobody said {is:?}");
                self.count("expired");
            }
        }
        for effect in effects {
            match effect {
                Effect::Send(worker, item) => {
                    self.check_item(&item);
                    self.to_worker[home][at(worker)].push_back(item);
                }
                Effect::Answer(ticket, answer) => self.answered(ticket, answer),
                Effect::Append(append) => self.pending[home].push_back(append.into()),
                Effect::Ask(question) => self.ask(question),
                Effect::Webhook(..) | Effect::Opened(_) | Effect::Closed(_) => {}
            }
        }
    }

    fn ask(&mut self, question: Question) {
        self.count("asked");
        let at = self.index[&question.key];
        let value = self.channels[at].source;
        let before = self.channels[at].question.replace((question.run, value));
        assert_eq!(before, None, "T-026: one question at a time");
    }

    fn check_item(&mut self, item: &Item) {
        match item {
            Item::Entry(delivery) => {
                let channel = self.index[&delivery.key];
                let log = &self.channels[channel].log;
                let offset = delivery.offset.get() as usize;
                assert!(offset <= log.released, "I3: {offset} is not released");
                let said = log.at(offset);
                assert_eq!(delivery.exclude, said.exclude);
                if let Some(sum) = delivery.sum {
                    let value = oyez_core::Value::parse(&said.data).expect("a value");
                    assert_eq!(sum, checksum(&value));
                }
                match (&delivery.sight, said.kind) {
                    (Sight::Event(frame), EntryKind::Event)
                    | (Sight::Truth(frame, _), EntryKind::Truth) => {
                        self.check_frame(channel, &seen::read(frame));
                    }
                    (Sight::Counted(frame), EntryKind::Deleted | EntryKind::Forgotten) => {
                        self.check_frame(channel, &seen::read(frame));
                    }
                    other => panic!("{other:?}"),
                }
            }
            Item::Subscribed { key, place, frames, standing, .. } => {
                let standing = standing.as_deref().expect("the channel remembers");
                self.check_cut(self.index[key], place.slot as usize, frames, standing);
            }
            Item::Stretch { key, frames, .. } => {
                self.count("stretch");
                let channel = self.index[key];
                for frame in frames {
                    let seen = seen::read(frame);
                    if let Seen::Reset(cut) = &seen {
                        self.count("reset");
                        assert_eq!(cut.offset as usize, self.channels[channel].log.released);
                    }
                    self.check_frame(channel, &seen);
                }
            }
            _ => {}
        }
    }

    /// I3, I5: what a frame shows may be seen, and is what the log says.
    fn check_frame(&self, channel: usize, seen: &Seen) {
        let log = &self.channels[channel].log;
        match seen {
            Seen::Event(event) => {
                let offset = event.offset as usize;
                assert!(offset <= log.released, "I3: {event:?}");
                let said = log.at(offset);
                assert_eq!(
                    (&event.name, event.truth),
                    (&said.event, said.kind == EntryKind::Truth)
                );
                let is_whole = event.delta.is_none();
                assert!(!is_whole || same(&event.data, &said.data), "I5: {event:?} is {said:?}");
                assert!(
                    !said.forgotten || !self.one_by_one,
                    "what was forgotten is shown: {event:?}"
                );
            }
            Seen::Skip { upto, .. } => assert!(*upto as usize <= log.released),
            Seen::Forget { offset, event } => {
                let said = log.at(*offset as usize);
                let forgotten = event.as_deref().map_or(EntryKind::Deleted, |name| {
                    assert_eq!(name, said.event);
                    EntryKind::Forgotten
                });
                assert_eq!(said.kind, forgotten);
            }
            _ => {}
        }
    }

    /// G1 and G5.
    fn check_cut(&mut self, channel: usize, slot: usize, frames: &[Frame], standing: &Standing) {
        let seen: Vec<Seen> = frames.iter().map(seen::read).collect();
        let Seen::Cut(cut) = &seen[0] else { panic!("the acknowledgement is first") };
        seen[1..].iter().for_each(|seen| self.check_frame(channel, seen));
        self.learn(channel, cut);
        let log = &self.channels[channel].log;
        assert_eq!(cut.offset, standing.cut.get());
        let exact = cut.offset as usize == log.released;
        assert!(exact || !self.one_by_one, "the cut is what is released: {cut:?}");
        assert!(cut.offset as usize <= log.released);
        if exact && cut.version.is_some() {
            assert_eq!(cut.version.map(|v| v as usize), log.truth(log.released));
        }
        if exact && !cut.resumed && !log.uncertain {
            let view = log.view(standing.speaks);
            assert_eq!(cut.replay, view.len(), "G1: {cut:?} {view:?} {log:?}");
            let shown: Vec<(usize, bool)> = (seen[1..].iter())
                .filter_map(|seen| match seen {
                    Seen::Event(event) => Some((event.offset as usize, true)),
                    Seen::Skip { upto, .. } => Some((*upto as usize, false)),
                    Seen::Miss => None,
                    other => panic!("{other:?}"),
                })
                .collect();
            let is_all = standing.shown == standing.cut;
            assert!(
                view.starts_with(&shown) && (!is_all || shown.len() == view.len()),
                "G1: {shown:?} of {view:?} {standing:?} {log:?}"
            );
            if !shown.is_empty() {
                self.count("replayed");
            }
        }
        let log = &self.channels[channel].log;
        let page = &self.tabs[slot].page;
        if let Some(position) = page.position.as_ref().filter(|_| page.client == Client::Aware)
            && exact
            && self.tabs[slot].link == Link::Pending
        {
            let term = Term::parse(&position.term).expect("as it was given");
            let offset = position.offset as usize;
            let resumes = log.resumes(&position.epoch, term, offset, &self.disk.terms);
            assert_eq!(cut.resumed, resumes, "G5: {position:?} {cut:?} {log:?}");
            assert_eq!(cut.reason.is_none(), resumes);
            let what = if resumes { "resumed" } else { "refused to resume" };
            self.count(what);
        }
    }

    fn learn(&mut self, channel: usize, cut: &Cut) {
        let log = &mut self.channels[channel].log;
        if log.entries.is_empty() {
            log.epoch = Some(cut.epoch.clone());
        }
        let known = log.epoch.get_or_insert_with(|| cut.epoch.clone());
        assert_eq!(*known, cut.epoch, "one numbering");
        assert_eq!(cut.term, self.disk.terms.last().expect("of this start").as_str());
    }

    fn answered(&mut self, ticket: Ticket, answer: Answer) {
        if self.tries.contains_key(&ticket.call) {
            return self.tried(ticket.call, answer);
        }
        let due = self.due.remove(&ticket.call).expect("nobody waits, or was answered before");
        self.compare(due, answer, When::Durable);
    }

    /// I4, I8: the answer, and that it is true for good.
    fn compare(&mut self, due: Due, answer: Answer, when: When) {
        let Due { channel, upto, answer: mut expected, lenient } = due;
        if self.failed && answer == Answer::Refused(Refused::JournalFailed) {
            return;
        }
        let known = match &answer {
            Answer::Channel(info) => info.position.map(|position| position.epoch),
            Answer::Truth(
                TruthAnswer::Done { epoch, .. } | TruthAnswer::Mismatch { epoch, .. },
            ) => Some(*epoch),
            _ => None,
        };
        let log = &mut self.channels[channel].log;
        if let Some(epoch) = known {
            if log.epoch.is_none() || log.entries.is_empty() {
                log.epoch = Some(epoch.to_string());
            }
            assert_eq!(log.epoch.as_deref(), Some(epoch.as_str()), "one numbering");
            match &mut expected {
                Answer::Channel(info) => {
                    info.position.as_mut().expect("wanted").epoch = epoch;
                }
                Answer::Truth(
                    TruthAnswer::Done { epoch: e, .. } | TruthAnswer::Mismatch { epoch: e, .. },
                ) => *e = epoch,
                _ => {}
            }
        }
        let plain = |answer: Answer| match answer {
            Answer::Truth(TruthAnswer::Done { epoch, version, .. }) if lenient => {
                Answer::Truth(TruthAnswer::Done { epoch, version, changed: Changed::Yes })
            }
            Answer::Truth(TruthAnswer::Mismatch { epoch, version, .. }) => {
                Answer::Truth(TruthAnswer::Mismatch { epoch, version, data: None })
            }
            Answer::Truth(TruthAnswer::DoesNotApply(_)) => {
                Answer::Truth(TruthAnswer::DoesNotApply(String::new()))
            }
            Answer::Channel(info) => Answer::Channel(ChannelInfo { occupied: false, ..info }),
            answer => answer,
        };
        if when == When::Durable && log.rule.durability == Durability::Full {
            let head = self.disk.head(&self.channels[channel].key) as usize;
            let refused = matches!(expected, Answer::Refused(_));
            assert!(head >= upto || refused, "I4: answered before it is durable: {answer:?}");
        }
        assert_eq!(plain(answer), plain(expected), "I8: {:?}", self.channels[channel].log);
        self.count("acknowledged");
    }

    /// A job is tried, the first time or again; now and then with another body.
    pub(crate) fn try_job(&mut self, job: usize) {
        let worker = self.any_worker();
        let body = u8::from(self.rng.random_range(0..8) == 0 && job.is_multiple_of(2));
        self.all_tries.push(Try { job, body, worker, part: None, missing: 0 });
        let nth = self.all_tries.len() - 1;
        let ticket = self.ticket(worker);
        self.tries.insert(ticket.call, nth);
        let app = self.channels[0].key.app();
        let key = (app, format!("job {job}").into_boxed_str());
        let keeper = self.keys.home_of_call(app, &key.1, self.workers());
        let begin = Command::Begin { key, body: BodyHash([body; 32]), ticket };
        self.to_home[at(worker)][at(keeper)].push_back(begin);
    }

    fn tried(&mut self, call: u32, answer: Answer) {
        let nth = self.tries.remove(&call).expect("somebody tries");
        let Try { job, body, worker, .. } = self.all_tries[nth];
        let app = self.channels[0].key.app();
        let key = (app, format!("job {job}").into_boxed_str());
        let keeper = self.keys.home_of_call(app, &key.1, self.workers());
        match answer {
            Answer::Begun(Begun::First) => {
                let channels = self.jobs[job].channels.clone();
                let kept = |at: &usize| self.channels[*at].log.rule.durability != Durability::Off;
                let parts = channels.iter().filter(|at| kept(at)).count() as u32 + 1;
                let serial = nth as u64;
                let part = (parts > 1).then_some(Part { call: CallId { worker, serial }, parts });
                (self.all_tries[nth].part, self.all_tries[nth].missing) = (part, channels.len());
                if channels.len() > 1 && self.workers() > 1 {
                    self.count("two homes");
                }
                for at in channels {
                    let ticket = self.ticket(worker);
                    self.tries.insert(ticket.call, nth);
                    let part = part.filter(|_| kept_one(&self.channels[at]));
                    let publish = Publish {
                        key: self.channels[at].key.clone(),
                        event: "job".to_owned(),
                        data: format!("{job}/{body}"),
                        exclude: None,
                        condition: Condition::default(),
                        wanted: Wanted { position: true, ..Wanted::default() },
                        room: Room::Left,
                        part,
                        caller: Some(Caller { ticket, when: When::Decided }),
                    };
                    self.send(worker, Command::Publish(Box::new(publish)));
                }
            }
            Answer::Begun(Begun::Again(stored)) => {
                self.count("again");
                assert_eq!((stored.status, &*stored.answer), (200, &[body][..]), "T-023");
                self.check_done(job, body);
            }
            Answer::Begun(Begun::Conflict) => self.count("conflict"),
            Answer::Channel(_) | Answer::Truth(_) => {
                let due = self.due.remove(&call).expect("predicted");
                self.compare(due, answer, When::Decided);
                self.all_tries[nth].missing -= 1;
                if self.all_tries[nth].missing == 0 {
                    let ticket = self.ticket(worker);
                    self.tries.insert(ticket.call, nth);
                    let (part, answer) = (self.all_tries[nth].part, vec![body].into());
                    let seal = Command::Seal { key, status: 200, answer, part, ticket };
                    self.to_home[at(worker)][at(keeper)].push_back(seal);
                }
            }
            Answer::Done => self.check_done(job, body),
            Answer::Begun(Begun::JournalFailed) | Answer::Refused(Refused::JournalFailed) => {
                assert!(self.failed);
                self.due.remove(&call);
            }
            other => panic!("{other:?}"),
        }
    }

    /// A job was answered: it is done for good, once.
    fn check_done(&mut self, job: usize, body: u8) {
        self.jobs[job].acked = true;
        let data = format!("{job}/{body}");
        for at in self.jobs[job].channels.clone() {
            if !kept_one(&self.channels[at]) || self.restored {
                continue;
            }
            let key = &self.channels[at].key;
            let said = self.channels[at].log.entries.iter().zip(1..);
            let said = said.filter(|(said, _)| said.event == "job" && said.data == data);
            let said: Vec<usize> = said.map(|(_, at)| at).collect();
            let young = self.wall - self.jobs[job].begun < 9 * 60_000;
            assert!(said.len() == 1 || !young && !said.is_empty(), "T-023: {said:?}");
            assert!(said[0] as u64 <= self.disk.head(key), "I4: it would be lost");
        }
    }

    /// What has happened to jobs, at rest.
    pub(crate) fn check_jobs(&self) {
        for (nth, job) in self.jobs.iter().enumerate() {
            for at in &job.channels {
                let mine = format!("{nth}/");
                let log = self.channels[*at].log.entries.iter();
                let times = log.filter(|s| s.event == "job" && s.data.starts_with(&mine)).count();
                let kept = kept_one(&self.channels[*at]) && !self.restored;
                assert!(times <= 1 || !kept, "T-023: the job {nth} was done {times} times");
                assert!(times == 1 || !job.acked || !kept, "I4: the job {nth} was lost");
            }
        }
    }
}

fn kept_one(channel: &Channel) -> bool {
    channel.log.rule.durability != Durability::Off
}

#[derive(Default)]
struct Predicted {
    must: Vec<(usize, Said)>,
    may: Vec<(usize, Said)>,
}

fn at(worker: WorkerId) -> usize {
    usize::from(worker.0)
}

fn same(one: &str, other: &str) -> bool {
    one == other
        || matches!(
            (serde_json::from_str::<Json>(one), serde_json::from_str::<Json>(other)),
            (Ok(one), Ok(other)) if one == other
        )
}

fn epoch(log: &Log) -> Epoch {
    let known = log.epoch.as_deref().unwrap_or("unknown0");
    Epoch::parse(known).expect("of the right form")
}

fn mismatch(log: &Log, version: usize, condition: Condition) -> Option<Answer> {
    let is_so = condition.version.is_none_or(|wanted| wanted.get() as usize == version)
        && match &condition.epoch {
            Expected::Any => true,
            Expected::This(epoch) => log.epoch.as_deref() == Some(epoch.as_str()),
            Expected::Foreign => false,
        };
    let version = Offset::new(version as u64).expect("small");
    let answer = TruthAnswer::Mismatch { epoch: epoch(log), version, data: None };
    (!is_so).then_some(Answer::Truth(answer))
}

/// What a change comes to.
fn decide(log: &Log, what: &ChangeOf, predicted: &mut Predicted, channel: usize) -> Answer {
    let head = log.entries.len();
    let held = log.truth(head);
    let value: Json = held
        .map_or(Json::Null, |at| serde_json::from_str(&log.at(at).data).expect("a truth is JSON"));
    let (kind, event, data) = match what {
        ChangeOf::Set(_, new) => (EntryKind::Truth, "state", new.text().to_owned()),
        ChangeOf::Merge(_, change) => {
            let change: Json = serde_json::from_str(change.text()).expect("JSON");
            (EntryKind::Truth, "state", merged(value.clone(), change).to_string())
        }
        ChangeOf::Patch(..) => match value.clone() {
            Json::Object(mut object) => {
                object.insert("p".to_owned(), Json::from(1));
                (EntryKind::Truth, "state", Json::Object(object).to_string())
            }
            _ => return Answer::Truth(TruthAnswer::DoesNotApply(String::new())),
        },
        ChangeOf::Delete => (EntryKind::Deleted, "", String::new()),
        ChangeOf::Forget(event) => (EntryKind::Forgotten, event.as_str(), String::new()),
    };
    let is_done = match kind {
        EntryKind::Truth => held.is_some() && same(&value.to_string(), &data),
        EntryKind::Deleted => held.is_none(),
        _ => !(log.latest.iter().copied().chain(log.low..=head)).any(|at| {
            let said = log.at(at);
            said.kind == EntryKind::Event && !said.forgotten && said.event == event
        }),
    };
    if is_done && kind == EntryKind::Forgotten {
        // What is older than the rule says may be held for a moment more.
        let (event, term) = (event.to_owned(), Term::parse("replaced").expect("a name"));
        let said = Said {
            kind,
            event,
            data: data.clone(),
            time: 0,
            exclude: None,
            term,
            forgotten: false,
        };
        predicted.may.push((channel, said));
    }
    if !is_done {
        let (event, term) = (event.to_owned(), Term::parse("replaced").expect("a name"));
        let said = Said { kind, event, data, time: 0, exclude: None, term, forgotten: false };
        predicted.must.push((channel, said));
    }
    let version = match kind {
        EntryKind::Truth if !is_done => head + 1,
        EntryKind::Deleted => 0,
        _ => held.unwrap_or(0),
    };
    let version = Offset::new(version as u64).expect("small");
    let changed = if is_done { Changed::No } else { Changed::Yes };
    Answer::Truth(TruthAnswer::Done { epoch: epoch(log), version, changed })
}

/// RFC 7396.
fn merged(target: Json, change: Json) -> Json {
    let Json::Object(change) = change else { return change };
    let mut target = match target {
        Json::Object(target) => target,
        _ => serde_json::Map::new(),
    };
    for (name, value) in change {
        if value.is_null() {
            target.remove(&name);
        } else {
            let before = target.remove(&name).unwrap_or_default();
            target.insert(name, merged(before, value));
        }
    }
    Json::Object(target)
}

/// Whether a page may be shown nothing of it.
pub(crate) fn is_hidden(said: &Said, tab: &Tab) -> bool {
    said.exclude.is_some_and(|socket| tab.sockets.contains(&socket.to_string()))
        || (tab.speaks() == Speaks::Pusher && said.kind != EntryKind::Event)
}
