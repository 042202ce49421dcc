// SPDX-License-Identifier: MIT OR Apache-2.0
//! Calls against logs: what was acknowledged is there (I4), where it was said to be (I5); a call is
//! done once and as a whole (I8); nothing is accepted after the journal failed (T-011).

use std::collections::HashMap;

use super::Verdict;
use super::known::Book;
use crate::calls::{Call, What};
use crate::channels::Channel;
use crate::frame::Position;
use crate::http::Answer;
use crate::troupe::Evidence;

/// Where a call has left entries: log and offset, by channel.
type Left<'a> = HashMap<&'a str, Vec<(usize, u64)>>;

pub(super) fn check(evidence: &Evidence, book: &Book<'_>, verdict: &mut Verdict) {
    let mut left: HashMap<String, Left<'_>> = HashMap::new();
    for (at, known) in book.logs().enumerate() {
        for (offset, entry) in &known.log.entries {
            if let Some(id) = entry.id() {
                let places = left.entry(id).or_default();
                places.entry(known.log.channel.name).or_default().push((at, *offset));
            }
        }
    }
    let nothing = Left::new();
    for call in &evidence.calls {
        let left = left.get(&call.id).unwrap_or(&nothing);
        counts(call, verdict);
        once(call, left, verdict);
        acknowledged(evidence, book, call, left, verdict);
        answers(evidence, call, verdict);
    }
    after_failure(evidence, verdict);
}

fn counts(call: &Call, verdict: &mut Verdict) {
    verdict.count(match call.tries.last().and_then(|one| one.answer.as_ref()) {
        Some(answer) if answer.status == 200 => "acknowledged",
        Some(answer) if answer.status >= 500 => "refused",
        Some(_) => "conflicts",
        None => "unanswered",
    });
    verdict.counts.add("tries again", call.tries.len().saturating_sub(1) as u64);
}

/// Whether any of it happened while history was thrown away on purpose.
fn is_thrown_away(evidence: &Evidence, call: &Call) -> bool {
    evidence.thrown_away.is_some_and(|(from, to)| {
        let first = call.tries.first().map_or(from, |one| one.began);
        let last = call.tries.last().map_or(to, |one| one.ended);
        first <= to && from <= last
    })
}

fn once(call: &Call, left: &Left<'_>, verdict: &mut Verdict) {
    for (channel, places) in left {
        let mut logs: Vec<_> = places.iter().map(|(log, _)| log).collect();
        logs.sort();
        if logs.windows(2).any(|two| two[0] == two[1]) {
            verdict.fail("I8", format!("{} is in {channel} at {places:?}: {call:?}", call.id));
        }
    }
}

fn acknowledged(
    evidence: &Evidence,
    book: &Book<'_>,
    call: &Call,
    left: &Left<'_>,
    verdict: &mut Verdict,
) {
    let channels = call.leaves_entries_in();
    let is_there = |channel: &&&'static Channel| left.contains_key(channel.name);
    if is_thrown_away(evidence, call) {
        return;
    }
    let kept = channels.iter().filter(|channel| channel.is_durable());
    let known = kept.filter(|channel| is_known(book, channel));
    let (there, missing): (Vec<_>, Vec<_>) = known.partition(is_there);
    let names =
        |all: &[&&'static Channel]| all.iter().map(|channel| channel.name).collect::<Vec<_>>();
    let refused = call.answers().all(|answer| (400..500).contains(&answer.status));
    if refused && !call.tries.is_empty() && call.answers().count() == call.tries.len() {
        if !there.is_empty() {
            verdict.fail("I8", format!("refused, and yet in {:?}: {call:?}", names(&there)));
        }
        return;
    }
    let is_change = matches!(call.what, What::Set { .. } | What::Merge { .. });
    // A value that was true already leaves nothing.
    let same = |answer: &Answer| is_change && answer.body["changed"] == false;
    if !there.is_empty() && !missing.is_empty() {
        verdict.fail("I4", format!("done in part, not in {:?}: {call:?}", names(&missing)));
    } else if let Some(answer) = call.done().filter(|answer| !same(answer))
        && !missing.is_empty()
    {
        let missing = names(&missing);
        verdict.fail("I4", format!("acknowledged, and not in {missing:?}: {answer:?} to {call:?}"));
    }
    for (at, channel) in channels.iter().enumerate() {
        for answer in call.answers().filter(|answer| answer.status == 200) {
            if let Some(position) = position(call, answer, at, channel) {
                verdict.count("positions told");
                told(book, call, channel, &position, verdict);
            }
        }
    }
}

/// Whether the scribe has seen every entry of a channel's logs before it could be forgotten.
fn is_known(book: &Book<'_>, channel: &Channel) -> bool {
    let mut logs = book.logs().filter(|known| known.log.channel.name == channel.name);
    logs.all(|known| {
        known.is_whole && !known.log.entries.values().any(|e| *e == crate::history::Entry::Gone)
    })
}

/// Where an answer says that a call's entry is.
fn position(call: &Call, answer: &Answer, at: usize, channel: &Channel) -> Option<Position> {
    let body = &answer.body;
    if let What::Set { .. } | What::Merge { .. } = call.what {
        let (version, epoch) = (body["version"].as_u64()?, body["epoch"].as_str()?);
        let changed = body["changed"] == true;
        return changed.then(|| Position { epoch: epoch.into(), term: "".into(), offset: version });
    }
    let told = match body.get("batch") {
        Some(batch) => &batch[at]["position"],
        None => &body["channels"][channel.name]["position"],
    };
    Some(Position {
        epoch: told["epoch"].as_str()?.into(),
        term: told["term"].as_str()?.into(),
        offset: told["offset"].as_u64()?,
    })
}

/// What is there must be the call's.
fn told(
    book: &Book<'_>,
    call: &Call,
    channel: &'static Channel,
    at: &Position,
    verdict: &mut Verdict,
) {
    let Some(place) = book.find(channel, at).filter(|place| at.offset <= place.surely) else {
        return;
    };
    let Some(entry) = place.known.entry(at.offset) else {
        if at.offset > place.known.log.head && book.keeps(channel) {
            let head = place.known.log.head;
            let name = channel.name;
            verdict.fail(
                "I4",
                format!("acknowledged at {at:?} of {name}, which ends at {head}: {call:?}"),
            );
        }
        return;
    };
    if *entry != crate::history::Entry::Gone && entry.id().as_deref() != Some(&*call.id) {
        let name = channel.name;
        verdict
            .fail("I5", format!("acknowledged at {at:?} of {name}, where {entry:?} is: {call:?}"));
    }
}

/// A call that is made again gets the same answer; a condition is refused only if it does not hold.
fn answers(evidence: &Evidence, call: &Call, verdict: &mut Verdict) {
    let mut kept = call.answers().filter(|answer| answer.status < 500);
    if let Some(first) = kept.next() {
        let is_forget = matches!(call.what, What::Forget { .. });
        let is_same = |other: &Answer| other == first || is_forget;
        if let Some(other) = kept.find(|other| !is_same(other))
            && !is_thrown_away(evidence, call)
            && call.touches().iter().all(|channel| channel.is_durable())
        {
            verdict.fail("I8", format!("{} was told {first:?}, and then {other:?}", call.id));
        }
    }
    for answer in call.answers().filter(|answer| answer.status == 409) {
        let What::Set { condition: Some((version, epoch)), .. } = &call.what else {
            verdict.fail("I8", format!("refused without a condition: {answer:?} to {call:?}"));
            continue;
        };
        let (now, of) = (answer.body["version"].as_u64(), answer.body["epoch"].as_str());
        if now == Some(*version) && of == Some(epoch) {
            verdict.fail("I8", format!("refused, and it holds: {answer:?} to {call:?}"));
        }
    }
    for answer in call.answers().filter(|answer| !matches!(answer.status, 200 | 409 | 503)) {
        verdict.fail("API", format!("an answer that nobody expects: {answer:?} to {call:?}"));
    }
}

/// Between a failure of the journal and the next start nothing durable is done.
fn after_failure(evidence: &Evidence, verdict: &mut Verdict) {
    let tries = || evidence.calls.iter().flat_map(|call| call.tries.iter().map(move |t| (call, t)));
    let failed = tries().filter(|(_, one)| {
        one.answer.as_ref().is_some_and(|a| a.status == 503 && a.body["code"] == "journal_failed")
    });
    let mut windows: Vec<_> = failed
        .map(|(_, one)| {
            let next = evidence.restarts.iter().find(|at| **at > one.ended);
            (one.ended, next.copied())
        })
        .collect();
    windows.sort();
    windows.dedup_by_key(|(_, next)| *next);
    verdict.counts.add("journal failures", windows.len() as u64);
    for (call, one) in tries() {
        let is_durable = call.touches().iter().any(|channel| channel.is_durable());
        // An answer that was kept from before the failure may be given again.
        if call.key.is_some() || !is_durable || one.answer.as_ref().is_none_or(|a| a.status != 200)
        {
            continue;
        }
        let within = |(from, next): &&(std::time::Duration, Option<std::time::Duration>)| {
            one.began > *from && next.is_none_or(|next| one.ended < next)
        };
        if let Some(window) = windows.iter().find(within) {
            verdict.fail(
                "T-011",
                format!("done after the journal had failed at {window:?}: {call:?}"),
            );
        }
    }
}
