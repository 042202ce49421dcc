// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Count`]: when subscribers must, and when they must not, be told how many they are (P-053).

use std::time::Duration;

use oyez_core::Millis;

/// Up to so many subscribers are told of each change.
const EAGER: usize = 100;

/// Above it at most so often.
pub(crate) const INTERVAL: Duration = Duration::from_secs(5);

#[derive(Debug, Default)]
pub(crate) struct Count {
    told: usize,
    at: Option<Millis>,
}

/// What a telling is to those who count the changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Telling {
    Change,
    /// For those who came since the number was told last.
    Repetition,
}

/// Whether the subscribers wait to be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Owed {
    Nothing,
    Something,
}

impl Count {
    /// All subscribers are told.
    pub(crate) fn tell(&mut self, told: usize, total: usize, now: Millis) -> Telling {
        assert_eq!(told, total, "a count that is not the number of subscribers");
        let waited = self.at.is_none_or(|at| now.since(at) >= INTERVAL);
        assert!(total <= EAGER || waited, "{total} subscribers are told too often");
        let before = std::mem::replace(&mut self.told, told);
        self.at = Some(now);
        if before == told { Telling::Repetition } else { Telling::Change }
    }

    /// Nobody is left to be told. Answers whether that is a change.
    pub(crate) fn vanish(&mut self, now: Millis) -> bool {
        if self.told == 0 {
            return false;
        }
        (self.told, self.at) = (0, Some(now));
        true
    }

    /// After everything that a command caused, or that was due.
    pub(crate) fn check(&self, total: usize, now: Millis) -> Owed {
        let may_wait = total > EAGER && self.at.is_some_and(|at| now.since(at) < INTERVAL);
        assert!(self.told == total || may_wait, "{total} subscribers heard {} last", self.told);
        if self.told == total { Owed::Nothing } else { Owed::Something }
    }
}
