// SPDX-License-Identifier: MIT OR Apache-2.0
//! Random histories of homes, their workers and their clients, against a reference that has no
//! idea of how the core does it.
//!
//! Each test runs the histories of many seeds. The first ones are short, so that the first one to
//! fail is mostly a short one. A failure prints what to run to see that history alone, step by
//! step:
//!
//! ```text
//! OYEZ_SEED=7 cargo test -p oyez-core --test histories t029
//! ```
//!
//! `OYEZ_HISTORIES=10` runs ten times as many.

mod client;
mod heard;
mod history;
mod names;
mod plan;
mod reference;
mod stage;
mod statements;
mod tally;
mod worker;
mod world;

use history::{History, Telling};
use plan::{Act, Plan};
use tally::{Moment, Tally};

/// The histories of so many seeds, which come to each of these moments.
fn histories(name: &str, count: u64, plan: &Plan, moments: &[Moment]) {
    if let Some(seed) = number("OYEZ_SEED") {
        History::run(plan, seed, Telling::Aloud);
        return;
    }
    let mut tally = Tally::default();
    for seed in 0..count * number("OYEZ_HISTORIES").unwrap_or(1) {
        let failure = Failure { name, seed };
        let world = History::run(plan, seed, Telling::Nothing);
        std::mem::forget(failure);
        tally.add(&world.reference.tally);
    }
    tally.check(moments);
}

fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{variable} must be a number, not {text}")))
}

/// Says how to run a history again, when it fails.
struct Failure<'a> {
    name: &'a str,
    seed: u64,
}

impl Drop for Failure<'_> {
    fn drop(&mut self) {
        let Failure { name, seed } = self;
        eprintln!("run it again: OYEZ_SEED={seed} cargo test -p oyez-core --test histories {name}");
    }
}

/// T-002, T-006, T-007, T-021, T-022 and P-022, P-046, P-047, P-048, P-049.
#[test]
fn t002_a_cache_channel_shows_its_last_event_and_then_each_later_one_once() {
    let plan = Plan {
        channels: &["cache-a", "private-cache-b", "room"],
        users: 3,
        seats: 4,
        crowd: 0..0,
        presence_members: 100,
        steps: 1..150,
        acts: &[
            (Act::Connect, 5),
            (Act::Die, 3),
            (Act::Subscribe, 20),
            (Act::Unsubscribe, 10),
            (Act::Publish, 25),
            (Act::ClientEvent, 3),
            (Act::Ask, 3),
            (Act::Deliver, 60),
            (Act::Moment, 5),
            (Act::Seconds, 2),
            (Act::HalfHour, 2),
            (Act::Month, 1),
            (Act::Rest, 1),
        ],
    };
    histories(
        "t002",
        3_000,
        &plan,
        &[
            Moment::Replay,
            Moment::Miss,
            Moment::LaterEpoch,
            Moment::LateAnswer,
            Moment::ReturnBeforeAnswer,
            Moment::CutBehindHead,
        ],
    );
}

/// P-021, P-037, P-039, P-040, P-050 and the guarantee's G2, G3 and G4 without a memory.
#[test]
fn p039_every_event_reaches_all_the_others_once_and_in_order() {
    let plan = Plan {
        channels: &["room", "private-room", "private-encrypted-x", "presence-y"],
        users: 3,
        seats: 3,
        crowd: 0..0,
        presence_members: 100,
        steps: 1..120,
        acts: &[
            (Act::Connect, 5),
            (Act::Die, 3),
            (Act::Subscribe, 20),
            (Act::Unsubscribe, 8),
            (Act::Publish, 20),
            (Act::ClientEvent, 20),
            (Act::Deliver, 60),
            (Act::Moment, 4),
            (Act::Rest, 1),
        ],
    };
    histories("p039", 2_000, &plan, &[Moment::LateAnswer, Moment::ReturnBeforeAnswer]);
}

/// T-029 and P-029 to P-031, P-035, P-037, P-038.
#[test]
fn t029_snapshot_and_changes_make_the_true_set_of_members() {
    let plan = Plan {
        channels: &["presence-a", "presence-cache-b"],
        users: 5,
        seats: 4,
        crowd: 0..0,
        presence_members: 3,
        steps: 1..150,
        acts: &[
            (Act::Connect, 6),
            (Act::Die, 4),
            (Act::Subscribe, 30),
            (Act::Unsubscribe, 15),
            (Act::Publish, 3),
            (Act::ClientEvent, 3),
            (Act::Ask, 3),
            (Act::Deliver, 60),
            (Act::Moment, 4),
            (Act::Seconds, 5),
            (Act::Rest, 1),
        ],
    };
    histories(
        "t029",
        3_000,
        &plan,
        &[
            Moment::Refusal,
            Moment::LateAnswer,
            Moment::ReturnBeforeAnswer,
            Moment::QuickReturn,
            Moment::Goodbye,
        ],
    );
}

/// P-077 and P-078: hello and goodbye alternate, a quick return says nothing.
#[test]
fn p078_webhooks_alternate_and_a_quick_return_is_silent() {
    let plan = Plan {
        channels: &["room", "presence-a", "presence-cache-b", "cache-c"],
        users: 2,
        seats: 2,
        crowd: 0..0,
        presence_members: 100,
        steps: 1..100,
        acts: &[
            (Act::Connect, 6),
            (Act::Die, 8),
            (Act::Subscribe, 25),
            (Act::Unsubscribe, 20),
            (Act::Publish, 2),
            (Act::ClientEvent, 2),
            (Act::Ask, 2),
            (Act::Deliver, 70),
            (Act::Moment, 5),
            (Act::Seconds, 25),
            (Act::HalfHour, 1),
            (Act::Rest, 1),
        ],
    };
    histories(
        "p078",
        2_000,
        &plan,
        &[Moment::QuickReturn, Moment::Goodbye, Moment::Miss, Moment::LaterEpoch],
    );
}

/// P-056 to P-058: who watches ends with the truth, and hears of no page change.
#[test]
fn p058_the_last_word_about_a_user_is_the_truth() {
    let plan = Plan {
        channels: &["#server-to-user-u0", "#server-to-user-u1"],
        users: 4,
        seats: 4,
        crowd: 0..0,
        presence_members: 100,
        steps: 1..120,
        acts: &[
            (Act::Connect, 12),
            (Act::Die, 10),
            (Act::SignIn, 25),
            (Act::Terminate, 2),
            (Act::Subscribe, 6),
            (Act::Unsubscribe, 2),
            (Act::Publish, 6),
            (Act::Deliver, 60),
            (Act::Moment, 5),
            (Act::Seconds, 15),
            (Act::Rest, 1),
        ],
    };
    histories("p058", 2_000, &plan, &[Moment::Word, Moment::Close]);
}

/// P-053: counts are told at once up to a hundred subscribers, and every five seconds above.
#[test]
fn p053_everybody_ends_with_the_true_count() {
    let plan = Plan {
        channels: &["room"],
        users: 1,
        seats: 110,
        crowd: 96..106,
        presence_members: 100,
        steps: 1..60,
        acts: &[
            (Act::Connect, 5),
            (Act::Die, 10),
            (Act::Subscribe, 15),
            (Act::Unsubscribe, 10),
            (Act::Deliver, 40),
            (Act::Moment, 5),
            (Act::Seconds, 8),
            (Act::Rest, 1),
        ],
    };
    histories("p053", 300, &plan, &[Moment::DelayedCount, Moment::RepeatedCount]);
}

/// P-038: two hundred members come and go, and every other one ends with the true set.
#[test]
fn p038_a_crowd_of_members_that_churns_ends_with_the_true_set() {
    let plan = Plan {
        channels: &["presence-crowd"],
        users: 240,
        seats: 80,
        crowd: 150..250,
        presence_members: 200,
        steps: 1_000..1_001,
        acts: &[
            (Act::Connect, 25),
            (Act::Die, 8),
            (Act::Subscribe, 30),
            (Act::Unsubscribe, 6),
            (Act::Deliver, 40),
            (Act::Moment, 4),
            (Act::Seconds, 3),
        ],
    };
    histories("p038", 12, &plan, &[]);
}

/// What all the others do, at once.
const EVERYTHING: Plan = Plan {
    channels: &[
        "cache-a",
        "presence-cache-b",
        "private-room",
        "presence-c",
        "#server-to-user-u0",
        "private-encrypted-cache-d",
    ],
    users: 3,
    seats: 4,
    crowd: 0..0,
    presence_members: 2,
    steps: 1..200,
    acts: &[
        (Act::Connect, 6),
        (Act::Die, 4),
        (Act::Subscribe, 25),
        (Act::Unsubscribe, 12),
        (Act::Publish, 15),
        (Act::ClientEvent, 6),
        (Act::SignIn, 10),
        (Act::Terminate, 1),
        (Act::Ask, 5),
        (Act::Deliver, 70),
        (Act::Moment, 5),
        (Act::Seconds, 6),
        (Act::HalfHour, 1),
        (Act::Rest, 1),
    ],
};

#[test]
fn everything_at_once_keeps_every_promise() {
    histories("everything", 2_000, &EVERYTHING, &[Moment::Replay, Moment::Refusal, Moment::Word]);
}

#[test]
fn the_same_inputs_and_seed_give_the_same_effects() {
    let plan = Plan { steps: 200..201, ..EVERYTHING };
    for seed in 0..50 {
        let run = || History::run(&plan, seed, Telling::InWriting).transcript;
        let (one, other) = (run(), run());
        assert!(one.as_ref().is_some_and(|effects| effects.len() > 20));
        assert_eq!(one, other, "seed {seed}");
    }
}
