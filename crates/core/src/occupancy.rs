// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Occupancy`]: whether somebody is there, with a goodbye that waits for a quick return.
//!
//! One machine for three facts: a channel is occupied, a user is on a presence channel, a user is
//! signed in. A return before the goodbye was said says nothing at all.

use crate::time::Millis;

/// The machine. `timer` keeps at most one timer out for each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Occupancy {
    state: State,
    timer: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Absent,
    Present,
    Leaving(Millis),
}

/// What to tell others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum News {
    /// It happened.
    Tell,
    /// Nothing that they do not believe already.
    Silent,
}

/// What a timer found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expiry {
    /// Gone for good: say goodbye.
    Gone,
    /// Look again then.
    Later(Millis),
    /// Somebody came back.
    Nothing,
}

impl Occupancy {
    /// Somebody came.
    pub(crate) fn arrive(&mut self) -> News {
        let before = std::mem::replace(&mut self.state, State::Present);
        if before == State::Absent { News::Tell } else { News::Silent }
    }

    /// The last one left; the goodbye is due then. Answers when to look, unless a timer is out.
    pub(crate) fn leave(&mut self, due: Millis) -> Option<Millis> {
        self.state = State::Leaving(due);
        (!std::mem::replace(&mut self.timer, true)).then_some(due)
    }

    /// A timer has come.
    pub(crate) fn expire(&mut self, now: Millis) -> Expiry {
        match self.state {
            State::Leaving(due) if due > now => Expiry::Later(due),
            State::Leaving(_) => {
                *self = Occupancy::default();
                Expiry::Gone
            }
            _ => {
                self.timer = false;
                Expiry::Nothing
            }
        }
    }

    /// Whether nobody is there and all goodbyes have been said.
    pub(crate) fn is_absent(self) -> bool {
        self.state == State::Absent
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p078_a_quick_return_is_silent_and_sets_no_second_timer() {
        let mut occupancy = Occupancy::default();
        assert_eq!(occupancy.arrive(), News::Tell);
        assert_eq!(occupancy.leave(Millis(10)), Some(Millis(10)));
        assert_eq!(occupancy.arrive(), News::Silent);
        assert_eq!(occupancy.leave(Millis(15)), None);
        assert_eq!(occupancy.expire(Millis(10)), Expiry::Later(Millis(15)));
        assert_eq!(occupancy.expire(Millis(15)), Expiry::Gone);
        assert!(occupancy.is_absent());
        assert_eq!(occupancy.arrive(), News::Tell);
    }
}
