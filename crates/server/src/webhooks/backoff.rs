// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Backoff`]: how long to wait before the next attempt. Pure: the jitter is an argument.

use std::time::Duration;

use super::timing::Timing;

/// The waits of one batch: doubling from the first to the longest.
#[derive(Debug)]
pub(super) struct Backoff {
    next: Duration,
    longest: Duration,
}

/// A wait is at least this share of its nominal length; the rest is jitter.
const LEAST_SHARE: f64 = 0.5;

impl Backoff {
    /// The waits of a batch that has just failed for the first time.
    pub(super) fn new(timing: &Timing) -> Backoff {
        Backoff { next: timing.backoff_first, longest: timing.backoff_longest }
    }

    /// The next wait. `jitter` is from 0 to 1, drawn at random: receivers of many servers that
    /// failed together are not asked again together.
    pub(super) fn next_wait(&mut self, jitter: f64) -> Duration {
        let nominal = self.next.min(self.longest);
        self.next = nominal.saturating_mul(2);
        nominal.mul_f64(LEAST_SHARE + (1.0 - LEAST_SHARE) * jitter.clamp(0.0, 1.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p079_waits_double_to_ten_seconds_and_no_further() {
        let mut backoff = Backoff::new(&Timing::default());
        let waits: Vec<u128> = (0..8).map(|_| backoff.next_wait(1.0).as_millis()).collect();
        assert_eq!(waits, [500, 1_000, 2_000, 4_000, 8_000, 10_000, 10_000, 10_000]);
    }

    #[test]
    fn jitter_shortens_a_wait_by_half_at_most() {
        for (jitter, millis) in [(0.0, 250), (0.5, 375), (1.0, 500), (7.0, 500), (-1.0, 250)] {
            assert_eq!(Backoff::new(&Timing::default()).next_wait(jitter).as_millis(), millis);
        }
    }
}
