// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Plan`]: what a kind of history is made of, and how often.

use std::ops::Range;

/// What may happen next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Act {
    Connect,
    /// A connection dies without a word (P-037).
    Die,
    Subscribe,
    Unsubscribe,
    Publish,
    ClientEvent,
    /// With a watchlist.
    SignIn,
    Terminate,
    /// One of the `GET` calls.
    Ask,
    /// Some of the mail between two workers arrives.
    Deliver,
    /// A moment, some seconds, or about half an hour.
    Moment,
    Seconds,
    HalfHour,
    /// After which a numbering may be forgotten.
    Month,
    /// All mail arrives, all that is due is done, and nothing may be wrong.
    Rest,
}

/// A kind of history.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    /// Of both apps.
    pub(crate) channels: &'static [&'static str],
    /// Of both apps.
    pub(crate) users: u32,
    /// Connections of a worker.
    pub(crate) seats: usize,
    /// Connections that are there, and subscribed to the first channel, when it begins.
    pub(crate) crowd: Range<usize>,
    pub(crate) presence_members: usize,
    /// The first histories take few steps.
    pub(crate) steps: Range<usize>,
    pub(crate) acts: &'static [(Act, u32)],
}

impl Plan {
    /// How many steps the history of a seed takes.
    pub(crate) fn steps(&self, seed: u64) -> usize {
        /// Histories of a length before the next longer ones.
        const OF_A_LENGTH: usize = 10;
        (self.steps.start + seed as usize / OF_A_LENGTH).min(self.steps.end - 1)
    }

    /// The act to which a number leads.
    pub(crate) fn act(&self, mut number: u32) -> Act {
        for (act, weight) in self.acts {
            match number.checked_sub(*weight) {
                None => return *act,
                Some(rest) => number = rest,
            }
        }
        unreachable!("below the sum of all weights")
    }

    /// The sum of all weights.
    pub(crate) fn weights(&self) -> u32 {
        self.acts.iter().map(|(_, weight)| weight).sum()
    }
}
