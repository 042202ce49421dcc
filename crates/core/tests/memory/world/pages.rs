// SPDX-License-Identifier: MIT OR Apache-2.0
//! What workers do with their pages: they pass on what homes say, and ask for more when a page has
//! room.

use oyez_core::{Command, Item, Listener, Room, WorkerId};
use oyez_protocol::encode::ResetReason;
use oyez_protocol::position::Offset;

use super::{World, at};
use crate::common::seen::Seen;
use crate::tab::Link;

impl World {
    pub(super) fn can_go_on(&self, tab: usize) -> bool {
        let tab = &self.tabs[tab];
        let can_ask = matches!(tab.link, Link::Behind { asked: false, .. }) && !tab.slow;
        (!tab.wire.is_empty() && !tab.slow) || (can_ask && tab.wire.is_empty())
    }

    /// A page hears a frame, or its worker asks for more.
    pub(super) fn go_on(&mut self, at: usize) {
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
        let reason = ResetReason::Resync;
        self.send(place.worker, Command::Resync { key, place, reason });
    }

    pub(crate) fn subscribe(&mut self, at: usize, listener: Listener) {
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
    pub(super) fn read(&mut self, home: WorkerId, worker: WorkerId, item: Item) {
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
}
