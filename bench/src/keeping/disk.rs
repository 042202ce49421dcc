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

/// What a loop did, in one stretch or in several.
#[derive(Default)]
pub(crate) struct Synced {
    events: u64,
    time: Duration,
    micros: Vec<u32>,
}

impl Synced {
    /// Events per second.
    pub(crate) fn rate(&self) -> f64 {
        self.events as f64 / self.time.as_secs_f64()
    }

    /// How long each write and its sync took, microseconds, in rising order.
    pub(crate) fn into_micros(mut self) -> Vec<u32> {
        self.micros.sort_unstable();
        self.micros
    }
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
    /// time, and adds what it did to `synced`.
    pub(crate) fn sync(
        &mut self,
        (events, bytes): (u16, usize),
        time: Duration,
        synced: &mut Synced,
    ) -> Result<(), Trouble> {
        let block = vec![7; usize::from(events) * bytes];
        let begin = Instant::now();
        while begin.elapsed() < time {
            let begin = Instant::now();
            if self.at + block.len() as u64 > LENGTH {
                self.at = 0;
            }
            self.file.write_all_at(&block, self.at).map_err(Trouble::io("writing a block"))?;
            self.file.sync_data().map_err(Trouble::io("syncing a block"))?;
            self.at += block.len() as u64;
            synced.micros.push(micros(begin.elapsed()) as u32);
            synced.events += u64::from(events);
        }
        synced.time += begin.elapsed();
        Ok(())
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
        let mut synced = Synced::default();
        for _ in 0..2 {
            disk.sync((3, 512), Duration::from_millis(15), &mut synced).unwrap();
        }
        let syncs = synced.micros.len();
        assert!(syncs >= 2 && synced.events == 3 * syncs as u64);
        assert!(synced.rate() <= synced.events as f64 / 0.030);
        let micros = synced.into_micros();
        assert!(micros.is_sorted() && micros.len() == syncs);
        drop(disk);
        fs::remove_dir(&folder).unwrap();
    }
}
