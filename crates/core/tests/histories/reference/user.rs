// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`SignedIn`]: a user of an app, and what each of the watchers was told last (P-058).

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use oyez_core::{ChannelKey, Millis, Place, UserPresence};
use oyez_protocol::user::UserId;

use super::told::Told;

/// Protocol section 5: a page change is silent.
pub(crate) const GRACE: Duration = Duration::from_secs(3);

#[derive(Debug)]
pub(crate) struct SignedIn {
    pub(crate) key: ChannelKey,
    pub(crate) connections: BTreeSet<Place>,
    watchers: BTreeMap<Place, Option<UserPresence>>,
    told: Told,
}

impl SignedIn {
    pub(crate) fn new(key: ChannelKey) -> SignedIn {
        let (connections, watchers) = (BTreeSet::new(), BTreeMap::new());
        SignedIn { key, connections, watchers, told: Told::default() }
    }

    pub(crate) fn is(&self, id: &UserId) -> bool {
        self.key.name().user() == Some(id.as_str())
    }

    pub(crate) fn has_watcher(&self, place: Place) -> bool {
        self.watchers.contains_key(&place)
    }

    pub(crate) fn sign_in(&mut self, place: Place) {
        assert!(self.connections.insert(place), "a connection signs in once");
        self.told.came();
    }

    pub(crate) fn sign_out(&mut self, place: Place, now: Millis) {
        assert!(self.connections.remove(&place), "only who signed in signs out");
        if self.connections.is_empty() {
            self.told.went(now);
        }
    }

    pub(crate) fn watch(&mut self, place: Place) {
        assert_eq!(self.watchers.insert(place, None), None, "a connection watches once");
    }

    pub(crate) fn unwatch(&mut self, place: Place) {
        assert!(self.watchers.remove(&place).is_some(), "only a watcher stops watching");
    }

    /// A watcher is told.
    pub(crate) fn tell(&mut self, place: Place, presence: UserPresence, now: Millis) {
        let before = self.watchers.get_mut(&place).expect("only watchers are told");
        match presence {
            UserPresence::Online => {
                let in_grace = self.told.is_in_grace(now, GRACE);
                let is_late = self.told.is_overdue(now, GRACE);
                assert!(self.told.is_here() || in_grace || is_late, "an online of nobody");
            }
            UserPresence::Offline => {
                assert!(!self.told.is_here(), "an offline of somebody who is here");
                assert!(!self.told.is_in_grace(now, GRACE), "an offline within the grace");
            }
        }
        assert_ne!(before.replace(presence), Some(presence), "a word that says nothing new");
    }

    /// After everything that a command caused.
    pub(crate) fn check(&mut self) {
        let unanswered = self.watchers.iter().find(|(_, word)| word.is_none());
        assert_eq!(unanswered, None, "Watch is answered at once");
        if self.told.is_here() {
            self.expect(UserPresence::Online);
            self.told.assume();
        }
    }

    /// After everything that was due.
    pub(crate) fn check_due(&mut self, now: Millis) {
        if self.told.is_overdue(now, GRACE) {
            self.told.assume();
        }
        if !self.told.is_believed_here() {
            self.expect(UserPresence::Offline);
        }
    }

    fn expect(&self, presence: UserPresence) {
        let other = self.watchers.iter().find(|(_, word)| **word != Some(presence));
        assert_eq!(other, None, "every watcher knows of {:?} that it is {presence:?}", self.key);
    }
}
