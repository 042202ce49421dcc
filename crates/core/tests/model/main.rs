// SPDX-License-Identifier: MIT OR Apache-2.0
//! The exhaustive check: every order of some steps around the real state machine, breadth first.
//!
//! One channel, one or two pages on first-in-first-out wires, a journal that loses everything it
//! has not written. The steps: an event is published, the disk takes what was appended, the home
//! hears of it, a page subscribes or goes on where it was, hears a frame, loses its link; a
//! reader that is behind asks for more; the server is killed, the disk is replaced by a backup,
//! the server starts again. At each step the page checks what it hears; where nothing is left to
//! happen it must show exactly what the log holds.
//!
//! The same check is run on designs that are known to be wrong, and must find that they are: one
//! that could not find them would prove nothing.

#[path = "../common/mod.rs"]
mod common;
mod server;
mod step;
mod world;

use std::collections::{HashMap, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::panic::{AssertUnwindSafe, catch_unwind};

use common::page::Client;
use oyez_core::{Durability, Replay};
use step::Step;
use world::World;

/// What is tried.
#[derive(Clone, Copy, Debug)]
struct Design {
    pages: &'static [Client],
    replay: Replay,
    durability: Durability,
    /// Events that the ring holds.
    ring: usize,
    /// Bytes of a replay that are shown at once.
    budget: usize,
    publishes: u8,
    crashes: u8,
    drops: u8,
    /// How often the disk is replaced by an older one.
    backups: u8,
    order: Order,
}

/// How a subscription comes about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Order {
    /// In one step, as it is.
    Atomic,
    /// The same, but whoever goes on says nothing of the authority that gave its position.
    OffsetOnly,
    /// First the past is read, then the channel is joined.
    ReadThenJoin,
    /// First the channel is joined, then a cache is read that is written after the fan-out.
    JoinThenCache,
}

const DESIGN: Design = Design {
    pages: &[Client::Aware],
    replay: Replay::Latest,
    durability: Durability::Full,
    ring: 100,
    budget: usize::MAX,
    publishes: 3,
    crashes: 1,
    drops: 2,
    backups: 0,
    order: Order::Atomic,
};

/// What came out.
#[derive(Debug)]
enum Verdict {
    Holds(usize),
    Violated(usize, String, Vec<Step>),
}

fn digest(world: &World) -> u128 {
    let half = |salt: u8| {
        let mut hasher = DefaultHasher::new();
        salt.hash(&mut hasher);
        world.hash(&mut hasher);
        u128::from(hasher.finish())
    };
    half(0) << 64 | half(1)
}

/// Visits everything that can be reached.
fn explore(design: Design) -> Verdict {
    let first = World::new(design);
    let mut from: HashMap<u128, Option<(u128, Step)>> = HashMap::from([(digest(&first), None)]);
    let mut queue = VecDeque::from([first]);
    let path = |from: &HashMap<u128, Option<(u128, Step)>>, mut at: u128, last: Option<Step>| {
        let mut steps: Vec<Step> = last.into_iter().collect();
        while let Some((before, step)) = from[&at] {
            steps.push(step);
            at = before;
        }
        steps.reverse();
        steps
    };
    while let Some(world) = queue.pop_front() {
        let here = digest(&world);
        for step in world.steps() {
            let taken = catch_unwind(AssertUnwindSafe(|| {
                let mut next = world.clone();
                next.take(step);
                next.check_rest();
                next
            }));
            let next = match taken {
                Ok(next) => next,
                Err(panic) => {
                    let text = panic.downcast_ref::<String>().cloned();
                    let text = text.or(panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
                    let steps = path(&from, here, Some(step));
                    return Verdict::Violated(from.len(), text.unwrap_or_default(), steps);
                }
            };
            let there = digest(&next);
            if let std::collections::hash_map::Entry::Vacant(new) = from.entry(there) {
                new.insert(Some((here, step)));
                queue.push_back(next);
            }
        }
    }
    Verdict::Holds(from.len())
}

fn holds(name: &str, design: Design) {
    match explore(design) {
        Verdict::Holds(states) => eprintln!("{name}: {states} states, holds"),
        Verdict::Violated(states, what, steps) => {
            panic!("{name}: after {states} states: {what}\n{steps:#?}")
        }
    }
}

fn is_found(name: &str, design: Design) {
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let verdict = explore(design);
    std::panic::set_hook(hook);
    match verdict {
        Verdict::Holds(states) => panic!("{name}: {states} states, and nothing was found"),
        Verdict::Violated(states, what, steps) => {
            let what = what.lines().next().unwrap_or_default();
            eprintln!("{name}: {states} states, violated: {what}\n    {steps:?}");
        }
    }
}

/// How much more than by default is tried.
fn more() -> u8 {
    std::env::var("OYEZ_MODEL").ok().and_then(|text| text.parse().ok()).unwrap_or(0)
}

/// T-001, T-004, T-005, T-008, T-014: appendix A's first row.
#[test]
fn t004_t005_t008_t014_the_design_holds() {
    holds("one aware page", Design { publishes: 4 + more(), ..DESIGN });
}

#[test]
fn t001_the_design_holds_for_a_plain_page() {
    holds("one plain page", Design { pages: &[Client::Plain], publishes: 4 + more(), ..DESIGN });
}

#[test]
fn the_design_holds_for_two_pages() {
    let pages = &[Client::Aware, Client::Plain];
    let design = Design { pages, publishes: 2 + more(), drops: 1, ..DESIGN };
    holds("an aware and a plain page", design);
}

/// T-013, T-016: the ring holds one event.
#[test]
fn t016_the_design_holds_while_the_ring_is_trimmed() {
    holds("a ring of one", Design { ring: 1, publishes: 4 + more(), ..DESIGN });
    holds("a ring of two", Design { ring: 2, replay: Replay::All, ..DESIGN });
}

/// T-003, T-014: a replay in pieces, which others overtake.
#[test]
fn t003_the_design_holds_for_readers_who_are_behind() {
    let design = Design { budget: 1, replay: Replay::All, ..DESIGN };
    holds("frame by frame", Design { ring: 2, ..design });
    holds("frame by frame, plain", Design { pages: &[Client::Plain], ring: 2, ..design });
}

/// T-017: yesterday's disk comes back.
#[test]
fn t017_the_design_holds_when_a_backup_is_restored() {
    holds("a backup", Design { backups: 1, crashes: 2, drops: more(), ..DESIGN });
}

#[test]
fn events_that_are_seen_before_they_are_durable_are_repaired_by_the_term() {
    holds("relaxed, with term", Design { durability: Durability::Relaxed, ..DESIGN });
    holds("in memory only", Design { durability: Durability::Off, ..DESIGN });
}

#[test]
fn offsets_alone_suffice_where_nothing_is_lost() {
    holds("gated, offset only", Design { order: Order::OffsetOnly, ..DESIGN });
}

#[test]
fn delivery_before_durability_with_offsets_alone_is_found_bad() {
    let design = Design { durability: Durability::Relaxed, order: Order::OffsetOnly, ..DESIGN };
    is_found("relaxed, offset only", design);
}

#[test]
fn t014_a_position_taken_at_the_acknowledgement_is_found_bad() {
    is_found("position at the acknowledgement", Design { pages: &[Client::Hasty], ..DESIGN });
}

#[test]
fn reading_the_past_and_then_joining_is_found_bad() {
    let pages = &[Client::Naive];
    let design = Design { pages, order: Order::ReadThenJoin, crashes: 0, drops: 0, ..DESIGN };
    is_found("read, then join", design);
}

#[test]
fn t005_a_cache_written_after_the_fan_out_is_found_bad() {
    let pages = &[Client::Naive];
    let design = Design { pages, order: Order::JoinThenCache, crashes: 0, drops: 0, ..DESIGN };
    is_found("join, then read the cache", design);
}
