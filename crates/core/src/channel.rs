// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Channel`]: the state of one channel at its home.

use std::time::Duration;

use oyez_protocol::channel::{Access, ChannelKind};
use oyez_protocol::position::Term;
use smallvec::SmallVec;

use crate::effect::{ChannelInfo, Wanted};
use crate::memory::Memory;
use crate::occupancy::Occupancy;
use crate::place::WorkerId;
use crate::presence::Presence;
use crate::record::Timestamp;
use crate::time::Millis;

/// Up to so many subscribers hear of each change of their count.
const COUNT_EAGER: usize = 100;

/// Above it they hear of it at most so often.
const COUNT_INTERVAL: Duration = Duration::from_secs(5);

/// Everything a home knows of a channel.
#[derive(Debug)]
pub(crate) struct Channel {
    pub(crate) kind: ChannelKind,
    pub(crate) audience: Audience,
    /// On presence channels.
    pub(crate) presence: Option<Box<Presence>>,
    /// On channels that remember.
    pub(crate) memory: Option<Box<Memory>>,
    pub(crate) occupancy: Occupancy,
    pub(crate) count: Count,
}

/// How many subscribers a channel has on each worker.
#[derive(Debug, Default)]
pub(crate) struct Audience {
    per_worker: SmallVec<[u32; 4]>,
    total: usize,
}

/// When the subscribers were last told how many they are.
#[derive(Debug, Default)]
pub(crate) struct Count {
    told: usize,
    at: Option<Millis>,
    timer: bool,
    /// Whether somebody came since.
    newcomers: bool,
}

/// What to do about a changed count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Counting {
    /// Tell them now.
    Tell(usize),
    /// The number is what it was when they were told last, but some came since: tell them too.
    Repeat(usize),
    /// Look again then.
    Later(Millis),
    /// Nothing changed, or a timer is out.
    Nothing,
}

impl Channel {
    pub(crate) fn new(kind: ChannelKind) -> Channel {
        Channel {
            kind,
            audience: Audience::default(),
            presence: (kind.access == Access::Presence).then(Box::default),
            memory: None,
            occupancy: Occupancy::default(),
            count: Count::default(),
        }
    }

    /// What the HTTP API is told, in that term.
    pub(crate) fn info(&mut self, wanted: Wanted, term: Term, now: Timestamp) -> ChannelInfo {
        let memory = self.memory.as_deref();
        ChannelInfo {
            occupied: self.audience.total > 0,
            user_count: self.presence.as_ref().filter(|_| wanted.user_count).map(|p| p.count()),
            subscription_count: wanted.subscription_count.then_some(self.audience.total),
            cache: wanted.cache.then(|| memory.and_then(|m| m.cached(now))),
            position: memory.filter(|_| wanted.position).map(|m| m.position(term)),
        }
    }

    /// Whether nothing would be lost with it.
    pub(crate) fn is_idle(&self, now: Timestamp) -> bool {
        self.is_deserted() && self.memory.as_ref().is_none_or(|m| m.ends_at() <= now)
    }

    /// Whether nobody has to do with it, and nothing is held: only its numbering may be worth
    /// something.
    pub(crate) fn is_deserted(&self) -> bool {
        self.audience.total == 0
            && self.occupancy.is_absent()
            && self.presence.as_ref().is_none_or(|p| p.is_empty())
            && self.memory.as_ref().is_none_or(|m| m.is_deserted())
    }
}

impl Audience {
    pub(crate) fn add(&mut self, worker: WorkerId) {
        let at = usize::from(worker.0);
        if self.per_worker.len() <= at {
            self.per_worker.resize(at + 1, 0);
        }
        self.per_worker[at] += 1;
        self.total += 1;
    }

    pub(crate) fn remove(&mut self, worker: WorkerId) {
        let here = self.per_worker.get_mut(usize::from(worker.0)).filter(|count| **count > 0);
        debug_assert!(here.is_some(), "each Unsubscribe follows one Subscribed");
        if let Some(count) = here {
            *count -= 1;
            self.total -= 1;
        }
    }

    pub(crate) fn total(&self) -> usize {
        self.total
    }

    /// The workers that have somebody to hear it.
    pub(crate) fn workers(&self) -> impl Iterator<Item = WorkerId> + '_ {
        let some = self.per_worker.iter().enumerate().filter(|(_, count)| **count > 0);
        some.map(|(at, _)| WorkerId(at as u16))
    }
}

impl Count {
    /// Somebody came; they are `total` now.
    pub(crate) fn arrive(&mut self, total: usize, now: Millis) -> Counting {
        self.newcomers = true;
        self.change(total, now)
    }

    /// Somebody left; they are `total` now.
    pub(crate) fn leave(&mut self, total: usize, now: Millis) -> Counting {
        self.change(total, now)
    }

    fn change(&mut self, total: usize, now: Millis) -> Counting {
        let waits_until = match self.at {
            Some(at) if total > COUNT_EAGER => at + COUNT_INTERVAL,
            _ => now,
        };
        if waits_until <= now {
            return self.tell(total, now);
        }
        if std::mem::replace(&mut self.timer, true) {
            return Counting::Nothing;
        }
        Counting::Later(waits_until)
    }

    /// A timer has come.
    pub(crate) fn expire(&mut self, total: usize, now: Millis) -> Counting {
        self.timer = false;
        self.change(total, now)
    }

    fn tell(&mut self, total: usize, now: Millis) -> Counting {
        let newcomers = std::mem::take(&mut self.newcomers);
        if self.told == total && !newcomers {
            return Counting::Nothing;
        }
        self.at = Some(now);
        match std::mem::replace(&mut self.told, total) == total {
            true => Counting::Repeat(total),
            false => Counting::Tell(total),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p053_counts_are_told_at_once_below_a_hundred_and_every_five_seconds_above() {
        let mut count = Count::default();
        for total in 1..=100 {
            assert_eq!(count.arrive(total, Millis(0)), Counting::Tell(total));
        }
        assert_eq!(count.arrive(101, Millis(1)), Counting::Later(Millis(5_000)));
        assert_eq!(count.arrive(102, Millis(2)), Counting::Nothing);
        assert_eq!(count.expire(102, Millis(5_000)), Counting::Tell(102));
        assert_eq!(count.arrive(103, Millis(20_000)), Counting::Tell(103));
        assert_eq!(count.leave(100, Millis(20_001)), Counting::Tell(100));
    }

    #[test]
    fn p053_who_came_when_the_number_had_come_back_to_what_it_was_is_told_it_too() {
        let mut count = Count::default();
        for total in 1..=100 {
            count.arrive(total, Millis(0));
        }
        assert_eq!(count.arrive(101, Millis(10)), Counting::Later(Millis(5_000)));
        assert_eq!(count.leave(100, Millis(20)), Counting::Repeat(100));
        assert_eq!(count.expire(100, Millis(5_000)), Counting::Nothing);
    }
}
