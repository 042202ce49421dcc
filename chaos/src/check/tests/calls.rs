// SPDX-License-Identifier: MIT OR Apache-2.0
//! Corrupted calls and logs.

use std::time::Duration;

use serde_json::json;

use super::breaks;
use super::play::{AFTER, EPOCH, answered, at, named};
use crate::calls::{Call, Try, What};
use crate::history::{Entry, Log};
use crate::scribe::Refusal;
use crate::troupe::Evidence;

fn call<'a>(evidence: &'a mut Evidence, id: &str) -> &'a mut Call {
    evidence.calls.iter_mut().find(|call| call.id == id).unwrap()
}

fn log<'a>(evidence: &'a mut Evidence, name: &str) -> &'a mut Log {
    evidence.findings.logs.0.iter_mut().find(|log| log.channel == named(name)).unwrap()
}

/// A publish to `hist` and `cache-last` that says it was done.
fn publish(id: &str) -> Call {
    let data = json!({"id": id}).to_string();
    let events = vec![("hist", "a", data.clone()), ("cache-last", "a", data)];
    let what = What::Publish { events, exclude: None };
    Call { id: id.to_owned(), what, key: None, tries: vec![answered(200, json!({}))] }
}

fn appended(evidence: &mut Evidence, channel: &str, id: &str) {
    let entry = Entry::Event { name: "a".into(), data: json!({"id": id}).to_string().into() };
    let log = log(evidence, channel);
    let (head, terms) = (log.head + 1, log.terms.clone());
    for (term, _) in terms {
        log.add(head - 1, head, &term, vec![(head, entry.clone())]);
    }
    let end = evidence.finals.iter_mut().find(|end| end.channel == named(channel)).unwrap();
    end.held.insert(head, entry);
    end.at = at(AFTER, head);
}

#[test]
fn i4_what_was_acknowledged_is_there() {
    breaks("I4", |e| e.calls.push(publish("lost")));
    breaks("I4", |e| {
        // Said to be where the log does not reach.
        let body = &mut call(e, "e6").tries[0].answer.as_mut().unwrap().body;
        body["channels"]["all"]["position"]["offset"] = 9.into();
    });
    breaks("I4", |e| {
        // Done in one of its channels; nobody has acknowledged it.
        let mut half = publish("half");
        half.tries[0].answer = None;
        e.calls.push(half);
        appended(e, "hist", "half");
        let empty = Log::new(named("cache-last"), &at(AFTER, 0));
        e.findings.logs.0.push(empty);
    });
}

#[test]
fn i4_what_was_read_stays() {
    breaks("I4", |e| e.finals[0].at.offset = 6);
    breaks("I4", |e| {
        let (channel, reason) = (named("all"), "diverged".to_owned());
        e.findings.refusals.push(Refusal { channel, from: at(AFTER, 7), to: at(AFTER, 6), reason });
    });
    breaks("I5", |e| {
        let entry = Entry::Event { name: "a".into(), data: "{\"id\":\"other\"}".into() };
        e.finals[0].held.insert(5, entry);
    });
    breaks("I5", |e| drop(e.finals[0].held.remove(&5)));
}

#[test]
fn i5_an_entry_is_where_it_was_said_to_be() {
    breaks("I5", |e| {
        let body = &mut call(e, "e6").tries[0].answer.as_mut().unwrap().body;
        body["channels"]["all"]["position"]["offset"] = 5.into();
    });
}

#[test]
fn i8_a_call_is_done_once() {
    breaks("I8", |e| {
        e.calls.push(publish("twice"));
        appended(e, "hist", "twice");
        appended(e, "hist", "twice");
    });
    breaks("I8", |e| {
        let mut refused = publish("refused");
        refused.tries = vec![answered(409, json!({}))];
        e.calls.push(refused);
        appended(e, "hist", "refused");
    });
}

#[test]
fn i8_a_call_that_is_made_again_is_told_the_same() {
    breaks("I8", |e| call(e, "e6").tries.push(answered(200, json!({"channels": {}}))));
    breaks("I8", |e| call(e, "e6").tries.push(answered(409, json!({}))));
}

#[test]
fn i8_a_condition_is_kept() {
    breaks("I8", |e| {
        let body = json!({"version": 2, "epoch": EPOCH});
        call(e, "c3").tries = vec![answered(409, body)];
    });
    breaks("I8", |e| {
        if let What::Set { condition, .. } = &mut call(e, "c3").what {
            *condition = Some((1, EPOCH.to_owned()));
        }
    });
    breaks("I8", |e| {
        // Two increments from the same count, both accepted.
        let twice = json!({"id": "c3", "n": 2, "from": 2});
        if let What::Set { value, .. } = &mut call(e, "c3").what {
            value.clone_from(&twice);
        }
        let entry = Entry::Truth { data: twice.to_string().into() };
        log(e, "counter").entries.insert(3, entry.clone());
        let end = e.finals.iter_mut().find(|end| end.channel == named("counter")).unwrap();
        end.held.insert(3, entry);
        end.truth = Some((3, twice));
    });
}

#[test]
fn i8_a_truth_is_what_its_call_makes_of_the_one_before() {
    breaks("I8", |e| {
        if let What::Merge { patch, .. } = &mut call(e, "t2").what {
            patch["k"] = 7.into();
        }
    });
    breaks("I8", |e| {
        if let What::Set { value, .. } = &mut call(e, "t3").what {
            value["k"] = 7.into();
        }
    });
    breaks("I8", |e| e.calls.retain(|call| call.id != "t1"));
}

#[test]
fn t011_nothing_durable_is_done_after_the_journal_failed() {
    let failed = |e: &mut Evidence, restart: u64| {
        let at = Duration::from_secs;
        let mut refused = publish("refused");
        refused.tries = vec![answered(503, json!({"code": "journal_failed"}))];
        e.calls.push(refused);
        e.restarts.push(at(restart));
        let mut done = publish("done");
        let answer = done.tries[0].answer.take();
        done.tries = vec![Try { began: at(3), ended: at(4), answer }];
        e.calls.push(done);
        appended(e, "hist", "done");
    };
    breaks("T-011", |e| failed(e, 5));
    let mut evidence = super::play::right();
    failed(&mut evidence, 3);
    // It began in the same moment in which the next server did.
    evidence.restarts[0] = Duration::from_millis(2_500);
    assert!(!super::broken(&evidence).contains(&"T-011"));
}

#[test]
fn an_answer_that_nobody_expects_is_told() {
    breaks("API", |e| call(e, "e6").tries[0].answer.as_mut().unwrap().status = 500);
}
