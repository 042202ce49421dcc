// SPDX-License-Identifier: MIT OR Apache-2.0
//! What of a log somebody is shown: a newcomer, or somebody who missed a stretch of it.
//!
//! The same stretch gives the same number of frames whenever it is looked at, as long as its
//! entries are held: a long replay may be shown in pieces, after its length was told.

use oyez_protocol::position::Offset;
use oyez_protocol::socket_id::SocketId;

use super::{Kept, Log};
use crate::place::Speaks;
use crate::record::EntryKind;
use crate::rule::Replay;

/// One thing to show.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Shown<'a> {
    /// An event, or a value of the truth.
    Entry(&'a Kept),
    /// Something that was remembered is no more.
    Forget(&'a Kept),
    /// Nothing to see, from here to there.
    Skip {
        /// The first.
        from: Offset,
        /// The last.
        upto: Offset,
    },
}

/// Who looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Reader {
    /// What it understands.
    pub(crate) speaks: Speaks,
    /// The connection whose own events it does not see.
    pub(crate) socket: Option<SocketId>,
}

/// A part of a log: after an offset, up to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stretch {
    /// The last one before it.
    pub(crate) after: Offset,
    /// Its last one.
    pub(crate) upto: Offset,
}

impl Shown<'_> {
    /// The last offset that it stands for.
    pub(crate) fn upto(&self) -> Offset {
        match self {
            Shown::Entry(kept) | Shown::Forget(kept) => kept.entry.offset,
            Shown::Skip { upto, .. } => *upto,
        }
    }
}

impl Log {
    /// What a newcomer whose cut is the end of the stretch is shown of it. What is older than the
    /// ring is part of every stretch that begins before it.
    pub(crate) fn for_newcomer(&self, stretch: Stretch, speaks: Speaks) -> Vec<Shown<'_>> {
        let Stretch { after, upto: cut } = stretch;
        let truth = self.truth_as_of(cut);
        let mut shown: Vec<Shown<'_>> = Vec::new();
        let older =
            |kept: &&Kept| self.rule.replay != Replay::All || kept.entry.offset < self.low();
        shown.extend(self.latest.iter().filter(older).map(Shown::Entry));
        shown.extend(truth.map(Shown::Entry));
        if self.rule.replay == Replay::All {
            let ring = self.entries(stretch);
            shown.extend(ring.filter_map(|kept| match (kept.entry.kind, speaks) {
                (EntryKind::Event, _) => Some(Shown::Entry(kept)),
                (EntryKind::Gone, Speaks::Oyez) => Some(skip(kept.entry.offset)),
                _ => None,
            }));
        }
        shown.retain(|shown| after < shown.upto() && shown.upto() <= cut);
        shown.sort_by_key(Shown::upto);
        shown
    }

    /// What somebody who has everything up to the stretch has missed of it. Of several values of
    /// the truth only the last is shown.
    pub(crate) fn missed(&self, stretch: Stretch, reader: Reader) -> Vec<Shown<'_>> {
        // Further back it would be no part of the stretch.
        let mut newest_first = self.entries(stretch).rev();
        let last_truth = newest_first.find(|kept| kept.entry.kind.is_about_truth());
        let last_truth = last_truth.map(|kept| kept.entry.offset);
        let mut shown = Vec::new();
        let mut hidden: Option<(Offset, Offset)> = None;
        let mut entries = self.entries(stretch);
        loop {
            let entry = entries.next();
            let seen = match entry {
                None => None,
                Some(kept) => match look(kept, last_truth, reader) {
                    None => {
                        let offset = kept.entry.offset;
                        hidden = Some((hidden.map_or(offset, |(from, _)| from), offset));
                        continue;
                    }
                    seen => seen,
                },
            };
            if let Some((from, upto)) = hidden.take()
                && reader.speaks == Speaks::Oyez
            {
                shown.push(Shown::Skip { from, upto });
            }
            match seen {
                Some(seen) => shown.push(seen),
                None => return shown,
            }
        }
    }

    /// The truth as readers saw it at that offset; the ring reaches back to it.
    fn truth_as_of(&self, cut: Offset) -> Option<&Kept> {
        if cut >= self.committed {
            return self.truth.as_ref();
        }
        let mut newest_first = self.entries(Stretch { after: Offset::ZERO, upto: cut }).rev();
        let newest = newest_first.find(|kept| kept.entry.kind.is_about_truth());
        let older = || self.truth.as_ref().filter(|kept| kept.entry.offset <= cut);
        newest.or_else(older).filter(|kept| kept.entry.kind == EntryKind::Truth)
    }
}

fn skip(offset: Offset) -> Shown<'static> {
    Shown::Skip { from: offset, upto: offset }
}

/// What of an entry somebody sees who missed it; `None` if it is hidden.
fn look(kept: &Kept, last_truth: Option<Offset>, reader: Reader) -> Option<Shown<'_>> {
    let entry = &kept.entry;
    let is_last = last_truth == Some(entry.offset);
    let is_excluded = reader.socket.is_some() && entry.exclude.as_deref() == reader.socket.as_ref();
    match (entry.kind, reader.speaks) {
        (EntryKind::Truth, _) if !is_last || is_excluded => None,
        (EntryKind::Event | EntryKind::Gone, _) if is_excluded => None,
        (EntryKind::Event | EntryKind::Truth, _) => Some(Shown::Entry(kept)),
        (EntryKind::Deleted, Speaks::Oyez) if is_last => Some(Shown::Forget(kept)),
        (EntryKind::Forgotten, Speaks::Oyez) => Some(Shown::Forget(kept)),
        // A place of its own, so that the number of frames stays the same when an event goes
        // while it is being shown.
        (EntryKind::Gone, Speaks::Oyez) => Some(skip(entry.offset)),
        _ => None,
    }
}
