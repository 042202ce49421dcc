// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Timers`]: what a home must look at later, and when.
//!
//! A timer says where to look, not what to do: whoever set it looks at its own state when the
//! time has come. So nothing is ever cancelled, and each state has at most one timer out.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use oyez_protocol::user::UserId;

use crate::key::ChannelKey;
use crate::time::Millis;

/// Where to look.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Due {
    /// A channel that was left by all.
    Vacated(ChannelKey),
    /// A user who left a presence channel.
    MemberRemoved(ChannelKey, UserId),
    /// A channel whose count of subscribers changed a moment ago.
    Count(ChannelKey),
    /// A channel whose memory may have grown too old.
    Memory(ChannelKey),
    /// A user whose last connection has gone.
    SignedOut(ChannelKey),
}

#[derive(Debug)]
struct Timer {
    at: Millis,
    due: Due,
}

/// Earliest first.
#[derive(Debug, Default)]
pub(crate) struct Timers(BinaryHeap<Timer>);

impl Timers {
    pub(crate) fn set(&mut self, at: Millis, due: Due) {
        self.0.push(Timer { at, due });
    }

    /// The next one whose time has come.
    pub(crate) fn pop(&mut self, now: Millis) -> Option<Due> {
        if self.0.peek()?.at > now {
            return None;
        }
        self.0.pop().map(|timer| timer.due)
    }

    /// When the next one is due.
    pub(crate) fn next(&self) -> Option<Millis> {
        self.0.peek().map(|timer| timer.at)
    }
}

impl Ord for Timer {
    fn cmp(&self, other: &Timer) -> Ordering {
        other.at.cmp(&self.at)
    }
}

impl PartialOrd for Timer {
    fn partial_cmp(&self, other: &Timer) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Timer {
    fn eq(&self, other: &Timer) -> bool {
        self.at == other.at
    }
}

impl Eq for Timer {}
