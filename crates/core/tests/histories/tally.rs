// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Tally`]: how often histories came to what they are there to try. A promise that was never
//! put to the test was not kept.

use std::collections::BTreeMap;

/// What histories must come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Moment {
    /// A newcomer is shown the remembered event.
    Replay,
    /// A newcomer is told that there is none.
    Miss,
    /// A newcomer comes between an event and its commit.
    CutBehindHead,
    /// A channel was forgotten, and is numbered anew.
    LaterEpoch,
    /// A presence channel is full.
    Refusal,
    /// A home's answer finds nobody who still wants it.
    LateAnswer,
    /// A client left and came back before its home had answered.
    ReturnBeforeAnswer,
    /// Somebody came back before the goodbye.
    QuickReturn,
    /// A goodbye was said.
    Goodbye,
    /// A count waited, because it was told a moment before.
    DelayedCount,
    /// A count was told again for newcomers.
    RepeatedCount,
    /// A watcher heard of a change.
    Word,
    /// A connection was told to go.
    Close,
}

#[derive(Debug, Default)]
pub(crate) struct Tally(BTreeMap<Moment, u64>);

impl Tally {
    pub(crate) fn count(&mut self, moment: Moment) {
        *self.0.entry(moment).or_default() += 1;
    }

    pub(crate) fn add(&mut self, other: &Tally) {
        for (moment, count) in &other.0 {
            *self.0.entry(*moment).or_default() += count;
        }
    }

    /// Each of these came, and not only once.
    pub(crate) fn check(&self, moments: &[Moment]) {
        const OFTEN: u64 = 20;
        for moment in moments {
            let count = self.0.get(moment).copied().unwrap_or_default();
            assert!(count >= OFTEN, "{moment:?} came {count} times only: {self:?}");
        }
    }
}
