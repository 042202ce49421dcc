// SPDX-License-Identifier: MIT OR Apache-2.0
//! The checker: reads everything that a run has brought to light, and says which invariant of
//! `truth.md` 5.13 it violates. It knows the rules of memory, and nothing of how they are kept.

mod calls;
mod known;
mod logs;
mod rest;
mod subscriptions;
#[cfg(test)]
mod tests;
mod view;

use std::collections::BTreeMap;
use std::fmt;

use crate::troupe::Evidence;

/// Something that must not be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Which invariant or guarantee.
    pub rule: &'static str,
    /// What happened, with as much of the transcript as is needed.
    pub what: String,
}

/// What a checker has looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts(pub BTreeMap<String, u64>);

/// What a checker says.
#[derive(Clone, Debug, Default)]
pub struct Verdict {
    /// In no order.
    pub violations: Vec<Violation>,
    /// How much was looked at.
    pub counts: Counts,
}

/// Checks everything.
pub fn check(evidence: &Evidence) -> Verdict {
    let mut verdict = Verdict::default();
    let known = known::Book::new(evidence);
    logs::check(evidence, &known, &mut verdict);
    calls::check(evidence, &known, &mut verdict);
    subscriptions::check(evidence, &known, &mut verdict);
    rest::check(evidence, &known, &mut verdict);
    verdict
}

impl Verdict {
    pub(crate) fn fail(&mut self, rule: &'static str, what: impl Into<String>) {
        self.violations.push(Violation { rule, what: what.into() });
    }

    pub(crate) fn count(&mut self, what: &str) {
        self.counts.add(what, 1);
    }
}

impl Counts {
    /// Adds to a count.
    pub fn add(&mut self, what: &str, number: u64) {
        *self.0.entry(what.to_owned()).or_default() += number;
    }

    /// Adds all of another one's.
    pub fn add_all(&mut self, other: &Counts) {
        for (what, number) in &other.0 {
            self.add(what, *number);
        }
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all: Vec<_> = self.0.iter().map(|(what, number)| format!("{what} {number}")).collect();
        f.write_str(&all.join(" · "))
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.rule, self.what)
    }
}
