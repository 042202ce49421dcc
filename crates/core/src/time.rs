// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Millis`]: the only notion of time in the core, always an argument.

use std::ops::Add;
use std::time::Duration;

/// Milliseconds since the server's start, from a monotonic clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Millis(pub u64);

impl Add<Duration> for Millis {
    type Output = Millis;
    fn add(self, duration: Duration) -> Millis {
        let millis = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        Millis(self.0.saturating_add(millis))
    }
}

impl Millis {
    /// How long it is from `earlier` until now; nothing if that lies ahead.
    pub fn since(self, earlier: Millis) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }
}
