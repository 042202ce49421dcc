// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Gate`]: what may not be seen or answered before the journal has it.
//!
//! One per home, first in, first out, like the journal itself: whatever waits behind a mark goes
//! when that mark is durable, and in the order in which it was decided.

use std::collections::VecDeque;

use oyez_protocol::position::Offset;

use crate::effect::Answer;
use crate::idempotency::CallKey;
use crate::key::ChannelKey;
use crate::place::{Ticket, WorkerId};
use crate::record::{Mark, Row};

/// See the module.
#[derive(Debug)]
pub(crate) struct Gate {
    home: WorkerId,
    next_row: u64,
    given: Mark,
    durable: Mark,
    waiting: VecDeque<(Mark, Waiting)>,
    state: State,
}

/// One thing that waits.
#[derive(Debug)]
pub(crate) enum Waiting {
    /// A log's entries up to that offset may be seen.
    Release(ChannelKey, Offset),
    /// A call may be answered.
    Answer(Ticket, Answer),
    /// The answer of a call with an idempotency key is stored.
    Stored(CallKey),
}

/// Whether the journal can be trusted with more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// It can.
    Open,
    /// It failed: what waits will never be durable, and nothing more is taken.
    Failed,
}

/// Homes are told apart in the lowest bits of a row.
const HOME_BITS: u32 = 10;

impl Gate {
    /// Rows begin above those that survived.
    pub(crate) fn new(home: WorkerId, next_row: u64) -> Gate {
        debug_assert!(u32::from(home.0) < 1 << HOME_BITS, "at most 1024 workers");
        Gate {
            home,
            next_row: (next_row >> HOME_BITS) + 1,
            given: Mark::default(),
            durable: Mark::default(),
            waiting: VecDeque::new(),
            state: State::Open,
        }
    }

    /// A new row.
    pub(crate) fn row(&mut self) -> Row {
        let row = Row(self.next_row << HOME_BITS | u64::from(self.home.0));
        self.next_row += 1;
        row
    }

    /// The mark of the next append.
    pub(crate) fn mark(&mut self) -> Mark {
        self.given = Mark(self.given.0 + 1);
        self.given
    }

    pub(crate) fn state(&self) -> State {
        self.state
    }

    /// Lets something wait for everything that was appended so far. Where nothing will ever be
    /// durable, nothing waits.
    pub(crate) fn wait(&mut self, waiting: Waiting) {
        if self.state == State::Open {
            self.waiting.push_back((self.given, waiting));
        }
    }

    /// Lets something wait for what waits already, and for nothing that was appended since.
    pub(crate) fn follow(&mut self, waiting: Waiting) {
        let mark = self.waiting.back().map_or(self.durable, |(mark, _)| *mark);
        self.waiting.push_back((mark, waiting));
    }

    /// Whether everything that was appended so far is durable.
    pub(crate) fn is_settled(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Everything up to that mark is durable.
    pub(crate) fn commit(&mut self, upto: Mark) {
        debug_assert!(self.durable <= upto && upto <= self.given, "marks come back in order");
        self.durable = upto;
    }

    /// Takes the next thing that need not wait any more.
    pub(crate) fn pass(&mut self) -> Option<Waiting> {
        self.waiting.pop_front_if(|(mark, _)| *mark <= self.durable).map(|(_, waiting)| waiting)
    }

    /// Nothing will ever be durable again. Answers what waited in vain.
    pub(crate) fn fail(&mut self) -> Vec<Waiting> {
        self.state = State::Failed;
        self.waiting.drain(..).map(|(_, waiting)| waiting).collect()
    }
}
