// SPDX-License-Identifier: MIT OR Apache-2.0
//! What showed only after a while: timers that gathered, and what happens to somebody who is slow.

use super::*;
use crate::place::ReplayOf;

/// Each event of a channel that nobody hears moved the look at its numbering forward, and left a
/// timer of thirty days behind.
#[test]
fn a_channel_that_is_published_to_now_and_then_does_not_gather_timers() {
    let mut kit = Kit::new("a", Replay::None, 10, Durability::Off, 1 << 20);
    for n in 0..100 {
        kit.publish("e", &n.to_string());
        kit.wait(Duration::from_secs(3600));
        assert!(kit.home.timers.len() <= 2, "after {n}: {}", kit.home.timers.len());
    }
    kit.wait(Duration::from_secs(IDENTITY_DAYS));
    assert!(!kit.home.channels.contains_key(&kit.key), "its numbering ends");
    assert_eq!(kit.home.timers.len(), 0);
}

/// Each key that was free again left a sweep behind, and each sweep planned the next.
#[test]
fn calls_that_did_nothing_do_not_gather_timers() {
    let mut kit = Kit::new("a", Replay::None, 10, Durability::Off, 1 << 20);
    let begin = |kit: &mut Kit| {
        let (key, ticket) = ((AppIndex(0), Box::from("key")), kit.caller().ticket);
        kit.handle(Command::Begin { key, body: BodyHash([1; 32]), ticket });
    };
    for _ in 0..100 {
        begin(&mut kit);
        kit.handle(Command::Abandon { key: (AppIndex(0), Box::from("key")), part: None });
    }
    begin(&mut kit);
    assert_eq!(kit.home.timers.len(), 1);
    kit.wait(Duration::from_secs(60));
    assert_eq!(kit.home.timers.len(), 1);
}

/// A key is kept for ten minutes also when the clock was put back by a year in between.
#[test]
fn t023_an_answer_that_survived_is_kept_no_longer_than_others() {
    use crate::record::{Row, StoredAnswer};
    let mut kit = Kit::new("a", Replay::None, 10, Durability::Full, 1 << 20);
    let expires = kit.home.time(kit.now) + Duration::from_secs(365 * 24 * 3600);
    let (key, body) = (Box::from("key"), BodyHash([1; 32]));
    let answer = StoredAnswer { key, body, status: 200, answer: Box::from(*b"{}"), expires };
    kit.home.recover_answer(AppIndex(0), Row(1), answer, kit.now);
    kit.wait(Duration::from_secs(11 * 60));
    let (key, ticket) = ((AppIndex(0), Box::from("key")), kit.caller().ticket);
    let effects = kit.handle(Command::Begin { key, body, ticket });
    assert_eq!(Kit::answers(&effects), [&Answer::Begun(Begun::First)]);
}

/// A drain waited in vain for the end of a truth that came to its end after the journal failed.
#[test]
fn t011_what_ends_by_time_after_the_journal_failed_keeps_nobody_waiting() {
    let mut kit = Kit::new("a", Replay::Latest, 10, Durability::Full, 1 << 20);
    let value = Value::parse("1").expect("a value").into_owned();
    let what = ChangeOf::Set(Some("state".to_owned()), value);
    kit.change(what, Condition::default(), Some(Duration::from_secs(1)));
    kit.commit(1);
    kit.handle(Command::JournalFailed);
    kit.wait(Duration::from_secs(2));
    assert!(kit.home.is_settled());
}

/// G3: a plain reader that fell off the ring of a truth channel was shown again what it had seen.
#[test]
fn i1_a_slow_plain_reader_is_not_shown_again_what_it_has_seen() {
    let mut kit = Kit::new("a", Replay::LatestPerEvent, 2, Durability::Off, 1 << 20);
    kit.publish("a", "seen");
    kit.publish("b", "seen, too");
    kit.subscribe(Listener::default());
    kit.set("1", Condition::default());
    (0..5).for_each(|n| drop(kit.publish("c", &n.to_string())));
    let shown = Offset::new(2).expect("small");
    let standing =
        Standing { cut: shown, shown, replay: ReplayOf::TheRule, speaks: Speaks::Pusher };
    let place = Place { worker: HOME, slot: 1, serial: 1 };
    let socket = SocketId::parse("1.1").expect("of the right form");
    let effects = kit.handle(Command::CatchUp { key: kit.key.clone(), place, socket, standing });
    let (frames, standing) = Kit::frames(&effects);
    assert!(frames.iter().all(|frame| !frame.contains("seen")), "{frames:?}");
    assert_eq!((frames.len(), standing.shown.get()), (2, 8), "the truth and `c`: {frames:?}");
}

/// I10: a replay in pieces had more frames than were announced, when events that its reader does
/// not see were forgotten in between.
#[test]
fn t022_what_was_kept_from_somebody_stays_so_when_it_is_forgotten() {
    let mut kit = Kit::new("a", Replay::All, 10, Durability::Off, 1);
    let own = SocketId::parse("1.1").expect("of the right form");
    for (event, exclude) in [("e", None), ("mine", Some(own)), ("mine", Some(own)), ("e", None)] {
        let publish = Publish {
            key: kit.key.clone(),
            event: event.to_owned(),
            data: "d".to_owned(),
            exclude,
            condition: Condition::default(),
            wanted: Wanted::default(),
            room: Room::Left,
            part: None,
            caller: None,
        };
        kit.handle(Command::Publish(Box::new(publish)));
    }
    let memory = kit.home.channels.get(&kit.key).and_then(|c| c.memory.as_deref());
    let epoch = memory.map(Memory::epoch);
    let aware = Aware { generation: None, deltas: Deltas::NONE, version: None };
    let term = Term::parse("term0001").ok();
    let resume = Resume { epoch, term, offset: Offset::ZERO, socket: Some(own) };
    let listener = Listener { aware: Some(Box::new(aware)), resume: Some(Box::new(resume)) };
    let (mut frames, mut standing) = Kit::frames(&kit.subscribe(listener));
    kit.change(ChangeOf::Forget("mine".to_owned()), Condition::default(), None);
    while standing.shown < standing.cut {
        let place = Place { worker: HOME, slot: 1, serial: 1 };
        let key = kit.key.clone();
        let effects = kit.handle(Command::CatchUp { key, place, socket: own, standing });
        let (more, after) = Kit::frames(&effects);
        frames.extend(more);
        standing = after;
    }
    // The last one is that of `forget`, which came after the cut.
    let of_cut = frames.iter().filter(|frame| !frame.contains("oyez:forget")).count() - 1;
    let announced = frames[0].split("\\\"replay\\\":").nth(1).and_then(|t| t[..1].parse().ok());
    assert_eq!(announced, Some(of_cut), "{frames:?}");
}

/// Whoever was answered by one home must find in another what that one did for the same call.
#[test]
fn t023_whoever_asks_a_home_to_settle_is_answered_when_what_it_did_may_be_seen() {
    let mut kit = Kit::new("a", Replay::Latest, 10, Durability::Full, 1 << 20);
    let settle = |kit: &mut Kit| {
        let ticket = kit.caller().ticket;
        kit.handle(Command::Settle { ticket })
    };
    assert_eq!(Kit::answers(&settle(&mut kit)), [&Answer::Done], "nothing waits");
    kit.publish("e", "v1");
    assert!(settle(&mut kit).is_empty());
    kit.publish("e", "v2");
    let effects = kit.commit(1);
    assert_eq!(Kit::answers(&effects).last(), Some(&&Answer::Done), "not for what came after");
    assert_eq!(Kit::frames(&kit.subscribe(Listener::default())).1.cut.get(), 1);
}

/// I12: answers that are kept for whoever asks again may hold whole truths, and were not counted.
#[test]
fn i12_stored_answers_are_part_of_what_is_remembered() {
    let mut kit = Kit::new("a", Replay::Latest, 10, Durability::Off, 1 << 20);
    kit.home.rules.memory_bytes = 64 * 1024;
    for n in 0..3 {
        let key = || (AppIndex(0), Box::from(format!("key-{n}")));
        let ticket = kit.caller().ticket;
        kit.handle(Command::Begin { key: key(), body: BodyHash([1; 32]), ticket });
        let (answer, ticket) = (Box::from([b'x'; 32 * 1024]), kit.caller().ticket);
        let seal = Command::Seal { key: key(), status: 409, answer, part: None, ticket };
        kit.handle(seal);
    }
    let full = [&Answer::Refused(Refused::MemoryFull)];
    assert_eq!(Kit::answers(&kit.publish("e", "v")), full);
    kit.wait(Duration::from_secs(11 * 60));
    assert_ne!(Kit::answers(&kit.publish("e", "v")), full);
}

/// Who had filled the memory could not even make room.
#[test]
fn what_makes_room_is_done_also_where_there_is_none() {
    let mut kit = Kit::new("a", Replay::Latest, 10, Durability::Off, 1 << 20);
    kit.home.rules.memory_bytes = 4 * 1024;
    kit.set(&format!("\"{}\"", "x".repeat(8 * 1024)), Condition::default());
    let full = [&Answer::Refused(Refused::MemoryFull)];
    assert_eq!(Kit::answers(&kit.publish("e", "v")), full);
    assert_ne!(Kit::answers(&kit.change(ChangeOf::Delete, Condition::default(), None)), full);
    assert_ne!(Kit::answers(&kit.publish("e", "v")), full);
}
