// SPDX-License-Identifier: MIT OR Apache-2.0
//! Whether somebody who stood at a position can go on from there.

use oyez_protocol::encode::ResetReason;
use oyez_protocol::position::{Epoch, Offset, Term};

use super::{Log, Terms};

/// Where somebody says it stood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Past {
    /// The numbering; `None` for one that is certainly not ours.
    pub(crate) epoch: Option<Epoch>,
    /// The authority; likewise.
    pub(crate) term: Option<Term>,
    /// The last event that it has.
    pub(crate) offset: Offset,
}

impl Log {
    /// Whether everything after that position is held, and nothing before it was ever lost.
    /// There is no third answer.
    pub(crate) fn judge(&self, past: Past, terms: &Terms) -> Result<(), ResetReason> {
        if past.epoch != Some(self.epoch) {
            return Err(ResetReason::Epoch);
        }
        let end = past.term.and_then(|term| self.lineage.end(term, terms, self.committed));
        let end = end.ok_or(ResetReason::Diverged)?;
        if past.offset > self.committed {
            return Err(ResetReason::Ahead);
        }
        if past.offset > end {
            return Err(ResetReason::Diverged);
        }
        self.reaches(past.offset)
    }

    /// Whether everything after that offset is held.
    pub(crate) fn reaches(&self, offset: Offset) -> Result<(), ResetReason> {
        let low = self.low().min(self.committed.next());
        if offset.next() < low { Err(ResetReason::Trimmed) } else { Ok(()) }
    }
}
