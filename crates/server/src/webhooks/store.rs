// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Store`]: the webhook events that wait, in the data folder's file `webhooks.redb`.
//!
//! A commit is on disk when it returns: whole or not at all, whatever happens to the process or
//! the machine. One process at a time may hold the file; a second one is refused.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use redb::{
    Builder, Database, DatabaseError, ReadableDatabase, ReadableTable, TableDefinition, TableError,
};

use super::queue::Sequence;

/// The file's name in the data folder.
const FILE: &str = "webhooks.redb";

/// Memory for the file's pages: the events themselves wait in memory anyway.
const CACHE_BYTES: usize = 1024 * 1024;

/// By number: the app's id, the receiver's name, the event's JSON. The name carries the version.
const WAITING: TableDefinition<'_, u64, (&str, &str, &str)> = TableDefinition::new("waiting-1");

/// The open file.
pub(super) struct Store {
    path: PathBuf,
    database: Database,
}

/// An event as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stored {
    pub(super) sequence: Sequence,
    pub(super) app_id: String,
    /// [`Destination::name`](super::destination::Destination::name).
    pub(super) receiver: String,
    pub(super) json: Arc<str>,
}

/// One change of the file.
#[derive(Clone, Copy, Debug)]
pub(super) enum Change<'a> {
    /// An event waits.
    Put {
        /// Its app.
        app_id: &'a str,
        /// Where it will go.
        receiver: &'a str,
        /// The event.
        json: &'a str,
    },
    /// It waits no more.
    Delete,
}

/// Why the file could not be used.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another process holds it.
    #[error("{} is in use by another process: give each server a data_dir of its own", path.display())]
    InUse {
        /// The file.
        path: PathBuf,
    },
    /// The folder cannot be made.
    #[error("the data folder {} cannot be made", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It is damaged, or not such a file at all.
    #[error(
        "{} is damaged ({reason}): move it away, and the webhook events that wait in it are lost",
        path.display()
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What was found.
        reason: String,
    },
    /// Reading or writing failed.
    #[error("{} cannot be read or written", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: Box<redb::Error>,
    },
}

/// Makes an empty file under another name first: being killed in the middle of making it must not
/// leave one that is refused.
fn make(builder: &Builder, path: &Path) -> Result<(), StoreError> {
    let unfinished = path.with_extension("redb.new");
    let gone = match std::fs::remove_file(&unfinished) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(redb::Error::Io(error)),
        _ => Ok(()),
    };
    let made = gone.and_then(|()| Ok(builder.create(&unfinished)?.close()?));
    made.map_err(|error| failed(unfinished.clone(), error))?;
    std::fs::rename(&unfinished, path).map_err(|error| failed(path.to_owned(), error.into()))
}

impl Store {
    /// Opens the file in the data folder; makes both when they are not there.
    pub(super) fn open(data_dir: &Path) -> Result<Store, StoreError> {
        std::fs::create_dir_all(data_dir)
            .map_err(|source| StoreError::Folder { path: data_dir.to_owned(), source })?;
        Store::open_file(data_dir.join(FILE))
    }

    fn open_file(path: PathBuf) -> Result<Store, StoreError> {
        // The check reads the whole file, which is small, and turns damage into an error.
        let mut builder = Builder::new();
        builder.set_cache_size(CACHE_BYTES).set_check_integrity_on_open(true);
        if !path.exists() {
            make(&builder, &path)?;
        }
        match builder.create(&path) {
            Ok(database) => Ok(Store { path, database }),
            Err(DatabaseError::DatabaseAlreadyOpen) => Err(StoreError::InUse { path }),
            Err(error) => Err(failed(path, error.into())),
        }
    }

    /// All that waits, oldest first.
    pub(super) fn load(&self) -> Result<Vec<Stored>, StoreError> {
        self.try_load().map_err(|error| failed(self.path.clone(), error))
    }

    fn try_load(&self) -> Result<Vec<Stored>, redb::Error> {
        let read = self.database.begin_read()?;
        let table = match read.open_table(WAITING) {
            Ok(table) => table,
            Err(TableError::TableDoesNotExist(_)) => return Ok(Vec::new()),
            Err(error) => return Err(error.into()),
        };
        let mut all = Vec::new();
        for row in table.iter()? {
            let (sequence, value) = row?;
            let (app_id, receiver, json) = value.value();
            all.push(Stored {
                sequence: Sequence(sequence.value()),
                app_id: app_id.to_owned(),
                receiver: receiver.to_owned(),
                json: json.into(),
            });
        }
        Ok(all)
    }

    /// Writes the changes as one, durably.
    pub(super) fn commit<'a>(
        &self,
        changes: impl IntoIterator<Item = (Sequence, Change<'a>)>,
    ) -> Result<(), StoreError> {
        self.try_commit(changes).map_err(|error| failed(self.path.clone(), error))
    }

    fn try_commit<'a>(
        &self,
        changes: impl IntoIterator<Item = (Sequence, Change<'a>)>,
    ) -> Result<(), redb::Error> {
        let write = self.database.begin_write()?;
        {
            let mut table = write.open_table(WAITING)?;
            for (sequence, change) in changes {
                match change {
                    Change::Put { app_id, receiver, json } => {
                        table.insert(sequence.0, (app_id, receiver, json))?;
                    }
                    Change::Delete => {
                        table.remove(sequence.0)?;
                    }
                }
            }
        }
        write.commit()?;
        Ok(())
    }

    /// Closes the file and opens it anew, after an error that may have left it unusable.
    pub(super) fn reopen(self) -> Result<Store, (PathBuf, StoreError)> {
        let Store { path, database } = self;
        drop(database);
        Store::open_again(path)
    }

    /// Opens the file that was at that path.
    pub(super) fn open_again(path: PathBuf) -> Result<Store, (PathBuf, StoreError)> {
        Store::open_file(path.clone()).map_err(|error| (path, error))
    }
}

fn failed(path: PathBuf, error: redb::Error) -> StoreError {
    match error {
        redb::Error::Corrupted(reason) => StoreError::Damaged { path, reason },
        // What redb says of a file that does not begin like one of its own.
        redb::Error::Io(source) if source.kind() == std::io::ErrorKind::InvalidData => {
            StoreError::Damaged { path, reason: source.to_string() }
        }
        error @ (redb::Error::UpgradeRequired(_) | redb::Error::TableTypeMismatch { .. }) => {
            StoreError::Damaged { path, reason: error.to_string() }
        }
        source => StoreError::Io { path, source: Box::new(source) },
    }
}
