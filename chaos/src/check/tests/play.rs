// SPDX-License-Identifier: MIT OR Apache-2.0
//! A small run in which everything is right: seven events on `all`, the second of them forgotten;
//! three values of a truth; a counter. One plain client, one that counts; a crash in the middle.

use std::time::Duration;

use serde_json::{Value, json};

use crate::calls::{Call, Try, What};
use crate::channels::Channel;
use crate::frame::{Cut, Delta, Event, Position, Said};
use crate::history::{Entry, Log};
use crate::http::Answer;
use crate::scribe::Final;
use crate::transcript::{Happened, Note, Speaks, Transcript};
use crate::troupe::Evidence;
use crate::value::sum;

pub(super) const EPOCH: &str = "epoch001";
pub(super) const BEFORE: &str = "term0001";
pub(super) const AFTER: &str = "term0002";
/// Names of the events on `all`; the fourth entry forgets the second.
const NAMES: [Option<&str>; 7] =
    [Some("a"), Some("b"), Some("a"), None, Some("a"), Some("c"), Some("c")];

pub(super) fn named(name: &str) -> &'static Channel {
    Channel::named(name).unwrap()
}

pub(super) fn at(term: &str, offset: u64) -> Position {
    Position { epoch: EPOCH.into(), term: term.into(), offset }
}

pub(super) fn answered(status: u16, body: Value) -> Try {
    let answer = Some(Answer { status, body });
    Try { began: Duration::from_secs(1), ended: Duration::from_secs(2), answer }
}

pub(super) fn data(offset: u64) -> String {
    json!({"id": format!("e{offset}")}).to_string()
}

pub(super) fn event(offset: u64, replayed: bool) -> Said {
    let name = NAMES[offset as usize - 1].unwrap().into();
    let data = data(offset).into();
    Said::Event(Event { offset: Some(offset), name, data, replayed, truth: false, delta: None })
}

pub(super) fn forget() -> Said {
    Said::Forget { offset: 4, event: Some("b".to_owned()) }
}

pub(super) fn value(version: u64) -> Value {
    match version {
        1 => json!({"id": "t1", "k": 1}),
        2 => json!({"id": "t2", "k": 1}),
        _ => json!({"id": "t3", "k": 3}),
    }
}

pub(super) fn truth(version: u64, replayed: bool) -> Said {
    Said::Event(Event {
        offset: Some(version),
        name: "STATE".into(),
        data: value(version).to_string().into(),
        replayed,
        truth: true,
        delta: None,
    })
}

pub(super) fn delta(version: u64) -> Said {
    let Said::Event(event) = truth(version, false) else { unreachable!() };
    let (from, of) = (version - 1, Some(sum(&value(version))));
    let delta = Some(Delta { kind: "merge".to_owned(), from, sum: of });
    Said::Event(Event {
        data: json!({"id": format!("t{version}")}).to_string().into(),
        delta,
        ..event
    })
}

pub(super) fn cut(term: &str, offset: u64, replay: u64) -> Said {
    let (at, reason, version) = (at(term, offset), None, None);
    Said::Cut(Cut { at, resumed: false, replay, reason, version })
}

pub(super) fn resumed(term: &str, offset: u64, replay: u64) -> Said {
    let (at, reason, version) = (at(term, offset), None, None);
    Said::Cut(Cut { at, resumed: true, replay, reason, version })
}

pub(super) fn mark(offset: u64) -> Said {
    Said::Mark { offset, sum: None }
}

/// Notes of one link: its socket, and for each channel where to resume and what was said.
fn link(socket: &str, channels: &[(&str, Option<Position>, Vec<Said>)]) -> Vec<Note> {
    let mut all = vec![Happened::Connected(socket.to_owned())];
    for (channel, resume, frames) in channels {
        let channel = (*channel).to_owned();
        all.push(Happened::Asked { channel: channel.clone(), resume: resume.clone() });
        let said = |said: &Said| Happened::Said { channel: channel.clone(), said: said.clone() };
        all.extend(frames.iter().map(said));
    }
    all.into_iter().map(|what| Note { at: Duration::from_secs(1), what }).collect()
}

fn ended() -> Note {
    Note { at: Duration::from_secs(2), what: Happened::Ended(None) }
}

fn plain() -> Transcript {
    let all =
        vec![cut(BEFORE, 3, 3), event(1, true), event(2, true), event(3, true), event(5, false)];
    let again = vec![
        cut(AFTER, 6, 4),
        event(1, true),
        event(3, true),
        event(5, true),
        event(6, true),
        event(7, false),
    ];
    let of_truth = vec![cut(BEFORE, 1, 1), truth(1, true), truth(2, false)];
    let of_truth_again = vec![cut(AFTER, 2, 1), truth(2, true), truth(3, false)];
    let mut notes = link("1.1", &[("all", None, all), ("truth", None, of_truth)]);
    notes.push(ended());
    notes.extend(link("1.2", &[("all", None, again), ("truth", None, of_truth_again)]));
    Transcript { client: "plain".to_owned(), speaks: Speaks::Pusher, notes }
}

fn aware() -> Transcript {
    let all = vec![
        cut(BEFORE, 2, 2),
        event(1, true),
        event(2, true),
        event(3, false),
        forget(),
        event(5, false),
    ];
    let again = vec![resumed(AFTER, 6, 1), event(6, true), event(7, false), mark(7)];
    let of_truth = vec![cut(BEFORE, 1, 1), truth(1, true), delta(2)];
    let of_truth_again = vec![resumed(AFTER, 2, 0), truth(3, false), mark(3)];
    let mut notes = link("2.1", &[("all", None, all), ("truth", None, of_truth)]);
    notes.push(ended());
    let (all_at, truth_at) = (Some(at(BEFORE, 5)), Some(at(BEFORE, 2)));
    notes.extend(link("2.2", &[("all", all_at, again), ("truth", truth_at, of_truth_again)]));
    Transcript { client: "aware".to_owned(), speaks: Speaks::Oyez, notes }
}

fn log(name: &str, entries: Vec<Entry>) -> Log {
    let mut log = Log::new(named(name), &at(AFTER, 0));
    let page: Vec<_> = entries.into_iter().enumerate().map(|(at, e)| (at as u64 + 1, e)).collect();
    let head = page.len() as u64;
    log.add(0, head, &BEFORE.into(), page.clone());
    log.add(0, head, &AFTER.into(), page);
    log
}

fn call(id: &str, what: What, body: Value) -> Call {
    let (key, tries) = (Some(format!("key-{id}")), vec![answered(200, body)]);
    Call { id: id.to_owned(), what, key, tries }
}

fn position(offset: u64) -> Value {
    json!({"position": {"epoch": EPOCH, "term": BEFORE, "offset": offset}})
}

pub(super) fn right() -> Evidence {
    let mut evidence = Evidence { transcripts: vec![plain(), aware()], ..Evidence::default() };
    let mut entries = Vec::new();
    for (offset, name) in (1..).zip(NAMES) {
        let Some(name) = name else {
            entries.push(Entry::Forgotten("b".into()));
            let what = What::Forget { channel: "all", event: "b" };
            evidence.calls.push(call("e4", what, json!({})));
            continue;
        };
        entries.push(Entry::Event { name: name.into(), data: data(offset).into() });
        let mut events = vec![("all", name, data(offset))];
        let mut body = json!({"channels": {"all": position(offset)}});
        if offset == 7 {
            events.push(("hist", name, data(offset)));
            body["channels"]["hist"] = position(1);
        }
        let what = What::Publish { events, exclude: None };
        evidence.calls.push(call(&format!("e{offset}"), what, body));
    }
    let one = Entry::Event { name: "c".into(), data: data(7).into() };
    let truths = (1..=3).map(|version| Entry::Truth { data: value(version).to_string().into() });
    let count = |n: u64| json!({"id": format!("c{n}"), "n": n, "from": n - 1});
    let counts = (1..=3).map(|n| Entry::Truth { data: count(n).to_string().into() });
    let logs = [
        log("all", entries),
        log("hist", vec![one]),
        log("truth", truths.collect()),
        log("counter", counts.collect()),
    ];
    evidence.findings.logs.0.extend(logs);
    let done = |version| json!({"epoch": EPOCH, "version": version, "changed": true});
    let set = |id: &str, channel, value: Value, condition| {
        let version = id[1..].parse::<u64>().unwrap();
        call(id, What::Set { channel, value, condition }, done(version))
    };
    evidence.calls.push(set("t1", "truth", value(1), None));
    let patch = json!({"id": "t2"});
    evidence.calls.push(call("t2", What::Merge { channel: "truth", patch }, done(2)));
    evidence.calls.push(set("t3", "truth", value(3), None));
    for n in 1..=3 {
        let condition = Some((n - 1, EPOCH.to_owned()));
        evidence.calls.push(set(&format!("c{n}"), "counter", count(n), condition));
    }
    for log in &evidence.findings.logs.0 {
        let mut held = log.entries.clone();
        if log.channel.name == "all" {
            held.remove(&2);
        }
        let truth = log.about_truth(u64::MAX).and_then(|(at, entry)| Some((at, entry.value()?)));
        evidence.finals.push(Final { channel: log.channel, at: at(AFTER, log.head), held, truth });
    }
    evidence
}
