// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Rate`]: how often a connection may do something, in eight bytes.

use std::time::Duration;

/// A token bucket, kept as the moment at which it will be full again (the generic cell rate
/// algorithm): no timer refills it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Rate {
    /// Microseconds since the server's start.
    full_at: u64,
}

/// What a rate allows: so many per second on average, with a burst.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Allowance {
    interval: u64,
    burst: u64,
}

/// Too much, too fast.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TooFast;

impl Allowance {
    pub(crate) fn new(per_second: usize, burst: usize) -> Allowance {
        let interval = (1_000_000 / per_second.max(1) as u64).max(1);
        Allowance { interval, burst: interval.saturating_mul(burst as u64) }
    }
}

impl Rate {
    /// Takes one, if it is there; `now` counts from the server's start.
    pub(crate) fn take(&mut self, allowance: Allowance, now: Duration) -> Result<(), TooFast> {
        let now = u64::try_from(now.as_micros()).unwrap_or(u64::MAX);
        let full_at = self.full_at.max(now) + allowance.interval;
        if full_at - now > allowance.burst {
            return Err(TooFast);
        }
        self.full_at = full_at;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p043_the_burst_then_the_average() {
        let (mut rate, ten) = (Rate::default(), Allowance::new(10, 10));
        let at = Duration::from_millis;
        assert!((0..10).all(|_| rate.take(ten, at(5)).is_ok()));
        assert_eq!(rate.take(ten, at(5)), Err(TooFast));
        assert_eq!(rate.take(ten, at(104)), Err(TooFast));
        assert_eq!(rate.take(ten, at(105)), Ok(()));
        assert_eq!(rate.take(ten, at(105)), Err(TooFast));
        assert!((0..10).all(|_| rate.take(ten, at(5_000)).is_ok()));
    }
}
