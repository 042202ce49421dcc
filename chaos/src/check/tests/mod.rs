// SPDX-License-Identifier: MIT OR Apache-2.0
//! A checker that cannot fail checks nothing: a run that is right is corrupted in one way at a
//! time, and the checker must name the rule that is broken.

mod calls;
mod play;
mod subscriptions;

use super::check;
use crate::troupe::Evidence;

/// The rules that are broken.
fn broken(evidence: &Evidence) -> Vec<&'static str> {
    let mut rules: Vec<_> = check(evidence).violations.iter().map(|v| v.rule).collect();
    rules.sort_unstable();
    rules.dedup();
    rules
}

/// Corrupts a run that is right; the checker must find that rule broken.
#[track_caller]
fn breaks(rule: &str, corrupt: impl FnOnce(&mut Evidence)) {
    let mut evidence = play::right();
    corrupt(&mut evidence);
    let verdict = check(&evidence);
    let found = broken(&evidence);
    assert!(found.contains(&rule), "{rule} is not among {found:?}: {:#?}", verdict.violations);
}

#[test]
fn a_run_that_is_right_breaks_no_rule() {
    let verdict = check(&play::right());
    assert_eq!(verdict.violations, []);
    for what in ["frames", "views", "live", "resumed across terms", "truths", "positions told"] {
        assert!(verdict.counts.0.contains_key(what), "{what} is not in {}", verdict.counts);
    }
}
