// SPDX-License-Identifier: MIT OR Apache-2.0
//! The committer's promises, with a journal that only notes what it is given.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use oyez_core::{Append, CallId, Mark, Part, WorkerId};

use super::sample::{append, entry, key, part, relaxed};
use crate::{Appender, Committer, Journal, JournalError, Report};

/// Long beyond anything that is expected to happen.
const NEVER: Duration = Duration::from_secs(20);

/// Notes each commit, and waits for a word before each when it is told to.
struct Notes {
    commits: Arc<Mutex<Vec<Vec<Mark>>>>,
    words: Option<Receiver<Result<(), ()>>>,
}

impl Journal for Notes {
    fn commit(&mut self, appends: &[Append]) -> Result<(), JournalError> {
        self.commits.lock().unwrap().push(appends.iter().map(|append| append.mark).collect());
        match self.words.as_ref().map(|words| words.recv()) {
            Some(Ok(Err(()))) => Err(JournalError::Dead),
            _ => Ok(()),
        }
    }

    fn bytes(&self) -> u64 {
        0
    }
}

struct Stage {
    committer: Committer,
    appender: Appender,
    commits: Arc<Mutex<Vec<Vec<Mark>>>>,
    reports: Receiver<(WorkerId, Report)>,
    words: Sender<Result<(), ()>>,
}

enum Pace {
    Free,
    OnWord,
}

fn stage(homes: usize, pace: Pace) -> Stage {
    let commits = Arc::new(Mutex::new(Vec::new()));
    let (words, heard) = channel();
    let words_heard = matches!(pace, Pace::OnWord).then_some(heard);
    let notes = Notes { commits: Arc::clone(&commits), words: words_heard };
    let (report, reports) = channel();
    let report = move |home, what| report.send((home, what)).unwrap();
    let committer = Committer::start(Box::new(notes), homes, report).unwrap();
    let appender = committer.appender();
    Stage { committer, appender, commits, reports, words }
}

impl Stage {
    fn post(&self, home: u16, append: Append) {
        self.appender.append(WorkerId(home), append);
    }

    fn next(&self) -> (WorkerId, Report) {
        self.reports.recv_timeout(NEVER).unwrap()
    }

    fn commits(&self) -> Vec<Vec<u64>> {
        let commits = self.commits.lock().unwrap();
        commits.iter().map(|marks| marks.iter().map(|mark| mark.0).collect()).collect()
    }

    /// Waits until so many commits have begun.
    fn begun(&self, count: usize) {
        let begun = Instant::now();
        while self.commits.lock().unwrap().len() < count {
            assert!(begun.elapsed() < NEVER);
            std::thread::yield_now();
        }
    }
}

fn some(mark: u64) -> Append {
    append(mark, [entry(mark, &key(0, "one"), mark)])
}

fn committed(home: u16, mark: u64) -> (WorkerId, Report) {
    (WorkerId(home), Report::Committed(Mark(mark)))
}

fn call(serial: u64, parts: u32) -> Part {
    Part { call: CallId { worker: WorkerId(0), serial }, parts }
}

#[test]
fn what_queued_during_a_commit_goes_with_the_next() {
    let stage = stage(2, Pace::OnWord);
    stage.post(0, some(1));
    stage.begun(1);
    for mark in 2..=9 {
        stage.post(0, some(mark));
    }
    stage.post(1, some(1));
    stage.words.send(Ok(())).unwrap();
    stage.words.send(Ok(())).unwrap();
    assert_eq!(stage.next(), committed(0, 1));
    assert_eq!(stage.next(), committed(0, 9));
    assert_eq!(stage.next(), committed(1, 1));
    assert_eq!(stage.commits(), [vec![1], vec![2, 3, 4, 5, 6, 7, 8, 9, 1]]);
    let stats = stage.appender.stats();
    assert_eq!((stats.commits(), stats.appends(), stats.largest_commit()), (2, 10, 9));
    assert_eq!(stats.buckets().iter().sum::<u64>(), 2);
    assert_eq!(stage.appender.waiting_bytes(), 0);
}

#[test]
fn one_commit_has_at_most_1024_appends() {
    let stage = stage(1, Pace::OnWord);
    stage.post(0, some(1));
    stage.begun(1);
    for mark in 2..=2000 {
        stage.post(0, some(mark));
    }
    for _ in 0..3 {
        stage.words.send(Ok(())).unwrap();
    }
    stage.committer.stop();
    let commits = stage.commits.lock().unwrap();
    assert_eq!(commits.iter().map(Vec::len).collect::<Vec<_>>(), [1, 1024, 975]);
}

#[test]
fn relaxed_appends_wait_for_company_but_not_for_long() {
    let stage = stage(1, Pace::Free);
    let begun = Instant::now();
    stage.post(0, relaxed(some(1)));
    stage.post(0, relaxed(some(2)));
    assert_eq!(stage.next(), committed(0, 2));
    assert!(begun.elapsed() >= Duration::from_millis(50));
    assert_eq!(stage.commits(), [[1, 2]]);
    // One for which somebody waits takes them along at once.
    stage.post(0, relaxed(some(3)));
    stage.post(0, some(4));
    assert_eq!(stage.next(), committed(0, 4));
    assert_eq!(stage.commits().last(), Some(&vec![3, 4]));
}

#[test]
fn a_call_goes_as_a_whole_and_delays_nobody_else() {
    let stage = stage(3, Pace::Free);
    stage.post(0, part(some(1), call(1, 2)));
    stage.post(0, some(2));
    stage.post(2, some(1));
    assert_eq!(stage.next(), committed(2, 1), "home 2 has nothing to do with the call");
    // A second call that began behind the first one in home 0 is held as well.
    stage.post(0, part(some(3), call(2, 2)));
    stage.post(2, part(some(2), call(2, 2)));
    stage.post(1, part(some(1), call(1, 2)));
    assert_eq!(stage.next(), committed(0, 3));
    assert_eq!(stage.next(), committed(1, 1));
    assert_eq!(stage.next(), committed(2, 2));
}

#[test]
fn a_call_that_lacks_parts_is_given_up_at_the_end() {
    let stage = stage(3, Pace::Free);
    stage.post(0, part(some(1), call(1, 2)));
    stage.post(0, part(some(2), call(2, 2)));
    stage.post(1, some(1));
    stage.post(1, part(some(2), call(2, 2)));
    stage.post(1, some(3));
    stage.post(2, some(1));
    stage.committer.stop();
    let mut reports: Vec<_> = stage.reports.iter().collect();
    reports.sort_by_key(|(home, _)| *home);
    assert_eq!(reports, [committed(1, 1), committed(2, 1)]);
    assert_eq!(stage.appender.waiting_bytes(), 0);
}

#[test]
fn a_full_batch_of_held_appends_lets_the_missing_part_in() {
    let stage = stage(2, Pace::Free);
    stage.post(0, part(some(1), call(1, 2)));
    for mark in 2..=3000 {
        stage.post(0, some(mark));
    }
    stage.post(1, part(some(1), call(1, 2)));
    let mut marks = [0, 0];
    while marks != [3000, 1] {
        let (home, Report::Committed(mark)) = stage.next() else { panic!("it failed") };
        marks[usize::from(home.0)] = mark.0;
    }
}

#[test]
fn t011_after_a_failed_commit_nothing_is_ever_committed() {
    let stage = stage(2, Pace::OnWord);
    stage.post(0, some(1));
    stage.words.send(Ok(())).unwrap();
    assert_eq!(stage.next(), committed(0, 1));
    stage.post(0, some(2));
    stage.begun(2);
    stage.post(0, some(3));
    stage.post(1, some(1));
    stage.words.send(Err(())).unwrap();
    for home in 0..2 {
        let (told, Report::Failed(reason)) = stage.next() else { panic!("it was committed") };
        assert_eq!(told, WorkerId(home));
        assert!(reason.contains("failed"), "{reason}");
    }
    assert!(stage.appender.is_failed());
    stage.post(1, some(2));
    let appender = stage.appender.clone();
    stage.committer.stop();
    assert_eq!(stage.reports.iter().count(), 0);
    assert_eq!(stage.commits.lock().unwrap().len(), 2);
    assert_eq!(appender.waiting_bytes(), 0);
}

#[test]
fn stopping_commits_what_was_posted() {
    let stage = stage(1, Pace::Free);
    for mark in 1..=100 {
        stage.post(0, relaxed(some(mark)));
    }
    stage.committer.stop();
    let last = stage.reports.iter().last();
    assert_eq!(last, Some(committed(0, 100)));
    stage.appender.append(WorkerId(0), some(101));
    assert_eq!(stage.appender.waiting_bytes(), 0);
}
