// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Log`]: what a channel with memory must hold, as a list of everything that was ever said on it.

use std::sync::Arc;

use oyez_core::{Durability, EntryKind, MemoryRule, Replay, Speaks};
use oyez_protocol::position::Term;
use oyez_protocol::socket_id::SocketId;

/// One entry; its offset is its place, from 1.
#[derive(Clone, Debug)]
pub(crate) struct Said {
    pub(crate) kind: EntryKind,
    pub(crate) event: String,
    pub(crate) data: String,
    pub(crate) time: u64,
    pub(crate) exclude: Option<SocketId>,
    pub(crate) term: Term,
    pub(crate) forgotten: bool,
}

/// See the module.
#[derive(Clone, Debug)]
pub(crate) struct Log {
    pub(crate) rule: Arc<MemoryRule>,
    pub(crate) epoch: Option<String>,
    pub(crate) entries: Vec<Said>,
    /// So many may be seen.
    pub(crate) released: usize,
    /// The first offset that must be held for whoever resumes.
    pub(crate) low: usize,
    /// The offsets of what newcomers are shown.
    pub(crate) latest: Vec<usize>,
    /// What is newest since something was forgotten depends on what is held a moment longer than
    /// it must be.
    pub(crate) uncertain: bool,
}

impl Log {
    pub(crate) fn new(rule: Arc<MemoryRule>) -> Log {
        Log {
            rule,
            epoch: None,
            entries: vec![],
            released: 0,
            low: 1,
            latest: vec![],
            uncertain: false,
        }
    }

    pub(crate) fn at(&self, offset: usize) -> &Said {
        &self.entries[offset - 1]
    }

    pub(crate) fn push(&mut self, said: Said) {
        if self.entries.is_empty() {
            // Nobody is told of a numbering in which nothing is.
            self.epoch = None;
        }
        self.entries.push(said);
    }

    /// The truth after so many entries.
    pub(crate) fn truth(&self, upto: usize) -> Option<usize> {
        let about = |said: &Said| matches!(said.kind, EntryKind::Truth | EntryKind::Deleted);
        let newest = self.entries[..upto].iter().rposition(about)? + 1;
        Some(newest).filter(|at| self.at(*at).kind == EntryKind::Truth)
    }

    pub(crate) fn release(&mut self, upto: usize, now: u64) {
        while self.released < upto {
            self.released += 1;
            self.take_in(self.released);
        }
        self.trim(now);
    }

    fn take_in(&mut self, at: usize) {
        let Said { kind, event, .. } = self.at(at).clone();
        let one = matches!(self.rule.replay, Replay::Latest | Replay::All);
        match kind {
            EntryKind::Event if one => {
                self.latest = vec![at];
                self.uncertain = false;
            }
            EntryKind::Event if self.rule.replay == Replay::LatestPerEvent => {
                let entries = &self.entries;
                self.latest.retain(|old| entries[old - 1].event != event);
                self.latest.push(at);
                let over = self.latest.len().saturating_sub(self.rule.names);
                self.latest.drain(..over);
            }
            EntryKind::Forgotten => {
                for said in &mut self.entries[..at - 1] {
                    said.forgotten |= said.kind == EntryKind::Event && said.event == event;
                }
                let entries = &self.entries;
                self.latest.retain(|old| entries[old - 1].event != event);
                self.uncover(at);
            }
            _ => {}
        }
    }

    /// What was forgotten shows what was published before it, as far as that is held.
    fn uncover(&mut self, before: usize) {
        let room = match self.rule.replay {
            Replay::None => 0,
            Replay::Latest | Replay::All => 1,
            Replay::LatestPerEvent => self.rule.names,
        };
        for at in (self.low..before).rev() {
            let said = &self.entries[at - 1];
            let is_live = said.kind == EntryKind::Event && !said.forgotten;
            let is_shown = self.latest.iter().any(|old| self.entries[old - 1].event == said.event);
            if is_live && !is_shown && self.latest.len() < room {
                self.uncertain = true;
                self.latest.push(at);
            }
        }
        self.latest.sort_unstable();
    }

    pub(crate) fn trim(&mut self, now: u64) {
        let age = self.rule.age.as_millis() as u64;
        let latest_age = self.rule.latest_age.as_millis() as u64;
        while self.low <= self.released {
            let many = self.released + 1 - self.low > self.rule.events;
            if !many && self.at(self.low).time + age > now {
                break;
            }
            self.low += 1;
        }
        let entries = &self.entries;
        self.latest.retain(|at| entries[at - 1].time + latest_age > now);
    }

    /// A server starts on a disk that has these offsets of it, up to that head.
    pub(crate) fn restart(&mut self, head: usize, held: &[usize], now: u64) {
        if self.rule.durability == Durability::Off || head == 0 {
            *self = Log::new(Arc::clone(&self.rule));
            return;
        }
        assert!(head <= self.entries.len(), "a log that was never so long");
        self.entries.truncate(head);
        // What was forgotten by something that is lost is there again.
        let forgets: Vec<(usize, String)> = (self.entries.iter().zip(1..))
            .filter(|(said, _)| said.kind == EntryKind::Forgotten)
            .map(|(said, at)| (at, said.event.clone()))
            .collect();
        for (said, at) in self.entries.iter_mut().zip(1..) {
            said.forgotten = said.kind == EntryKind::Event
                && forgets.iter().any(|(by, event)| *by > at && *event == said.event);
        }
        self.released = head;
        self.low = head + 1;
        while held.contains(&(self.low - 1)) {
            self.low -= 1;
        }
        let low = self.low;
        self.latest.clear();
        for at in held {
            // What is forgotten may be gone from the disk, or not yet.
            if !self.at(*at).forgotten || self.at(*at).kind != EntryKind::Event {
                self.low = 1;
                self.take_in(*at);
            }
        }
        self.low = low;
        // What was forgotten may have pushed another out, before or after it went from the disk.
        self.uncertain |= self.entries.iter().any(|said| said.forgotten);
        self.trim(now);
    }

    /// What a newcomer is shown: offsets, and whether there is anything to see.
    pub(crate) fn view(&self, speaks: Speaks) -> Vec<(usize, bool)> {
        let mut view: Vec<(usize, bool)> = self.latest.iter().map(|at| (*at, true)).collect();
        view.extend(self.truth(self.released).map(|at| (at, true)));
        if self.rule.replay == Replay::All {
            let ring =
                (self.low..=self.released).filter(|at| self.at(*at).kind == EntryKind::Event);
            view.extend(ring.map(|at| (at, !self.at(at).forgotten)));
        }
        view.retain(|(_, there)| *there || speaks == Speaks::Oyez);
        view.sort_unstable();
        view.dedup();
        view
    }

    /// Whether somebody can go on from there: everything after it is held, and nothing before it
    /// was lost.
    pub(crate) fn resumes(&self, epoch: &str, term: Term, offset: usize, terms: &[Term]) -> bool {
        let Some(asked) = terms.iter().position(|one| *one == term) else { return false };
        let place = |said: &Said| terms.iter().position(|one| *one == said.term);
        let seen = &self.entries[..self.released];
        let end = seen.iter().take_while(|said| place(said).is_none_or(|at| at <= asked)).count();
        self.epoch.as_deref() == Some(epoch)
            && offset <= end
            && offset + 1 >= self.low.min(self.released + 1)
    }
}
