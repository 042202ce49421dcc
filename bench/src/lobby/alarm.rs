// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Alarm`]: wakes the one thread of the load at a moment, to the microsecond; an epoll alone
//! knows milliseconds, of which a latency may have few.

use super::moment::Moment;
use crate::trouble::Trouble;
use mio::unix::SourceFd;
use mio::{Interest, Registry, Token};
use nix::sys::time::{TimeSpec, TimeValLike};
use nix::sys::timerfd::{ClockId, Expiration, TimerFd, TimerFlags, TimerSetTimeFlags};
use std::io;
use std::os::fd::{AsFd, AsRawFd};

/// See the module.
pub(crate) struct Alarm {
    timer: TimerFd,
    set_to: Option<Moment>,
}

impl Alarm {
    /// Not set yet. It rings as an event with that token.
    pub(crate) fn new(registry: &Registry, token: Token) -> Result<Self, Trouble> {
        let make = || -> io::Result<TimerFd> {
            let timer = TimerFd::new(ClockId::CLOCK_MONOTONIC, TimerFlags::TFD_NONBLOCK)?;
            let descriptor = timer.as_fd().as_raw_fd();
            registry.register(&mut SourceFd(&descriptor), token, Interest::READABLE)?;
            Ok(timer)
        };
        let timer = make().map_err(Trouble::io("making a timer"))?;
        Ok(Self { timer, set_to: None })
    }

    /// Sets it to a moment in the future, and to no other.
    pub(crate) fn set(&mut self, moment: Moment) -> Result<(), Trouble> {
        if self.set_to == Some(moment) {
            return Ok(());
        }
        let micros = moment.wait(Moment::now()).as_micros().max(1);
        let wait = TimeSpec::microseconds(i64::try_from(micros).unwrap_or(i64::MAX));
        self.timer
            .set(Expiration::OneShot(wait), TimerSetTimeFlags::empty())
            .map_err(|error| Trouble::io("setting a timer")(error.into()))?;
        self.set_to = Some(moment);
        Ok(())
    }

    /// It has rung.
    pub(crate) fn rang(&mut self) {
        self.set_to = None;
    }
}
