// SPDX-License-Identifier: MIT OR Apache-2.0
//! Channels that remember: what went wrong once, and named statements of the guarantee.

mod over_time;
mod sum;

use oyez_protocol::api::{Condition, Expected};
use oyez_protocol::delta::{DeltaKind, Deltas};
use oyez_protocol::message::{Aware, Resume};

use super::super::*;
use crate::command::{Caller, Change, ChangeOf, Listener, Publish, When};
use crate::effect::{Begun, Changed, End, Refused, Sight, TruthAnswer, Wanted};
use crate::key::{AppIndex, KeySpace};
use crate::pattern::Pattern;
use crate::place::{Speaks, Standing, Ticket};
use crate::record::{BodyHash, Mark};
use crate::rule::{Bounds, CACHE_AGE, Replay, WrittenHistory, WrittenRule};
use crate::value::Value;
use oyez_protocol::channel::ChannelName;

const HOME: WorkerId = WorkerId(0);
const MILLI: Duration = Duration::from_millis(1);

struct Kit {
    home: Home,
    key: ChannelKey,
    now: Millis,
    calls: u32,
    slots: u32,
}

impl Kit {
    fn new(name: &str, replay: Replay, events: usize, durability: Durability, bytes: usize) -> Kit {
        let written = WrittenRule {
            pattern: Pattern::new("*"),
            replay,
            history: Some(WrittenHistory { events: Some(events), age: None }),
            durability: Some(durability),
            truth: None,
        };
        let bounds = Bounds { bytes: 1 << 20, names: 100, safest: durability };
        let channels = RuleBook::new(&[written], bounds);
        let rules = Rules {
            presence_members: 100,
            webhook_delay: Duration::from_secs(3),
            replay_bytes: bytes,
            truth_bytes: 1 << 20,
            memory_bytes: 1 << 30,
            idempotency_keys: 100,
            safest: durability,
            apps: vec![AppRules { channels, ..AppRules::default() }],
        };
        let terms = vec![Term::parse("term0001").expect("a name")];
        let start = Start { home: HOME, terms, time: Timestamp(1 << 40), next_row: 0, seed: 1 };
        let name = ChannelName::parse(name, 164).expect("a valid name");
        let key = KeySpace::new(1).key(AppIndex(0), name);
        Kit { home: Home::new(rules, start), key, now: Millis(0), calls: 0, slots: 0 }
    }

    fn handle(&mut self, command: Command) -> Vec<Effect> {
        let mut effects = Vec::new();
        self.home.handle(command, self.now, &mut effects);
        effects
    }

    fn caller(&mut self) -> Caller {
        self.calls += 1;
        let ticket = Ticket { worker: HOME, call: self.calls, part: 0 };
        Caller { ticket, when: When::Durable }
    }

    fn publish(&mut self, event: &str, data: &str) -> Vec<Effect> {
        let publish = Publish {
            key: self.key.clone(),
            event: event.to_owned(),
            data: data.to_owned(),
            exclude: None,
            condition: Condition::default(),
            wanted: Wanted { position: true, ..Wanted::default() },
            room: Room::Left,
            part: None,
            caller: Some(self.caller()),
        };
        self.handle(Command::Publish(Box::new(publish)))
    }

    fn change(
        &mut self,
        what: ChangeOf,
        condition: Condition,
        ttl: Option<Duration>,
    ) -> Vec<Effect> {
        let change = Change {
            key: self.key.clone(),
            what,
            condition,
            ttl,
            exclude: None,
            wanted: Wanted::default(),
            room: Room::Left,
            part: None,
            caller: Some(self.caller()),
        };
        self.handle(Command::Change(Box::new(change)))
    }

    fn set(&mut self, text: &str, condition: Condition) -> Vec<Effect> {
        let value = Value::parse(text).expect("a value").into_owned();
        self.change(ChangeOf::Set(Some("state".to_owned()), value), condition, None)
    }

    fn subscribe(&mut self, listener: Listener) -> Vec<Effect> {
        self.slots += 1;
        let place = Place { worker: HOME, slot: self.slots, serial: 1 };
        let (key, member, room) = (self.key.clone(), None, Room::Left);
        self.handle(Command::Subscribe { key, place, member, listener, room })
    }

    fn unsubscribe(&mut self) {
        let place = Place { worker: HOME, slot: self.slots, serial: 1 };
        self.slots -= 1;
        self.handle(Command::Unsubscribe { key: self.key.clone(), place, user: None });
    }

    fn commit(&mut self, mark: u64) -> Vec<Effect> {
        self.handle(Command::Committed(Mark(mark)))
    }

    /// Everything that is due until then.
    fn wait(&mut self, time: Duration) -> Vec<Effect> {
        let mut effects = Vec::new();
        self.now = self.now + time;
        self.home.tick(self.now, &mut effects);
        effects
    }

    /// Frames of a subscription or a stretch, and how far they bring the reader.
    fn frames(effects: &[Effect]) -> (Vec<String>, Standing) {
        let found = effects.iter().find_map(|effect| match effect {
            Effect::Send(_, Item::Subscribed { frames, standing, .. }) => Some((
                frames.iter().map(text).collect(),
                **standing.as_ref().expect("it remembers"),
            )),
            Effect::Send(_, Item::Stretch { frames, standing, .. }) => {
                Some((frames.iter().map(text).collect(), *standing))
            }
            _ => None,
        });
        found.expect("a subscription")
    }

    fn answers(effects: &[Effect]) -> Vec<&Answer> {
        let answers = effects.iter().filter_map(|effect| match effect {
            Effect::Answer(_, answer) => Some(answer),
            _ => None,
        });
        answers.collect()
    }
}

fn text(frame: &Frame) -> String {
    let bytes = frame.bytes();
    let start = match bytes[1] {
        126 => 4,
        127 => 10,
        _ => 2,
    };
    String::from_utf8(bytes[start..].to_vec()).expect("a text frame")
}

fn version(number: u64) -> Condition {
    Condition { version: Offset::new(number), epoch: Expected::Any }
}

/// `tick` once never returned: the channel could end, but for the goodbye that waited.
#[test]
fn a_tick_comes_to_an_end_while_a_channel_that_is_left_waits_for_its_goodbye() {
    for name in ["cache-a", "presence-cache-a", "a"] {
        let mut kit = Kit::new(name, Replay::Latest, 10, Durability::Off, 1 << 20);
        kit.subscribe(Listener::default());
        kit.unsubscribe();
        kit.wait(MILLI);
        assert!(kit.home.channels.contains_key(&kit.key));
        kit.wait(Duration::from_secs(3));
        assert!(!kit.home.channels.contains_key(&kit.key), "nothing keeps it any more");
        assert_eq!(kit.home.timers.len(), 0);
    }
}

/// `tick` once never returned: the end of the truth was staged, and its journal slow.
#[test]
fn a_tick_comes_to_an_end_while_the_end_of_a_truth_waits_for_the_journal() {
    let mut kit = Kit::new("a", Replay::Latest, 10, Durability::Full, 1 << 20);
    let value = Value::parse("1").expect("a value").into_owned();
    let what = ChangeOf::Set(Some("state".to_owned()), value);
    kit.change(what, Condition::default(), Some(Duration::from_secs(1)));
    kit.commit(1);
    let effects = kit.wait(Duration::from_secs(1));
    let appends = effects.iter().filter(|effect| matches!(effect, Effect::Append(_))).count();
    assert_eq!(appends, 1, "it ends once: {effects:?}");
    assert!(kit.wait(Duration::from_millis(10)).is_empty());
    let memory = |kit: &Kit| {
        kit.home.channels.get(&kit.key).and_then(|c| c.memory.as_deref()).map(|m| m.value().is_ok())
    };
    assert_eq!(memory(&kit), Some(true), "it is seen until its end is durable");
    kit.commit(2);
    assert_eq!(memory(&kit), Some(false));
}

#[test]
fn p049_an_event_that_ended_is_not_shown_as_cached_though_nobody_looked() {
    let mut kit = Kit::new("cache-a", Replay::Latest, 10, Durability::Off, 1 << 20);
    kit.publish("e", "v1");
    kit.now = kit.now + CACHE_AGE + Duration::from_secs(IDENTITY_DAYS);
    let wanted = Wanted { cache: true, ..Wanted::default() };
    let ticket = kit.caller().ticket;
    let effects = kit.handle(Command::Inspect { key: kit.key.clone(), wanted, ticket });
    let Answer::Channel(info) = Kit::answers(&effects)[0] else { panic!("{effects:?}") };
    let kept = info.cache.clone().expect("wanted");
    assert!(kept.is_none_or(|cached| cached.ttl > Duration::ZERO), "{effects:?}");
}

/// Longer than a rule without an age keeps anything.
const IDENTITY_DAYS: u64 = 31 * 24 * 3600;

/// T-003: the truth that is older than the ring was announced and never shown, when the bytes of
/// the replay ran out after something else that is older.
#[test]
fn t003_a_replay_in_pieces_shows_everything_that_is_older_than_the_ring() {
    let mut kit = Kit::new("a", Replay::All, 1, Durability::Off, 1);
    kit.set("{\"n\":1}", Condition::default());
    kit.publish("e", "v2");
    kit.handle(forget(&kit.key, "nothing", kit.calls));
    let value = Value::parse("3").expect("a value").into_owned();
    let other = ChangeOf::Set(Some("state".to_owned()), value);
    kit.change(other, Condition::default(), None);
    kit.change(ChangeOf::Forget("e".to_owned()), Condition::default(), None);
    kit.publish("e", "v5");
    kit.change(ChangeOf::Delete, Condition::default(), None);
    kit.set("{\"n\":7}", Condition::default());
    kit.change(ChangeOf::Forget("none".to_owned()), Condition::default(), None);
    kit.wait(Duration::from_secs(60));
    kit.publish("f", "v8");
    let (mut frames, mut standing) = Kit::frames(&kit.subscribe(Listener::default()));
    let (mut pieces, socket) = (0, SocketId::parse("1.1").expect("of the right form"));
    while standing.shown < standing.cut {
        let place = Place { worker: HOME, slot: 1, serial: 1 };
        let key = kit.key.clone();
        let effects = kit.handle(Command::CatchUp { key, place, socket, standing });
        let (more, after) = Kit::frames(&effects);
        frames.extend(more);
        (standing, pieces) = (after, pieces + 1);
        assert!(pieces < 10);
    }
    let announced = frames[0].split("\\\"replay\\\":").nth(1).and_then(|t| t[..1].parse().ok());
    assert_eq!(announced, Some(frames.len() - 1), "{frames:?}");
    assert!(frames.iter().any(|frame| frame.contains("\\\"n\\\":7")), "{frames:?}");
}

fn forget(key: &ChannelKey, event: &str, call: u32) -> Command {
    Command::Change(Box::new(Change {
        key: key.clone(),
        what: ChangeOf::Forget(event.to_owned()),
        condition: Condition::default(),
        ttl: None,
        exclude: None,
        wanted: Wanted::default(),
        room: Room::Left,
        part: None,
        caller: Some(Caller {
            ticket: Ticket { worker: HOME, call: call + 1_000, part: 0 },
            when: When::Durable,
        }),
    }))
}

/// T-027: the version of another history may name another value.
#[test]
fn t027_whoever_begins_anew_is_shown_the_whole_truth() {
    let mut kit = Kit::new("a", Replay::Latest, 10, Durability::Off, 1 << 20);
    let long = "long ".repeat(300);
    kit.set(&format!("{{\"n\":1,\"pad\":\"{long}\"}}"), Condition::default());
    kit.set(&format!("{{\"n\":2,\"pad\":\"{long}\"}}"), Condition::default());
    let epoch =
        kit.home.channels.get(&kit.key).and_then(|c| c.memory.as_deref()).map(Memory::epoch);
    let deltas = Deltas::NONE.with(DeltaKind::Merge);
    let listener = |term: &str| {
        let aware = Aware { generation: None, deltas, version: Offset::new(1) };
        let term = Term::parse(term).ok();
        let offset = Offset::new(1).expect("small");
        let resume = Resume { epoch, term, offset, socket: None };
        Listener { aware: Some(Box::new(aware)), resume: Some(Box::new(resume)) }
    };
    let (frames, _) = Kit::frames(&kit.subscribe(listener("term0001")));
    assert!(frames[1].contains("\"delta\":"), "it goes on: {}", frames[1]);
    let (frames, _) = Kit::frames(&kit.subscribe(listener("another1")));
    assert!(frames[0].contains("diverged"), "{}", frames[0]);
    assert!(!frames[1].contains("\"delta\":"), "it begins anew: {}", frames[1]);
}

/// T-004, T-005, T-009: an event between its append and its commit is nowhere to be seen, and then
/// heard once by whoever came before or after.
#[test]
fn t005_an_event_is_seen_when_it_is_durable_and_not_before() {
    let mut kit = Kit::new("a", Replay::Latest, 10, Durability::Full, 1 << 20);
    kit.subscribe(Listener::default());
    let effects = kit.publish("e", "v1");
    assert!(matches!(effects[..], [Effect::Append(_)]), "no frame and no answer: {effects:?}");
    let (frames, standing) = Kit::frames(&kit.subscribe(Listener::default()));
    assert_eq!((frames.len(), standing.cut), (1, Offset::ZERO), "the cut is what is durable");
    let effects = kit.commit(1);
    let entries = effects.iter().filter(|e| matches!(e, Effect::Send(_, Item::Entry(_)))).count();
    assert_eq!((entries, Kit::answers(&effects).len()), (1, 1), "{effects:?}");
    let (frames, standing) = Kit::frames(&kit.subscribe(Listener::default()));
    assert_eq!((frames.len(), standing.cut.get()), (2, 1));
    assert!(kit.home.is_settled());
}

/// T-011: what waits is never seen, whoever waits is told, and nothing more is taken.
#[test]
fn t011_after_the_journal_failed_nothing_more_is_seen_or_taken() {
    let mut kit = Kit::new("a", Replay::Latest, 10, Durability::Full, 1 << 20);
    kit.subscribe(Listener::default());
    kit.publish("e", "v1");
    let failed = Answer::Refused(Refused::JournalFailed);
    let effects = kit.handle(Command::JournalFailed);
    assert_eq!(Kit::answers(&effects), [&failed]);
    let effects = kit.publish("e", "v2");
    assert!(
        matches!(&effects[..], [Effect::Answer(_, answer)] if *answer == failed),
        "{effects:?}"
    );
    assert_eq!(Kit::frames(&kit.subscribe(Listener::default())).1.cut, Offset::ZERO);
}

/// T-017: where earlier terms ended was once overwritten by what was known before the log grew, so
/// that positions which a crash had made meaningless were believed.
#[test]
fn t017_an_identity_that_was_to_be_kept_replaces_no_newer_one() {
    use crate::record::{Entry, EntryKind, Identity, Row};
    let mut kit = Kit::new("a", Replay::Latest, 10, Durability::Full, 1 << 20);
    let (one, two) = (Term::parse("term0000").expect("a name"), kit.home.terms.now());
    let identity = Identity {
        epoch: Epoch::parse("epoch001").expect("a name"),
        term: one,
        head: Offset::ZERO,
        lineage: Vec::new(),
        touched: Timestamp(0),
    };
    // It is too old to be kept: the ring runs empty at once.
    let first = Offset::new(1).expect("small");
    let entry = Entry::new(first, EntryKind::Event, "e", "old", Timestamp(0));
    let (key, now) = (kit.key.clone(), kit.now);
    kit.home.recover(key, identity, vec![(Row(1), entry)], now, &mut Vec::new());
    let effects = kit.publish("e", "new");
    let [Effect::Append(append)] = &effects[..] else { panic!("{effects:?}") };
    let mut identities = append.records.iter().filter_map(|record| match record {
        Record::Identity { identity, .. } => Some((identity.term, identity.lineage.clone())),
        _ => None,
    });
    assert_eq!(identities.next_back(), Some((two, vec![(one, first)])), "{append:?}");
}

/// T-024: of two that saw the same version one wins, though neither is durable.
#[test]
fn t024_of_two_changes_of_one_version_the_second_is_refused_when_the_first_is_durable() {
    let mut kit = Kit::new("a", Replay::None, 10, Durability::Full, 1 << 20);
    kit.set("1", version(0));
    let second = kit.set("2", version(0));
    assert!(second.is_empty(), "its answer depends on what is not durable yet: {second:?}");
    let effects = kit.commit(1);
    let [
        Answer::Truth(TruthAnswer::Done { version, changed: Changed::Yes, .. }),
        Answer::Truth(TruthAnswer::Mismatch { version: held, data: Some(data), .. }),
    ] = Kit::answers(&effects)[..]
    else {
        panic!("{effects:?}")
    };
    assert_eq!((version.get(), held.get(), data.data()), (1, 1, "1"));
}

/// T-025: a truth that was deleted and set again has another version, and another numbering
/// another name.
#[test]
fn t025_an_old_version_is_refused_after_a_delete_and_in_another_numbering() {
    let mut kit = Kit::new("a", Replay::None, 10, Durability::Off, 1 << 20);
    kit.set("1", version(0));
    kit.change(ChangeOf::Delete, version(1), None);
    kit.set("2", version(0));
    let refused = |effects: &[Effect]| {
        matches!(Kit::answers(effects)[..], [Answer::Truth(TruthAnswer::Mismatch { .. })])
    };
    assert!(refused(&kit.set("3", version(1))));
    let foreign = Condition { version: Offset::new(3), epoch: Expected::Foreign };
    assert!(refused(&kit.set("3", foreign)));
    let other = Epoch::parse("another1").expect("a name");
    assert!(refused(
        &kit.set("3", Condition { version: Offset::new(3), epoch: Expected::This(other) })
    ));
    assert!(!refused(&kit.set("3", version(3))));
}

/// T-023: fifty that come with one key are one call, and are told the same.
#[test]
fn t023_fifty_calls_with_one_key_are_one() {
    let mut kit = Kit::new("a", Replay::None, 10, Durability::Full, 1 << 20);
    let key = (AppIndex(0), Box::from("key"));
    let begin = |kit: &mut Kit, body| {
        let ticket = kit.caller().ticket;
        kit.handle(Command::Begin { key: key.clone(), body: BodyHash([body; 32]), ticket })
    };
    let first = begin(&mut kit, 1);
    assert_eq!(Kit::answers(&first), [&Answer::Begun(Begun::First)]);
    for _ in 1..50 {
        assert!(begin(&mut kit, 1).is_empty(), "it waits");
    }
    assert_eq!(Kit::answers(&begin(&mut kit, 2)), [&Answer::Begun(Begun::Conflict)]);
    kit.publish("e", "v1");
    let (ticket, answer) = (kit.caller().ticket, Box::from(*b"{}"));
    let key = (AppIndex(0), Box::from("key"));
    kit.handle(Command::Seal { key, status: 200, answer, part: None, ticket });
    let effects = kit.commit(2);
    let again = Kit::answers(&effects);
    let again = again.iter().filter(|answer| matches!(answer, Answer::Begun(Begun::Again(_))));
    assert_eq!(again.count(), 49);
}

/// T-022: who sent it counts on, who comes back does not see its own.
#[test]
fn t022_a_sender_that_comes_back_is_told_to_skip_its_own_event() {
    let mut kit = Kit::new("a", Replay::None, 10, Durability::Off, 1 << 20);
    kit.subscribe(Listener { aware: Some(Box::default()), resume: None });
    let mine = SocketId::parse("7.7").expect("of the right form");
    let publish = Publish {
        key: kit.key.clone(),
        event: "e".to_owned(),
        data: "mine".to_owned(),
        exclude: Some(mine),
        condition: Condition::default(),
        wanted: Wanted::default(),
        room: Room::Left,
        part: None,
        caller: None,
    };
    let effects = kit.handle(Command::Publish(Box::new(publish)));
    let [Effect::Send(_, Item::Entry(delivery))] = &effects[..] else { panic!("{effects:?}") };
    assert!(delivery.exclude == Some(mine) && matches!(delivery.sight, Sight::Event(_)));
    kit.publish("e", "another's");
    let epoch =
        kit.home.channels.get(&kit.key).and_then(|c| c.memory.as_deref()).map(Memory::epoch);
    let term = Term::parse("term0001").ok();
    let listener = |socket| Listener {
        aware: Some(Box::default()),
        resume: Some(Box::new(Resume { epoch, term, offset: Offset::ZERO, socket })),
    };
    let (frames, _) = Kit::frames(&kit.subscribe(listener(Some(mine))));
    assert!(frames[1].contains("oyez:skip") && frames[2].contains("another's"), "{frames:?}");
    let (frames, _) = Kit::frames(&kit.subscribe(listener(None)));
    assert!(frames[1].contains("mine"), "another tab sees it: {frames:?}");
}

/// T-013: a reader of a truth who was too slow jumps to the newest one; of events, it is closed.
#[test]
fn t013_a_reader_whom_the_ring_has_left_begins_anew_or_is_closed() {
    let ask = |kit: &mut Kit, speaks| {
        let shown = Offset::new(1).expect("small");
        let replay = crate::place::ReplayOf::TheRule;
        let standing = Standing { cut: shown, shown, replay, speaks };
        let place = Place { worker: HOME, slot: 1, serial: 1 };
        let (key, socket) = (kit.key.clone(), SocketId::parse("1.1").expect("right"));
        kit.handle(Command::CatchUp { key, place, socket, standing })
    };
    let mut kit = Kit::new("a", Replay::Latest, 1, Durability::Off, 1 << 20);
    kit.subscribe(Listener::default());
    (0..5).for_each(|n| drop(kit.publish("e", &n.to_string())));
    let effects = ask(&mut kit, Speaks::Pusher);
    assert!(matches!(effects[..], [Effect::Send(_, Item::LeftBehind { .. })]), "{effects:?}");
    let effects = ask(&mut kit, Speaks::Oyez);
    let (frames, standing) = Kit::frames(&effects);
    assert!(frames[0].contains("oyez:reset") && frames[1].contains("\"4\""), "{frames:?}");
    assert_eq!(standing.shown.get(), 5);
    kit.set("6", Condition::default());
    kit.publish("e", "7");
    let effects = ask(&mut kit, Speaks::Pusher);
    let [Effect::Send(_, Item::Stretch { end: End::Reached, .. })] = &effects[..] else {
        panic!("{effects:?}")
    };
}

/// A call that waits for a version is answered when it is there, or when its patience ends.
#[test]
fn a_read_that_waits_for_a_version_is_answered_once() {
    let mut kit = Kit::new("a", Replay::None, 10, Durability::Full, 1 << 20);
    let read = |kit: &mut Kit| {
        let (ticket, at_least) = (kit.caller().ticket, Offset::new(1));
        let patience = Duration::from_secs(1);
        let (key, room) = (kit.key.clone(), Room::Left);
        kit.handle(Command::ReadTruth { key, at_least, patience, room, ticket })
    };
    assert!(Kit::answers(&read(&mut kit)).is_empty());
    kit.set("1", Condition::default());
    let effects = kit.commit(1);
    let values = Kit::answers(&effects);
    assert!(values.iter().any(|answer| matches!(answer, Answer::Value(_))), "{effects:?}");
    let mut kit = Kit::new("a", Replay::None, 10, Durability::Full, 1 << 20);
    read(&mut kit);
    let effects = kit.wait(Duration::from_secs(1));
    assert_eq!(Kit::answers(&effects), [&Answer::Refused(Refused::NoTruth)]);
    kit.wait(MILLI);
    assert!(!kit.home.channels.contains_key(&kit.key), "a question leaves nothing behind");
}
