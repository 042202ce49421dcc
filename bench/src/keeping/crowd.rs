// SPDX-License-Identifier: MIT OR Apache-2.0
//! Subscribers without publishers: they all come at once, as fast as the server's door lets them,
//! and stay until whoever hears them has heard enough.

use crate::load::{CONNECT_WINDOW, STALL};
use crate::subscribers::{Hears, Subscribers};
use crate::traffic::RoomNames;
use crate::trouble::Trouble;
use mio::{Events, Poll, Token};
use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// Ready sockets taken per system call.
const EVENTS: usize = 1024;

/// The longest wait for one event.
const TURN: Duration = Duration::from_secs(1);

/// A crowd and what it hears. Dropping it closes every connection.
pub(crate) struct Crowd<H> {
    poll: Poll,
    events: Events,
    subscribers: Subscribers,
    /// What becomes of what they hear.
    pub(crate) hears: H,
}

impl<H: Hears> Crowd<H> {
    /// Nobody yet.
    pub(crate) fn new(server: SocketAddr, rooms: RoomNames, hears: H) -> Result<Self, Trouble> {
        Ok(Self {
            poll: Poll::new().map_err(Trouble::io("making an epoll"))?,
            events: Events::with_capacity(EVENTS),
            subscribers: Subscribers::new(server, rooms),
            hears,
        })
    }

    /// Lets `total` come, `each` to a room, until `heard` says that it was enough.
    pub(crate) fn come(
        &mut self,
        total: u32,
        each: u32,
        heard: impl Fn(&H) -> bool,
    ) -> Result<(), Trouble> {
        let mut room_of = (0..total).map(|subscriber| subscriber / each);
        let begin = Instant::now();
        while !heard(&self.hears) {
            let coming = self.subscribers.started() - self.subscribers.subscribed();
            for room in room_of.by_ref().take(CONNECT_WINDOW.saturating_sub(coming)) {
                self.subscribers.connect(self.poll.registry(), room)?;
            }
            self.turn(TURN)?;
            if begin.elapsed() > STALL {
                let detail = format!("{} of {total} subscribed", self.subscribers.subscribed());
                return Err(Trouble::Stalled { waited: STALL, detail });
            }
        }
        Ok(())
    }

    /// Takes what comes for some time.
    pub(crate) fn listen(&mut self, time: Duration) -> Result<(), Trouble> {
        let until = Instant::now() + time;
        while let Some(left) = until.checked_duration_since(Instant::now()) {
            self.turn(left)?;
        }
        Ok(())
    }

    fn turn(&mut self, timeout: Duration) -> Result<(), Trouble> {
        match self.poll.poll(&mut self.events, Some(timeout)) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Ok(()),
            result => result.map_err(Trouble::io("waiting for events"))?,
        }
        for event in self.events.iter() {
            let Token(index) = event.token();
            self.subscribers.ready(index, event, &mut self.hears)?;
        }
        Ok(())
    }
}
