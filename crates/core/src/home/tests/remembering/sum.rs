// SPDX-License-Identifier: MIT OR Apache-2.0
//! What all logs hold is counted as they change.

use rand::{RngExt, SeedableRng, rngs::StdRng};

use super::super::super::table::SHARDS;
use super::*;

/// What all logs of the home hold, counted anew.
fn counted(home: &mut Home) -> usize {
    let of_shard = |shard| -> usize {
        let channels = home.channels.shard_mut(shard).values();
        channels.filter_map(|c| c.memory.as_deref()).map(|memory| memory.log().bytes()).sum()
    };
    (0..SHARDS).map(of_shard).sum()
}

fn step(kit: &mut Kit, rng: &mut StdRng) {
    let event = ["a", "b", "c"][rng.random_range(0..3)];
    let data = "x".repeat(rng.random_range(0..2_000));
    match rng.random_range(0..14) {
        0..5 => drop(kit.publish(event, &data)),
        5..7 => drop(kit.set(&format!("\"{data}\""), Condition::default())),
        7 => drop(kit.change(ChangeOf::Delete, Condition::default(), None)),
        8 => drop(kit.change(ChangeOf::Forget(event.to_owned()), Condition::default(), None)),
        9 => drop(kit.subscribe(Listener::default())),
        10 if kit.slots > 0 => kit.unsubscribe(),
        11 => {
            // Above all that were given.
            let mark = kit.home.gate.mark();
            drop(kit.commit(mark.0));
        }
        12 => drop(kit.wait(Duration::from_secs(rng.random_range(0..900)))),
        _ if rng.random_ratio(1, 8) => drop(kit.wait(Duration::from_secs(40 * 24 * 3_600))),
        _ => {}
    }
}

#[test]
fn the_sum_of_all_logs_is_what_they_hold_after_every_step() {
    let mut most = 0;
    for seed in 0..60 {
        let mut rng = StdRng::seed_from_u64(seed);
        let replay = [Replay::None, Replay::Latest, Replay::LatestPerEvent][rng.random_range(0..3)];
        let durability =
            [Durability::Off, Durability::Relaxed, Durability::Full][rng.random_range(0..3)];
        let mut kit = Kit::new("a", replay, rng.random_range(1..6), durability, 1 << 20);
        // So little that histories are given up, and publishes refused.
        kit.home.rules.memory_bytes = 24 * 1024;
        for at in 0..200 {
            step(&mut kit, &mut rng);
            let (sum, counted) = (kit.home.logs.bytes(), counted(&mut kit.home));
            assert_eq!(sum, counted, "seed {seed}, step {at}");
            most = most.max(sum);
        }
    }
    assert!(most > 16 * 1024, "{most}: they held something");
}
