// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Timers`]: what a home must look at later, and when.
//!
//! A timer says where to look, not what to do: whoever set it looks at its own state when the
//! time has come. So nothing is ever cancelled, and each state has at most one timer out.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use oyez_protocol::position::Epoch;
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
    /// A channel whose memory of that epoch has something to do.
    Memory(ChannelKey, Epoch),
    /// What the journal is to let go.
    Cleanup,
    /// The answers to calls with idempotency keys.
    Answers,
    /// A user whose last connection has gone.
    SignedOut(ChannelKey),
}

impl Due {
    /// Of what is due at the same time this comes first: members are gone before their channel.
    fn turn(&self) -> Turn {
        match self {
            Due::MemberRemoved(..) => Turn::First,
            _ => Turn::Second,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Turn {
    First,
    Second,
}

#[derive(Debug)]
struct Timer {
    at: Millis,
    /// The order in which they were set.
    nth: u64,
    due: Due,
}

/// Earliest first; of equal ones, the one that was set first.
#[derive(Debug, Default)]
pub(crate) struct Timers {
    heap: BinaryHeap<Timer>,
    set: u64,
}

impl Timers {
    pub(crate) fn set(&mut self, at: Millis, due: Due) {
        self.set += 1;
        self.heap.push(Timer { at, nth: self.set, due });
    }

    /// The next one whose time has come, and when that was.
    pub(crate) fn pop(&mut self, now: Millis) -> Option<(Millis, Due)> {
        if self.heap.peek()?.at > now {
            return None;
        }
        self.heap.pop().map(|timer| (timer.at, timer.due))
    }

    /// When the next one is due.
    pub(crate) fn next(&self) -> Option<Millis> {
        self.heap.peek().map(|timer| timer.at)
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.heap.len()
    }
}

impl Timer {
    fn order(&self) -> (Millis, Turn, u64) {
        (self.at, self.due.turn(), self.nth)
    }
}

impl Ord for Timer {
    fn cmp(&self, other: &Timer) -> Ordering {
        other.order().cmp(&self.order())
    }
}

impl PartialOrd for Timer {
    fn partial_cmp(&self, other: &Timer) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Timer {
    fn eq(&self, other: &Timer) -> bool {
        self.order() == other.order()
    }
}

impl Eq for Timer {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::{AppIndex, KeySpace};
    use oyez_protocol::channel::ChannelName;

    #[test]
    fn p077_of_what_is_due_at_once_members_come_before_channels_and_the_rest_in_order() {
        let keys = KeySpace::new(1);
        let key = |n: usize| keys.key(AppIndex(0), ChannelName::of_user(&n.to_string()));
        let mut timers = Timers::default();
        let mut expected = Vec::new();
        for n in 0..20 {
            timers.set(Millis(5), Due::Vacated(key(n)));
            expected.push(Due::Vacated(key(n)));
        }
        for n in 0..20 {
            let due = Due::MemberRemoved(key(n), UserId::of("u"));
            timers.set(Millis(5), due.clone());
            expected.insert(n, due);
        }
        assert_eq!((timers.next(), timers.pop(Millis(4))), (Some(Millis(5)), None));
        let popped: Vec<_> = std::iter::from_fn(|| timers.pop(Millis(6))).collect();
        assert!(popped.iter().all(|(at, _)| *at == Millis(5)));
        assert_eq!(popped.into_iter().map(|(_, due)| due).collect::<Vec<_>>(), expected);
    }
}
