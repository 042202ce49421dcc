// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`OpenError`] and [`JournalError`]: what went wrong, with what file, and what to do about it.

use std::io;
use std::path::{Path, PathBuf};

/// Why a journal could not be opened. Nothing that it held was changed.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Somebody has it open: another process, or this one.
    #[error(
        "{} is in use by another server: give each server a data_dir of its own, or stop the other \
         one first",
        path.display()
    )]
    InUse {
        /// The file.
        path: PathBuf,
    },
    /// The file is of another version of Oyez.
    #[error(
        "{} has the journal format {found}, and this version of Oyez reads format {known}: start \
         the version of Oyez that wrote it, or give this one another data_dir. The file was left \
         as it is",
        path.display()
    )]
    Format {
        /// The file.
        path: PathBuf,
        /// The format that stands in it.
        found: String,
        /// The format that this version knows.
        known: u32,
    },
    /// The file is something else.
    #[error(
        "{} is not a journal of Oyez ({reason}): move it away, or give another data_dir",
        path.display()
    )]
    Foreign {
        /// The file.
        path: PathBuf,
        /// How one can tell.
        reason: String,
    },
    /// The file was a journal, and something has altered it.
    #[error(
        "{} is damaged ({reason}): restore data_dir from a backup; or move the file away, and \
         what channels remembered is lost",
        path.display()
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Where, and what was found there.
        reason: String,
    },
    /// The file system does not let us.
    #[error(
        "{} may not be read or written: give the user that runs Oyez the folder and its files",
        path.display()
    )]
    Permission {
        /// The folder or the file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Reading or writing failed.
    #[error("{} cannot be read or written ({reason})", path.display())]
    Io {
        /// The folder or the file.
        path: PathBuf,
        /// What failed.
        reason: String,
    },
}

/// Why appends could not be made durable.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JournalError {
    /// A commit failed now.
    #[error(
        "{} could not be written ({reason}): nothing is accepted as durable any more. See to the \
         disk, then start the server again",
        path.display()
    )]
    Failed {
        /// The file.
        path: PathBuf,
        /// What failed.
        reason: String,
    },
    /// A commit failed earlier.
    #[error("the journal failed before, and is not tried again")]
    Dead,
}

impl OpenError {
    /// The error of a system call on that path.
    pub(crate) fn io(path: &Path, source: io::Error) -> OpenError {
        let path = path.to_owned();
        match source.kind() {
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                OpenError::Permission { path, source }
            }
            _ => OpenError::Io { path, reason: source.to_string() },
        }
    }

    /// What redb said about that file.
    pub(crate) fn redb(path: &Path, error: redb::Error) -> OpenError {
        let path_buf = path.to_owned();
        match error {
            redb::Error::DatabaseAlreadyOpen => OpenError::InUse { path: path_buf },
            // How redb names a file that does not begin like one of its own.
            redb::Error::Io(source) if source.kind() == io::ErrorKind::InvalidData => {
                OpenError::Foreign { path: path_buf, reason: source.to_string() }
            }
            redb::Error::Io(source) => OpenError::io(path, source),
            error @ (redb::Error::UpgradeRequired(_)
            | redb::Error::TableTypeMismatch { .. }
            | redb::Error::TypeDefinitionChanged { .. }
            | redb::Error::TableIsMultimap(_)) => {
                OpenError::Foreign { path: path_buf, reason: error.to_string() }
            }
            redb::Error::Corrupted(reason) => OpenError::Damaged { path: path_buf, reason },
            error => OpenError::Io { path: path_buf, reason: error.to_string() },
        }
    }
}
