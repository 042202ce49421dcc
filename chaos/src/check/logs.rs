// SPDX-License-Identifier: MIT OR Apache-2.0
//! The logs among each other: what was read once stays (I4, I5), and each change of a truth follows
//! from the one before (I8).

use serde_json::Value;

use super::Verdict;
use super::known::{Book, Known};
use super::view::STAGED;
use crate::calls::{Call, What};
use crate::history::Entry;
use crate::troupe::Evidence;
use crate::value::merge;

pub(super) fn check(evidence: &Evidence, book: &Book<'_>, verdict: &mut Verdict) {
    for refusal in &evidence.findings.refusals {
        verdict.count(&format!("history refused: {}", refusal.reason));
        // To which nothing was published has no numbering to keep.
        let is_blank = refusal.from.offset == 0 && refusal.reason == "epoch";
        if refusal.reason != "trimmed" && !is_blank && book.keeps(refusal.channel) {
            verdict.fail("I4", format!("a durable channel refuses its own history: {refusal:?}"));
        }
    }
    for known in book.logs() {
        verdict.counts.add("entries", known.log.entries.len() as u64);
        truths(book, known, verdict);
    }
    for end in &evidence.finals {
        let Some(place) = book.find(end.channel, &end.at) else {
            verdict.fail("I4", format!("{} ended in a log nobody has read", end.channel.name));
            continue;
        };
        let log = place.known.log;
        if end.at.offset < log.head && book.keeps(end.channel) {
            let name = end.channel.name;
            verdict
                .fail("I4", format!("{name} was at {} and ended at {}", log.head, end.at.offset));
        }
        let low = (end.at.offset + 1 + STAGED).saturating_sub(end.channel.events as u64).max(1);
        for (offset, entry) in log.entries.range(low..) {
            let is_gone = match (entry, end.held.get(offset)) {
                (entry, Some(held)) if entry == held => continue,
                (Entry::Gone, None) => continue,
                (Entry::Event { name, .. }, None) => place.known.forgotten(name, *offset).is_some(),
                _ => false,
            };
            if !is_gone {
                let name = end.channel.name;
                let held = end.held.get(offset);
                verdict.fail("I5", format!("{name} {offset} was {entry:?} and ended as {held:?}"));
            }
        }
        let truth = log.about_truth(u64::MAX).and_then(|(at, entry)| Some((at, entry.value()?)));
        if truth != end.truth && log.head == end.at.offset {
            let name = end.channel.name;
            verdict.fail(
                "I7",
                format!("{name}: the log says {truth:?}, the truth is {:?}", end.truth),
            );
        }
    }
}

/// Every value of a truth is what its call makes of the one before.
fn truths(book: &Book<'_>, known: &Known<'_>, verdict: &mut Verdict) {
    let mut before: (u64, Value) = (0, Value::Null);
    let mut is_known = known.is_whole;
    for (offset, entry) in known.log.entries.iter().filter(|(_, entry)| entry.is_about_truth()) {
        let Some(value) = entry.value() else {
            (before, is_known) = ((0, Value::Null), true);
            continue;
        };
        let call = entry.id().and_then(|id| book.calls.get(id.as_str()));
        let wrong = match call {
            None => Some("nobody asked for it".to_owned()),
            Some(Call { what: What::Set { value: wanted, condition, .. }, .. }) => {
                let condition = condition.as_ref().filter(|_| is_known);
                let is_other = condition.is_some_and(|(version, _)| *version != before.0);
                match (*wanted != value, is_other) {
                    (true, _) => Some(format!("{wanted} was asked for")),
                    (_, true) => Some(format!("its condition was {condition:?}")),
                    _ => None,
                }
            }
            Some(Call { what: What::Merge { patch, .. }, .. }) => {
                let mut wanted = before.1.clone();
                merge(&mut wanted, patch);
                (is_known && wanted != value).then(|| format!("{patch} was to be merged"))
            }
            Some(call) => Some(format!("its call was {call:?}")),
        };
        let jump = known.log.channel.truth == Some("COUNT")
            && is_known
            && value["n"].as_u64() != Some(before.1["n"].as_u64().unwrap_or(0) + 1);
        if let Some(why) = wrong.or_else(|| jump.then(|| "a count is lost".to_owned())) {
            let name = known.log.channel.name;
            verdict.fail("I8", format!("{name} {offset} is {value} after {before:?}: {why}"));
        }
        verdict.count("truths");
        (before, is_known) = ((*offset, value), true);
    }
}
