// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`World`]: a server, its disk, and the pages.

use std::collections::VecDeque;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use oyez_core::{Durability, Effect, End, Item, Listener, Mark, Replay, Rules, Sight, Standing};
use oyez_protocol::encode::Frame;
use oyez_protocol::message::{Aware, Resume};
use oyez_protocol::position::{Epoch, Offset, Term};

use crate::common::disk::{Disk, Pending};
use crate::common::page::{Client, Page};
use crate::common::seen::{self, Event, Seen};
use crate::server::{Server, Told, key, rules, term};
use crate::step::Step;
use crate::{Design, Order};

/// See the module.
#[derive(Clone)]
pub(crate) struct World {
    design: Design,
    rules: Arc<Rules>,
    disk: Disk,
    /// The disk as it was at the first crash.
    backup: Option<Disk>,
    server: Option<Server>,
    starts: usize,
    /// Appended and not on the disk.
    unwritten: VecDeque<Pending>,
    /// On the disk, and the home does not know.
    unreported: VecDeque<(Mark, usize)>,
    /// Every event of the log that there is: what it says.
    log: Vec<u8>,
    /// How much of it everybody may see.
    released: usize,
    cache: Option<usize>,
    tabs: Vec<Tab>,
    published: u8,
    crashes: u8,
    restored: u8,
}

/// A page and its link.
#[derive(Clone, Hash)]
struct Tab {
    page: Page,
    link: Link,
    wire: VecDeque<Seen>,
    drops: u8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Link {
    Off,
    /// Half subscribed.
    Half,
    Live,
    Behind(Standing),
}

impl Hash for Link {
    fn hash<H: Hasher>(&self, state: &mut H) {
        format!("{self:?}").hash(state);
    }
}

/// The home itself is not part of it: what it will do is decided by the log, by how much of it is
/// released, and by who is subscribed.
impl Hash for World {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.disk.hash(state);
        self.backup.hash(state);
        (self.server.is_some(), self.starts, self.published, self.crashes).hash(state);
        (self.restored, self.released, self.cache, &self.log, &self.tabs).hash(state);
        self.unwritten.len().hash(state);
        self.unreported.hash(state);
    }
}

impl World {
    pub(crate) fn new(design: Design) -> World {
        let tab = |client: &Client| Tab {
            page: Page::new(*client),
            link: Link::Off,
            wire: VecDeque::new(),
            drops: design.drops,
        };
        let mut world = World {
            design,
            rules: Arc::new(rules(&design)),
            disk: Disk::default(),
            backup: None,
            server: None,
            starts: 0,
            unwritten: VecDeque::new(),
            unreported: VecDeque::new(),
            log: Vec::new(),
            released: 0,
            cache: None,
            tabs: design.pages.iter().map(tab).collect(),
            published: 0,
            crashes: 0,
            restored: 0,
        };
        world.start();
        world
    }

    /// What may happen next.
    pub(crate) fn steps(&self) -> Vec<Step> {
        let mut steps = Vec::new();
        if self.server.is_none() {
            if self.restored < self.design.backups && self.backup.is_some() {
                steps.push(Step::Restore);
            }
            steps.push(Step::Start);
        } else {
            if self.published < self.design.publishes {
                steps.push(Step::Publish);
            }
            if self.crashes < self.design.crashes {
                steps.push(Step::Crash);
            }
            if !self.unreported.is_empty() {
                steps.push(Step::Report);
            }
            if self.order() == Order::JoinThenCache && self.cache != Some(self.released) {
                steps.push(Step::Cache);
            }
        }
        if !self.unwritten.is_empty() {
            steps.push(Step::Write);
        }
        for (at, tab) in self.tabs.iter().enumerate() {
            match tab.link {
                Link::Off if self.server.is_some() => steps.push(Step::Subscribe(at)),
                Link::Off => {}
                Link::Half => steps.push(Step::Complete(at)),
                Link::Behind(_) => steps.push(Step::CatchUp(at)),
                Link::Live => {}
            }
            if !tab.wire.is_empty() {
                steps.push(Step::Hear(at));
            }
            if tab.link != Link::Off && tab.drops > 0 {
                steps.push(Step::Drop(at));
            }
        }
        steps
    }

    fn order(&self) -> Order {
        self.design.order
    }

    pub(crate) fn take(&mut self, step: Step) {
        match step {
            Step::Publish => {
                self.published += 1;
                self.log.push(self.published);
                let told = Told::Publish(self.published);
                self.tell(told);
                if self.design.durability != Durability::Full {
                    self.released = self.log.len();
                }
            }
            Step::Write => {
                let pending = self.unwritten.pop_front().expect("something is unwritten");
                self.disk.write(&pending.records);
                self.unreported.push_back((pending.mark, self.disk.head(&key()) as usize));
            }
            Step::Report => {
                let (mark, head) = self.unreported.pop_front().expect("something is unreported");
                self.tell(Told::Committed(mark));
                self.released = self.released.max(head);
            }
            Step::Subscribe(at) => self.subscribe(at),
            Step::Complete(at) => self.complete(at),
            Step::Hear(at) => self.hear(at),
            Step::Drop(at) => {
                self.tabs[at].drops -= 1;
                let was = self.unlink(at);
                let is_joined = self.order() != Order::ReadThenJoin || was != Link::Half;
                if is_joined {
                    self.tell(Told::Unsubscribe(at));
                }
            }
            Step::CatchUp(at) => {
                let Link::Behind(standing) = self.tabs[at].link else { panic!("not behind") };
                self.tell(Told::CatchUp(at, standing));
            }
            Step::Cache => self.cache = Some(self.released),
            Step::Crash => self.crash(),
            Step::Restore => {
                self.restored += 1;
                let terms = self.disk.terms.len();
                self.disk = self.backup.clone().expect("there is a backup");
                assert!(self.disk.terms.len() <= terms);
            }
            Step::Start => self.start(),
        }
    }

    fn unlink(&mut self, at: usize) -> Link {
        let tab = &mut self.tabs[at];
        tab.wire.clear();
        tab.page.drop_link();
        std::mem::replace(&mut tab.link, Link::Off)
    }

    fn crash(&mut self) {
        self.crashes += 1;
        self.server = None;
        self.unwritten.clear();
        self.unreported.clear();
        self.cache = None;
        for at in 0..self.tabs.len() {
            self.unlink(at);
        }
        self.backup.get_or_insert_with(|| self.disk.clone());
    }

    fn start(&mut self) {
        self.starts += 1;
        self.disk.terms.push(term(self.starts));
        self.log.truncate(self.disk.head(&key()) as usize);
        self.released = self.log.len();
        self.server = Some(Server::new(Arc::clone(&self.rules), self.disk.clone(), self.starts));
    }

    fn tell(&mut self, told: Told) {
        let server = self.server.as_mut().expect("the server runs");
        for effect in server.tell(told) {
            match effect {
                Effect::Append(append) => self.unwritten.push_back(append.into()),
                Effect::Send(_, item) => self.item(item),
                _ => {}
            }
        }
    }

    /// What a worker does with what its home says.
    fn item(&mut self, item: Item) {
        match item {
            Item::Entry(delivery) => {
                let Sight::Event(frame) = &delivery.sight else { panic!("{delivery:?}") };
                let at = delivery.offset.get() as usize;
                assert_eq!(at, self.released + 1, "one after the other");
                self.released = at;
                self.check_durable(at);
                let seen = seen::read(frame);
                self.check_content(&seen);
                let joins = self.order() == Order::JoinThenCache;
                let live =
                    |tab: &&mut Tab| tab.link == Link::Live || (joins && tab.link == Link::Half);
                for tab in self.tabs.iter_mut().filter(live) {
                    tab.wire.push_back(seen.clone());
                }
            }
            Item::Subscribed { place, frames, standing, .. } => {
                let at = place.slot as usize;
                let standing = *standing.expect("the channel remembers");
                self.released = self.released.max(standing.cut.get() as usize);
                self.check_durable(standing.cut.get() as usize);
                match self.order() {
                    Order::Atomic | Order::OffsetOnly => {
                        self.write(at, &frames);
                        let is_there = standing.shown >= standing.cut;
                        self.tabs[at].link =
                            if is_there { Link::Live } else { Link::Behind(standing) };
                    }
                    Order::ReadThenJoin => self.tabs[at].link = Link::Live,
                    Order::JoinThenCache => self.tabs[at].link = Link::Half,
                }
            }
            Item::Stretch { place, frames, standing, end, .. } => {
                let at = place.slot as usize;
                self.write(at, &frames);
                self.tabs[at].link = match end {
                    End::Reached => Link::Live,
                    End::Ahead => Link::Behind(standing),
                };
            }
            Item::LeftBehind { place, .. } => {
                let at = place.slot as usize;
                self.unlink(at);
                self.tell(Told::Unsubscribe(at));
            }
            other => panic!("no part of this model: {other:?}"),
        }
    }

    fn write(&mut self, at: usize, frames: &[Frame]) {
        for frame in frames {
            let seen = seen::read(frame);
            self.check_content(&seen);
            self.tabs[at].wire.push_back(seen);
        }
    }

    /// I3: what is shown would survive.
    fn check_durable(&self, offset: usize) {
        if self.design.durability == Durability::Full {
            assert!(self.disk.head(&key()) as usize >= offset, "I3: {offset} would be lost");
        }
    }

    /// I5: what is sent is what the log says.
    fn check_content(&self, seen: &Seen) {
        if let Seen::Event(event) = seen {
            let said = self.log[event.offset as usize - 1].to_string();
            assert_eq!(event.data, said, "I5: the event {}", event.offset);
        }
    }

    fn listener(&self, at: usize) -> Listener {
        let page = &self.tabs[at].page;
        if matches!(page.client, Client::Plain | Client::Naive) {
            return Listener::default();
        }
        let resume = page.position.as_ref().map(|position| {
            let named = match self.order() {
                Order::OffsetOnly => *self.disk.terms.last().expect("of this start"),
                _ => Term::parse(&position.term).expect("as it was given"),
            };
            Box::new(Resume {
                epoch: Some(Epoch::parse(&position.epoch).expect("as it was given")),
                term: Some(named),
                offset: Offset::new(position.offset).expect("as it was given"),
                socket: None,
            })
        });
        Listener { aware: Some(Box::new(Aware::default())), resume }
    }

    fn subscribe(&mut self, at: usize) {
        if self.order() == Order::ReadThenJoin {
            let tab = &mut self.tabs[at];
            tab.link = Link::Half;
            tab.wire.extend(self.released.checked_sub(1).map(|at| past(at + 1, self.log[at])));
            return;
        }
        let listener = self.listener(at);
        self.tell(Told::Subscribe(at, Box::new(listener)));
    }

    /// The second half of a subscription that has two.
    fn complete(&mut self, at: usize) {
        match self.order() {
            Order::ReadThenJoin => {
                self.tell(Told::Subscribe(at, Box::default()));
            }
            _ => {
                let tab = &mut self.tabs[at];
                tab.link = Link::Live;
                let cached = self.cache.filter(|at| *at > 0);
                tab.wire.extend(cached.map(|at| past(at, self.log[at - 1])));
            }
        }
    }

    fn hear(&mut self, at: usize) {
        let tab = &mut self.tabs[at];
        let seen = tab.wire.pop_front().expect("something is on the wire");
        let lost = tab.page.hear(&seen);
        assert_eq!(lost, None, "a page lost its place");
    }

    /// Where nothing is left to happen by itself, every page shows what the log holds.
    pub(crate) fn check_rest(&self) {
        let is_written = self.unwritten.is_empty() && self.unreported.is_empty();
        let is_cached = self.order() != Order::JoinThenCache || self.cache == Some(self.released);
        if self.server.is_none() || !is_written || !is_cached {
            return;
        }
        assert_eq!(self.released, self.log.len(), "everything is released");
        for tab in &self.tabs {
            if tab.link != Link::Live || !tab.wire.is_empty() {
                continue;
            }
            let page = &tab.page;
            assert!(!page.is_replaying(), "the replay is shorter than it says");
            if let Some(newest) = self.log.last()
                && self.design.replay != Replay::None
            {
                let newest = Some(newest.to_string());
                assert_eq!(page.last, newest, "I7: the page shows {:?}", page.last);
            }
            if page.client != Client::Naive {
                let log = (self.log.iter().enumerate()).skip(page.base as usize);
                let log: Vec<_> = log.map(|(at, id)| (at as u64 + 1, id.to_string())).collect();
                let view = page.view.iter().map(|(at, (_, data))| (*at, data.clone()));
                assert_eq!(view.collect::<Vec<_>>(), log, "G2 to G5: what came after the cut");
            }
            if let Some(position) = page.position.as_ref().filter(|_| page.client == Client::Aware)
            {
                assert_eq!(position.offset as usize, self.log.len(), "I10: the position");
            }
        }
    }
}

/// An event as it is read from somewhere beside the log.
fn past(offset: usize, id: u8) -> Seen {
    Seen::Event(Event {
        name: "news".to_owned(),
        data: id.to_string(),
        offset: offset as u64,
        replayed: true,
        truth: false,
        delta: None,
    })
}
