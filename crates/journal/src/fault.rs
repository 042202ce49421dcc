// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Disk`]: a disk in memory under [`Redb::open_backend`](crate::Redb::open_backend) that kills
//! its process at any call, loses power, runs full, or fails. For tests only.
//!
//! It keeps what a sync has made durable apart from what was only written. It is as unkind as real
//! ones are: at a power cut any part of what was not synced may be there, and what a failed sync
//! left behind is never written by a later one.

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard};

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use redb::StorageBackend;

/// What a disk writes as a whole, in bytes.
const SECTOR: u64 = 512;

/// A disk. Clones are the same disk.
#[derive(Clone, Debug, Default)]
pub struct Disk(Arc<Mutex<State>>);

/// What happens at the chosen call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The process ends before the call: this and every later call do nothing.
    Kill,
    /// The process ends within the call: a write is done in part.
    KillWithin,
    /// The call fails with ENOSPC, once; a write is done in part.
    NoSpace,
    /// The call fails with EIO, once; what a sync was to write never will be.
    Io,
}

/// How often a disk was called.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Calls {
    /// Writes.
    pub writes: u64,
    /// Changes of the length.
    pub lengths: u64,
    /// Syncs.
    pub syncs: u64,
}

impl Calls {
    /// All of them: the boundaries at which a process can end.
    pub fn total(self) -> u64 {
        self.writes + self.lengths + self.syncs
    }
}

#[derive(Clone, Debug, Default)]
struct State {
    /// What would survive a power cut for certain.
    durable: Vec<u8>,
    /// What the process reads.
    seen: Vec<u8>,
    /// What a sync has still to make durable.
    unsynced: VecDeque<Change>,
    calls: Calls,
    /// At which call.
    fault: Option<(u64, Fault)>,
    /// Which process is the living one; handles of others do nothing.
    process: u64,
}

#[derive(Clone, Debug)]
enum Change {
    Write { offset: u64, data: Vec<u8> },
    Length(u64),
}

impl Disk {
    /// An empty one.
    pub fn new() -> Disk {
        Disk::default()
    }

    /// Another disk with the same content.
    pub fn copy(&self) -> Disk {
        Disk(Arc::new(Mutex::new(self.state().clone())))
    }

    /// A handle for the process that lives now.
    pub fn backend(&self) -> impl StorageBackend + use<> {
        Handle { disk: self.clone(), process: self.state().process }
    }

    /// How often the process that lives now has called.
    pub fn calls(&self) -> Calls {
        self.state().calls
    }

    /// How long it is, in bytes.
    #[allow(clippy::len_without_is_empty, reason = "nobody asks whether a disk is empty")]
    pub fn len(&self) -> usize {
        self.state().seen.len()
    }

    /// Lets that happen at the `call`-th call of the process that lives now, counted from 1.
    pub fn fault_at(&self, call: u64, fault: Fault) {
        self.state().fault = Some((call, fault));
    }

    /// The process ends as by `kill -9`, and another one can begin. What was written is there, but
    /// is not more durable than before. What a failed sync left in the system's cache is gone,
    /// since a journal has it dropped when it opens its file.
    pub fn kill(&self) {
        let mut state = self.state();
        let State { durable, seen, unsynced, .. } = &mut *state;
        seen.clone_from(durable);
        unsynced.iter().for_each(|change| change.apply(seen));
        state.begin_process();
    }

    /// The power goes, and another process can begin. What was synced is there, and of the rest
    /// any part that `seed` chooses: all, none, some writes, some sectors, half of a sector.
    pub fn cut_power(&self, seed: u64) {
        let mut rng = StdRng::seed_from_u64(seed);
        let mut state = self.state();
        let changes = std::mem::take(&mut state.unsynced);
        let kept_of_8 = [0, 2, 4, 6, 8][rng.random_range(0..5)];
        let mut kept = Vec::new();
        for change in changes {
            change.pieces(&mut kept, |_| rng.random_range(0..8) < kept_of_8);
        }
        if let Some(Change::Write { data, .. }) = kept.last_mut() {
            data.truncate(rng.random_range(0..=data.len()));
        }
        kept.iter().for_each(|change| change.apply(&mut state.durable));
        state.seen = state.durable.clone();
        state.begin_process();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().expect("nothing panics while it is locked")
    }
}

impl State {
    fn begin_process(&mut self) {
        self.calls = Calls::default();
        self.fault = None;
        self.process += 1;
    }

    /// Whether the call that was just counted is the chosen one.
    fn fault(&mut self) -> Option<Fault> {
        let (_, fault) = self.fault.filter(|(call, _)| *call == self.calls.total())?;
        self.fault = None;
        if matches!(fault, Fault::Kill | Fault::KillWithin) {
            self.process += 1;
        }
        Some(fault)
    }

    fn change(&mut self, change: Change) {
        change.apply(&mut self.seen);
        self.unsynced.push_back(change);
    }

    fn write(&mut self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.calls.writes += 1;
        let fault = self.fault();
        let length = match fault {
            None => data.len(),
            Some(Fault::KillWithin | Fault::NoSpace) => data.len() / 2,
            Some(Fault::Kill | Fault::Io) => 0,
        };
        if length > 0 {
            self.change(Change::Write { offset, data: data[..length].to_vec() });
        }
        fault.map_or(Ok(()), |fault| Err(error(fault)))
    }

    fn set_len(&mut self, length: u64) -> io::Result<()> {
        self.calls.lengths += 1;
        if let Some(fault) = self.fault() {
            return Err(error(fault));
        }
        self.change(Change::Length(length));
        Ok(())
    }

    fn sync(&mut self) -> io::Result<()> {
        self.calls.syncs += 1;
        match self.fault() {
            None => {
                let State { durable, unsynced, .. } = self;
                unsynced.drain(..).for_each(|change| change.apply(durable));
                Ok(())
            }
            Some(fault @ (Fault::Io | Fault::NoSpace)) => {
                // The system takes the pages for clean now.
                self.unsynced.clear();
                Err(error(fault))
            }
            Some(fault @ (Fault::Kill | Fault::KillWithin)) => Err(error(fault)),
        }
    }
}

impl Change {
    fn apply(&self, to: &mut Vec<u8>) {
        match self {
            Change::Length(length) => to.resize(index(*length), 0),
            Change::Write { offset, data } => {
                let (start, end) = (index(*offset), index(*offset) + data.len());
                if to.len() < end {
                    to.resize(end, 0);
                }
                to[start..end].copy_from_slice(data);
            }
        }
    }

    /// Adds the sectors of it that are kept.
    fn pieces(self, to: &mut Vec<Change>, mut is_kept: impl FnMut(u64) -> bool) {
        let Change::Write { mut offset, data } = self else {
            to.extend(is_kept(0).then_some(self));
            return;
        };
        let mut rest = &data[..];
        while !rest.is_empty() {
            let here = index(SECTOR - offset % SECTOR).min(rest.len());
            let (piece, others) = rest.split_at(here);
            if is_kept(offset) {
                to.push(Change::Write { offset, data: piece.to_vec() });
            }
            offset += here as u64;
            rest = others;
        }
    }
}

fn index(number: u64) -> usize {
    usize::try_from(number).expect("a disk in memory is small")
}

fn error(fault: Fault) -> io::Error {
    match fault {
        Fault::NoSpace => io::ErrorKind::StorageFull.into(),
        Fault::Io => io::Error::other("the disk failed (EIO)"),
        Fault::Kill | Fault::KillWithin => gone(),
    }
}

fn gone() -> io::Error {
    io::Error::other("this process has ended")
}

/// What one process holds of the disk.
#[derive(Debug)]
struct Handle {
    disk: Disk,
    process: u64,
}

impl Handle {
    fn with<T>(&self, call: impl FnOnce(&mut State) -> io::Result<T>) -> io::Result<T> {
        let mut state = self.disk.state();
        if state.process == self.process { call(&mut state) } else { Err(gone()) }
    }
}

impl StorageBackend for Handle {
    fn len(&self) -> io::Result<u64> {
        self.with(|state| Ok(state.seen.len() as u64))
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.with(|state| {
            let start = index(offset);
            let from = state.seen.get(start..start + out.len());
            out.copy_from_slice(from.ok_or(io::ErrorKind::UnexpectedEof)?);
            Ok(())
        })
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        self.with(|state| state.set_len(length))
    }

    fn sync_data(&self) -> io::Result<()> {
        self.with(State::sync)
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.with(|state| state.write(offset, data))
    }
}
