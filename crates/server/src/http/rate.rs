// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`RateLimit`]: how many calls per second an app may make, counted by all workers together.
//!
//! The generic cell rate algorithm: all that is kept is the moment at which the app's allowance
//! will be whole again, in one atomic number. Any worker may move it on; whoever loses a race
//! looks again. Nobody waits and no timer runs.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// One second's calls may come at once.
const BURST_NANOS: u64 = 1_000_000_000;

/// The calls of one app.
#[derive(Debug)]
pub(crate) struct RateLimit {
    start: Instant,
    /// Nanoseconds after `start` at which nothing will have been used.
    whole_at: AtomicU64,
}

impl RateLimit {
    /// Nothing used yet.
    pub(crate) fn new() -> RateLimit {
        RateLimit { start: Instant::now(), whole_at: AtomicU64::new(0) }
    }

    /// Counts a call, or tells how long to wait. `per_second` is not 0.
    pub(crate) fn take(&self, per_second: usize, now: Instant) -> Result<(), Duration> {
        let now = now.saturating_duration_since(self.start).as_nanos();
        let now = u64::try_from(now).unwrap_or(u64::MAX / 2);
        let each = BURST_NANOS / per_second as u64;
        let mut seen = self.whole_at.load(Ordering::Relaxed);
        loop {
            let whole_at = seen.max(now) + each;
            if let Some(excess) = (whole_at - now).checked_sub(BURST_NANOS).filter(|e| *e > 0) {
                return Err(Duration::from_nanos(excess));
            }
            let (success, failure) = (Ordering::Relaxed, Ordering::Relaxed);
            match self.whole_at.compare_exchange_weak(seen, whole_at, success, failure) {
                Ok(_) => return Ok(()),
                Err(newer) => seen = newer,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_s_calls_may_come_at_once_and_then_the_average() {
        let limit = RateLimit::new();
        let at = |millis| limit.start + Duration::from_millis(millis);
        assert!((0..10).all(|_| limit.take(10, at(0)).is_ok()));
        assert_eq!(limit.take(10, at(0)), Err(Duration::from_millis(100)));
        assert_eq!(limit.take(10, at(99)), Err(Duration::from_millis(1)));
        assert_eq!(limit.take(10, at(100)), Ok(()));
        assert!(limit.take(10, at(100)).is_err());
        assert!((0..10).all(|_| limit.take(10, at(5_000)).is_ok()));
    }

    #[test]
    fn threads_together_get_no_more_than_one_would() {
        let limit = RateLimit::new();
        let now = limit.start;
        let take = || (0..1_000).filter(|_| limit.take(1_500, now).is_ok()).count();
        let taken: usize = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(take)).collect();
            threads.into_iter().map(|thread| thread.join().expect("no panic")).sum()
        });
        assert_eq!(taken, 1_500);
    }
}
