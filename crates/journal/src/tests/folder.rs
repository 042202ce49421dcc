// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a data folder holds from one run to the next, and which folders are refused.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use oyez_core::{AppIndex, Append, IDENTITY_AGE, Recovered, Row, Timestamp};
use redb::{Database, TableDefinition};

use super::sample::{APPS, NOW, answer, append, entry, entry_at, identity, identity_at, key, term};
use crate::fault::Disk;
use crate::{Journal, OpenError, Redb, TERMS_KEPT};

fn open(dir: &Path, number: u32) -> (Redb, Recovered) {
    Redb::open(dir, &APPS, NOW, term(number)).unwrap()
}

fn fill(dir: &Path, number: u32, appends: &[Append]) {
    open(dir, number).0.commit(appends).unwrap();
}

fn refused<S: AsRef<str>>(dir: &Path, apps: &[S]) -> OpenError {
    match Redb::open(dir, apps, NOW, term(9)) {
        Ok(_) => panic!("it was opened"),
        Err(error) => error,
    }
}

fn after(time: Timestamp, more: Duration) -> Timestamp {
    Timestamp(time.0 + more.as_millis() as u64)
}

const MINUTE: Duration = Duration::from_secs(60);

#[test]
fn t008_what_was_committed_is_there_after_the_next_start() {
    let dir = tempfile::tempdir().unwrap();
    let (one, two) = (key(0, "one"), key(1, "two"));
    fill(
        dir.path(),
        1,
        &[
            append(1, [identity(&one, 0), entry(10, &one, 1), entry(12, &one, 2)]),
            append(1, [identity(&two, 4), entry(11, &two, 5)]),
            append(2, [answer(14, 1, after(NOW, MINUTE))]),
        ],
    );
    let (_redb, recovered) = open(dir.path(), 2);
    assert_eq!(recovered.terms, [term(1), term(2)]);
    assert_eq!(recovered.next_row, 15);
    let [first, second] = &recovered.channels[..] else { panic!("{recovered:?}") };
    assert_eq!((first.app, first.name.as_str()), (AppIndex(0), "one"));
    let rows: Vec<_> =
        first.entries.iter().map(|(row, entry)| (*row, entry.offset.get())).collect();
    assert_eq!(rows, [(Row(10), 1), (Row(12), 2)]);
    assert_eq!(first.entries[0].1.event(), "moved");
    assert_eq!((second.app, second.identity.head.get()), (AppIndex(1), 4));
    let [(row, app, stored)] = &recovered.answers[..] else { panic!("{recovered:?}") };
    assert_eq!((*row, *app, &*stored.key), (Row(14), AppIndex(1), "key-14"));
}

#[test]
fn t017_a_folder_of_yesterday_has_another_term() {
    let (dir, copy) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let one = key(0, "one");
    fill(dir.path(), 1, &[append(1, [identity(&one, 0), entry(0, &one, 1)])]);
    std::fs::copy(dir.path().join("journal.redb"), copy.path().join("journal.redb")).unwrap();
    fill(dir.path(), 2, &[append(1, [entry(1, &one, 2)])]);
    let (_, restored) = open(copy.path(), 3);
    assert_eq!(restored.terms, [term(1), term(3)], "the lost start is not known");
    assert_eq!(restored.channels[0].entries.len(), 1);
}

#[test]
fn the_newest_terms_are_kept() {
    let disk = Disk::new();
    let starts = TERMS_KEPT as u32 + 3;
    let mut last = Vec::new();
    for number in 0..starts {
        let opened = Redb::open_backend(disk.backend(), "disk", &APPS, NOW, term(number));
        last = opened.unwrap().1.terms;
    }
    assert_eq!(last.len(), TERMS_KEPT);
    assert_eq!((last[0], last[TERMS_KEPT - 1]), (term(3), term(starts - 1)));
}

#[test]
fn a_folder_is_open_once() {
    let dir = tempfile::tempdir().unwrap();
    let (redb, _) = open(dir.path(), 1);
    let error = refused(dir.path(), &APPS);
    assert!(matches!(error, OpenError::InUse { .. }), "{error}");
    assert!(error.to_string().contains("give each server a data_dir of its own"), "{error}");
    drop(redb);
    open(dir.path(), 2);
}

/// The folder that [`another_process_holds_a_folder`] takes.
const HELD: &str = "OYEZ_TEST_HELD_FOLDER";

#[test]
fn a_folder_is_open_in_one_process() {
    let dir = tempfile::tempdir().unwrap();
    let mut other = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "tests::folder::another_process_holds_a_folder", "--nocapture"])
        .env(HELD, dir.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(other.stdout.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().contains("held")));
    let error = refused(dir.path(), &APPS);
    assert!(matches!(error, OpenError::InUse { .. }), "{error}");
    // As by `kill -9`: nothing that it left stands in the way.
    other.kill().unwrap();
    other.wait().unwrap();
    assert_eq!(open(dir.path(), 2).1.terms, [term(1), term(2)]);
}

/// Not a test of its own: the other process of the test above.
#[test]
fn another_process_holds_a_folder() {
    let Some(dir) = std::env::var_os(HELD) else { return };
    let _redb = open(Path::new(&dir), 1);
    println!("held");
    std::io::stdin().read_line(&mut String::new()).unwrap();
}

#[test]
fn other_formats_are_refused_by_name_and_left_alone() {
    const META: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("meta");
    for other in ["0", "2", "x"] {
        let dir = tempfile::tempdir().unwrap();
        let one = key(0, "one");
        fill(dir.path(), 1, &[append(1, [identity(&one, 0), entry(0, &one, 1)])]);
        let set = |format: &str| {
            let file = Database::open(dir.path().join("journal.redb")).unwrap();
            let write = file.begin_write().unwrap();
            let format = format!("oyez-journal {format}");
            write.open_table(META).unwrap().insert("format", format.as_bytes()).unwrap();
            write.commit().unwrap();
        };
        set(other);
        let error = refused(dir.path(), &APPS);
        assert!(matches!(&error, OpenError::Format { found, known: 1, .. } if found == other));
        assert!(error.to_string().contains("left as it is"), "{error}");
        set("1");
        let (_, recovered) = open(dir.path(), 2);
        assert_eq!(recovered.terms, [term(1), term(2)], "the refused start wrote nothing");
        assert_eq!(recovered.channels.len(), 1);
    }
}

#[test]
fn what_is_no_journal_is_refused_and_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("journal.redb");
    for bytes in [&b"not a database"[..], &[0; 8192]] {
        std::fs::write(&file, bytes).unwrap();
        let error = refused(dir.path(), &APPS);
        assert!(matches!(error, OpenError::Foreign { .. }), "{error}");
        assert_eq!(std::fs::read(&file).unwrap(), bytes);
    }
    std::fs::remove_file(&file).unwrap();
    let foreign: TableDefinition<'_, u64, u64> = TableDefinition::new("theirs");
    let database = Database::create(&file).unwrap();
    let write = database.begin_write().unwrap();
    write.open_table(foreign).unwrap();
    write.commit().unwrap();
    drop(database);
    let error = refused(dir.path(), &APPS);
    assert!(error.to_string().contains("move it away"), "{error}");
}

#[test]
fn damage_is_an_error_that_names_the_row() {
    const ROWS: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("rows");
    let dir = tempfile::tempdir().unwrap();
    open(dir.path(), 1);
    let file = Database::open(dir.path().join("journal.redb")).unwrap();
    let write = file.begin_write().unwrap();
    write.open_table(ROWS).unwrap().insert(77, &[1, 2, 3][..]).unwrap();
    write.commit().unwrap();
    drop(file);
    let error = refused(dir.path(), &APPS).to_string();
    assert!(error.contains("row 77") && error.contains("journal.redb"), "{error}");
    assert!(error.contains("restore data_dir from a backup"), "{error}");
}

#[test]
fn flipped_bytes_are_never_taken_for_data() {
    let dir = tempfile::tempdir().unwrap();
    let one = key(0, "one");
    let appends: Vec<_> = (1..40).map(|n| append(n, [entry(n, &one, n)])).collect();
    fill(dir.path(), 1, &[append(0, [identity(&one, 0)])]);
    fill(dir.path(), 2, &appends);
    let file = dir.path().join("journal.redb");
    let whole = std::fs::read(&file).unwrap();
    let at = whole.windows(8).position(|eight| eight == b"{\"to\":1}").unwrap();
    let mut bytes = whole.clone();
    bytes[at] ^= 1;
    std::fs::write(&file, &bytes).unwrap();
    let error = refused(dir.path(), &APPS);
    assert!(matches!(error, OpenError::Damaged { .. }), "{error}");
}

#[cfg(unix)]
#[test]
fn a_folder_that_may_not_be_written_is_refused() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let inner = dir.path().join("data");
    std::fs::create_dir(&inner).unwrap();
    std::fs::set_permissions(&inner, std::fs::Permissions::from_mode(0o555)).unwrap();
    if std::fs::write(inner.join("probe"), "").is_ok() {
        return; // Whoever runs this may write everywhere.
    }
    let error = refused(&inner, &APPS);
    assert!(matches!(error, OpenError::Permission { .. }), "{error}");
}

#[test]
fn an_unfinished_file_is_no_hindrance() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("journal.redb.new"), [0; 4096]).unwrap();
    assert_eq!(open(dir.path(), 1).1.terms, [term(1)]);
    assert!(!dir.path().join("journal.redb.new").exists());
}

#[test]
fn apps_that_are_gone_come_back_with_what_they_had() {
    let dir = tempfile::tempdir().unwrap();
    let (one, two) = (key(0, "one"), key(1, "two"));
    let records = [identity(&one, 0), entry(0, &one, 1), identity(&two, 0), entry(1, &two, 1)];
    fill(dir.path(), 1, &[append(1, records), append(2, [answer(2, 1, after(NOW, MINUTE))])]);
    // The second app alone is left, and stands first now.
    let (_, recovered) = Redb::open(dir.path(), &[APPS[1]], NOW, term(2)).unwrap();
    let [second] = &recovered.channels[..] else { panic!("{recovered:?}") };
    assert_eq!((second.app, second.name.as_str()), (AppIndex(0), "two"));
    assert_eq!(recovered.answers[0].1, AppIndex(0));
    assert_eq!(recovered.next_row, 3, "rows of apps that are gone are in use");
    let (_, recovered) = open(dir.path(), 3);
    assert_eq!(recovered.channels.len(), 2);
    assert_eq!(recovered.channels[0].entries.len(), 1);
}

#[test]
fn what_is_old_is_dropped_for_good() {
    let dir = tempfile::tempdir().unwrap();
    let (old, new, gone) = (key(0, "old"), key(0, "new"), key(1, "gone"));
    let long_ago = Timestamp(NOW.0 - IDENTITY_AGE.as_millis() as u64 - 1);
    fill(
        dir.path(),
        1,
        &[
            append(1, [identity_at(&old, 0, long_ago), entry_at(0, &old, 1, long_ago)]),
            append(2, [identity_at(&new, 0, long_ago), entry_at(1, &new, 1, NOW)]),
            append(3, [identity_at(&gone, 0, long_ago), entry_at(2, &gone, 1, long_ago)]),
            append(4, [answer(3, 0, NOW), answer(4, 0, after(NOW, MINUTE))]),
        ],
    );
    let (_, recovered) = Redb::open(dir.path(), &[APPS[0]], NOW, term(2)).unwrap();
    let names: Vec<_> = recovered.channels.iter().map(|channel| channel.name.as_str()).collect();
    assert_eq!(names, ["new"]);
    assert_eq!(recovered.answers.iter().map(|(row, ..)| row.0).collect::<Vec<_>>(), [4]);
    // Not even a clock that goes back brings it again.
    let (_, recovered) = Redb::open(dir.path(), &APPS, long_ago, term(3)).unwrap();
    assert_eq!(recovered.channels.len(), 1);
    assert_eq!(recovered.answers.len(), 1);
}

#[test]
fn times_that_are_still_to_come_count_as_now() {
    let dir = tempfile::tempdir().unwrap();
    let (one, later) = (key(0, "one"), after(NOW, MINUTE));
    fill(dir.path(), 1, &[append(1, [identity_at(&one, 0, later), entry_at(0, &one, 1, later)])]);
    let (_, recovered) = open(dir.path(), 2);
    assert_eq!(recovered.channels[0].identity.touched, NOW);
    assert_eq!(recovered.channels[0].entries[0].1.time, NOW);
}

#[test]
fn a_channel_that_was_let_go_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let one = key(0, "one");
    fill(dir.path(), 1, &[append(1, [identity(&one, 0), entry(0, &one, 1), entry(1, &one, 2)])]);
    fill(
        dir.path(),
        2,
        &[append(1, [oyez_core::Record::Remove(Row(1)), oyez_core::Record::Unidentify(one)])],
    );
    let (_, recovered) = open(dir.path(), 3);
    assert!(recovered.channels.is_empty());
    let (_, recovered) = open(dir.path(), 4);
    assert_eq!(recovered.next_row, 0, "its entries went with it");
}
