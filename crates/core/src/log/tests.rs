// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a log holds and lets go, by hand and by chance.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use oyez_protocol::encode::ResetReason;
use proptest::prelude::*;

use super::*;
use crate::place::Speaks;
use crate::rule::{Durability, Empty, Replay};

const EPOCH: &str = "epoch001";

fn epoch(text: &str) -> Epoch {
    Epoch::parse(text).expect("of the right form")
}

fn term(nth: usize) -> Term {
    Term::parse(&format!("term{nth:04}")).expect("of the right form")
}

fn offset(number: u64) -> Offset {
    Offset::new(number).expect("below 2^53")
}

fn rule(replay: Replay, events: usize) -> MemoryRule {
    MemoryRule {
        replay,
        events,
        bytes: 1 << 20,
        age: Duration::from_millis(100),
        latest_age: Duration::from_millis(300),
        names: 2,
        durability: Durability::Full,
        truth: None,
        empty: Empty::Silent,
    }
}

/// A log, and the rows that its journal has.
struct Kit {
    log: Log,
    rows: BTreeMap<Row, Entry>,
    next_row: u64,
    term: Term,
    now: u64,
}

impl Kit {
    fn new(rule: MemoryRule) -> Kit {
        let log = Log::new(Arc::new(rule), epoch(EPOCH), term(1), Timestamp(0));
        Kit { log, rows: BTreeMap::new(), next_row: 0, term: term(1), now: 0 }
    }

    fn stage(&mut self, kind: EntryKind, event: &str, data: &str) {
        let entry = Entry::new(Offset::ZERO, kind, event, data, Timestamp(self.now));
        self.next_row += 1;
        let row = Row(self.next_row);
        let (kept, _) = self.log.stage(self.term, row, entry);
        assert!(self.rows.insert(row, Entry::clone(&kept.entry)).is_none());
    }

    fn release(&mut self, upto: u64) {
        let mut freed = Freed::default();
        let before = self.log.committed();
        let released = self.log.release(offset(upto), &mut freed);
        let offsets: Vec<u64> = released.iter().map(|kept| kept.entry.offset.get()).collect();
        assert_eq!(offsets, (before.get() + 1..=upto.max(before.get())).collect::<Vec<_>>());
        self.free(freed);
    }

    fn say(&mut self, event: &str, data: &str) {
        self.stage(EntryKind::Event, event, data);
        self.release(self.log.head().get());
    }

    fn trim(&mut self) {
        let mut freed = Freed::default();
        self.log.trim(Timestamp(self.now), &mut freed);
        self.free(freed);
    }

    /// Each row is let go once, and only if it was there.
    fn free(&mut self, freed: Freed) {
        for kept in freed.rewritten {
            let before = self.rows.insert(kept.row, Entry::clone(&kept.entry));
            assert_eq!(before.map(|entry| entry.offset), Some(kept.entry.offset));
        }
        for row in freed.rows {
            assert!(self.rows.remove(&row).is_some(), "{row:?} was let go before");
        }
    }

    /// The rows that are not let go are those of what is held.
    fn check(&self) {
        let log = &self.log;
        let held = log.ring.iter().chain(&log.latest).chain(&log.truth);
        let held: BTreeSet<Row> = held.map(|kept| kept.row).collect();
        assert_eq!(self.rows.keys().copied().collect::<BTreeSet<_>>(), held, "{log:?}");
        let bytes: usize = log.ring.iter().map(|kept| kept.entry.bytes()).sum();
        assert_eq!(log.ring_bytes, bytes);
        let offsets = log.ring.iter().map(|kept| kept.entry.offset.get());
        let all = log.low().get()..=log.head().get();
        assert_eq!(offsets.collect::<Vec<_>>(), all.collect::<Vec<_>>(), "no hole");
    }

    fn recovered(&self, upto: usize) -> (Log, Freed) {
        let mut identity = self.log.identity();
        identity.head = offset(upto as u64).min(identity.head);
        let rows = self.rows.iter().filter(|(_, entry)| entry.offset.get() <= upto as u64);
        let rows = rows.map(|(row, entry)| (*row, entry.clone())).collect();
        Log::recovered(Arc::clone(self.log.rule()), identity, rows, Timestamp(self.now))
    }

    fn shown(&self, speaks: Speaks) -> Vec<(u64, String)> {
        shown(&self.log, speaks)
    }
}

fn shown(log: &Log, speaks: Speaks) -> Vec<(u64, String)> {
    let stretch = Stretch { after: Offset::ZERO, upto: log.committed() };
    let shown = log.for_newcomer(stretch, speaks);
    let text = |shown: &Shown<'_>| match shown {
        Shown::Entry(kept) => (kept.entry.offset.get(), kept.entry.data().to_owned()),
        Shown::Forget(kept) => (kept.entry.offset.get(), "forget".to_owned()),
        Shown::Skip { upto, .. } => (upto.get(), "skip".to_owned()),
    };
    shown.iter().map(text).collect()
}

fn of(pairs: &[(u64, &str)]) -> Vec<(u64, String)> {
    pairs.iter().map(|(at, text)| (*at, (*text).to_owned())).collect()
}

#[test]
fn a_ring_keeps_so_many_events_so_many_bytes_and_so_long() {
    let mut kit = Kit::new(rule(Replay::All, 3));
    (1..=5).for_each(|n| kit.say("a", &n.to_string()));
    kit.trim();
    assert_eq!(
        (kit.log.low().get(), kit.shown(Speaks::Pusher)),
        (3, of(&[(3, "3"), (4, "4"), (5, "5")]))
    );
    kit.check();
    kit.now = 100;
    kit.trim();
    // The newest is kept for its own sake.
    assert_eq!((kit.log.low().get(), kit.shown(Speaks::Pusher)), (6, of(&[(5, "5")])));
    kit.check();
    kit.now = 300;
    kit.trim();
    assert!(kit.log.is_empty() && kit.rows.is_empty());
    assert_eq!(kit.log.head().get(), 5, "its numbering goes on");

    let one = Entry::new(offset(1), EntryKind::Event, "a", "data", Timestamp(0)).bytes();
    let mut kit = Kit::new(MemoryRule { bytes: 2 * one, ..rule(Replay::None, 100) });
    (0..5).for_each(|_| kit.say("a", "data"));
    kit.trim();
    assert_eq!((kit.log.low().get(), kit.log.bytes()), (4, 2 * one));
    kit.check();
}

#[test]
fn t001_newcomers_see_what_the_rule_says() {
    let tell = |replay| {
        let mut kit = Kit::new(rule(replay, 2));
        kit.say("a", "a1");
        kit.stage(EntryKind::Truth, "state", "{}");
        kit.say("b", "b3");
        kit.say("a", "a4");
        kit.trim();
        kit.check();
        kit.shown(Speaks::Pusher)
    };
    assert_eq!(tell(Replay::None), of(&[(2, "{}")]));
    assert_eq!(tell(Replay::Latest), of(&[(2, "{}"), (4, "a4")]));
    assert_eq!(tell(Replay::LatestPerEvent), of(&[(2, "{}"), (3, "b3"), (4, "a4")]));
    assert_eq!(tell(Replay::All), of(&[(2, "{}"), (3, "b3"), (4, "a4")]));
}

#[test]
fn what_waits_for_the_journal_pushes_out_nothing_that_is_seen() {
    let mut kit = Kit::new(MemoryRule { bytes: 4_000, ..rule(Replay::All, 10) });
    kit.say("a", &"x".repeat(1_000));
    (0..5).for_each(|_| kit.stage(EntryKind::Event, "a", &"x".repeat(1_000)));
    kit.release(2);
    kit.trim();
    assert_eq!((kit.log.low().get(), kit.log.committed().get()), (1, 2));
    kit.release(6);
    kit.trim();
    assert_eq!((kit.log.low().get(), kit.log.committed().get()), (4, 6));
    assert_eq!(kit.log.staged_bytes, 0);
    kit.check();
}

#[test]
fn what_is_staged_is_decided_on_but_not_seen() {
    let mut kit = Kit::new(rule(Replay::Latest, 10));
    kit.stage(EntryKind::Event, "a", "1");
    kit.stage(EntryKind::Truth, "state", "2");
    assert_eq!((kit.shown(Speaks::Oyez), kit.log.truth().is_some()), (vec![], false));
    assert_eq!(kit.log.truth_at_head().map(|kept| kept.entry.offset.get()), Some(2));
    assert!(kit.log.has("a") && kit.log.truth_of_version(offset(2)).is_none());
    kit.release(1);
    assert_eq!(kit.shown(Speaks::Oyez), of(&[(1, "1")]));
    kit.release(2);
    assert_eq!(kit.shown(Speaks::Oyez), of(&[(1, "1"), (2, "2")]));
    kit.stage(EntryKind::Deleted, "", "");
    assert!(kit.log.truth_at_head().is_none() && kit.log.truth().is_some());
    kit.release(3);
    assert!(kit.log.truth().is_none());
    kit.check();
}

#[test]
fn an_event_that_is_forgotten_leaves_its_place_and_uncovers_what_was_before() {
    let mut kit = Kit::new(rule(Replay::All, 10));
    kit.say("a", "1");
    kit.say("b", "2");
    kit.say("b", "3");
    kit.stage(EntryKind::Forgotten, "b", "");
    kit.release(4);
    assert_eq!(kit.shown(Speaks::Pusher), of(&[(1, "1")]));
    assert_eq!(kit.shown(Speaks::Oyez), of(&[(1, "1"), (2, "skip"), (3, "skip")]));
    assert_eq!(kit.log.latest().map(|kept| kept.entry.data()), Some("1"));
    assert!(!kit.log.has("b"));
    kit.check();
    assert!(kit.rows.values().all(|entry| entry.event() != "b" || entry.data().is_empty()));
    let (log, _) = kit.recovered(4);
    assert_eq!(shown(&log, Speaks::Oyez), kit.shown(Speaks::Oyez), "nor after a crash");
}

/// T-015: where exactly one can go on.
#[test]
fn t015_positions_at_the_edges_are_judged_exactly() {
    let mut kit = Kit::new(rule(Replay::Latest, 3));
    (1..=10).for_each(|n| kit.say("a", &n.to_string()));
    kit.trim();
    kit.stage(EntryKind::Event, "a", "not seen yet");
    let terms = Terms::new(&[term(1)]);
    let (low, head) = (8, 10);
    assert_eq!((kit.log.low().get(), kit.log.committed().get()), (low, head));
    let judge = |epoch, term, at| kit.log.judge(Past { epoch, term, offset: offset(at) }, &terms);
    let here = |at| judge(Some(epoch(EPOCH)), Some(term(1)), at);
    assert_eq!(here(low - 2), Err(ResetReason::Trimmed));
    assert_eq!(here(0), Err(ResetReason::Trimmed));
    assert_eq!(here(low - 1), Ok(()), "everything after it is held");
    assert_eq!((here(low), here(head)), (Ok(()), Ok(())));
    assert_eq!(here(head + 1), Err(ResetReason::Ahead), "never nothing missed");
    assert_eq!(here((1 << 53) - 1), Err(ResetReason::Ahead));
    let other = Some(epoch("another1"));
    assert_eq!(judge(other, Some(term(1)), head), Err(ResetReason::Epoch));
    assert_eq!(judge(None, Some(term(1)), head), Err(ResetReason::Epoch));
    assert_eq!(judge(Some(epoch(EPOCH)), Some(term(2)), head), Err(ResetReason::Diverged));
    assert_eq!(judge(Some(epoch(EPOCH)), None, head), Err(ResetReason::Diverged));
}

/// An empty log at offset 0 is a place like any other.
#[test]
fn t015_a_log_in_which_nothing_is_can_be_resumed_at_its_beginning_only() {
    let kit = Kit::new(rule(Replay::Latest, 3));
    let terms = Terms::new(&[term(1)]);
    let past = |at| Past { epoch: Some(epoch(EPOCH)), term: Some(term(1)), offset: offset(at) };
    assert_eq!(kit.log.judge(past(0), &terms), Ok(()));
    assert_eq!(kit.log.judge(past(1), &terms), Err(ResetReason::Ahead));
}

/// T-017: what a term could have seen ends where the log ended when the term did.
#[test]
fn t017_each_term_reaches_as_far_as_the_log_had_grown_in_it() {
    let mut kit = Kit::new(MemoryRule { age: Duration::MAX, ..rule(Replay::All, 100) });
    kit.say("a", "1");
    kit.say("a", "2");
    // The log does not grow in the second and fourth term.
    kit.term = term(3);
    kit.say("a", "3");
    kit.term = term(5);
    kit.say("a", "4");
    let terms = Terms::new(&[term(1), term(2), term(3), term(4), term(5), term(6)]);
    let reach = |nth| {
        let past =
            |at| Past { epoch: Some(epoch(EPOCH)), term: Some(term(nth)), offset: offset(at) };
        let good = (0..=4).take_while(|at| kit.log.judge(past(*at), &terms).is_ok());
        good.last().expect("the beginning is a place")
    };
    assert_eq!([1, 2, 3, 4, 5, 6].map(reach), [2, 2, 3, 3, 4, 4]);
    // A backup knows nothing of terms that came after it.
    let past = Past { epoch: Some(epoch(EPOCH)), term: Some(term(7)), offset: offset(1) };
    assert_eq!(kit.log.judge(past, &terms), Err(ResetReason::Diverged));
    // So does a server that has forgotten its oldest starts: what they told is not believed.
    let later = Terms::new(&[term(4), term(5), term(6)]);
    let past =
        |nth, at| Past { epoch: Some(epoch(EPOCH)), term: Some(term(nth)), offset: offset(at) };
    assert_eq!(kit.log.judge(past(3, 3), &later), Err(ResetReason::Diverged));
    assert_eq!(kit.log.judge(past(4, 3), &later), Ok(()));
    assert_eq!(kit.log.judge(past(4, 4), &later), Err(ResetReason::Diverged));
}

#[test]
fn t017_a_log_that_grew_in_more_terms_than_it_remembers_believes_no_older_one() {
    let mut kit = Kit::new(MemoryRule { age: Duration::MAX, ..rule(Replay::All, 1000) });
    for nth in 1..=70 {
        kit.term = term(nth);
        kit.say("a", "x");
    }
    let all: Vec<Term> = (1..=70).map(term).collect();
    let terms = Terms::new(&all);
    let past =
        |nth, at| Past { epoch: Some(epoch(EPOCH)), term: Some(term(nth)), offset: offset(at) };
    assert_eq!(kit.log.judge(past(1, 1), &terms), Err(ResetReason::Diverged));
    assert_eq!(kit.log.judge(past(6, 6), &terms), Ok(()), "64 are known beside this one");
    assert_eq!(kit.log.judge(past(6, 7), &terms), Err(ResetReason::Diverged));
    assert_eq!(kit.log.judge(past(69, 69), &terms), Ok(()));
}

#[derive(Clone, Debug)]
enum Act {
    Stage(EntryKind, usize),
    Release(u64),
    Wait(u64),
    Trim,
    Term,
}

fn act() -> impl Strategy<Value = Act> {
    let event = |kind| (Just(kind), 0..3_usize).prop_map(|(kind, name)| Act::Stage(kind, name));
    prop_oneof![
        8 => event(EntryKind::Event),
        3 => event(EntryKind::Truth),
        1 => event(EntryKind::Deleted),
        2 => event(EntryKind::Forgotten),
        8 => (0..4_u64).prop_map(Act::Release),
        3 => (0..120_u64).prop_map(Act::Wait),
        4 => Just(Act::Trim),
        1 => Just(Act::Term),
    ]
}

fn any_rule() -> impl Strategy<Value = MemoryRule> {
    let replay = prop_oneof![
        Just(Replay::None),
        Just(Replay::Latest),
        Just(Replay::LatestPerEvent),
        Just(Replay::All),
    ];
    (replay, 1..6_usize, 200..900_usize)
        .prop_map(|(replay, events, bytes)| MemoryRule { bytes, ..rule(replay, events) })
}

fn take(kit: &mut Kit, act: &Act, nth: usize) {
    match act {
        Act::Stage(kind, name) => {
            let event = match kind {
                EntryKind::Deleted => "",
                EntryKind::Truth => "state",
                _ => ["a", "b", "c"][*name],
            };
            let data = match kind {
                EntryKind::Event | EntryKind::Truth => nth.to_string(),
                _ => String::new(),
            };
            kit.stage(*kind, event, &data);
        }
        Act::Release(more) => {
            let upto = (kit.log.committed().get() + more).min(kit.log.head().get());
            kit.release(upto);
        }
        Act::Wait(millis) => kit.now += millis,
        Act::Trim => kit.trim(),
        Act::Term => kit.term = term(nth + 2),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn a_row_is_let_go_once_and_never_while_it_is_needed(
        rule in any_rule(),
        acts in prop::collection::vec(act(), 0..80),
    ) {
        let mut kit = Kit::new(rule);
        for (nth, act) in acts.iter().enumerate() {
            take(&mut kit, act, nth);
            kit.check();
        }
    }

    /// T-008: a crash loses what was not released, and nothing else.
    #[test]
    fn t008_what_is_recovered_is_what_was_seen(
        rule in any_rule(),
        acts in prop::collection::vec(act(), 0..60),
    ) {
        let mut kit = Kit::new(rule);
        for (nth, act) in acts.iter().enumerate() {
            take(&mut kit, act, nth);
        }
        kit.trim();
        let seen = kit.log.committed();
        let (log, freed) = kit.recovered(seen.get() as usize);
        prop_assert_eq!((log.head(), log.committed()), (seen, seen));
        prop_assert!(freed.rewritten.is_empty(), "{:?}", freed);
        for speaks in [Speaks::Pusher, Speaks::Oyez] {
            prop_assert_eq!(shown(&log, speaks), kit.shown(speaks), "{:?} {:?}", log, kit.log);
        }
        let version = |log: &Log| log.truth().map(|kept| (kept.entry.offset, kept.row));
        prop_assert_eq!(version(&log), version(&kit.log));
        prop_assert!(log.low() <= kit.log.low() || log.low() == seen.next());
        prop_assert_eq!(log.bytes() == 0, log.is_empty());
    }
}
