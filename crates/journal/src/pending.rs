// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Pending`]: appends that have come and are not committed, and which of them may go together.
//!
//! What goes is for each home a prefix of what came, and of each call all parts or none. An append
//! whose call lacks parts holds back what its home appended after it, and with that the other
//! parts of those calls; everything else goes without it.

use std::collections::{HashMap, HashSet};
use std::mem;

use oyez_core::{Append, CallId, Record, Urgency, WorkerId};

/// When a commit has enough.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    /// At so many appends.
    pub(crate) appends: usize,
    /// At so many bytes in memory.
    pub(crate) bytes: usize,
}

impl Default for Bounds {
    fn default() -> Bounds {
        Bounds { appends: 1024, bytes: 1024 * 1024 }
    }
}

/// Appends in the order in which they came.
#[derive(Debug)]
pub(crate) struct Pending {
    homes: usize,
    bounds: Bounds,
    batch: Batch,
    /// Of each call that lacks parts, how many.
    lacking: HashMap<CallId, u32>,
}

/// Appends and whose they are.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    pub(crate) from: Vec<WorkerId>,
    pub(crate) appends: Vec<Append>,
    pub(crate) bytes: usize,
}

impl Pending {
    pub(crate) fn new(homes: usize, bounds: Bounds) -> Pending {
        Pending { homes, bounds, batch: Batch::default(), lacking: HashMap::new() }
    }

    pub(crate) fn push(&mut self, home: WorkerId, append: Append) {
        if let Some(part) = append.part {
            let lacking = self.lacking.entry(part.call).or_insert(part.parts);
            *lacking = lacking.saturating_sub(1);
            if *lacking == 0 {
                self.lacking.remove(&part.call);
            }
        }
        self.batch.push(home, append);
    }

    /// Whether what is here is enough for one commit.
    pub(crate) fn is_full(&self) -> bool {
        self.batch.appends.len() >= self.bounds.appends || self.batch.bytes >= self.bounds.bytes
    }

    /// Whether somebody waits for any of it.
    pub(crate) fn is_gated(&self) -> bool {
        self.batch.appends.iter().any(|append| append.urgency == Urgency::Gated)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.batch.is_empty()
    }

    /// Takes everything that may go; what stays waits for parts that have not come.
    pub(crate) fn take_complete(&mut self) -> Batch {
        if self.lacking.is_empty() {
            return mem::take(&mut self.batch);
        }
        let held = self.held();
        let (mut go, mut stay) = (Batch::default(), Batch::default());
        let mut is_blocked = vec![false; self.homes];
        let Batch { from, appends, .. } = mem::take(&mut self.batch);
        for (home, append) in from.into_iter().zip(appends) {
            let blocked = &mut is_blocked[usize::from(home.0)];
            *blocked |= append.part.is_some_and(|part| held.contains(&part.call));
            if *blocked { stay.push(home, append) } else { go.push(home, append) }
        }
        self.batch = stay;
        go
    }

    /// Gives up everything.
    pub(crate) fn clear(&mut self) -> Batch {
        self.lacking.clear();
        mem::take(&mut self.batch)
    }

    /// The calls that cannot go: those that lack parts, and those of which a part comes after a
    /// part of such a call in its home.
    fn held(&self) -> HashSet<CallId> {
        let mut held: HashSet<CallId> = self.lacking.keys().copied().collect();
        loop {
            let before = held.len();
            let mut is_blocked = vec![false; self.homes];
            for (home, append) in self.batch.from.iter().zip(&self.batch.appends) {
                let Some(part) = append.part else { continue };
                let blocked = &mut is_blocked[usize::from(home.0)];
                if *blocked {
                    held.insert(part.call);
                } else {
                    *blocked = held.contains(&part.call);
                }
            }
            if held.len() == before {
                return held;
            }
        }
    }
}

impl Batch {
    fn push(&mut self, home: WorkerId, append: Append) {
        self.bytes += bytes(&append);
        self.from.push(home);
        self.appends.push(append);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.appends.is_empty()
    }
}

/// What an append holds in memory, in bytes.
pub(crate) fn bytes(append: &Append) -> usize {
    let each = |record: &Record| match record {
        Record::Entry { entry, .. } => entry.bytes(),
        Record::Answer { answer, .. } => size_of_val(&**answer) + answer.answer.len(),
        Record::Identity { identity, .. } => {
            size_of_val(&**identity) + size_of_val(identity.lineage.as_slice())
        }
        Record::Remove(_) | Record::Unidentify(_) => 0,
    };
    let records = &append.records;
    size_of::<Append>() + size_of_val(records.as_slice()) + records.iter().map(each).sum::<usize>()
}
