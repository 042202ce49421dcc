// SPDX-License-Identifier: MIT OR Apache-2.0
//! The file stays as large as what it holds demands.

use oyez_core::{Record, Row};

use super::sample::{APPS, NOW, append, entry, identity, key, term};
use crate::fault::Disk;
use crate::{Journal, Redb};

#[test]
fn a_hundred_thousand_appends_and_removals_do_not_grow_the_file() {
    const CYCLES: u64 = 100_000;
    const BATCH: u64 = 200;
    const KEPT: u64 = 100;
    let disk = Disk::new();
    let (mut redb, _) = Redb::open_backend(disk.backend(), "disk", &APPS, NOW, term(1)).unwrap();
    let one = key(0, "one");
    redb.commit(&[append(0, [identity(&one, 0)])]).unwrap();
    let mut sizes = Vec::new();
    for first in (1..=CYCLES).step_by(BATCH as usize) {
        let cycle =
            |n: u64| append(n, [entry(n, &one, n), Record::Remove(Row(n.wrapping_sub(KEPT)))]);
        redb.commit(&(first..first + BATCH).map(cycle).collect::<Vec<_>>()).unwrap();
        sizes.push(disk.len());
    }
    drop(redb);
    let (early, late) = (sizes[sizes.len() / 10], *sizes.last().unwrap());
    println!("{early} bytes after a tenth, {late} at the end, {} when closed", disk.len());
    assert_eq!(early, late);
    assert!(late < 4 * 1024 * 1024);
}
