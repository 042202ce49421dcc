// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Told`]: what the world was last told of somebody who comes and goes. Hello and goodbye
//! alternate, hello comes at once, goodbye only after an absence without a break.

use std::time::Duration;

use oyez_core::Millis;

/// Of one who comes and goes.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Told {
    is_here: bool,
    gone_since: Millis,
    believed_here: bool,
}

impl Told {
    pub(crate) fn came(&mut self) {
        self.is_here = true;
    }

    pub(crate) fn went(&mut self, now: Millis) {
        (self.is_here, self.gone_since) = (false, now);
    }

    /// The world hears that somebody came.
    pub(crate) fn hello(&mut self) {
        assert!(self.is_here, "a hello of somebody who is not here");
        assert!(!self.believed_here, "a second hello without a goodbye between");
        self.believed_here = true;
    }

    /// The world hears that somebody went.
    pub(crate) fn goodbye(&mut self, now: Millis, delay: Duration) {
        assert!(!self.is_here, "a goodbye of somebody who is here");
        assert!(self.believed_here, "a goodbye without a hello");
        let absence = now.since(self.gone_since);
        assert!(absence >= delay, "a goodbye after {absence:?}, not {delay:?}");
        self.believed_here = false;
    }

    /// After everything that a command caused: whoever is here was announced, if anybody wants
    /// to know.
    pub(crate) fn check_hello(&mut self, is_wanted: bool) {
        if self.is_here && is_wanted {
            assert!(self.believed_here, "nobody was told who came");
        } else if self.is_here {
            self.believed_here = true;
        }
    }

    /// After everything that was due: whoever has been away for so long was taken leave of.
    pub(crate) fn check_goodbye(&mut self, now: Millis, delay: Duration, is_wanted: bool) {
        if self.is_overdue(now, delay) {
            assert!(!is_wanted, "nobody was told who went");
            self.believed_here = false;
        }
    }

    /// Takes it for told, where it shows otherwise.
    pub(crate) fn assume(&mut self) {
        self.believed_here = self.is_here;
    }

    pub(crate) fn is_here(&self) -> bool {
        self.is_here
    }

    pub(crate) fn is_believed_here(&self) -> bool {
        self.believed_here
    }

    /// Whether the goodbye ought to have been said.
    pub(crate) fn is_overdue(&self, now: Millis, delay: Duration) -> bool {
        !self.is_here && self.believed_here && now.since(self.gone_since) >= delay
    }

    /// Whether somebody went less than so long ago, and the world need not know yet.
    pub(crate) fn is_in_grace(&self, now: Millis, delay: Duration) -> bool {
        !self.is_here && self.believed_here && now.since(self.gone_since) < delay
    }
}
