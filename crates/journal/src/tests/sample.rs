// SPDX-License-Identifier: MIT OR Apache-2.0
//! Records to try things with.

use std::sync::Arc;

use oyez_core::{
    AppIndex, Append, BodyHash, ChannelKey, Entry, EntryKind, Identity, KeySpace, Mark, Part,
    Record, Row, StoredAnswer, Timestamp, Urgency,
};
use oyez_protocol::channel::ChannelName;
use oyez_protocol::position::{Epoch, Offset, Term};

/// The apps of the tests.
pub(crate) const APPS: [&str; 2] = ["app-1", "app-2"];

/// The time of the tests: some day in 2026.
pub(crate) const NOW: Timestamp = Timestamp(1_790_000_000_000);

pub(crate) fn term(number: u32) -> Term {
    Term::parse(&format!("{number:08}")).unwrap()
}

pub(crate) fn epoch(number: u32) -> Epoch {
    Epoch::parse(&format!("e{number:07}")).unwrap()
}

pub(crate) fn offset(number: u64) -> Offset {
    Offset::new(number).unwrap()
}

pub(crate) fn key(app: u32, name: &str) -> ChannelKey {
    let name = ChannelName::parse(name, 200).unwrap();
    KeySpace::new(7).key(AppIndex(app), name)
}

pub(crate) fn entry_at(row: u64, key: &ChannelKey, number: u64, time: Timestamp) -> Record {
    let entry = Entry::new(offset(number), EntryKind::Event, "moved", "{\"to\":1}", time);
    Record::Entry { row: Row(row), key: key.clone(), entry: Arc::new(entry) }
}

pub(crate) fn entry(row: u64, key: &ChannelKey, number: u64) -> Record {
    entry_at(row, key, number, NOW)
}

pub(crate) fn identity_at(key: &ChannelKey, head: u64, touched: Timestamp) -> Record {
    let (epoch, term, head) = (epoch(1), term(1), offset(head));
    let identity = Identity { epoch, term, head, lineage: vec![(term, head)], touched };
    Record::Identity { key: key.clone(), identity: Box::new(identity) }
}

pub(crate) fn identity(key: &ChannelKey, head: u64) -> Record {
    identity_at(key, head, NOW)
}

pub(crate) fn answer(row: u64, app: u32, expires: Timestamp) -> Record {
    let answer = StoredAnswer {
        key: format!("key-{row}").into(),
        body: BodyHash([row as u8; 32]),
        status: 200,
        answer: b"{}".as_slice().into(),
        expires,
    };
    Record::Answer { row: Row(row), app: AppIndex(app), answer: Arc::new(answer) }
}

pub(crate) fn append(mark: u64, records: impl IntoIterator<Item = Record>) -> Append {
    let records = records.into_iter().collect();
    Append { mark: Mark(mark), records, urgency: Urgency::Gated, part: None }
}

pub(crate) fn relaxed(append: Append) -> Append {
    Append { urgency: Urgency::Relaxed, ..append }
}

pub(crate) fn part(append: Append, part: Part) -> Append {
    Append { part: Some(part), ..append }
}
