// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Moment`]: a point of the machine's own time of day. The app and its database write theirs by
//! the same clock, on the same machine, so the two can be subtracted. [`Watch`] notices when
//! somebody sets that clock meanwhile.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Microseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) struct Moment(u64);

impl Moment {
    /// Now.
    pub(crate) fn now() -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self(u64::try_from(since.as_micros()).unwrap_or(u64::MAX))
    }

    /// As databases write it: milliseconds since 1970, rounded down. None before 1970.
    pub(crate) fn of_millis(millis: i64) -> Option<Self> {
        u64::try_from(millis).ok()?.checked_mul(1_000).map(Self)
    }

    /// Microseconds from an earlier moment to this one; 0 if it was not earlier.
    pub(crate) fn since(self, earlier: Self) -> u32 {
        u32::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(u32::MAX)
    }

    /// So much later.
    pub(crate) fn after(self, time: Duration) -> Self {
        Self(self.0.saturating_add(u64::try_from(time.as_micros()).unwrap_or(u64::MAX)))
    }

    /// How long it is until then from `now`; none when it is over.
    pub(crate) fn wait(self, now: Self) -> Duration {
        Duration::from_micros(self.0.saturating_sub(now.0))
    }
}

/// Compares the time of day with a clock that nobody sets.
#[derive(Debug)]
pub(crate) struct Watch {
    begin: (Moment, Instant),
}

impl Watch {
    /// From now on.
    pub(crate) fn start() -> Self {
        Self { begin: (Moment::now(), Instant::now()) }
    }

    /// By how many microseconds the time of day has been moved since, forward or back.
    pub(crate) fn moved(&self) -> u64 {
        let (moment, instant) = self.begin;
        let by_day = Moment::now().0.saturating_sub(moment.0);
        let truly = u64::try_from(instant.elapsed().as_micros()).unwrap_or(u64::MAX);
        by_day.abs_diff(truly)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_of_both_clocks_can_be_subtracted() {
        let of_database = Moment::of_millis(1_790_000_000_123).unwrap();
        let later = of_database.after(Duration::from_micros(2_500));
        assert_eq!(later.since(of_database), 2_500);
        assert_eq!(of_database.since(later), 0);
        assert_eq!(later.wait(of_database), Duration::from_micros(2_500));
        assert_eq!(of_database.wait(later), Duration::ZERO);
        assert_eq!(Moment::of_millis(-1), None);
    }

    #[test]
    fn a_clock_that_nobody_sets_is_seen_as_such() {
        assert!(Watch::start().moved() < 100_000);
    }
}
