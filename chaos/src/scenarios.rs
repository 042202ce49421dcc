// SPDX-License-Identifier: MIT OR Apache-2.0
//! The scenarios: which faults a server meets while everybody plays.

use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::sys::signal::Signal;
use oyez_journal::fault::Fault;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tokio::time::{Instant, sleep};

use crate::check::{Counts, Verdict, check};
use crate::embedded::Embedded;
use crate::process::Process;
use crate::publisher::Weight;
use crate::troupe::{Evidence, Troupe};

/// A scenario.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scenario {
    /// Nothing happens to the server, and its readers are too slow for what is published.
    SlowReaders,
    /// `kill -9` and start, again and again.
    Kill,
    /// SIGSTOP and SIGCONT; SIGTERM, a drain, and a start.
    Pause,
    /// A data folder on a disk that is full.
    FullDisk,
    /// Yesterday's data folder is restored (T-017).
    Restore,
    /// Power cuts under the server's own code.
    PowerCut,
    /// The process ends at any call of the disk; or a call fails.
    DiskFault,
}

/// How a scenario is played.
#[derive(Clone, Debug)]
pub struct Settings {
    /// From it follows everything that is left to chance.
    pub seed: u64,
    /// How long there is load.
    pub load: Duration,
    /// The real program.
    pub program: PathBuf,
}

/// What a scenario has brought to light.
#[derive(Debug)]
pub struct Outcome {
    /// What was asked, heard and found.
    pub evidence: Evidence,
    /// What is to be said of it.
    pub verdict: Verdict,
}

impl Scenario {
    /// All of them.
    pub const ALL: [Scenario; 7] = [
        Scenario::SlowReaders,
        Scenario::Kill,
        Scenario::Pause,
        Scenario::FullDisk,
        Scenario::Restore,
        Scenario::PowerCut,
        Scenario::DiskFault,
    ];

    /// Its name in arguments.
    pub fn name(self) -> &'static str {
        match self {
            Scenario::SlowReaders => "slow-readers",
            Scenario::Kill => "kill",
            Scenario::Pause => "pause",
            Scenario::FullDisk => "full-disk",
            Scenario::Restore => "restore",
            Scenario::PowerCut => "power-cut",
            Scenario::DiskFault => "disk-fault",
        }
    }

    /// Plays it, and checks what came of it.
    ///
    /// # Errors
    /// It could not be played: a server does not start, the system gives no folder.
    pub async fn play(self, settings: &Settings) -> Result<Outcome, String> {
        let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
        let mut act = Act {
            settings,
            rng: StdRng::seed_from_u64(settings.seed),
            until: Instant::now() + settings.load,
            counts: Counts::default(),
        };
        let evidence = match self {
            Scenario::SlowReaders => act.slow_readers(folder.path()).await?,
            Scenario::Kill => act.kill(folder.path()).await?,
            Scenario::Pause => act.pause(folder.path()).await?,
            Scenario::FullDisk => act.full_disk(folder.path()).await?,
            Scenario::Restore => act.restore(folder.path()).await?,
            Scenario::PowerCut => act.power_cut(folder.path()).await?,
            Scenario::DiskFault => act.disk_fault(folder.path()).await?,
        };
        let mut verdict = check(&evidence);
        verdict.counts.add_all(&act.counts);
        Ok(Outcome { evidence, verdict })
    }
}

/// A scenario that is played.
struct Act<'a> {
    settings: &'a Settings,
    rng: StdRng,
    until: Instant,
    counts: Counts,
}

impl Act<'_> {
    /// Whether there is still load; waits for a while of so many milliseconds.
    async fn goes_on(&mut self, from: u64, to: u64) -> bool {
        sleep(Duration::from_millis(self.rng.random_range(from..to))).await;
        Instant::now() < self.until
    }

    async fn process(&self, folder: &Path) -> Result<(Process, Troupe), String> {
        let process = Process::start(&self.settings.program, folder).await?;
        let troupe = Troupe::enter(process.address, self.settings.seed, Weight::Light);
        Ok((process, troupe))
    }

    async fn slow_readers(&mut self, folder: &Path) -> Result<Evidence, String> {
        let process = Process::start(&self.settings.program, folder).await?;
        let troupe = Troupe::enter(process.address, self.settings.seed, Weight::Heavy);
        sleep(self.settings.load).await;
        Ok(troupe.leave().await)
    }

    async fn kill(&mut self, folder: &Path) -> Result<Evidence, String> {
        let (mut process, troupe) = self.process(folder).await?;
        while self.goes_on(300, 1_500).await {
            process.kill().await;
            self.counts.add("crashes", 1);
            process.again().await?;
        }
        Ok(troupe.leave().await)
    }

    async fn pause(&mut self, folder: &Path) -> Result<Evidence, String> {
        let (mut process, troupe) = self.process(folder).await?;
        let mut problems = Vec::new();
        while self.goes_on(300, 1_500).await {
            if self.rng.random_bool(0.6) {
                process.signal(Signal::SIGSTOP);
                sleep(Duration::from_millis(self.rng.random_range(50..800))).await;
                process.signal(Signal::SIGCONT);
                self.counts.add("stops", 1);
                continue;
            }
            process.signal(Signal::SIGTERM);
            let status = process.ended().await?;
            if !status.success() {
                problems.push(format!("a drain ended with {status}: {}", process.log_end()));
            }
            self.counts.add("drains", 1);
            process.again().await?;
        }
        let mut evidence = troupe.leave().await;
        evidence.server.extend(problems);
        Ok(evidence)
    }

    async fn full_disk(&mut self, folder: &Path) -> Result<Evidence, String> {
        let (mut process, troupe) = self.process(folder).await?;
        let (mut problems, mut restarts) = (Vec::new(), Vec::new());
        while self.goes_on(300, 1_500).await {
            let file = process.data().join("journal.redb");
            let bytes = std::fs::metadata(&file).map_or(0, |data| data.len());
            // Whatever lies behind what was written until now cannot be written any more.
            let limit = bytes - bytes * self.rng.random_range(0..4) / 16;
            process.limit_files(limit)?;
            let status = process.ended().await?;
            if status.success() {
                problems.push(format!("a full disk ended with {status}: {}", process.log_end()));
            }
            self.counts.add("full disks", 1);
            restarts.push(troupe.stage.elapsed());
            process.again().await?;
        }
        let mut evidence = troupe.leave().await;
        evidence.server.extend(problems);
        evidence.restarts = restarts;
        Ok(evidence)
    }

    async fn restore(&mut self, folder: &Path) -> Result<Evidence, String> {
        let (mut process, troupe) = self.process(folder).await?;
        let third = self.settings.load / 3;
        sleep(third).await;
        process.kill().await;
        let backup = folder.join("yesterday");
        copy(&process.data(), &backup)?;
        let from = troupe.stage.elapsed();
        process.again().await?;
        sleep(third).await;
        process.kill().await;
        std::fs::remove_dir_all(process.data()).map_err(|error| error.to_string())?;
        copy(&backup, &process.data())?;
        let to = troupe.stage.elapsed();
        process.again().await?;
        self.counts.add("restored", 1);
        sleep(third).await;
        let mut evidence = troupe.leave().await;
        evidence.thrown_away = Some((from, to));
        Ok(evidence)
    }

    async fn power_cut(&mut self, folder: &Path) -> Result<Evidence, String> {
        let mut server = Embedded::start(folder.to_owned()).await?;
        let troupe = Troupe::enter(server.proxy.address, self.settings.seed, Weight::Light);
        while self.goes_on(200, 1_000).await {
            server.lose();
            server.disk.cut_power(self.rng.random());
            self.counts.add("power cuts", 1);
            server.again()?;
        }
        let evidence = troupe.leave().await;
        server.stop().await?;
        Ok(evidence)
    }

    async fn disk_fault(&mut self, folder: &Path) -> Result<Evidence, String> {
        let mut server = Embedded::start(folder.to_owned()).await?;
        let troupe = Troupe::enter(server.proxy.address, self.settings.seed, Weight::Light);
        let (mut problems, mut restarts) = (Vec::new(), Vec::new());
        while self.goes_on(100, 1_000).await {
            let all = [Fault::Io, Fault::NoSpace, Fault::Kill, Fault::KillWithin];
            let fault = all[self.rng.random_range(0..all.len())];
            let call = server.disk.calls().total() + self.rng.random_range(1..20);
            server.disk.fault_at(call, fault);
            match server.failed().await {
                Ok(_) => self.counts.add(&format!("disk faults {fault:?}"), 1),
                Err(problem) => problems.push(format!("{fault:?}: {problem}")),
            }
            server.proxy.cut();
            restarts.push(troupe.stage.elapsed());
            if self.rng.random_bool(0.5) {
                server.disk.kill();
            } else {
                server.disk.cut_power(self.rng.random());
                self.counts.add("power cuts", 1);
            }
            server.again()?;
        }
        let mut evidence = troupe.leave().await;
        evidence.server.extend(problems);
        evidence.restarts = restarts;
        server.stop().await?;
        Ok(evidence)
    }
}

fn copy(from: &Path, to: &Path) -> Result<(), String> {
    let copy = || -> std::io::Result<()> {
        std::fs::create_dir_all(to)?;
        for entry in std::fs::read_dir(from)? {
            let entry = entry?;
            if entry.file_type()?.is_file() {
                std::fs::copy(entry.path(), to.join(entry.file_name()))?;
            }
        }
        Ok(())
    };
    copy().map_err(|error| format!("{} cannot be copied: {error}", from.display()))
}
