// SPDX-License-Identifier: MIT OR Apache-2.0
//! Durable appends per second on this disk, beside the bare loop that any journal is bounded by.
//!
//! `cargo run --release -p oyez-journal --example throughput [FOLDER] [SECONDS]`. Both sides are
//! run in turns in one process, so that ratios can be compared between machines. The bare loop
//! writes the same number of bytes into a preallocated file and calls fdatasync; each producer of
//! the committer posts one append and waits until it is reported. Like a home, it keeps 100
//! entries: each append removes the oldest.

use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::time::{Duration, Instant, SystemTime};

use oyez_core::{
    AppIndex, Append, Entry, EntryKind, KeySpace, Mark, Record, Row, Timestamp, Urgency, WorkerId,
};
use oyez_journal::{Committer, Journal, Redb, Report};
use oyez_protocol::channel::ChannelName;
use oyez_protocol::position::{Offset, Term};
use smallvec::smallvec;

/// Bytes of an event's data.
const DATA: usize = 512;

/// Length of the bare loop's file, in bytes.
const PREALLOCATED: u64 = 256 * 1024 * 1024;

/// Entries that a producer keeps.
const KEPT: u64 = 100;

/// Alternations of both sides.
const ROUNDS: u32 = 3;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

fn main() -> Result<()> {
    let mut args = std::env::args().skip(1);
    let parent = args.next().unwrap_or_else(|| ".".to_owned());
    let seconds: f64 = args.next().map_or(Ok(2.0), |text| text.parse())?;
    let dir = tempfile::tempdir_in(parent)?;
    let slice = Duration::from_secs_f64(seconds / f64::from(ROUNDS));
    let before = resident();
    let redb = open(dir.path())?;
    println!("resident memory: {before} KiB, with an open empty journal {} KiB", resident());
    drop(redb);
    println!(
        "in flight | bare loop/s |   redb alone/s    |    committer/s     | per commit | mean commit"
    );
    for producers in [1, 8, 64, 512] {
        let (mut bare, mut alone, mut ours) = (0, 0, 0);
        let mut stats = (0, 0, 0);
        for _ in 0..ROUNDS {
            bare += bare_loop(dir.path(), producers, slice)?;
            alone += store_loop(dir.path(), producers, slice)?;
            ours += committer(dir.path(), producers, slice, &mut stats)?;
        }
        let [bare, alone, ours] = [bare, alone, ours].map(|count| count as f64 / seconds);
        let (commits, appends, micros) = stats;
        println!(
            "{producers:>9} | {bare:>11.0} | {alone:>10.0} {:>6.2} | {ours:>11.0} {:>6.2} | \
             {:>10.1} | {:>8} µs",
            alone / bare,
            ours / bare,
            appends as f64 / commits as f64,
            micros / commits,
        );
    }
    let bytes = std::fs::metadata(dir.path().join("journal.redb"))?.len();
    println!("journal: {bytes} bytes; resident memory {} KiB", resident());
    Ok(())
}

/// Appends in that time: `batch` of them are written and synced together.
fn bare_loop(dir: &Path, batch: usize, time: Duration) -> Result<u64> {
    let path = dir.join("bare");
    let mut file = File::options().create(true).truncate(false).write(true).open(&path)?;
    if file.metadata()?.len() < PREALLOCATED {
        let block = vec![1; 1024 * 1024];
        (0..PREALLOCATED / block.len() as u64).try_for_each(|_| file.write_all(&block))?;
        file.sync_all()?;
    }
    let block = vec![7; batch * DATA];
    file.seek(SeekFrom::Start(0))?;
    let (begun, mut count, mut at) = (Instant::now(), 0, 0);
    while begun.elapsed() < time {
        if at + block.len() as u64 > PREALLOCATED {
            at = file.seek(SeekFrom::Start(0))?;
        }
        file.write_all(&block)?;
        file.sync_data()?;
        at += block.len() as u64;
        count += batch as u64;
    }
    Ok(count)
}

fn open(dir: &Path) -> Result<Redb> {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?.as_millis() as u64;
    let term = Term::random(&mut rand::rng());
    Ok(Redb::open(dir, &["bench"], Timestamp(now), term)?.0)
}

/// Appends in that time by one thread that commits `batch` of them together.
fn store_loop(dir: &Path, batch: usize, time: Duration) -> Result<u64> {
    let mut redb = open(dir)?;
    let (begun, mut mark) = (Instant::now(), 0);
    while begun.elapsed() < time {
        mark += 1;
        let appends: Vec<Append> =
            (0..batch as u16).map(|home| append(home, mark, batch as u64)).collect();
        redb.commit(&appends)?;
    }
    Ok(mark * batch as u64)
}

/// Appends in that time by so many producers, each of which waits for each of its appends.
fn committer(
    dir: &Path,
    producers: usize,
    time: Duration,
    stats: &mut (u64, u64, u64),
) -> Result<u64> {
    let (wakers, waiting): (Vec<SyncSender<Mark>>, Vec<_>) =
        (0..producers).map(|_| sync_channel(1)).unzip();
    let committer = Committer::start(Box::new(open(dir)?), producers, move |home, report| {
        let Report::Committed(mark) = report else { panic!("{report:?}") };
        // Fails for a producer that has had enough.
        let _ = wakers[usize::from(home.0)].send(mark);
    })?;
    let begun = Instant::now();
    let count = std::thread::scope(|scope| {
        let producers = (0..).zip(waiting).map(|(home, waiting)| {
            let appender = committer.appender();
            scope.spawn(move || {
                let mut mark = 0;
                while begun.elapsed() < time {
                    mark += 1;
                    appender.append(WorkerId(home), append(home, mark, producers as u64));
                    waiting.recv().expect("the committer runs");
                }
                mark
            })
        });
        let producers: Vec<_> = producers.collect();
        producers.into_iter().map(|it| it.join().expect("a producer ends well")).sum()
    });
    let counted = committer.appender();
    let counted = counted.stats();
    stats.0 += counted.commits();
    stats.1 += counted.appends();
    stats.2 += counted.total_micros();
    committer.stop();
    Ok(count)
}

fn append(home: u16, mark: u64, homes: u64) -> Append {
    let name = ChannelName::parse(&format!("private-lobby-{home}"), 164).expect("a name");
    let key = KeySpace::new(1).key(AppIndex(0), name);
    let row = |mark: u64| Row(mark * homes + u64::from(home));
    let offset = Offset::new(mark).expect("fewer than 2^53");
    let data = "x".repeat(DATA);
    let entry = Entry::new(offset, EntryKind::Event, "moved", &data, Timestamp(1));
    let mut records = smallvec![Record::Entry { row: row(mark), key, entry: Arc::new(entry) }];
    if mark > KEPT {
        records.push(Record::Remove(row(mark - KEPT)));
    }
    Append { mark: Mark(mark), records, urgency: Urgency::Gated, part: None }
}

/// Of this process, in KiB; 0 where the system does not say.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    line.and_then(|line| line.split_whitespace().nth(1)?.parse().ok()).unwrap_or(0)
}
