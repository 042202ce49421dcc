// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Redb`]: the journal on this machine's disk, `journal.redb` in the data folder.
//!
//! One transaction and one sync per commit. redb writes pages aside and then flips a checksummed
//! root: after a power cut the last root whose whole tree is on disk counts, so a commit is there
//! as a whole or not at all, without repair by hand.

use std::path::{Path, PathBuf};

use ::redb::{Builder, Database, StorageBackend};
use oyez_core::{Append, Recovered, Timestamp};
use oyez_protocol::position::Term;

use crate::apps::Apps;
use crate::changes::Changes;
use crate::error::{JournalError, OpenError};
use crate::folder::Folder;
use crate::journal::Journal;
use crate::recover::{Problem, recover};

/// Memory for the file's pages, in bytes. What is remembered lives in the homes; here it only has
/// to hold the pages that one commit touches.
const CACHE_BYTES: usize = 2 * 1024 * 1024;

/// A journal in a file.
pub struct Redb {
    database: Database,
    apps: Apps,
    state: State,
    path: PathBuf,
    /// Of `path`; `None` when the journal is kept somewhere else than in a file.
    folder: Option<Folder>,
    value: Vec<u8>,
    name: Vec<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Alive,
    Dead,
}

impl Redb {
    /// Opens the journal in that data folder, makes both if they are not there, and begins
    /// `new_term` durably. `apps` are the ids of this run's apps in the order of their
    /// [`AppIndex`](oyez_core::AppIndex); stored times after `now` count as `now`.
    ///
    /// # Errors
    /// The folder is in use, or may not be written; the file is of another format, of somebody
    /// else, or damaged. Nothing of what it holds was changed then.
    pub fn open<S: AsRef<str>>(
        dir: &Path,
        apps: &[S],
        now: Timestamp,
        new_term: Term,
    ) -> Result<(Redb, Recovered), OpenError> {
        let builder = builder();
        let folder = Folder::take(dir, &builder)?;
        let path = folder.file().to_owned();
        let database = builder.open(&path);
        let database = database.map_err(|error| OpenError::redb(&path, error.into()))?;
        Redb::start(database, apps, now, new_term, path, Some(folder))
    }

    /// The same in storage that is not a file; `name` stands for the path in errors.
    ///
    /// # Errors
    /// As [`Redb::open`]; what the storage itself fails with is [`OpenError::Io`].
    pub fn open_backend<S: AsRef<str>>(
        backend: impl StorageBackend,
        name: &str,
        apps: &[S],
        now: Timestamp,
        new_term: Term,
    ) -> Result<(Redb, Recovered), OpenError> {
        let path = PathBuf::from(name);
        let database = builder().create_with_backend(backend);
        let database = database.map_err(|error| OpenError::redb(&path, error.into()))?;
        Redb::start(database, apps, now, new_term, path, None)
    }

    fn start<S: AsRef<str>>(
        database: Database,
        apps: &[S],
        now: Timestamp,
        new_term: Term,
        path: PathBuf,
        folder: Option<Folder>,
    ) -> Result<(Redb, Recovered), OpenError> {
        let apps = Apps::new(apps);
        let recovered = recover(&database, &apps, now, new_term);
        let recovered = recovered.map_err(|problem| problem.at(&path))?;
        let (value, name) = (Vec::new(), Vec::new());
        Ok((Redb { database, apps, state: State::Alive, path, folder, value, name }, recovered))
    }

    fn try_commit(&mut self, appends: &[Append]) -> Result<(), Problem> {
        // As durable as it gets is redb's default: written and synced when `commit` returns.
        let write = self.database.begin_write()?;
        Changes::of(appends).write(&write, &self.apps, &mut self.name, &mut self.value)?;
        write.commit()?;
        Ok(())
    }
}

/// Options of the file. The whole file is checked when it is opened: it is read then anyway, and
/// damage becomes an error instead of wrong data.
fn builder() -> Builder {
    let mut builder = Builder::new();
    builder.set_cache_size(CACHE_BYTES).set_check_integrity_on_open(true);
    builder
}

impl Journal for Redb {
    fn commit(&mut self, appends: &[Append]) -> Result<(), JournalError> {
        if self.state == State::Dead {
            return Err(JournalError::Dead);
        }
        if appends.iter().all(|append| append.records.is_empty()) {
            return Ok(());
        }
        self.try_commit(appends).map_err(|problem| {
            // redb touches its storage no more after an error of it, not even when it is dropped.
            self.state = State::Dead;
            JournalError::Failed { path: self.path.clone(), reason: problem.reason() }
        })
    }

    fn bytes(&self) -> u64 {
        let Some(folder) = &self.folder else { return 0 };
        std::fs::metadata(folder.file()).map_or(0, |data| data.len())
    }
}
