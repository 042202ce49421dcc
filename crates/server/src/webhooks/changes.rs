// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Changes`]: in what the file differs from the queues. Pure: time is an argument.
//!
//! An event that is delivered soon never gets there: putting and deleting it cancel each other.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tokio::time::Instant;

use super::destination::DestinationIndex;
use super::queue::Sequence;

/// Events that the file lacks, and events that it has too much.
#[derive(Debug, Default)]
pub(super) struct Changes {
    /// In the order of their numbers, which is that of their times.
    puts: BTreeMap<Sequence, Put>,
    deletes: BTreeSet<Sequence>,
    /// When the first of the deletes was noted.
    deletes_since: Option<Instant>,
}

/// An event that the file lacks.
#[derive(Clone, Debug)]
pub(super) struct Put {
    pub(super) destination: DestinationIndex,
    pub(super) json: Arc<str>,
    pub(super) since: Instant,
}

impl Changes {
    /// An event waits.
    pub(super) fn put(&mut self, sequence: Sequence, put: Put) {
        self.puts.insert(sequence, put);
    }

    /// An event waits no more.
    pub(super) fn delete(&mut self, sequence: Sequence, now: Instant) {
        if self.puts.remove(&sequence).is_none() {
            self.deletes.insert(sequence);
            self.deletes_since.get_or_insert(now);
        }
    }

    /// Since when the oldest of them waits.
    pub(super) fn oldest(&self) -> Option<Instant> {
        let put = self.puts.first_key_value().map(|(_, put)| put.since);
        put.into_iter().chain(self.deletes_since).min()
    }

    /// Takes the events that wait since `until` or longer, and everything to delete.
    pub(super) fn take(&mut self, until: Instant) -> Changes {
        let first_left =
            self.puts.iter().find(|(_, put)| put.since > until).map(|(sequence, _)| *sequence);
        let left = first_left.map(|first| self.puts.split_off(&first)).unwrap_or_default();
        let taken = std::mem::take(self);
        self.puts = left;
        taken
    }

    /// Puts back what was taken and could not be written.
    pub(super) fn give_back(&mut self, taken: Changes) {
        for (sequence, put) in taken.puts {
            // Deleted meanwhile? It never got there.
            if !self.deletes.remove(&sequence) {
                self.puts.insert(sequence, put);
            }
        }
        self.deletes.extend(taken.deletes);
        self.deletes_since = taken.deletes_since.or(self.deletes_since);
    }

    /// Events to write.
    pub(super) fn puts(&self) -> impl ExactSizeIterator<Item = (Sequence, &Put)> {
        self.puts.iter().map(|(sequence, put)| (*sequence, put))
    }

    /// Events to delete.
    pub(super) fn deletes(&self) -> impl Iterator<Item = Sequence> {
        self.deletes.iter().copied()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const MILLI: Duration = Duration::from_millis(1);

    fn put(since: Instant) -> Put {
        Put { destination: DestinationIndex(0), json: "{}".into(), since }
    }

    fn sequences(changes: &Changes) -> (Vec<u64>, Vec<u64>) {
        (changes.puts().map(|(s, _)| s.0).collect(), changes.deletes().map(|s| s.0).collect())
    }

    #[test]
    fn what_is_deleted_before_it_was_written_never_gets_there() {
        let now = Instant::now();
        let mut changes = Changes::default();
        changes.put(Sequence(1), put(now));
        changes.put(Sequence(2), put(now));
        changes.delete(Sequence(1), now);
        assert_eq!(sequences(&changes.take(now)), (vec![2], vec![]));
        assert_eq!(changes.oldest(), None);
    }

    #[test]
    fn the_old_ones_are_taken_and_the_young_ones_stay() {
        let now = Instant::now();
        let mut changes = Changes::default();
        for sequence in 1..=4 {
            changes.put(Sequence(sequence), put(now + MILLI * sequence as u32));
        }
        changes.delete(Sequence(0), now + MILLI * 9);
        assert_eq!(changes.oldest(), Some(now + MILLI));
        assert_eq!(sequences(&changes.take(now + MILLI * 2)), (vec![1, 2], vec![0]));
        assert_eq!(changes.oldest(), Some(now + MILLI * 3));
        assert_eq!(sequences(&changes.take(now + MILLI * 2)), (vec![], vec![]));
        assert_eq!(sequences(&changes.take(now + MILLI * 9)), (vec![3, 4], vec![]));
    }

    #[test]
    fn what_could_not_be_written_comes_again_unless_it_was_deleted_meanwhile() {
        let now = Instant::now();
        let mut changes = Changes::default();
        changes.put(Sequence(2), put(now));
        changes.put(Sequence(3), put(now));
        changes.delete(Sequence(1), now);
        let taken = changes.take(now);
        changes.delete(Sequence(2), now + MILLI);
        changes.put(Sequence(4), put(now + MILLI));
        changes.give_back(taken);
        assert_eq!(changes.oldest(), Some(now));
        assert_eq!(sequences(&changes), (vec![3, 4], vec![1]));
    }
}
