// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Tally`]: what a home has done, for whoever watches.

use oyez_protocol::encode::{CutPosition, ResetReason, Resumed};

/// Counts since the start, and what there is now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Events that newcomers were shown.
    pub replayed: u64,
    /// Subscriptions that went on where they were.
    pub resumed: u64,
    /// Subscriptions that wanted to and could not, and those that began anew in their midst; by
    /// the place of the reason in [`ResetReason::ALL`].
    pub resets: [u64; ResetReason::ALL.len()],
    /// Channels now whose source has something else to say than they show, as far as the home
    /// knows, or cannot be asked.
    pub stale_truths: u64,
}

impl Tally {
    /// Somebody was admitted.
    pub(crate) fn cut(&mut self, cut: &CutPosition) {
        self.replayed += cut.replay as u64;
        self.resumed += u64::from(cut.resumed == Resumed::Yes);
        if let Some(reason) = cut.reason {
            self.reset(reason);
        }
    }

    /// Somebody began anew.
    pub(crate) fn reset(&mut self, reason: ResetReason) {
        let place = ResetReason::ALL.iter().position(|one| *one == reason);
        if let Some(count) = place.and_then(|at| self.resets.get_mut(at)) {
            *count += 1;
        }
    }
}
