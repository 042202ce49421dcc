// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Tab`]: a page on its worker: what a worker does with the items of a home, for one socket.

use std::collections::{BTreeSet, VecDeque};

use oyez_core::{Delivery, End, EntryKind, Place, ReplayOf, Sight, Speaks, Standing, WorkerId};
use oyez_protocol::delta::Deltas;
use oyez_protocol::encode::Frame;
use oyez_protocol::position::Offset;
use oyez_protocol::socket_id::SocketId;

use crate::common::page::{Client, Page};
use crate::common::seen::{self, Seen};
use crate::reference::Said;

#[derive(Debug)]
pub(crate) struct Tab {
    pub(crate) channel: usize,
    pub(crate) worker: WorkerId,
    pub(crate) slot: u32,
    pub(crate) serial: u32,
    pub(crate) page: Page,
    pub(crate) deltas: Deltas,
    pub(crate) link: Link,
    pub(crate) wire: VecDeque<Seen>,
    /// Its socket takes nothing.
    pub(crate) slow: bool,
    /// Every connection it ever had.
    pub(crate) sockets: BTreeSet<String>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Link {
    Off,
    Pending,
    Live,
    Behind { standing: Standing, asked: bool },
}

impl Tab {
    pub(crate) fn place(&self) -> Place {
        Place { worker: self.worker, slot: self.slot, serial: self.serial }
    }

    pub(crate) fn socket(&self) -> SocketId {
        let text = format!("{}.{}", self.slot + 1, self.serial + 1);
        SocketId::parse(&text).expect("of the right form")
    }

    pub(crate) fn speaks(&self) -> Speaks {
        if self.page.client == Client::Aware { Speaks::Oyez } else { Speaks::Pusher }
    }

    pub(crate) fn connect(&mut self) {
        self.serial += 1;
        self.link = Link::Pending;
        self.slow = false;
        self.sockets.insert(self.socket().to_string());
    }

    /// Answers whether a home must be told.
    pub(crate) fn drop_link(&mut self) -> bool {
        self.wire.clear();
        self.page.drop_link();
        let before = std::mem::replace(&mut self.link, Link::Off);
        !matches!(before, Link::Off | Link::Pending)
    }

    pub(crate) fn deliver(&mut self, delivery: &Delivery) -> Option<&'static str> {
        if self.link != Link::Live {
            return None;
        }
        if self.slow {
            self.fall_behind(delivery.offset.before());
            return Some("behind");
        }
        let counts = self.speaks() == Speaks::Oyez;
        let excluded = delivery.exclude == Some(self.socket());
        let offset = delivery.offset.get();
        match &delivery.sight {
            _ if excluded && !counts => {}
            _ if excluded => self.wire.push_back(Seen::Skip { from: offset, upto: offset }),
            Sight::Counted(_) if !counts => {}
            Sight::Event(frame) | Sight::Counted(frame) => self.wire.push_back(seen::read(frame)),
            Sight::Truth(whole, deltas) => {
                let delta = deltas.iter().find(|(kind, _)| self.deltas.has(*kind));
                let frame = delta.map_or(whole, |(_, frame)| frame);
                self.wire.push_back(seen::read(frame));
                return delta.map(|_| "delta");
            }
        }
        None
    }

    pub(crate) fn fall_behind(&mut self, shown: Offset) {
        let (replay, speaks) = (ReplayOf::TheRule, self.speaks());
        let standing = Standing { cut: shown, shown, replay, speaks };
        self.link = Link::Behind { standing, asked: false };
    }

    pub(crate) fn follow(&mut self, frames: &[Frame], standing: Standing) {
        self.wire.extend(frames.iter().map(seen::read));
        self.link = match standing.shown < standing.cut {
            true => Link::Behind { standing, asked: false },
            false => Link::Live,
        };
    }

    pub(crate) fn stretch(&mut self, frames: &[Frame], standing: Standing, end: End, jumps: bool) {
        let Link::Behind { asked: true, .. } = self.link else { return };
        if self.speaks() == Speaks::Pusher && jumps {
            self.wire.push_back(Seen::Jump(standing.cut.get()));
        }
        self.wire.extend(frames.iter().map(seen::read));
        self.link = match end {
            End::Reached => Link::Live,
            End::Ahead => Link::Behind { standing, asked: false },
        };
    }
}

/// Whether a page may be shown nothing of it.
pub(crate) fn is_hidden(said: &Said, tab: &Tab) -> bool {
    said.exclude.is_some_and(|socket| tab.sockets.contains(&socket.to_string()))
        || (tab.speaks() == Speaks::Pusher && said.kind != EntryKind::Event)
}
