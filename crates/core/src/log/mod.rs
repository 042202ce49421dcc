// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Log`]: the events of one channel in their order, and what is remembered of them.
//!
//! An entry is *staged* when it has its offset, and *released* when everybody may see it: at
//! once, or when the journal has it. Decisions look at the head, readers only at what is
//! released. Whatever is let go is named by its row, so that the journal can let it go, too.

mod lineage;
mod resume;
mod sum;
#[cfg(test)]
mod tests;
mod view;

use std::collections::VecDeque;
use std::sync::Arc;

use oyez_protocol::position::{Epoch, Offset, Term};

use crate::record::{Entry, EntryKind, Identity, Row, Timestamp};
use crate::rule::{IDENTITY_AGE, MemoryRule, Replay};
pub(crate) use lineage::{Lineage, Terms};
pub(crate) use resume::Past;
pub(crate) use sum::LogSum;
pub(crate) use view::{Reader, Shown, Stretch};

/// See the module.
#[derive(Debug)]
pub(crate) struct Log {
    rule: Arc<MemoryRule>,
    epoch: Epoch,
    lineage: Lineage,
    /// The last offset that was given out.
    head: Offset,
    /// The last one that readers see.
    committed: Offset,
    /// Without holes, up to the head.
    ring: VecDeque<Kept>,
    /// What the ring holds.
    ring_bytes: usize,
    /// The part of it that is not seen yet.
    staged_bytes: usize,
    /// The newest event, or the newest of each name, by offset; may be older than the ring.
    latest: Vec<Kept>,
    /// The truth that readers see; may be older than the ring.
    truth: Option<Kept>,
    /// The one that decisions are made on. It is looked at for each event, however many are
    /// staged.
    truth_at_head: Option<Kept>,
    touched: Timestamp,
}

/// An entry, and where the journal has it.
#[derive(Clone, Debug)]
pub(crate) struct Kept {
    pub(crate) row: Row,
    pub(crate) entry: Arc<Entry>,
}

/// What nobody needs any more.
#[derive(Debug, Default)]
pub(crate) struct Freed {
    /// Rows to let go.
    pub(crate) rows: Vec<Row>,
    /// Rows whose entry is another one now.
    pub(crate) rewritten: Vec<Kept>,
    /// Whether the ring has run empty: only its identity then knows how far the log had grown.
    pub(crate) ran_empty: bool,
}

impl Log {
    /// An empty log, whose first entry will have offset 1.
    pub(crate) fn new(rule: Arc<MemoryRule>, epoch: Epoch, term: Term, now: Timestamp) -> Log {
        Log {
            rule,
            epoch,
            lineage: Lineage::new(term),
            head: Offset::ZERO,
            committed: Offset::ZERO,
            ring: VecDeque::new(),
            ring_bytes: 0,
            staged_bytes: 0,
            latest: Vec::new(),
            truth: None,
            truth_at_head: None,
            touched: now,
        }
    }

    /// A log as a journal kept it. What is too old or too much by the rule is let go.
    pub(crate) fn recovered(
        rule: Arc<MemoryRule>,
        identity: Identity,
        mut entries: Vec<(Row, Entry)>,
        now: Timestamp,
    ) -> (Log, Freed) {
        entries.sort_by_key(|(_, entry)| entry.offset);
        let newest = entries.last().map_or(Offset::ZERO, |(_, entry)| entry.offset);
        let head = identity.head.max(newest);
        let Identity { epoch, term, lineage, touched, .. } = identity;
        let lineage = Lineage::recovered(term, lineage);
        let mut log = Log { lineage, head, ..Log::new(rule, epoch, term, touched) };
        let mut freed = Freed::default();
        for (row, entry) in entries {
            log.touched = log.touched.max(entry.time);
            let kept = Kept { row, entry: Arc::new(entry) };
            if log.ring.back().is_some_and(|last| last.entry.offset.next() != kept.entry.offset) {
                // What lies before a hole was kept for its own sake.
                log.drop_ring(&mut freed);
            }
            log.committed = kept.entry.offset;
            log.ring_bytes += kept.entry.bytes();
            log.ring.push_back(kept.clone());
            log.take_in(&kept, &mut freed);
        }
        if log.committed < head {
            log.drop_ring(&mut freed);
        }
        log.committed = head;
        log.truth_at_head = log.truth.clone();
        log.trim(now, &mut freed);
        (log, freed)
    }

    pub(crate) fn rule(&self) -> &Arc<MemoryRule> {
        &self.rule
    }

    pub(crate) fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// The last offset that was given out.
    pub(crate) fn head(&self) -> Offset {
        self.head
    }

    /// The last offset that readers see.
    pub(crate) fn committed(&self) -> Offset {
        self.committed
    }

    /// What a journal needs to know beside the entries.
    pub(crate) fn identity(&self) -> Identity {
        Identity {
            epoch: self.epoch,
            term: self.lineage.current(),
            head: self.head,
            lineage: self.lineage.ended().to_vec(),
            touched: self.touched,
        }
    }

    /// Somebody has to do with it.
    pub(crate) fn touch(&mut self, now: Timestamp) {
        self.touched = self.touched.max(now);
    }

    /// Takes the next offset. Answers whether this is the first entry of the term, which the
    /// journal must know.
    pub(crate) fn stage(&mut self, term: Term, row: Row, mut entry: Entry) -> (Kept, Growth) {
        let first = self.head == Offset::ZERO;
        let growth = match self.lineage.grow(term, self.head) {
            Growth::Again if first => Growth::FirstOfTerm,
            growth => growth,
        };
        self.head = self.head.next();
        entry.offset = self.head;
        self.touch(entry.time);
        let kept = Kept { row, entry: Arc::new(entry) };
        self.ring_bytes += kept.entry.bytes();
        self.staged_bytes += kept.entry.bytes();
        self.ring.push_back(kept.clone());
        match kept.entry.kind {
            EntryKind::Truth => self.truth_at_head = Some(kept.clone()),
            EntryKind::Deleted => self.truth_at_head = None,
            EntryKind::Event | EntryKind::Forgotten | EntryKind::Gone => {}
        }
        (kept, growth)
    }

    /// Everybody may see what was staged up to that offset. Answers the entries, in order.
    pub(crate) fn release(&mut self, upto: Offset, freed: &mut Freed) -> Vec<Kept> {
        let released: Vec<Kept> =
            self.entries(Stretch { after: self.committed, upto }).cloned().collect();
        for kept in &released {
            self.committed = kept.entry.offset;
            self.staged_bytes -= kept.entry.bytes();
            self.take_in(kept, freed);
        }
        released
    }

    /// The truth that decisions are made on: the newest, whether released or not.
    pub(crate) fn truth_at_head(&self) -> Option<&Kept> {
        self.truth_at_head.as_ref()
    }

    /// The truth that readers see.
    pub(crate) fn truth(&self) -> Option<&Kept> {
        self.truth.as_ref()
    }

    /// The newest event that readers see, if it is kept.
    pub(crate) fn latest(&self) -> Option<&Kept> {
        self.latest.last()
    }

    /// Whether an event of that name is held, released or not.
    pub(crate) fn has(&self, event: &str) -> bool {
        let named =
            |kept: &Kept| kept.entry.kind == EntryKind::Event && kept.entry.event() == event;
        self.latest.iter().any(named) || self.ring.iter().any(named)
    }

    /// Entries of the ring in that stretch.
    pub(crate) fn entries(&self, stretch: Stretch) -> impl DoubleEndedIterator<Item = &Kept> {
        let before = self.low().before();
        let upto = |offset: Offset| (offset.since(before) as usize).min(self.ring.len());
        let (from, end) = (upto(stretch.after), upto(stretch.upto));
        self.ring.range(from.min(end)..end)
    }

    /// Whether the truth has come to its end by that time.
    pub(crate) fn truth_ends(&self, now: Timestamp) -> bool {
        let expires = self.truth_at_head().and_then(|kept| kept.entry.expires);
        expires.is_some_and(|at| at.get() <= now.0)
    }

    /// Whether anything is shown to newcomers.
    pub(crate) fn is_blank(&self) -> bool {
        self.latest.is_empty() && self.truth.is_none()
    }

    /// Whether it holds anything at all.
    pub(crate) fn is_empty(&self) -> bool {
        self.is_blank() && self.ring.is_empty()
    }

    /// When somebody last had to do with it.
    pub(crate) fn touched(&self) -> Timestamp {
        self.touched
    }

    /// A value that the truth had, if it is still held and readers have seen it.
    pub(crate) fn truth_of_version(&self, version: Offset) -> Option<&Kept> {
        let is_it = |kept: &&Kept| kept.entry.offset == version;
        let stretch = Stretch { after: version.before(), upto: version };
        let in_ring = self.entries(stretch).next().filter(is_it);
        let held = in_ring.or_else(|| self.truth.as_ref().filter(is_it))?;
        let is_seen = version <= self.committed && held.entry.kind == EntryKind::Truth;
        Some(held).filter(|_| is_seen)
    }

    /// What it holds in memory.
    pub(crate) fn bytes(&self) -> usize {
        let low = self.low();
        let older = self.latest.iter().chain(&self.truth).filter(|k| k.entry.offset < low);
        self.ring_bytes + older.map(|kept| kept.entry.bytes()).sum::<usize>()
    }

    /// When its numbering may be forgotten, if nobody has to do with it until then.
    pub(crate) fn ends_at(&self) -> Timestamp {
        self.touched + IDENTITY_AGE
    }

    /// When something of it grows too old, or the truth ends.
    pub(crate) fn next_expiry(&self) -> Option<Timestamp> {
        let oldest = self.ring.front().filter(|k| k.entry.offset <= self.committed);
        let oldest = oldest.map(|k| k.entry.time + self.rule.age);
        let latest = self.latest.iter().map(|k| k.entry.time + self.rule.latest_age).min();
        // Its end may have been staged already, and wait to be seen.
        let truth = self.truth_at_head().and_then(|kept| kept.entry.expires);
        let truth = truth.map(|at| Timestamp(at.get()));
        [oldest, latest, truth].into_iter().flatten().min()
    }

    /// Lets go of what is too old or too much.
    pub(crate) fn trim(&mut self, now: Timestamp, freed: &mut Freed) {
        while let Some(first) = self.ring.front() {
            // What is staged is not seen yet: it may not push out what is.
            let seen = self.ring.len() - self.head.since(self.committed) as usize;
            let seen_bytes = self.ring_bytes - self.staged_bytes;
            let too_many = seen > self.rule.events || seen_bytes > self.rule.bytes;
            let too_old = first.entry.time + self.rule.age <= now;
            if !(too_many || too_old) || first.entry.offset > self.committed {
                break;
            }
            self.drop_first(freed);
        }
        let age = self.rule.latest_age;
        let (low, mut at) = (self.low(), 0);
        while at < self.latest.len() {
            if self.latest[at].entry.time + age <= now {
                let old = self.latest.remove(at);
                free_unless_needed(&old, low, &self.truth, freed);
            } else {
                at += 1;
            }
        }
    }

    /// Lets go of everything that is only there for whoever resumes.
    pub(crate) fn squeeze(&mut self, freed: &mut Freed) {
        while self.ring.front().is_some_and(|first| first.entry.offset < self.committed) {
            self.drop_first(freed);
        }
    }

    /// The first offset of the ring, or the next one if it is empty.
    pub(crate) fn low(&self) -> Offset {
        self.ring.front().map_or(self.head.next(), |first| first.entry.offset)
    }

    /// Remembers a released entry, or forgets by it.
    fn take_in(&mut self, kept: &Kept, freed: &mut Freed) {
        match kept.entry.kind {
            EntryKind::Event => self.remember(kept, freed),
            EntryKind::Truth => self.replace_truth(Some(kept.clone()), freed),
            EntryKind::Deleted => self.replace_truth(None, freed),
            EntryKind::Forgotten => self.forget(kept.entry.event(), kept.entry.offset, freed),
            EntryKind::Gone => {}
        }
    }

    fn remember(&mut self, kept: &Kept, freed: &mut Freed) {
        let room = self.room();
        let same = |old: &Kept| room == 1 || old.entry.event() == kept.entry.event();
        let older = match self.latest.iter().position(same) {
            Some(at) => Some(at),
            None if self.latest.len() >= room => (room > 0).then_some(0),
            None => None,
        };
        if let Some(at) = older {
            let old = self.latest.remove(at);
            free_unless_needed(&old, self.low(), &self.truth, freed);
        }
        if room > 0 {
            self.latest.push(kept.clone());
        }
    }

    fn replace_truth(&mut self, truth: Option<Kept>, freed: &mut Freed) {
        if let Some(old) = std::mem::replace(&mut self.truth, truth)
            && old.entry.offset < self.low()
        {
            freed.rows.push(old.row);
        }
    }

    fn forget(&mut self, event: &str, before: Offset, freed: &mut Freed) {
        let low = self.low();
        self.latest.retain(|old| {
            let goes = old.entry.event() == event && old.entry.offset < before;
            if goes && old.entry.offset < low {
                freed.rows.push(old.row);
            }
            !goes
        });
        for kept in &mut self.ring {
            let Entry { offset, kind, .. } = *kept.entry;
            if offset < before && kind == EntryKind::Event && kept.entry.event() == event {
                let mut gone = Entry::new(offset, EntryKind::Gone, "", "", kept.entry.time);
                // Whoever was not to see it does not see that it is gone.
                gone.exclude.clone_from(&kept.entry.exclude);
                self.ring_bytes = self.ring_bytes + gone.bytes() - kept.entry.bytes();
                kept.entry = Arc::new(gone);
                freed.rewritten.push(kept.clone());
            }
        }
        self.uncover(before);
    }

    /// Where something was forgotten, the newest of what was published before shows again.
    fn uncover(&mut self, before: Offset) {
        let room = self.room();
        let seen = self.ring.iter().rev().skip_while(|kept| kept.entry.offset > before);
        for kept in seen.filter(|kept| kept.entry.kind == EntryKind::Event) {
            if self.latest.len() >= room {
                break;
            }
            let same = |shown: &Kept| shown.entry.event() == kept.entry.event();
            if !self.latest.iter().any(same) {
                self.latest.push(kept.clone());
            }
        }
        self.latest.sort_by_key(|kept| kept.entry.offset);
    }

    /// How many of the newest events are shown.
    fn room(&self) -> usize {
        match self.rule.replay {
            Replay::None => 0,
            Replay::Latest | Replay::All => 1,
            Replay::LatestPerEvent => self.rule.names,
        }
    }

    fn drop_first(&mut self, freed: &mut Freed) {
        let Some(first) = self.ring.pop_front() else { return };
        self.ring_bytes -= first.entry.bytes();
        if self.ring.is_empty() {
            self.ring.shrink_to_fit();
            freed.ran_empty = true;
        }
        let offset = first.entry.offset;
        let is_needed = |kept: &Kept| kept.entry.offset == offset;
        if !self.latest.iter().any(is_needed) && !self.truth.as_ref().is_some_and(is_needed) {
            freed.rows.push(first.row);
        }
    }

    fn drop_ring(&mut self, freed: &mut Freed) {
        while !self.ring.is_empty() {
            self.drop_first(freed);
        }
    }
}

/// An entry that is no longer among the latest: its row goes if nothing else needs it.
fn free_unless_needed(old: &Kept, low: Offset, truth: &Option<Kept>, freed: &mut Freed) {
    let is_truth = truth.as_ref().is_some_and(|truth| truth.entry.offset == old.entry.offset);
    if old.entry.offset < low && !is_truth {
        freed.rows.push(old.row);
    }
}

impl Freed {
    pub(crate) fn is_nothing(&self) -> bool {
        self.rows.is_empty() && self.rewritten.is_empty() && !self.ran_empty
    }
}

/// Whether a log has grown in this term before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Growth {
    /// It has not: its identity must be kept anew.
    FirstOfTerm,
    /// It has.
    Again,
}
