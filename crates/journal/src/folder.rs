// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Folder`]: the journal's place in the data folder, held by one server at a time.
//!
//! `journal.lock` is locked as long as the folder is held. `journal.redb` comes to be by renaming
//! a finished file: being killed in the middle of making it leaves nothing that must be repaired.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use redb::Builder;

use crate::error::OpenError;

const FILE: &str = "journal.redb";
const UNFINISHED: &str = "journal.redb.new";
const LOCK: &str = "journal.lock";

/// A data folder that is ours until this is dropped.
#[derive(Debug)]
pub(crate) struct Folder {
    file: PathBuf,
    _lock: File,
}

impl Folder {
    /// Makes the folder and the journal's file if they are not there, and takes them.
    pub(crate) fn take(dir: &Path, builder: &Builder) -> Result<Folder, OpenError> {
        if !dir.is_dir() {
            std::fs::create_dir_all(dir).map_err(|error| OpenError::io(dir, error))?;
            dir.parent().map_or(Ok(()), sync)?;
        }
        let file = dir.join(FILE);
        let lock = lock(&dir.join(LOCK), &file)?;
        if file.try_exists().map_err(|error| OpenError::io(&file, error))? {
            forget_cached(&file).map_err(|error| OpenError::io(&file, error))?;
        } else {
            make(dir, &file, builder)?;
        }
        Ok(Folder { file, _lock: lock })
    }

    /// The journal's file.
    pub(crate) fn file(&self) -> &Path {
        &self.file
    }
}

fn lock(path: &Path, file: &Path) -> Result<File, OpenError> {
    let lock = OpenOptions::new().create(true).truncate(false).write(true).open(path);
    let lock = lock.map_err(|error| OpenError::io(path, error))?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(OpenError::InUse { path: file.to_owned() }),
        // A file system without locks; redb's own lock of the file is tried as well.
        Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => Ok(lock),
        Err(TryLockError::Error(error)) => Err(OpenError::io(path, error)),
    }
}

fn make(dir: &Path, file: &Path, builder: &Builder) -> Result<(), OpenError> {
    let unfinished = dir.join(UNFINISHED);
    match std::fs::remove_file(&unfinished) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(OpenError::io(&unfinished, error));
        }
        _ => {}
    }
    let made = builder.create(&unfinished).and_then(redb::Database::close);
    made.map_err(|error| OpenError::redb(&unfinished, error.into()))?;
    std::fs::rename(&unfinished, file).map_err(|error| OpenError::io(file, error))?;
    sync(dir)
}

/// Makes what is read next come from the disk. After a sync that failed, the system takes the
/// pages for clean: it goes on showing them, and never writes them. A start after such a failure
/// would build on what the disk does not have.
#[cfg(target_os = "linux")]
fn forget_cached(file: &Path) -> io::Result<()> {
    let file = File::open(file)?;
    file.sync_data()?;
    rustix::fs::fadvise(&file, 0, None, rustix::fs::Advice::DontNeed)?;
    Ok(())
}

/// Other systems have no way to say it.
#[cfg(not(target_os = "linux"))]
fn forget_cached(_: &Path) -> io::Result<()> {
    Ok(())
}

/// Makes names in a folder durable.
#[cfg(unix)]
fn sync(dir: &Path) -> Result<(), OpenError> {
    // The parent of a relative path of one part.
    let dir = if dir.as_os_str().is_empty() { Path::new(".") } else { dir };
    File::open(dir).and_then(|dir| dir.sync_all()).map_err(|error| OpenError::io(dir, error))
}

#[cfg(not(unix))]
fn sync(_: &Path) -> Result<(), OpenError> {
    Ok(())
}
