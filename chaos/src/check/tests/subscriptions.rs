// SPDX-License-Identifier: MIT OR Apache-2.0
//! Corrupted transcripts.

use std::time::Duration;

use super::breaks;
use super::play::{AFTER, BEFORE, at, cut, data, event, mark, named, right, truth};
use crate::calls::What;
use crate::frame::{Cut, Said};
use crate::history::{Entry, Log};
use crate::transcript::{Happened, Note};
use crate::troupe::Evidence;

const PLAIN: usize = 0;
const AWARE: usize = 1;

/// Where a client was told that, on that channel.
#[track_caller]
fn place(evidence: &Evidence, client: usize, channel: &str, wanted: &Said) -> usize {
    let is_it = |note: &Note| matches!(&note.what, Happened::Said { channel: of, said } if of == channel && said == wanted);
    evidence.transcripts[client].notes.iter().position(is_it).expect("it was told")
}

fn told(channel: &str, said: Said) -> Note {
    let channel = channel.to_owned();
    Note { at: Duration::from_secs(1), what: Happened::Said { channel, said } }
}

fn without(evidence: &mut Evidence, client: usize, channel: &str, said: &Said) {
    let at = place(evidence, client, channel, said);
    evidence.transcripts[client].notes.remove(at);
}

fn instead(evidence: &mut Evidence, client: usize, channel: &str, said: &Said, other: Said) {
    let at = place(evidence, client, channel, said);
    evidence.transcripts[client].notes[at] = told(channel, other);
}

fn after(evidence: &mut Evidence, client: usize, channel: &str, said: &Said, other: Said) {
    let at = place(evidence, client, channel, said);
    evidence.transcripts[client].notes.insert(at + 1, told(channel, other));
}

/// An event as it stands in no log.
fn altered(said: Said) -> Said {
    let Said::Event(mut event) = said else { unreachable!() };
    event.data = "{\"id\":\"other\"}".into();
    Said::Event(event)
}

fn change_cut(
    evidence: &mut Evidence,
    client: usize,
    wanted: &Position,
    change: impl FnOnce(&mut Cut),
) {
    for note in &mut evidence.transcripts[client].notes {
        if let Happened::Said { channel, said: Said::Cut(cut) } = &mut note.what
            && channel == "all"
            && cut.at == *wanted
        {
            return change(cut);
        }
    }
    panic!("there is no such cut");
}

use crate::frame::Position;

#[test]
fn g1_what_is_live_comes_after_the_replay_and_says_so() {
    breaks("G1", |e| instead(e, PLAIN, "all", &event(3, true), event(3, false)));
    breaks("G1", |e| instead(e, AWARE, "all", &event(3, false), event(3, true)));
    breaks("G1", |e| {
        without(e, AWARE, "all", &event(2, true));
        after(e, AWARE, "all", &event(3, false), event(2, true));
    });
    breaks("G1", |e| after(e, PLAIN, "all", &event(5, false), cut(BEFORE, 5, 0)));
}

#[test]
fn i1_no_offset_lacks_or_comes_twice() {
    breaks("I1", |e| without(e, AWARE, "all", &event(3, false)));
    breaks("I1", |e| after(e, AWARE, "all", &event(3, false), event(3, false)));
    breaks("I1", |e| after(e, PLAIN, "all", &event(5, false), event(5, false)));
    breaks("I1", |e| {
        // The second value of a truth may be skipped for the third, an event for nothing.
        without(e, PLAIN, "truth", &truth(2, false));
        after(e, PLAIN, "all", &event(5, false), event(7, false));
    });
    breaks("I1", |e| {
        let skip = Said::Skip { from: 3, upto: 3 };
        instead(e, AWARE, "all", &event(3, false), skip);
    });
}

#[test]
fn g2_a_client_never_loses_its_place() {
    breaks("G2", |e| {
        let (channel, lost) = ("all".to_owned(), Some("a hole".to_owned()));
        let what = Happened::Resync { channel, lost };
        e.transcripts[AWARE].notes.push(Note { at: Duration::ZERO, what });
    });
    breaks("G2", |e| {
        without(e, PLAIN, "all", &event(2, true));
        after(e, PLAIN, "all", &event(3, true), event(2, true));
    });
}

#[test]
fn i2_a_replay_is_what_the_rule_shows() {
    breaks("I2", |e| {
        without(e, PLAIN, "all", &event(2, true));
        change_cut(e, PLAIN, &at(BEFORE, 3), |cut| cut.replay = 2);
    });
    breaks("I2", |e| {
        // It was forgotten.
        after(e, PLAIN, "all", &cut(AFTER, 6, 4), event(2, true));
    });
    breaks("I2", |e| {
        let miss = Said::CacheMiss;
        instead(e, PLAIN, "all", &event(1, true), miss);
    });
    breaks("I2", |e| {
        // The link dies in a replay that had a hole.
        let at = place(e, PLAIN, "all", &event(3, true));
        e.transcripts[PLAIN].notes.remove(at - 1);
        let what = Happened::Ended(None);
        e.transcripts[PLAIN].notes.insert(at, Note { at: Duration::ZERO, what });
    });
}

#[test]
fn i3_what_is_shown_is_in_the_log() {
    breaks("I3", |e| {
        let Said::Event(mut beyond) = event(7, false) else { unreachable!() };
        beyond.offset = Some(8);
        after(e, PLAIN, "all", &event(7, false), Said::Event(beyond));
    });
}

#[test]
fn i5_everybody_sees_the_same() {
    breaks("I5", |e| instead(e, PLAIN, "all", &event(5, false), altered(event(5, false))));
    breaks("I5", |e| {
        // The log does not know it: then two clients who differ do.
        let log = &mut e.findings.logs.0[0];
        log.entries.insert(6, Entry::Gone);
        e.finals[0].held.remove(&6);
        instead(e, AWARE, "all", &event(6, true), altered(event(6, true)));
    });
    breaks("I5", |e| {
        let other = Said::Forget { offset: 4, event: Some("a".to_owned()) };
        instead(e, AWARE, "all", &super::play::forget(), other);
    });
}

#[test]
fn i6_a_version_never_goes_back() {
    breaks("I6", |e| {
        let at = e.transcripts[PLAIN].notes.iter().rposition(
            |note| matches!(&note.what, Happened::Said { said, .. } if *said == truth(2, true)),
        );
        e.transcripts[PLAIN].notes[at.unwrap()] = told("truth", truth(1, true));
    });
}

#[test]
fn g5_a_resume_brings_exactly_what_was_missed_or_says_why_not() {
    breaks("G5", |e| {
        without(e, AWARE, "all", &event(6, true));
        change_cut(e, AWARE, &at(AFTER, 6), |cut| cut.replay = 0);
    });
    breaks("G5", |e| {
        change_cut(e, AWARE, &at(AFTER, 6), |cut| (cut.resumed, cut.replay) = (false, 4));
    });
    for lie in ["trimmed", "diverged", "epoch", "ahead"] {
        breaks("G5", |e| {
            change_cut(e, AWARE, &at(AFTER, 6), |cut| {
                (cut.resumed, cut.reason) = (false, Some(lie.to_owned()));
            });
        });
    }
    breaks("G5", |e| change_cut(e, PLAIN, &at(AFTER, 6), |cut| cut.resumed = true));
    breaks("G5", |e| change_cut(e, AWARE, &at(AFTER, 6), |cut| cut.at.offset = 4));
    breaks("G5", |e| {
        let mut reset = None;
        change_cut(e, AWARE, &at(AFTER, 6), |cut| reset = Some(cut.clone()));
        let reason = Some("resync".to_owned());
        let reset = Said::Reset(Cut { resumed: false, reason, ..reset.unwrap() });
        after(e, AWARE, "all", &event(7, false), reset);
    });
}

/// A run whose second half is another history: the client resumed over what was thrown away.
#[test]
fn g7_nobody_goes_on_with_what_the_log_has_lost() {
    breaks("G7", |e| {
        e.thrown_away = Some((Duration::from_secs(90), Duration::from_secs(91)));
        let mut other: Log = e.findings.logs.0[0].clone();
        e.findings.logs.0[0].terms.retain(|(term, _)| **term == *BEFORE);
        other.terms.retain(|(term, _)| **term == *AFTER);
        let entry = Entry::Event { name: "a".into(), data: "{\"id\":\"other\"}".into() };
        other.entries.insert(5, entry);
        e.findings.logs.0.push(other);
    });
}

#[test]
fn g8_a_bookmark_is_where_the_client_is() {
    breaks("G8", |e| instead(e, AWARE, "all", &mark(7), mark(6)));
    breaks("G8", |e| instead(e, AWARE, "all", &mark(7), mark(8)));
}

#[test]
fn i10_a_client_resumes_only_from_where_it_has_come() {
    breaks("I10", |e| {
        // The link died before that.
        without(e, AWARE, "all", &event(5, false));
    });
    breaks("I10", |e| {
        // The link died within the replay of its first cut: there is no position.
        let at = place(e, AWARE, "all", &event(2, true));
        let notes = &mut e.transcripts[AWARE].notes;
        let is_all =
            |note: &Note| matches!(&note.what, Happened::Said { channel, .. } if channel == "all");
        let end = notes.iter().position(|note| matches!(note.what, Happened::Ended(_))).unwrap();
        let (before, rest) = notes.split_at(at);
        let kept = rest.iter().enumerate().filter(|(n, note)| at + n >= end || !is_all(note));
        *notes = before.iter().chain(kept.map(|(_, note)| note)).cloned().collect();
    });
}

#[test]
fn i7_at_rest_everybody_shows_the_latest() {
    breaks("I7", |e| without(e, PLAIN, "all", &event(7, false)));
    breaks("I7", |e| without(e, PLAIN, "truth", &truth(3, false)));
    breaks("I7", |e| {
        let truth =
            &mut e.finals.iter_mut().find(|end| end.channel == named("truth")).unwrap().truth;
        truth.as_mut().unwrap().1 = serde_json::json!({"id": "other"});
    });
}

#[test]
fn i13_everybody_comes_to_the_end() {
    breaks("I13", |e| e.behind.push("somebody is behind".to_owned()));
    breaks("server", |e| e.server.push("it ended as if nothing had failed".to_owned()));
    breaks("API", |e| {
        let what = Happened::Nonsense("{}".to_owned());
        e.transcripts[PLAIN].notes.push(Note { at: Duration::ZERO, what });
    });
}

#[test]
fn t022_who_is_excluded_hears_nothing_of_it() {
    let exclude = |e: &mut Evidence, socket: &str| {
        let call = e.calls.iter_mut().find(|call| call.id == "e7").unwrap();
        if let What::Publish { exclude, .. } = &mut call.what {
            *exclude = Some(socket.to_owned());
        }
    };
    breaks("T-022", |e| exclude(e, "1.2"));
    let mut evidence = right();
    exclude(&mut evidence, "3.1");
    assert!(super::broken(&evidence).is_empty());
    assert!(data(7).contains("e7"));
}
