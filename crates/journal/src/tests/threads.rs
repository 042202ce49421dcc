// SPDX-License-Identifier: MIT OR Apache-2.0
//! The thread itself, with homes on threads of their own: whatever the timing, what was reported
//! committed before the process or the power went is there afterwards.

use std::sync::{Arc, Mutex};
use std::thread;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::history::{Content, HOMES, History, reported};
use super::sample::{APPS, NOW, term};
use crate::fault::{Disk, Fault};
use crate::{Committer, Redb};

#[test]
fn t009_t010_homes_on_threads_of_their_own() {
    const SEED: u64 = 91_124;
    let runs = std::env::var("OYEZ_HISTORIES").map_or(20, |text| 20 * text.parse::<u64>().unwrap());
    println!("{runs} runs, seeds from {SEED}");
    for seed in SEED..SEED + runs {
        println!("seed {seed}");
        let mut rng = StdRng::seed_from_u64(seed);
        let disk = Disk::new();
        drop(Redb::open_backend(disk.backend(), "disk", &APPS, NOW, term(1)).unwrap());
        disk.kill();
        let [history] = History::starts(seed, [200]);
        let (redb, _) = Redb::open_backend(disk.backend(), "disk", &APPS, NOW, term(2)).unwrap();
        let calls = disk.calls().total();
        disk.fault_at(calls + rng.random_range(1..300), Fault::Kill);
        let reports = Arc::new(Mutex::new(Vec::new()));
        let told = Arc::clone(&reports);
        let report = move |home, report| told.lock().unwrap().push((home, report));
        let committer = Committer::start(Box::new(redb), HOMES, report).unwrap();
        thread::scope(|scope| {
            for home in 0..HOMES {
                let (appender, history) = (committer.appender(), &history);
                scope.spawn(move || {
                    let own = history.posts().filter(|(of, _)| usize::from(of.0) == home);
                    own.for_each(|(home, append)| {
                        appender.append(home, append);
                        thread::yield_now();
                    });
                });
            }
        });
        committer.stop();
        let committed = reported(&reports.lock().unwrap());
        disk.cut_power(seed);
        let (_, recovered) =
            Redb::open_backend(disk.backend(), "disk", &APPS, NOW, term(3)).unwrap();
        let found = Content::recovered(&recovered);
        let marks = found.marks();
        assert!((0..HOMES).all(|home| marks[home] >= committed[home]), "{marks:?} {committed:?}");
        let mut expected = Content::default();
        history.apply(&mut expected, &marks);
        assert_eq!(found, expected);
        history.check_calls(&marks);
    }
}
