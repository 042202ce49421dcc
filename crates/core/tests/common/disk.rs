// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Disk`]: a journal that loses everything that it has not committed.

use std::collections::{BTreeMap, VecDeque};
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use oyez_core::{
    AppIndex, Append, ChannelKey, Entry, EntryKind, Home, Identity, Mark, Millis, Part, Record,
    Row, StoredAnswer, WorkerId,
};
use oyez_protocol::position::Term;

/// See the module. A copy of it is a backup.
#[derive(Clone, Debug, Default)]
pub(crate) struct Disk {
    pub(crate) entries: BTreeMap<Row, (ChannelKey, Arc<Entry>)>,
    pub(crate) answers: BTreeMap<Row, (AppIndex, Arc<StoredAnswer>)>,
    pub(crate) identities: Vec<(ChannelKey, Identity)>,
    pub(crate) terms: Vec<Term>,
    /// Above every row that was ever written.
    pub(crate) next_row: u64,
}

/// What a home wants to survive and that does not yet.
#[derive(Clone, Debug)]
pub(crate) struct Pending {
    pub(crate) mark: Mark,
    pub(crate) records: Vec<Record>,
    pub(crate) part: Option<Part>,
}

impl From<Append> for Pending {
    fn from(append: Append) -> Pending {
        let records = append.records.into_vec();
        Pending { mark: append.mark, records, part: append.part }
    }
}

impl Disk {
    pub(crate) fn write(&mut self, records: &[Record]) {
        for record in records {
            match record.clone() {
                Record::Entry { row, key, entry } => {
                    self.next_row = self.next_row.max(row.0 + 1);
                    // Only what was forgotten is ever written again.
                    let before = self.entries.insert(row, (key.clone(), Arc::clone(&entry)));
                    if let Some((owner, old)) = before {
                        assert_eq!((owner, old.offset), (key, entry.offset), "a row used twice");
                        assert_eq!(entry.kind, EntryKind::Gone, "an entry that changed");
                    }
                }
                Record::Answer { row, app, answer } => {
                    self.next_row = self.next_row.max(row.0 + 1);
                    assert!(self.answers.insert(row, (app, answer)).is_none(), "a row used twice");
                }
                Record::Remove(row) => {
                    let was_there =
                        self.entries.remove(&row).is_some() || self.answers.remove(&row).is_some();
                    assert!(was_there, "{row:?} is let go twice");
                }
                Record::Identity { key, identity } => {
                    self.forget(&key);
                    self.identities.push((key, *identity));
                }
                Record::Unidentify(key) => {
                    assert!(self.identity(&key).is_some(), "an identity that is not there");
                    self.forget(&key);
                }
            }
        }
        let orphan = self.entries.values().find(|(key, _)| self.identity(key).is_none());
        assert!(orphan.is_none(), "an entry of a channel without an identity: {orphan:?}");
    }

    fn forget(&mut self, key: &ChannelKey) {
        self.identities.retain(|(other, _)| other != key);
    }

    pub(crate) fn identity(&self, key: &ChannelKey) -> Option<&Identity> {
        self.identities.iter().find(|(other, _)| other == key).map(|(_, identity)| identity)
    }

    /// How far the log of that channel had grown.
    pub(crate) fn head(&self, key: &ChannelKey) -> u64 {
        let entries = self.entries.values().filter(|(owner, _)| owner == key);
        let newest = entries.map(|(_, entry)| entry.offset.get()).max().unwrap_or_default();
        newest.max(self.identity(key).map_or(0, |identity| identity.head.get()))
    }

    /// Gives a new home, one of so many, what is its own.
    pub(crate) fn recover(&self, home: &mut Home, own: WorkerId, of: usize, now: Millis) {
        for (key, identity) in self.identities.iter().filter(|(key, _)| key.home(of) == own) {
            let rows = self.entries.iter().filter(|(_, (owner, _))| owner == key);
            let rows = rows.map(|(row, (_, entry))| (*row, Entry::clone(entry))).collect();
            home.recover(key.clone(), identity.clone(), rows, now, &mut Vec::new());
        }
    }
}

/// For exhaustive checks: what a home would find.
impl Hash for Disk {
    fn hash<H: Hasher>(&self, state: &mut H) {
        for (row, (_, entry)) in &self.entries {
            (row, entry.offset, entry.data()).hash(state);
        }
        for (_, identity) in &self.identities {
            (identity.epoch, identity.term, identity.head, &identity.lineage).hash(state);
        }
        self.terms.hash(state);
    }
}

/// As much as a commit takes of the queues of several homes, so many of each at the most: a call
/// that spans several survives as a whole or not at all. Answers what is written, by home.
pub(crate) fn batch(queues: &mut [VecDeque<Pending>], most: &[usize]) -> Vec<Vec<Pending>> {
    let mut take: Vec<usize> =
        queues.iter().zip(most).map(|(q, most)| q.len().min(*most)).collect();
    loop {
        let taken: Vec<_> = (queues.iter().zip(&take))
            .flat_map(|(queue, take)| queue.iter().take(*take))
            .filter_map(|pending| pending.part)
            .collect();
        let is_whole = |part: Part| {
            let there = taken.iter().filter(|other| other.call == part.call).count();
            there == part.parts as usize
        };
        let before = take.clone();
        for (queue, take) in queues.iter().zip(&mut take) {
            let whole = queue.iter().take(*take).take_while(|p| p.part.is_none_or(is_whole));
            *take = whole.count();
        }
        if take == before {
            break;
        }
    }
    queues.iter_mut().zip(take).map(|(queue, take)| queue.drain(..take).collect()).collect()
}
