// SPDX-License-Identifier: MIT OR Apache-2.0
//! The machine of a run: what it is, how many files a process may open, and whether it was busy
//! with other things meanwhile, which is what makes figures doubtful.

use nix::sys::resource::{Resource, UsageWho, getrlimit, getrusage, setrlimit};
use nix::sys::time::TimeValLike;
use nix::unistd::{SysconfVar, sysconf};
use std::fs;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

/// Facts that stand beside every table.
#[derive(Debug, Clone)]
pub(crate) struct Machine {
    /// Processors this process may use.
    pub(crate) cores: usize,
    /// The processor's name.
    pub(crate) processor: String,
    /// The kernel's version.
    pub(crate) kernel: String,
    /// The day and minute of the run, UTC.
    pub(crate) date: String,
    /// Files that one process may open.
    pub(crate) files: u64,
}

impl Machine {
    /// Looks around, and raises the limit of open files as far as it goes.
    pub(crate) fn look() -> Self {
        let unknown = || "unknown".to_owned();
        let processor = fs::read_to_string("/proc/cpuinfo").ok().and_then(|text| {
            let line = text.lines().find(|line| line.starts_with("model name"))?;
            Some(line.split_once(':')?.1.trim().to_owned())
        });
        let date = Command::new("date").args(["-u", "+%Y-%m-%d %H:%M UTC"]).output().ok();
        Self {
            cores: thread::available_parallelism().map_or(1, usize::from),
            processor: processor.unwrap_or_else(unknown),
            kernel: fs::read_to_string("/proc/sys/kernel/osrelease")
                .map_or_else(|_| unknown(), |text| text.trim().to_owned()),
            date: date
                .and_then(|output| String::from_utf8(output.stdout).ok())
                .map_or_else(unknown, |text| text.trim().to_owned()),
            files: raise_file_limit(),
        }
    }
}

fn raise_file_limit() -> u64 {
    let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE) else { return 1024 };
    match setrlimit(Resource::RLIMIT_NOFILE, hard, hard) {
        Ok(()) => hard,
        Err(_) => soft,
    }
}

/// Measures what share of the machine others used while it existed.
pub(crate) struct BusyMeter {
    begin: Instant,
    ticks: Ticks,
    ours: Duration,
}

impl BusyMeter {
    /// Starts to measure.
    pub(crate) fn start() -> Self {
        Self { begin: Instant::now(), ticks: Ticks::now(), ours: our_time() }
    }

    /// Percent of the machine's processors that went to processes other than the bench and its
    /// servers, and to the hypervisor's other guests. All servers must have ended.
    pub(crate) fn others(&self, cores: usize) -> (f64, f64) {
        let per_second = sysconf(SysconfVar::CLK_TCK).ok().flatten().unwrap_or(100) as f64;
        let whole = self.begin.elapsed().as_secs_f64() * cores as f64;
        let now = Ticks::now();
        let busy = (now.busy - self.ticks.busy) as f64 / per_second;
        let ours = (our_time() - self.ours).as_secs_f64();
        let stolen = (now.stolen - self.ticks.stolen) as f64 / per_second;
        (100.0 * (busy - ours).max(0.0) / whole, 100.0 * stolen / whole)
    }
}

/// Clock ticks of all processors since boot.
#[derive(Debug, PartialEq, Eq, Default)]
struct Ticks {
    /// Spent in processes, user and kernel.
    busy: u64,
    /// Taken by the hypervisor.
    stolen: u64,
}

impl Ticks {
    fn now() -> Self {
        fs::read_to_string("/proc/stat").ok().as_deref().and_then(Self::parse).unwrap_or_default()
    }

    /// From the first line of `/proc/stat`: user, nice, system, idle, iowait, irq, softirq, steal.
    fn parse(text: &str) -> Option<Self> {
        let line = text.lines().next()?.strip_prefix("cpu ")?;
        let columns: Vec<u64> =
            line.split_ascii_whitespace().map_while(|column| column.parse().ok()).collect();
        Some(Self { busy: columns.get(..3)?.iter().sum(), stolen: *columns.get(7)? })
    }
}

/// CPU time of this process and of the children that ended.
fn our_time() -> Duration {
    let time = |who| {
        getrusage(who).map_or(0, |usage| {
            usage.user_time().num_microseconds() + usage.system_time().num_microseconds()
        })
    };
    let micros = time(UsageWho::RUSAGE_SELF) + time(UsageWho::RUSAGE_CHILDREN);
    Duration::from_micros(micros.unsigned_abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn busy_and_stolen_ticks_are_read_from_proc_stat() {
        let text = "cpu  100 20 3 9999 7 0 50 4 0 0\ncpu0 1 2 3 4 5 6 7 8 0 0\n";
        assert_eq!(Ticks::parse(text), Some(Ticks { busy: 123, stolen: 4 }));
        assert_eq!(Ticks::parse("intr 5"), None);
        assert_eq!(Ticks::parse("cpu  1 2"), None);
    }
}
