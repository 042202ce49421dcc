// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`SignedIn`]: a user's connections and those who watch for the user.

use std::time::Duration;

use hashbrown::HashSet;

use crate::effect::UserPresence;
use crate::occupancy::{Expiry, News, Occupancy};
use crate::place::Place;
use crate::time::Millis;

/// After a user's last connection has gone, so long nobody is told: a page change is silent.
const GRACE: Duration = Duration::from_secs(3);

type Places = HashSet<Place, foldhash::fast::FixedState>;

/// A user somebody is signed in as, or is watching for.
#[derive(Debug, Default)]
pub(crate) struct SignedIn {
    connections: Places,
    watchers: Places,
    occupancy: Occupancy,
}

impl SignedIn {
    pub(crate) fn sign_in(&mut self, place: Place) -> News {
        self.connections.insert(place);
        self.occupancy.arrive()
    }

    /// Answers when to look whether the user came back.
    pub(crate) fn sign_out(&mut self, place: Place, now: Millis) -> Option<Millis> {
        if !self.connections.remove(&place) || !self.connections.is_empty() {
            return None;
        }
        self.occupancy.leave(now + GRACE)
    }

    pub(crate) fn expire(&mut self, now: Millis) -> Expiry {
        self.occupancy.expire(now)
    }

    pub(crate) fn watch(&mut self, place: Place) -> UserPresence {
        self.watchers.insert(place);
        if self.occupancy.is_absent() { UserPresence::Offline } else { UserPresence::Online }
    }

    pub(crate) fn unwatch(&mut self, place: Place) {
        self.watchers.remove(&place);
    }

    pub(crate) fn connections(&self) -> impl Iterator<Item = Place> + '_ {
        self.connections.iter().copied()
    }

    pub(crate) fn watchers(&self) -> impl Iterator<Item = Place> + '_ {
        self.watchers.iter().copied()
    }

    /// Whether nothing would be lost with it.
    pub(crate) fn is_idle(&self) -> bool {
        self.connections.is_empty() && self.watchers.is_empty() && self.occupancy.is_absent()
    }
}
