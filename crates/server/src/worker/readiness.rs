// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Readiness`]: the poll of a worker's own sockets, as one thing that the runtime waits for.
//!
//! The worker polls its sockets itself, with a table entry for each in place of a task; the
//! runtime, which serves HTTP, only needs to know when any of them is ready. A poll is itself a
//! file that can be polled, so it is.

use std::io;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use mio::Events;
use tokio::io::unix::AsyncFd;

/// Readiness events taken at once.
const EVENTS: usize = 1024;

/// See the module.
pub(super) struct Readiness {
    poll: AsyncFd<mio::Poll>,
    /// Whether there may be events that were not taken yet.
    pending: bool,
}

impl Readiness {
    /// Must be called on the runtime that will wait.
    #[expect(unsafe_code, reason = "the runtime's only way to wait for a file it does not own")]
    pub(super) fn new(poll: mio::Poll) -> io::Result<Readiness> {
        // SAFETY: a `mio::Poll` owns its file descriptor from its creation until it is dropped, always
        // answers the same one, and `AsyncFd` takes the registration back before it drops it.
        let poll = unsafe { AsyncFd::register(poll) }.map_err(|error| error.into_parts().1)?;
        Ok(Readiness { poll, pending: false })
    }

    /// Whether more was ready than was taken.
    pub(super) fn has_more(&self) -> bool {
        self.pending
    }

    /// A place for the events of one [`Readiness::take`].
    pub(super) fn events() -> Events {
        Events::with_capacity(EVENTS)
    }

    /// Waits until a socket is ready.
    pub(super) fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if !self.pending {
            // Cleared before the sockets are asked: what comes after makes it readable anew.
            ready!(self.poll.poll_read_ready_mut(cx))?.clear_ready();
            self.pending = true;
        }
        Poll::Ready(Ok(()))
    }

    /// Takes what is ready; nothing, unless [`Readiness::poll_ready`] said that something is.
    pub(super) fn take(&mut self, events: &mut Events) -> io::Result<()> {
        events.clear();
        if self.pending {
            match self.poll.get_mut().poll(events, Some(Duration::ZERO)) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => return Ok(()),
                polled => polled?,
            }
            self.pending = events.iter().count() == EVENTS;
        }
        Ok(())
    }
}
