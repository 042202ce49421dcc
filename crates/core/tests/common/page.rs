// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Page`]: a page that follows one channel, plain or with a client that counts offsets, by the
//! rules that `oyez.js` follows. It panics at the first frame that breaks a promise.

use std::collections::BTreeMap;

use oyez_core::{Patch, Value, checksum, merge};

use super::seen::{Cut, Event, Seen};

/// Deep enough for every value of the tests.
const DEPTH: usize = 16;

/// What a client makes of what it hears.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Client {
    /// The unmodified `pusher-js`.
    Plain,
    /// One that counts.
    Aware,
    /// One that counts wrongly: its position is the cut's before the replay was handled.
    Hasty,
    /// One that asks nothing: for servers that break promises, to see what becomes of it.
    Naive,
}

/// A position as it is echoed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Position {
    pub(crate) epoch: String,
    pub(crate) term: String,
    pub(crate) offset: u64,
}

/// See the module.
#[derive(Clone, Debug, Hash)]
pub(crate) struct Page {
    pub(crate) client: Client,
    /// Where it would go on.
    pub(crate) position: Option<Position>,
    /// Frames of the replay that are still to come, and the cut that they lead to.
    left: Option<(usize, Cut)>,
    /// The last offset of this subscription.
    newest: u64,
    /// The cut where its knowledge begins.
    pub(crate) base: u64,
    /// Every event and truth after the base that it was shown: name and data by offset.
    pub(crate) view: BTreeMap<u64, (String, String)>,
    /// What it shows, by name.
    pub(crate) shown: BTreeMap<String, (u64, String)>,
    /// The truth that it holds, with its version.
    pub(crate) truth: Option<(u64, String)>,
    /// What it was shown last of all.
    pub(crate) last: Option<String>,
    /// How often its knowledge began anew.
    pub(crate) anew: u32,
    /// It has lost its place and waits for a reset.
    pub(crate) lost: bool,
    /// Jumped over events it never knew of.
    jumped: bool,
}

/// What a page wants when it has lost its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lost {
    Resync,
}

impl Page {
    pub(crate) fn new(client: Client) -> Page {
        Page {
            client,
            position: None,
            left: None,
            newest: 0,
            base: 0,
            view: BTreeMap::new(),
            shown: BTreeMap::new(),
            truth: None,
            last: None,
            anew: 0,
            lost: false,
            jumped: false,
        }
    }

    /// Its connection is gone, and with it the rest of a replay.
    pub(crate) fn drop_link(&mut self) {
        self.left = None;
        self.lost = false;
        self.jumped = false;
    }

    fn counts(&self) -> bool {
        matches!(self.client, Client::Aware | Client::Hasty)
    }

    /// Whether a replay is still on its way.
    pub(crate) fn is_replaying(&self) -> bool {
        self.left.is_some()
    }

    pub(crate) fn hear(&mut self, seen: &Seen) -> Option<Lost> {
        if self.lost && !matches!(seen, Seen::Cut(_) | Seen::Reset(_)) {
            return None;
        }
        let lost = self.read(seen);
        self.lost |= lost.is_some();
        lost
    }

    fn read(&mut self, seen: &Seen) -> Option<Lost> {
        match seen {
            Seen::Jump(cut) => {
                (self.base, self.newest, self.left) = (*cut, 0, None);
                self.view.clear();
                self.jumped = true;
            }
            Seen::Cut(cut) if cut.resumed => self.resume(cut),
            Seen::Cut(cut) | Seen::Reset(cut) => self.begin(cut),
            Seen::Event(event) => return self.event(event),
            Seen::Skip { from, upto } => {
                assert!(self.counts(), "a plain page hears of a skip");
                return self.pass(*from, *upto);
            }
            Seen::Forget { offset, event } => {
                assert!(self.counts(), "a plain page hears of what is forgotten");
                let lost = self.pass(*offset, *offset);
                if lost.is_none() {
                    match event {
                        Some(event) => self.forget(event, *offset),
                        None => self.truth = None,
                    }
                }
                return lost;
            }
            Seen::Miss => {}
            Seen::Error => panic!("a subscription that was refused"),
        }
        None
    }

    fn resume(&mut self, cut: &Cut) {
        assert!(self.counts(), "a plain page is resumed");
        let position = self.position.as_mut().expect("only who has a position goes on");
        assert_eq!(position.epoch, cut.epoch, "a resume into another numbering");
        position.term.clone_from(&cut.term);
        self.newest = position.offset;
        if cut.replay == 0 {
            assert_eq!(position.offset, cut.offset, "nothing missed, nothing shown");
        } else {
            self.left = Some((cut.replay, cut.clone()));
        }
    }

    fn begin(&mut self, cut: &Cut) {
        self.anew += 1;
        self.lost = false;
        self.base = cut.offset;
        self.newest = 0;
        self.view.clear();
        if self.counts() {
            self.shown.clear();
            self.truth = None;
        }
        self.position = None;
        let there =
            Position { epoch: cut.epoch.clone(), term: cut.term.clone(), offset: cut.offset };
        if cut.replay == 0 || self.client == Client::Hasty {
            self.position = Some(there);
        }
        if cut.replay == 0 {
            self.newest = cut.offset;
        }
        self.left = (cut.replay > 0).then(|| (cut.replay, cut.clone()));
    }

    fn forget(&mut self, event: &str, before: u64) {
        self.shown.remove(event);
        self.view.retain(|offset, (name, _)| *offset > before || name != event);
    }

    fn event(&mut self, event: &Event) -> Option<Lost> {
        if self.client == Client::Naive {
            self.show(event);
            return None;
        }
        if self.client == Client::Plain && !event.replayed {
            // Something may have been forgotten while it was being shown; this one does not count.
            self.left = None;
        }
        let is_past = self.left.is_some();
        if !self.jumped {
            assert_eq!(
                event.replayed, is_past,
                "a replay has as many frames as it says: {event:?}"
            );
        }
        if let Some(delta) = &event.delta
            && self.truth.as_ref().is_none_or(|(version, _)| *version != delta.from)
        {
            return Some(Lost::Resync);
        }
        let lost = self.pass(event.offset, event.offset);
        if lost.is_none() {
            self.show(event);
        }
        lost
    }

    /// Takes a step over some offsets.
    fn pass(&mut self, from: u64, upto: u64) -> Option<Lost> {
        assert!(from > self.newest, "I2: {from} after {}", self.newest);
        let resumes = self.left.as_ref().is_some_and(|(_, cut)| cut.resumed);
        let counts = self.counts() && (self.left.is_none() || resumes);
        if counts {
            let position = self.position.as_mut().expect("it counts from a position");
            if from != position.offset + 1 {
                return Some(Lost::Resync);
            }
            position.offset = upto;
        }
        self.newest = upto;
        if let Some((left, cut)) = self.left.take() {
            assert!(upto <= cut.offset, "a replay goes no further than its cut");
            if left > 1 {
                self.left = Some((left - 1, cut));
            } else {
                let there = Position { epoch: cut.epoch, term: cut.term, offset: cut.offset };
                if cut.resumed {
                    assert_eq!(self.position.as_ref(), Some(&there), "the resume ends at its cut");
                }
                self.newest = cut.offset;
                self.position = Some(there);
            }
        }
        None
    }

    fn show(&mut self, event: &Event) {
        let data = match &event.delta {
            None => event.data.clone(),
            Some(delta) => {
                let (version, held) = self.truth.as_ref().expect("a change of a truth that it has");
                assert_eq!(*version, delta.from, "a change of another truth");
                let held = Value::parse(held).expect("a value");
                let new = match delta.r#type.as_str() {
                    "merge" => merge(&held, &Value::parse(&event.data).expect("a value")),
                    "patch" => Patch::parse(&event.data, DEPTH)
                        .expect("a patch")
                        .apply(&held, usize::MAX)
                        .expect("T-027: it applies"),
                    other => panic!("a change of the kind {other}"),
                };
                let sum = delta.sum.as_deref();
                assert_eq!(sum, Some(checksum(&new).to_string().as_str()), "T-027: the sum");
                new.text().to_owned()
            }
        };
        if event.truth {
            let before = self.truth.as_ref().map_or(0, |(version, _)| *version);
            assert!(!self.counts() || before < event.offset, "I6: a truth goes back");
            self.truth = Some((event.offset, data.clone()));
        }
        if !event.replayed || event.offset > self.base {
            self.view.insert(event.offset, (event.name.clone(), data.clone()));
        }
        self.shown.insert(event.name.clone(), (event.offset, data.clone()));
        self.last = Some(data);
    }
}
