// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Channel`]: a channel as a log of everything that its subscribers must hear, each from the
//! place at which they joined.

use std::collections::BTreeMap;

use oyez_core::{ChannelInfo, ChannelKey, Millis, Place, Wanted, WorkerId};
use oyez_protocol::channel::{Access, ChannelKind};
use oyez_protocol::socket_id::SocketId;

use super::count::Count;
use super::memory::{Audience, Memory};
use super::told::Told;
use crate::heard::{self, Heard, Info, User};

#[derive(Debug)]
pub(crate) struct Channel {
    pub(crate) key: ChannelKey,
    pub(crate) kind: ChannelKind,
    pub(crate) log: Vec<Entry>,
    /// Subscribers on each worker, as far as the home can know.
    pub(crate) audience: Vec<u32>,
    pub(crate) members: BTreeMap<User, Attendance>,
    pub(crate) memory: Option<Memory>,
    pub(crate) count: Count,
    /// For the webhooks of the channel and of its members.
    pub(crate) occupied: Told,
    pub(crate) attended: BTreeMap<User, Told>,
}

/// One thing that the subscribers hear, all but one.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) heard: Heard,
    pub(crate) exclude: Option<SocketId>,
}

#[derive(Debug)]
pub(crate) struct Attendance {
    pub(crate) connections: u32,
    /// As its first connection gave it.
    pub(crate) info: Info,
}

/// Where in the log a subscription begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Accepted { position: usize },
    Refused,
}

impl Channel {
    pub(crate) fn new(key: ChannelKey, workers: usize) -> Channel {
        let kind = key.name().kind();
        Channel {
            key,
            kind,
            log: Vec::new(),
            audience: vec![0; workers],
            members: BTreeMap::new(),
            memory: kind.cache.then(Memory::default),
            count: Count::default(),
            occupied: Told::default(),
            attended: BTreeMap::new(),
        }
    }

    pub(crate) fn total(&self) -> usize {
        self.audience.iter().map(|count| *count as usize).sum()
    }

    /// The workers that must hear what happens now.
    pub(crate) fn workers(&self) -> Vec<WorkerId> {
        let ids = (0..).map(WorkerId).zip(&self.audience);
        ids.filter(|(_, count)| **count > 0).map(|(id, _)| id).collect()
    }

    pub(crate) fn is_presence(&self) -> bool {
        self.kind.access == Access::Presence
    }

    pub(crate) fn counts(&self) -> bool {
        !matches!(self.kind.access, Access::Presence | Access::User)
    }

    pub(crate) fn users(&self) -> BTreeMap<User, Info> {
        self.members.iter().map(|(user, attendance)| (*user, attendance.info)).collect()
    }

    /// What is known of a user by the webhooks.
    pub(crate) fn attended(&mut self, id: &str) -> &mut Told {
        self.attended.get_mut(&heard::user(id)).expect("a member, once at least")
    }

    pub(crate) fn subscribe(
        &mut self,
        place: Place,
        member: Option<(User, Info)>,
        limit: usize,
        now: Millis,
    ) -> Outcome {
        if let Some((user, info)) = member {
            let count = self.members.len();
            let attendance = self.members.entry(user);
            let is_new = matches!(attendance, std::collections::btree_map::Entry::Vacant(_));
            if is_new && count == limit {
                return Outcome::Refused;
            }
            attendance.or_insert(Attendance { connections: 0, info }).connections += 1;
            if is_new {
                self.attended.entry(user).or_default().came();
                self.append(Heard::Added { user, info }, None);
            }
        }
        self.touch(now);
        self.audience[usize::from(place.worker.0)] += 1;
        self.occupied.came();
        Outcome::Accepted { position: self.log.len() }
    }

    pub(crate) fn unsubscribe(&mut self, place: Place, user: Option<User>, now: Millis) {
        self.audience[usize::from(place.worker.0)] -= 1;
        if self.total() == 0 {
            self.occupied.went(now);
        }
        if let Some(user) = user {
            let attendance = self.members.get_mut(&user).expect("a member");
            attendance.connections -= 1;
            if attendance.connections == 0 {
                self.members.remove(&user);
                self.attended.get_mut(&user).expect("a member").went(now);
                self.append(Heard::Removed { user }, None);
            }
        }
    }

    /// Takes an event that nobody has seen yet.
    pub(crate) fn publish(&mut self, now: Millis) {
        self.touch(now);
        if let Some(memory) = &mut self.memory {
            memory.publish();
        }
    }

    /// Everybody may see an event of that time.
    pub(crate) fn release(
        &mut self,
        name: &str,
        data: &str,
        exclude: Option<SocketId>,
        at: Millis,
    ) {
        let offset = self.memory.as_mut().map(|memory| memory.release(name, data, at));
        let (name, data) = (name.to_owned(), data.to_owned());
        self.append(Heard::Event { name, data, user: None, offset, replayed: false }, exclude);
    }

    pub(crate) fn append(&mut self, heard: Heard, exclude: Option<SocketId>) {
        self.log.push(Entry { heard, exclude });
    }

    fn touch(&mut self, now: Millis) {
        let audience = if self.total() > 0 { Audience::Somebody } else { Audience::Nobody };
        if let Some(memory) = &mut self.memory {
            memory.touch(audience, now);
        }
    }

    /// What the HTTP API must say.
    pub(crate) fn info(&self, wanted: Wanted, now: Millis) -> ChannelInfo {
        let cached = self.memory.as_ref().and_then(|memory| memory.cached(now));
        ChannelInfo {
            occupied: self.total() > 0,
            user_count: (wanted.user_count && self.is_presence()).then_some(self.members.len()),
            subscription_count: wanted.subscription_count.then_some(self.total()),
            cache: wanted.cache.then_some(
                cached.map(|(data, ttl)| oyez_core::Cached { data: data.to_owned(), ttl }),
            ),
            position: None,
        }
    }
}
