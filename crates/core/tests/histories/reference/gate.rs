// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Gate`]: what a home must hold back until its journal has it.

use std::collections::VecDeque;

use oyez_core::{Answer, Mark, Millis, Ticket};
use oyez_protocol::socket_id::SocketId;

/// Of one home.
#[derive(Debug, Default)]
pub(crate) struct Gate {
    given: Mark,
    waiting: VecDeque<(Mark, Waiting)>,
}

#[derive(Debug)]
pub(crate) enum Waiting {
    /// An event that took its place at that time.
    Event {
        channel: usize,
        name: String,
        data: String,
        exclude: Option<SocketId>,
        at: Millis,
    },
    Answer(Ticket, Answer),
}

impl Gate {
    /// The home gives something to its journal.
    pub(crate) fn append(&mut self, mark: Mark) {
        assert_eq!(mark.0, self.given.0 + 1, "marks count appends");
        self.given = mark;
    }

    /// Something waits for everything that was given.
    pub(crate) fn wait(&mut self, waiting: Waiting) {
        self.waiting.push_back((self.given, waiting));
    }

    /// What need not wait any more.
    pub(crate) fn commit(&mut self, upto: Mark) -> Vec<Waiting> {
        let due = self.waiting.iter().take_while(|(mark, _)| *mark <= upto).count();
        self.waiting.drain(..due).map(|(_, waiting)| waiting).collect()
    }
}
