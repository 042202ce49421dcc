// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Lineage`]: in which terms a log grew, and where each of them ended. [`Terms`]: all starts of
//! this server.
//!
//! A position names the term in which it was given out. It means the same today if the log had
//! grown at least that far when that term ended.

use std::sync::Arc;

use oyez_protocol::position::{Offset, Term};

use super::Growth;

/// Past terms of a log that are known; of older ones nothing is believed.
const KNOWN: usize = 64;

/// The terms of all starts that are still known, oldest first; the last is this one.
#[derive(Clone, Debug)]
pub(crate) struct Terms(Arc<[Term]>);

/// See the module.
#[derive(Debug)]
pub(crate) struct Lineage {
    /// The term in which the log last grew.
    current: Term,
    /// Those before, each with the offset at which it ended.
    ended: Vec<(Term, Offset)>,
}

impl Terms {
    pub(crate) fn new(terms: &[Term]) -> Terms {
        assert!(!terms.is_empty(), "a start has a term");
        Terms(terms.into())
    }

    /// This start's.
    pub(crate) fn now(&self) -> Term {
        *self.0.last().expect("a start has a term")
    }

    /// The first that is still known: the same at the next start, unless that forgets it.
    pub(crate) fn oldest(&self) -> Term {
        *self.0.first().expect("a start has a term")
    }

    fn place(&self, term: Term) -> Option<usize> {
        // Most ask for the newest.
        self.0.iter().rposition(|known| *known == term)
    }
}

impl Lineage {
    pub(crate) fn new(term: Term) -> Lineage {
        Lineage { current: term, ended: Vec::new() }
    }

    pub(crate) fn recovered(current: Term, ended: Vec<(Term, Offset)>) -> Lineage {
        Lineage { current, ended }
    }

    pub(crate) fn current(&self) -> Term {
        self.current
    }

    pub(crate) fn ended(&self) -> &[(Term, Offset)] {
        &self.ended
    }

    /// The log grows in that term, from that head.
    pub(crate) fn grow(&mut self, term: Term, head: Offset) -> Growth {
        if term == self.current {
            return Growth::Again;
        }
        let before = std::mem::replace(&mut self.current, term);
        if self.ended.len() == KNOWN {
            self.ended.remove(0);
        }
        self.ended.push((before, head));
        Growth::FirstOfTerm
    }

    /// How far the log had grown when that term ended; up to `committed` if it goes on. `None`
    /// for a term that nobody here remembers.
    pub(crate) fn end(&self, term: Term, terms: &Terms, committed: Offset) -> Option<Offset> {
        let asked = terms.place(term)?;
        // A term of a start so long ago that it is not known any more came before all others.
        if terms.place(self.current).is_none_or(|current| current <= asked) {
            return Some(committed);
        }
        let mut known = self.ended.iter().rev();
        let last = known.find(|(term, _)| terms.place(*term).is_none_or(|at| at <= asked));
        match last {
            Some((_, end)) => Some(*end),
            // The log began later, unless its beginning is not remembered.
            None => (self.ended.len() < KNOWN).then_some(Offset::ZERO),
        }
    }
}
