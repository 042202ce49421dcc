// SPDX-License-Identifier: MIT OR Apache-2.0
//! The yardstick of durable publishes: a file that is there already, `pwrite`, `fdatasync`, and
//! nothing else. No journal on this disk can be faster.

use crate::scenarios::micros;
use crate::trouble::Trouble;
use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Length of the file in bytes. Blocks of it are written again when its end is reached.
const LENGTH: u64 = 64 * 1024 * 1024;

/// A preallocated file. It goes with the value.
pub(crate) struct Disk {
    file: File,
    path: PathBuf,
    at: u64,
}

/// What a loop did.
pub(crate) struct Synced {
    /// Events per second.
    pub(crate) rate: f64,
    /// How long each write and its sync took, microseconds, in rising order.
    pub(crate) micros: Vec<u32>,
}

impl Disk {
    /// Preallocates a file in that folder.
    pub(crate) fn new(folder: &Path) -> Result<Self, Trouble> {
        let path = folder.join("raw");
        let fill = || {
            let mut file = File::create(&path)?;
            let block = vec![1; 1024 * 1024];
            (0..LENGTH / block.len() as u64).try_for_each(|_| file.write_all(&block))?;
            file.sync_all()?;
            Ok(file)
        };
        let file = fill().map_err(Trouble::io("preallocating a file"))?;
        Ok(Self { file, path, at: 0 })
    }

    /// Writes `events` events of so many bytes and syncs them together, over and over for some
    /// time.
    pub(crate) fn sync(
        &mut self,
        events: u16,
        bytes: usize,
        time: Duration,
    ) -> Result<Synced, Trouble> {
        let block = vec![7; usize::from(events) * bytes];
        let (begin, mut all) = (Instant::now(), Vec::new());
        while begin.elapsed() < time {
            let begin = Instant::now();
            if self.at + block.len() as u64 > LENGTH {
                self.at = 0;
            }
            self.file.write_all_at(&block, self.at).map_err(Trouble::io("writing a block"))?;
            self.file.sync_data().map_err(Trouble::io("syncing a block"))?;
            self.at += block.len() as u64;
            all.push(micros(begin.elapsed()) as u32);
        }
        let rate = all.len() as f64 * f64::from(events) / begin.elapsed().as_secs_f64();
        all.sort_unstable();
        Ok(Synced { rate, micros: all })
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // The folder is emptied at the next run anyway.
        let _ = fs::remove_file(&self.path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loop_counts_every_event_of_every_sync() {
        let folder = std::env::temp_dir().join(format!("oyez-bench-disk-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let mut disk = Disk::new(&folder).unwrap();
        let begin = Instant::now();
        let synced = disk.sync(3, 512, Duration::from_millis(30)).unwrap();
        let counted = synced.rate * begin.elapsed().as_secs_f64() / 3.0;
        assert!(synced.micros.len() as f64 <= counted + 1.0, "{counted}");
        assert!(synced.micros.is_sorted() && !synced.micros.is_empty());
        drop(disk);
        fs::remove_dir(&folder).unwrap();
    }
}
