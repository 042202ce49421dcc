// SPDX-License-Identifier: MIT OR Apache-2.0
//! Every boundary of the commit path: the process ends there, the power goes there, or the disk
//! fails there. What was reported committed is there afterwards; what is there was appended; of
//! each home a prefix, of each call all or nothing.

use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};

use oyez_core::WorkerId;

use super::history::{Content, HOMES, History, Marks, reported};
use super::sample::{APPS, NOW, term};
use crate::committer::{Message, Shared, Work};
use crate::fault::{Disk, Fault};
use crate::pending::Bounds;
use crate::{OpenError, Redb, Report};

type Reports = Vec<(WorkerId, Report)>;

/// Appends of the start before the one that fails, and of that one.
const BEFORE: usize = 12;
const DURING: usize = 30;

/// Histories of each kind.
const HISTORIES: u64 = 2;

/// Different power cuts at each boundary.
const CUTS: u64 = 4;

/// The seed of the first history; more is counted up from it.
const SEED: u64 = 20_261_124;

fn open(disk: &Disk, start: u32) -> Result<(Redb, oyez_core::Recovered), OpenError> {
    Redb::open_backend(disk.backend(), "disk", &APPS, NOW, term(start))
}

/// A start that appends all of `history` and stops, by the code that the committer's thread runs.
fn run(disk: &Disk, start: u32, history: &History, appends_per_commit: usize) -> Reports {
    let Ok((redb, _)) = open(disk, start) else { return Reports::new() };
    let reports = Arc::new(Mutex::new(Reports::new()));
    let told = Arc::clone(&reports);
    let report = move |home, report| told.lock().unwrap().push((home, report));
    let (sender, receiver) = channel();
    for (home, append) in history.posts() {
        sender.send(Message::Append(home, append)).unwrap();
    }
    sender.send(Message::Stop).unwrap();
    let bounds = Bounds { appends: appends_per_commit, ..Bounds::default() };
    Work::new(Box::new(redb), HOMES, report, Arc::<Shared>::default(), bounds).run(&receiver);
    let reports = reports.lock().unwrap();
    reports.clone()
}

/// A disk that has seen one whole start, and what the next start is to do.
struct Scene {
    disk: Disk,
    before: History,
    during: History,
    appends_per_commit: usize,
    /// Calls of the next start when nothing fails.
    calls: u64,
}

impl Scene {
    fn new(seed: u64) -> Scene {
        let [before, during] = History::starts(seed, [BEFORE, DURING]);
        let disk = Disk::new();
        let appends_per_commit = 1 + (seed % 5) as usize;
        run(&disk, 1, &before, appends_per_commit);
        disk.kill();
        let whole = disk.copy();
        run(&whole, 2, &during, appends_per_commit);
        let calls = whole.calls().total();
        Scene { disk, before, during, appends_per_commit, calls }
    }

    /// The start during which that happens.
    fn fail(&self, call: u64, fault: Fault) -> (Disk, Reports) {
        let disk = self.disk.copy();
        disk.fault_at(call, fault);
        let reports = run(&disk, 2, &self.during, self.appends_per_commit);
        (disk, reports)
    }

    /// Opens what is left, and checks it against what was reported.
    fn check(&self, disk: &Disk, start: u32, committed: &Marks) -> Marks {
        let (redb, recovered) = open(disk, start).expect("it opens without repair by hand");
        drop(redb);
        let found = Content::recovered(&recovered);
        let marks = found.marks();
        for home in 0..HOMES {
            assert!(marks[home] >= committed[home], "{marks:?} lacks some of {committed:?}");
        }
        let mut expected = Content::default();
        self.before.apply(&mut expected, &marks);
        self.during.apply(&mut expected, &marks);
        assert_eq!(found, expected, "what is there is what was appended");
        self.during.check_calls(&marks);
        assert!(recovered.next_row > found.last_row().unwrap_or(0));
        let terms = &recovered.terms;
        assert_eq!((terms[0], terms[terms.len() - 1]), (term(1), term(start)));
        assert!(terms.is_sorted(), "{terms:?}");
        marks
    }
}

/// How many histories of each kind are tried; more with `OYEZ_HISTORIES`.
fn scenes(kind: &str) -> impl Iterator<Item = Scene> {
    let count = std::env::var("OYEZ_HISTORIES").map_or(HISTORIES, |text| text.parse().unwrap());
    println!("{kind}: {count} histories, seeds from {SEED}");
    (SEED..SEED + count).map(|seed| {
        println!("seed {seed}");
        Scene::new(seed)
    })
}

#[test]
fn t009_the_process_ends_at_each_boundary() {
    let (mut kills, mut kept) = (0, 0);
    for scene in scenes("kill -9") {
        for call in 1..=scene.calls {
            for fault in [Fault::Kill, Fault::KillWithin] {
                let (disk, reports) = scene.fail(call, fault);
                disk.kill();
                let marks = scene.check(&disk, 3, &reported(&reports));
                disk.kill();
                assert_eq!(scene.check(&disk, 4, &marks), marks);
                kills += 1;
                kept += u64::from(marks != reported(&reports));
            }
        }
    }
    println!("{kills} kills; after {kept} more had survived than was reported");
    assert!(kept > 0, "a kill between the sync and the report");
}

#[test]
fn t010_the_power_goes_at_each_boundary() {
    let mut cuts = 0;
    for scene in scenes("power cut") {
        for call in 1..=scene.calls {
            let (ended, reports) = scene.fail(call, Fault::Kill);
            for seed in 0..CUTS {
                let disk = ended.copy();
                disk.cut_power(SEED + call * CUTS + seed);
                // The power may go again while what the first cut left is opened.
                disk.fault_at(1 + (call + seed) % 16, Fault::Kill);
                drop(open(&disk, 3));
                disk.cut_power(SEED + seed);
                let marks = scene.check(&disk, 4, &reported(&reports));
                disk.cut_power(seed);
                assert_eq!(scene.check(&disk, 5, &marks), marks);
                cuts += 3;
            }
        }
    }
    println!("{cuts} power cuts");
}

#[test]
fn t011_the_disk_fails_once_at_each_boundary() {
    let (mut faults, mut failed) = (0, 0);
    for scene in scenes("EIO and ENOSPC") {
        for call in 1..=scene.calls {
            for fault in [Fault::Io, Fault::NoSpace] {
                let (disk, reports) = scene.fail(call, fault);
                let told =
                    reports.iter().skip_while(|(_, told)| matches!(told, Report::Committed(_)));
                let told: Vec<_> = told.collect();
                if !told.is_empty() {
                    let homes: Vec<_> = told.iter().map(|(home, _)| usize::from(home.0)).collect();
                    assert_eq!(homes, [0, 1, 2], "each home once, and nothing committed after");
                    assert!(told.iter().all(|(_, told)| matches!(told, Report::Failed(_))));
                    assert_eq!(disk.calls().total(), call, "the disk is not touched again");
                    failed += 1;
                }
                let committed = reported(&reports);
                disk.kill();
                let marks = scene.check(&disk, 3, &committed);
                disk.cut_power(SEED + call);
                assert_eq!(scene.check(&disk, 4, &marks), marks);
                faults += 1;
            }
        }
    }
    println!("{faults} faults, {failed} of them failed the journal while it ran");
    assert!(failed > 0);
}
