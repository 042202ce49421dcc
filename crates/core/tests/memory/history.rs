// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`History`]: steps drawn from a seed, then a rest at which everybody knows what is true.

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use oyez_core::{
    AppIndex, AppRules, AskRule, Bounds, Change, ChangeOf, ChannelKey, Command, Durability,
    EntryKind, KeySpace, Listener, Patch, Pattern, Publish, Replay, Reply, Room, RuleBook, Rules,
    TruthRule, TruthSource, Value, Wanted, WorkerId, WrittenHistory, WrittenRule,
};
use oyez_protocol::api::{Condition, Expected};
use oyez_protocol::channel::ChannelName;
use oyez_protocol::delta::{DeltaKind, Deltas};
use oyez_protocol::message::{Aware, Resume};
use oyez_protocol::position::{Epoch, Offset, Term};
use oyez_protocol::socket_id::SocketId;
use rand::RngExt;
use rand::rngs::StdRng;

use crate::common::page::{Client, Page};
use crate::tab::{Link, Tab, is_hidden};
use crate::world::{Job, World};

pub(crate) const NAMES: [&str; 6] = ["latest", "names", "all", "pushed", "asked", "volatile"];

const EVENTS: [&str; 3] = ["a", "b", "c"];

pub(crate) fn key(keys: &KeySpace, name: &str) -> ChannelKey {
    keys.key(AppIndex(0), ChannelName::parse(name, 164).expect("a valid name"))
}

pub(crate) fn rules(rng: &mut StdRng) -> Rules {
    let written: Vec<WrittenRule> = (NAMES.iter())
        .map(|name| {
            let replay = match *name {
                "latest" => Replay::Latest,
                "names" => Replay::LatestPerEvent,
                "all" => Replay::All,
                "pushed" => Replay::None,
                _ => [Replay::None, Replay::Latest, Replay::LatestPerEvent, Replay::All]
                    [rng.random_range(0..4)],
            };
            let ask = AskRule {
                whom: 1,
                wait: Duration::from_millis([0, 300][rng.random_range(0..2)]),
                confirm: rng.random_bool(0.5),
                settle: Duration::from_secs(rng.random_range(0..2)),
                refresh: None,
            };
            let source = match *name {
                "asked" => Some(TruthSource::Asked(ask)),
                "pushed" => Some(TruthSource::Pushed),
                _ => None,
            };
            let durability = match *name {
                "volatile" => Durability::Off,
                _ if rng.random_bool(0.75) => Durability::Full,
                _ => Durability::Relaxed,
            };
            WrittenRule {
                pattern: Pattern::new(name),
                replay,
                history: Some(WrittenHistory {
                    events: Some(rng.random_range(1..6)),
                    age: rng.random_bool(0.5).then_some(Duration::from_secs(120)),
                }),
                durability: Some(durability),
                truth: source.map(|source| TruthRule { event: "state".to_owned(), source }),
            }
        })
        .collect();
    let bounds = Bounds { bytes: 1 << 20, names: 2, safest: Durability::Full };
    let channels = RuleBook::new(&written, bounds);
    Rules {
        presence_members: 100,
        webhook_delay: Duration::from_secs(1),
        replay_bytes: [1, 200, 1 << 20][rng.random_range(0..3)],
        truth_bytes: 1 << 20,
        memory_bytes: 1 << 30,
        idempotency_keys: 1_000,
        safest: Durability::Full,
        apps: vec![AppRules { channels, ..AppRules::default() }],
    }
}

pub(crate) fn tab(rng: &mut StdRng, slot: u32, workers: usize) -> Tab {
    let client = if rng.random_bool(0.6) { Client::Aware } else { Client::Plain };
    let kinds = [
        Deltas::NONE,
        Deltas::NONE.with(DeltaKind::Merge).with(DeltaKind::Patch),
        Deltas::NONE.with(DeltaKind::Patch),
    ];
    let deltas = kinds[rng.random_range(0..3)];
    Tab {
        channel: rng.random_range(0..NAMES.len()),
        worker: WorkerId(rng.random_range(0..workers) as u16),
        slot,
        serial: 0,
        page: Page::new(client),
        deltas: if client == Client::Aware { deltas } else { Deltas::NONE },
        link: Link::Off,
        wire: VecDeque::new(),
        slow: false,
        sockets: BTreeSet::new(),
    }
}

pub(crate) struct History {
    world: World,
    said: u64,
}

impl History {
    pub(crate) fn run(seed: u64, steps: usize, talks: bool) -> World {
        let mut world = World::new(seed);
        world.talks = talks;
        let mut history = History { world, said: 0 };
        for _ in 0..steps {
            history.act();
        }
        history.rest();
        history.world
    }

    fn chance(&mut self, of: u32) -> bool {
        self.world.rng.random_range(0..of) == 0
    }

    fn act(&mut self) {
        match self.world.rng.random_range(0..100) {
            0..40 => {
                self.world.step();
            }
            40..56 => self.publish(),
            56..66 => self.change(),
            66..69 => self.source(),
            69..73 => self.reply(),
            73..81 => self.link(),
            81..84 => {
                let at = self.any_tab();
                let tab = &mut self.world.tabs[at];
                tab.slow = !tab.slow;
            }
            84..90 => self.job(),
            90..95 => {
                let most = [100, 2_000, 70_000][self.world.rng.random_range(0..3)];
                let millis = self.world.rng.random_range(0..most);
                self.wait(millis);
            }
            95..98 => {
                for _ in 0..20 {
                    self.world.step();
                }
            }
            98 => self.world.crash(),
            _ if self.chance(4) => self.world.fail(),
            _ => {}
        }
    }

    /// Time passes, and what is due is done when it is due.
    fn wait(&mut self, millis: u64) {
        let until = self.world.wall + millis;
        while let Some(next) = self.world.next_tick().filter(|at| *at <= until) {
            self.world.wall = self.world.wall.max(next);
            self.world.tick();
        }
        self.world.wall = until;
        self.world.tick();
    }

    fn any_tab(&mut self) -> usize {
        self.world.rng.random_range(0..self.world.tabs.len())
    }

    fn any_channel(&mut self) -> usize {
        self.world.rng.random_range(0..self.world.channels.len())
    }

    fn condition(&mut self, channel: usize) -> Condition {
        let log = &self.world.channels[channel].log;
        let head = log.entries.len();
        let versions = [0, head, log.truth(head).unwrap_or(0)];
        let epoch = log.epoch.clone().filter(|_| head > 0);
        let mut condition = Condition::default();
        if self.chance(3) {
            let version = versions[self.world.rng.random_range(0..3)];
            condition.version = Offset::new(version as u64);
        }
        match self.world.rng.random_range(0..12) {
            0 => condition.epoch = Expected::Foreign,
            1..4 => {
                let epoch = epoch.map(|epoch| Epoch::parse(&epoch).expect("as it was given"));
                condition.epoch = epoch.map_or(Expected::Any, Expected::This);
            }
            _ => {}
        }
        condition
    }

    fn exclude(&mut self) -> Option<SocketId> {
        let at = self.any_tab();
        self.chance(5).then(|| self.world.tabs[at].socket())
    }

    fn publish(&mut self) {
        self.said += 1;
        let (channel, from) = (self.any_channel(), self.world.any_worker());
        let publish = Publish {
            key: self.world.channels[channel].key.clone(),
            event: EVENTS[self.world.rng.random_range(0..3)].to_owned(),
            data: self.said.to_string(),
            exclude: self.exclude(),
            condition: self.condition(channel),
            wanted: Wanted { position: true, ..Wanted::default() },
            room: Room::Left,
            part: None,
            caller: Some(self.world.caller(from)),
        };
        self.world.send(from, Command::Publish(Box::new(publish)));
    }

    fn change(&mut self) {
        self.said += 1;
        let channel = match self.world.rng.random_range(0..3) {
            0 => self.any_channel(),
            _ => 3,
        };
        if NAMES[channel] == "asked" {
            return;
        }
        let padding = "long ".repeat(if self.chance(2) { 200 } else { 0 });
        let text = format!("{{\"n\":{},\"pad\":\"{padding}\"}}", self.said);
        let merge = format!("{{\"n\":{},\"x\":null}}", self.said);
        let patch = "[{\"op\":\"add\",\"path\":\"/p\",\"value\":1}]";
        let value = |text: &str| Value::parse(text).expect("a value").into_owned();
        let event = Some("state".to_owned());
        let what = match self.world.rng.random_range(0..10) {
            0..4 => ChangeOf::Set(event, value(&text)),
            4..7 => ChangeOf::Merge(event, value(&merge)),
            7 => ChangeOf::Patch(event, Patch::parse(patch, 8).expect("a patch").into_owned()),
            8 => ChangeOf::Delete,
            _ => ChangeOf::Forget(EVENTS[self.world.rng.random_range(0..3)].to_owned()),
        };
        let what = match what {
            ChangeOf::Delete if self.chance(2) => {
                ChangeOf::Forget(EVENTS[self.world.rng.random_range(0..3)].to_owned())
            }
            what => what,
        };
        if matches!(what, ChangeOf::Forget(_)) {
            self.world.count("forgotten");
        }
        let is_kept = NAMES[channel] != "volatile";
        let ttl = (is_kept && self.chance(4)).then(|| Duration::from_secs(20));
        let from = self.world.any_worker();
        let change = Change {
            key: self.world.channels[channel].key.clone(),
            what,
            condition: self.condition(channel),
            ttl,
            exclude: self.exclude(),
            wanted: Wanted::default(),
            room: Room::Left,
            part: None,
            caller: Some(self.world.caller(from)),
        };
        self.world.send(from, Command::Change(Box::new(change)));
    }

    /// The source of the asked truth changes; now and then `changed` runs ahead of it.
    fn source(&mut self) {
        let from = self.world.any_worker();
        let rule = &self.world.channels[4].log.rule;
        let settles = rule.asked().is_some_and(|ask| !ask.settle.is_zero());
        // Without a confirming question nothing helps a `changed` that runs ahead.
        let ahead = settles && self.chance(3);
        if !ahead {
            self.world.channels[4].source += 1;
        }
        let key = self.world.channels[4].key.clone();
        let (min_version, room, ticket) = (None, Room::Left, None);
        self.world.send(from, Command::Changed { key, min_version, room, ticket });
        if ahead {
            for _ in 0..50 {
                self.world.step();
            }
            self.world.channels[4].source += 1;
        }
    }

    /// The one who was asked answers: with what was true when it was asked, or is now, or fails.
    fn reply(&mut self) {
        let Some((run, asked)) = self.world.channels[4].question.take() else { return };
        let now = self.world.channels[4].source;
        let reply = match self.world.rng.random_range(0..5) {
            0 => Reply::Failed,
            1..3 => truth(asked),
            _ => truth(now),
        };
        let (from, key) = (self.world.any_worker(), self.world.channels[4].key.clone());
        self.world.send(from, Command::Replied { key, run, reply });
    }

    fn link(&mut self) {
        let at = self.any_tab();
        if self.world.tabs[at].link == Link::Off {
            let listener = self.listener(at);
            self.world.subscribe(at, listener);
        } else {
            self.world.drop_link(at);
        }
    }

    fn listener(&self, at: usize) -> Listener {
        let tab = &self.world.tabs[at];
        if tab.page.client == Client::Plain {
            return Listener::default();
        }
        let offset = |number: u64| Offset::new(number).expect("small");
        let resume = tab.page.position.as_ref().map(|position| {
            Box::new(Resume {
                epoch: Some(Epoch::parse(&position.epoch).expect("as it was given")),
                term: Some(Term::parse(&position.term).expect("as it was given")),
                offset: offset(position.offset),
                socket: Some(tab.socket()),
            })
        });
        let version = tab.page.truth.as_ref().map(|(version, _)| offset(*version));
        let aware = Aware { generation: None, deltas: tab.deltas, version };
        Listener { aware: Some(Box::new(aware)), resume }
    }

    fn job(&mut self) {
        let job = match self.world.jobs.len() {
            0 => None,
            jobs if self.chance(2) => Some(self.world.rng.random_range(0..jobs)),
            _ => None,
        };
        let is_young = |world: &World, job: usize| world.wall - world.jobs[job].begun < 9 * 60_000;
        match job {
            Some(job) if is_young(&self.world, job) => self.world.try_job(job),
            Some(_) => {}
            None => {
                let mut channels = vec![self.any_channel()];
                let other = self.any_channel();
                if !channels.contains(&other) {
                    channels.push(other);
                }
                let begun = self.world.wall;
                self.world.jobs.push(Job { channels, begun, acked: false });
                self.world.try_job(self.world.jobs.len() - 1);
            }
        }
    }

    /// Nothing is left to happen: everybody knows what is true.
    fn rest(&mut self) {
        if self.world.failed {
            self.world.crash();
        }
        for at in 0..self.world.tabs.len() {
            self.world.tabs[at].slow = false;
        }
        for _ in 0..12 {
            let mut left = 20_000;
            loop {
                let question = self.world.channels[4].question.take();
                if let Some((run, _)) = question {
                    let source = self.world.channels[4].source;
                    let (from, key) = (self.world.any_worker(), self.world.channels[4].key.clone());
                    self.world.send(from, Command::Replied { key, run, reply: truth(source) });
                }
                if !self.world.step() && self.world.channels[4].question.is_none() {
                    break;
                }
                left -= 1;
                assert!(left > 0, "I13: it never comes to rest");
            }
            for at in 0..self.world.tabs.len() {
                if self.world.tabs[at].link == Link::Off {
                    let listener = self.listener(at);
                    self.world.subscribe(at, listener);
                }
            }
            self.wait(3_500);
        }
        let is_settled = self.world.homes.iter().all(|home| home.is_settled());
        assert!(is_settled, "something waits: {:?}", self.world.unwritten());
        assert!(self.world.is_answered(), "everybody is answered");
        self.world.check_jobs();
        for at in 0..self.world.tabs.len() {
            self.check_tab(at);
        }
        self.check_bounds();
    }

    fn check_tab(&self, at: usize) {
        let tab = &self.world.tabs[at];
        let (page, channel) = (&tab.page, &self.world.channels[tab.channel]);
        let log = &channel.log;
        assert_eq!(log.released, log.entries.len(), "everything is released");
        assert!(matches!(tab.link, Link::Live) && !page.lost, "everybody is live: {tab:?}");
        let counts = page.client == Client::Aware;
        assert!(!counts || !page.is_replaying(), "the replay is shorter than it says: {tab:?}");
        for (offset, (name, data)) in &page.view {
            let said = log.entries.get(*offset as usize - 1);
            let said = said.expect("I7: a page shows what no log has");
            assert_eq!((name, same(data, &said.data)), (&said.event, true), "I5, I7: {tab:?}");
        }
        for (said, offset) in log.entries.iter().zip(1..).skip(page.base as usize) {
            let is_due = said.kind == EntryKind::Event && !said.forgotten && !is_hidden(said, tab);
            assert!(!is_due || page.view.contains_key(&offset), "G4: {offset} {tab:?} {log:?}");
        }
        for offset in log.latest.iter().filter(|_| !log.uncertain) {
            let said = log.at(*offset);
            if !is_hidden(said, tab) {
                let shown = page.shown.get(&said.event).map(|(_, data)| data);
                assert_eq!(shown, Some(&said.data), "I7: {tab:?} {log:?}");
            }
        }
        if page.client == Client::Aware {
            let position = page.position.as_ref().expect("it has a position");
            assert_eq!(position.offset as usize, log.entries.len(), "I10");
        }
        let truth = log.truth(log.released).map(|at| log.at(at));
        if let Some(truth) = truth.filter(|said| !is_hidden_truth(said, tab)) {
            let (_, held) = page.truth.as_ref().expect("I7: the truth");
            assert!(same(held, &truth.data), "I7: {held} {} {tab:?}", truth.data);
        }
        if NAMES[tab.channel] == "asked" {
            let truth = truth.expect("I9: there is a truth");
            assert_eq!(truth.data, format!("{{\"n\":{}}}", channel.source), "I9, T-026");
        }
    }

    /// I12: no more is kept than the rules say.
    fn check_bounds(&mut self) {
        self.wait(2_000);
        while self.world.step() {}
        for channel in &self.world.channels {
            let rows = self.world.disk.entries.values();
            let rows = rows.filter(|(key, _)| *key == channel.key).count();
            let rule = &channel.log.rule;
            assert!(rows <= rule.events + rule.names + 1, "{rows} rows of {:?}", channel.key);
        }
    }
}

fn is_hidden_truth(said: &crate::reference::Said, tab: &Tab) -> bool {
    said.exclude.is_some_and(|socket| tab.sockets.contains(&socket.to_string()))
}

fn same(one: &str, other: &str) -> bool {
    one == other
        || matches!(
            (serde_json::from_str::<serde_json::Value>(one), serde_json::from_str::<serde_json::Value>(other)),
            (Ok(one), Ok(other)) if one == other
        )
}

fn truth(number: u64) -> Reply {
    let text = format!("{{\"n\":{number}}}");
    Reply::Truth(Value::parse(&text).expect("a value").into_owned(), None)
}
