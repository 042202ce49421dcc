// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Calls`]: the answers to calls that carried an idempotency key, for whoever asks again.
//!
//! The first call with a key runs; others with the same key and body wait for its answer, and get
//! the same. The answer is stored in the same commit as what the call did, so that a crash
//! between the two leaves both or none.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use crate::effect::Begun;
use crate::key::AppIndex;
use crate::place::Ticket;
use crate::record::{BodyHash, Row, StoredAnswer, Timestamp};

/// How long an answer is kept.
pub(crate) const ANSWER_AGE: Duration = Duration::from_secs(10 * 60);

/// An idempotency key of an app.
pub type CallKey = (AppIndex, Box<str>);

/// See the module. One per home, for the keys that are its own.
#[derive(Debug)]
pub(crate) struct Calls {
    calls: HashMap<CallKey, Call, foldhash::fast::FixedState>,
    limit: usize,
    /// Of all stored answers.
    bytes: usize,
}

#[derive(Debug)]
enum Call {
    /// It has not been answered; these wait.
    Running(BodyHash, Vec<Ticket>),
    /// It has been decided, and will be answered when that is durable; these wait.
    Sealed(Row, Arc<StoredAnswer>, Vec<Ticket>),
    /// It has been answered.
    Answered(Row, Arc<StoredAnswer>),
}

impl Calls {
    /// Keeps so many keys.
    pub(crate) fn new(limit: usize) -> Calls {
        Calls { calls: HashMap::default(), limit, bytes: 0 }
    }

    /// What its answers hold in memory.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Takes in an answer that survived.
    pub(crate) fn recover(&mut self, app: AppIndex, row: Row, answer: StoredAnswer) {
        self.bytes += answer.bytes();
        self.calls.insert((app, answer.key.clone()), Call::Answered(row, Arc::new(answer)));
    }

    /// A call begins. `None`: it waits for the one that runs.
    pub(crate) fn begin(&mut self, key: CallKey, body: BodyHash, ticket: Ticket) -> Option<Begun> {
        let is_full = self.calls.len() >= self.limit;
        match self.calls.get_mut(&key) {
            None if is_full => Some(Begun::Full),
            None => {
                self.calls.insert(key, Call::Running(body, Vec::new()));
                Some(Begun::First)
            }
            Some(Call::Running(first, _)) if *first != body => Some(Begun::Conflict),
            Some(Call::Sealed(_, first, _) | Call::Answered(_, first)) if first.body != body => {
                Some(Begun::Conflict)
            }
            Some(Call::Running(_, waiting) | Call::Sealed(_, _, waiting)) => {
                waiting.push(ticket);
                None
            }
            Some(Call::Answered(_, answer)) => Some(Begun::Again(Arc::clone(answer))),
        }
    }

    /// The call that runs with that key has been decided. Answers what to store.
    pub(crate) fn seal(
        &mut self,
        key: &CallKey,
        row: Row,
        status: u16,
        answer: Box<[u8]>,
        expires: Timestamp,
    ) -> Option<Arc<StoredAnswer>> {
        let call = self.calls.get_mut(key)?;
        let Call::Running(body, waiting) = call else { return None };
        let answer = StoredAnswer { key: key.1.clone(), body: *body, status, answer, expires };
        self.bytes += answer.bytes();
        let answer = Arc::new(answer);
        *call = Call::Sealed(row, Arc::clone(&answer), std::mem::take(waiting));
        Some(answer)
    }

    /// It is durable. Answers who waited, and what for.
    pub(crate) fn stored(&mut self, key: &CallKey) -> Option<(Arc<StoredAnswer>, Vec<Ticket>)> {
        let call = self.calls.get_mut(key)?;
        let Call::Sealed(row, answer, waiting) = call else { return None };
        let (row, answer, waiting) = (*row, Arc::clone(answer), std::mem::take(waiting));
        *call = Call::Answered(row, Arc::clone(&answer));
        Some((answer, waiting))
    }

    /// The call did nothing, and its key is free again. The next of those who wait may try.
    pub(crate) fn abandon(&mut self, key: &CallKey) -> Option<Ticket> {
        match self.calls.get_mut(key) {
            Some(Call::Running(_, waiting)) if !waiting.is_empty() => Some(waiting.remove(0)),
            Some(Call::Running(..)) => {
                self.calls.remove(key);
                None
            }
            _ => None,
        }
    }

    /// Nothing will be durable any more. Answers everybody who waits.
    pub(crate) fn fail(&mut self) -> Vec<Ticket> {
        let mut waiting = Vec::new();
        self.calls.retain(|_, call| match call {
            Call::Running(_, tickets) => {
                waiting.append(tickets);
                false
            }
            Call::Sealed(_, answer, tickets) => {
                self.bytes -= answer.bytes();
                waiting.append(tickets);
                false
            }
            Call::Answered(..) => true,
        });
        waiting
    }

    /// Lets go of what is too old. Answers its rows.
    pub(crate) fn trim(&mut self, now: Timestamp) -> Vec<Row> {
        let mut rows = Vec::new();
        self.calls.retain(|_, call| match call {
            Call::Answered(row, answer) if answer.expires <= now => {
                self.bytes -= answer.bytes();
                rows.push(*row);
                false
            }
            _ => true,
        });
        if self.calls.len() * 8 < self.calls.capacity() {
            self.calls.shrink_to_fit();
        }
        rows
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.calls.is_empty()
    }
}
