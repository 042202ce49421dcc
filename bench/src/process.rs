// SPDX-License-Identifier: MIT OR Apache-2.0
//! A server under test: a child process, what it costs, and its end. It is killed when dropped,
//! and by the kernel when the bench itself dies. What it prints goes to a file, whose last lines
//! are shown when it fails.

use crate::trouble::Trouble;
use nix::sys::signal::Signal;
use nix::time::ClockId;
use nix::unistd::Pid;
use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// How long a server may take until it listens.
const START_LIMIT: Duration = Duration::from_secs(30);

/// How variables begin that would set what a server under test does.
const OF_SERVERS: [&str; 2] = ["OYEZ_", "LOBBY_"];

/// The name of the bench's own hidden command that [`replace_by`] serves.
pub(crate) const EXEC_COMMAND: &str = "exec";

/// Ports of servers come from below the range that the kernel gives to outgoing connections, so
/// that no subscriber can be sitting on one.
const FIRST_PORT: u16 = 21_000;
const LAST_PORT: u16 = 31_999;

/// A running server.
pub(crate) struct Server {
    child: Child,
    address: SocketAddr,
    log: PathBuf,
}

impl Server {
    /// Starts `program`, which must listen on `address`, and waits until it does.
    pub(crate) fn start(
        program: &Program,
        address: SocketAddr,
        log: PathBuf,
    ) -> Result<Self, Trouble> {
        let mut file = File::options();
        let output = file.create(true).append(true).open(&log);
        let output = output.map_err(Trouble::io("creating a log file"))?;
        let bench = std::env::current_exe().map_err(Trouble::io("finding the bench itself"))?;
        let mut command = Command::new(bench);
        command.arg(EXEC_COMMAND).arg("--").arg(&program.path).args(&program.arguments);
        for (name, _) in std::env::vars_os() {
            if OF_SERVERS.iter().any(|prefix| name.to_string_lossy().starts_with(prefix)) {
                command.env_remove(name);
            }
        }
        command.envs(program.environment.iter().map(|(name, value)| (name, value)));
        command.current_dir(&program.directory).stdin(Stdio::null());
        command.stderr(output.try_clone().map_err(Trouble::io("sharing a log file"))?);
        let child = command.stdout(output).spawn().map_err(Trouble::io("starting a server"))?;
        let mut server = Self { child, address, log };
        let begin = Instant::now();
        while TcpStream::connect(address).is_err() {
            if let Some(end) = server.ended() {
                return Err(end);
            }
            if begin.elapsed() > START_LIMIT {
                let limit = START_LIMIT.as_secs();
                return Err(server.said(&format!("does not listen after {limit} s")));
            }
            thread::sleep(Duration::from_millis(5));
        }
        Ok(server)
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// CPU time of all its threads since it started, those that ended included, user and kernel.
    pub(crate) fn cpu_time(&self) -> Result<Duration, Trouble> {
        ClockId::pid_cpu_clock_id(self.pid())
            .and_then(ClockId::now)
            .map(Duration::from)
            .map_err(|error| Trouble::io("reading a server's CPU clock")(error.into()))
    }

    /// Its resident memory in bytes.
    pub(crate) fn resident(&self) -> Result<u64, Trouble> {
        let path = format!("/proc/{}/smaps_rollup", self.pid());
        let text = fs::read_to_string(path).map_err(Trouble::io("reading a server's memory"))?;
        kilobytes(&text, "Rss:")
            .map(|kilobytes| kilobytes * 1024)
            .ok_or_else(|| Trouble::Server("smaps_rollup names no Rss".to_owned()))
    }

    /// `kill -9`, and waits until it is gone.
    pub(crate) fn kill(&mut self) {
        // Both fail only when the child is gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Bytes that it has made the disk write, since it started.
    pub(crate) fn written(&self) -> Result<u64, Trouble> {
        let path = format!("/proc/{}/io", self.pid());
        let text = fs::read_to_string(path).map_err(Trouble::io("reading what a server wrote"))?;
        let line = text.lines().find_map(|line| line.strip_prefix("write_bytes:"));
        line.and_then(|number| number.trim().parse().ok())
            .ok_or_else(|| Trouble::Server("io names no write_bytes".to_owned()))
    }

    /// When the server is gone, how: a better story than the broken connection that showed it.
    pub(crate) fn ended(&mut self) -> Option<Trouble> {
        let status = self.child.try_wait().ok()??;
        Some(self.said(&format!("ended ({status})")))
    }

    /// What happened, with what the server said about it: the line with an error, or the last.
    fn said(&self, what: &str) -> Trouble {
        let text = fs::read_to_string(&self.log).unwrap_or_default();
        let complains = |line: &&str| line.contains("rror") || line.contains("panicked");
        let line = text.lines().find(complains).or(text.lines().last()).unwrap_or("nothing");
        Trouble::Server(format!("the server {what}; it said: {}", line.trim()))
    }

    fn pid(&self) -> Pid {
        Pid::from_raw(self.child.id().cast_signed())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

/// What to run.
#[derive(Debug, Clone)]
pub(crate) struct Program {
    /// The executable.
    pub(crate) path: PathBuf,
    /// Its arguments.
    pub(crate) arguments: Vec<String>,
    /// Variables beside those of the bench.
    pub(crate) environment: Vec<(&'static str, String)>,
    /// Where it runs.
    pub(crate) directory: PathBuf,
}

/// The hidden command: ties this process to its parent's life and becomes `command`. Done here
/// and not between fork and exec because there it could not be safe code. Returns only to fail.
pub(crate) fn replace_by(command: &[String]) -> std::io::Error {
    let Some((program, arguments)) = command.split_first() else {
        return std::io::ErrorKind::InvalidInput.into();
    };
    if let Err(error) = nix::sys::prctl::set_pdeathsig(Signal::SIGKILL) {
        return error.into();
    }
    Command::new(program).args(arguments).exec()
}

/// A loopback address on which nobody listens.
pub(crate) fn free_address() -> Result<SocketAddr, Trouble> {
    static NEXT: AtomicU16 = AtomicU16::new(FIRST_PORT);
    loop {
        let port = NEXT.fetch_add(1, Ordering::Relaxed);
        if port > LAST_PORT {
            return Err(Trouble::Server("no free port is left".to_owned()));
        }
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        if TcpListener::bind(address).is_ok() {
            return Ok(address);
        }
    }
}

/// The number after `name` in text of the form `Rss:    1234 kB`.
fn kilobytes(text: &str, name: &str) -> Option<u64> {
    let rest = text.lines().find_map(|line| line.strip_prefix(name))?;
    rest.trim().strip_suffix("kB")?.trim_end().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resident_memory_is_read_from_a_rollup() {
        let text = "5581-7fff ---p 00000000 00:00 0    [rollup]\n\
                    Rss:                2264 kB\nPss:                 123 kB\n\
                    Pss_Dirty:           100 kB\n";
        assert_eq!(kilobytes(text, "Rss:"), Some(2264));
        assert_eq!(kilobytes(text, "Pss:"), Some(123));
        assert_eq!(kilobytes(text, "Swap:"), None);
        assert_eq!(kilobytes("Rss: many kB", "Rss:"), None);
    }

    #[test]
    fn free_addresses_are_distinct() {
        assert_ne!(free_address().unwrap(), free_address().unwrap());
    }
}
