// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Process`]: the real program, started, stopped, continued, killed and started again.

use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use rustix::process::{Resource, Rlimit, prlimit};
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep, timeout};

use crate::channels::config;

/// How long a start may take.
const START: Duration = Duration::from_secs(30);
/// How long a drain, or the end after a failure, may take.
const STOP: Duration = Duration::from_secs(30);

/// See the module.
#[derive(Debug)]
pub struct Process {
    program: PathBuf,
    folder: PathBuf,
    /// Where it listens, in each of its lives.
    pub address: SocketAddr,
    child: Option<Child>,
}

impl Process {
    /// Starts the program with its files in that folder.
    ///
    /// # Errors
    /// It does not start.
    pub async fn start(program: &Path, folder: &Path) -> Result<Process, String> {
        let address = free_address().map_err(|error| error.to_string())?;
        let text = config(address, &folder.join("data"));
        std::fs::write(folder.join("oyez.toml"), text).map_err(|error| error.to_string())?;
        let (program, folder) = (program.to_owned(), folder.to_owned());
        let mut process = Process { program, folder, address, child: None };
        process.again().await?;
        Ok(process)
    }

    /// The folder with its data.
    pub fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// Starts it once more.
    ///
    /// # Errors
    /// It does not start.
    pub async fn again(&mut self) -> Result<(), String> {
        let mut options = std::fs::OpenOptions::new();
        let log = options.create(true).append(true).open(self.folder.join("log"));
        let log = log.map_err(|error| error.to_string())?;
        // Whoever writes beyond a limit of its file size is to get an error and no signal.
        let mut command = Command::new("sh");
        command.args(["-c", "trap '' XFSZ; exec \"$0\" serve --config \"$1\""]);
        command.arg(&self.program).arg(self.folder.join("oyez.toml"));
        command.stdout(Stdio::null()).stderr(log).kill_on_drop(true);
        let child = command.spawn().map_err(|error| error.to_string())?;
        self.child = Some(child);
        let begun = Instant::now();
        loop {
            if tokio::net::TcpStream::connect(self.address).await.is_ok() {
                return Ok(());
            }
            let child = self.child.as_mut().expect("it was just started");
            if let Ok(Some(status)) = child.try_wait() {
                return Err(format!("the server does not start ({status}): {}", self.log_end()));
            }
            if begun.elapsed() > START {
                return Err(format!("the server does not listen: {}", self.log_end()));
            }
            sleep(Duration::from_millis(5)).await;
        }
    }

    /// The last lines that it logged.
    pub fn log_end(&self) -> String {
        let text = std::fs::read_to_string(self.folder.join("log")).unwrap_or_default();
        let lines: Vec<_> = text.lines().rev().take(5).collect();
        lines.into_iter().rev().collect::<Vec<_>>().join("\n")
    }

    /// Sends a signal.
    pub fn signal(&self, signal: Signal) {
        if let Some(pid) = self.pid() {
            // It fails only if the process has gone already.
            let _ = kill(Pid::from_raw(pid), signal);
        }
    }

    /// `kill -9`, and waits until it is dead.
    pub async fn kill(&mut self) {
        self.signal(Signal::SIGKILL);
        if let Some(mut child) = self.child.take() {
            let _ = child.wait().await;
        }
    }

    /// Waits until it ends by itself.
    ///
    /// # Errors
    /// It does not.
    pub async fn ended(&mut self) -> Result<ExitStatus, String> {
        let mut child = self.child.take().ok_or("it does not run")?;
        match timeout(STOP, child.wait()).await {
            Ok(status) => status.map_err(|error| error.to_string()),
            Err(_) => Err(format!("the server does not end: {}", self.log_end())),
        }
    }

    /// From now on no file of it grows beyond so many bytes.
    ///
    /// # Errors
    /// The system does not let us.
    pub fn limit_files(&self, bytes: u64) -> Result<(), String> {
        let pid = self.pid().and_then(rustix::process::Pid::from_raw).ok_or("it does not run")?;
        let limit = Rlimit { current: Some(bytes), maximum: Some(bytes) };
        prlimit(Some(pid), Resource::Fsize, limit).map(drop).map_err(|error| error.to_string())
    }

    fn pid(&self) -> Option<i32> {
        self.child.as_ref()?.id().and_then(|id| i32::try_from(id).ok())
    }
}

/// An address that nobody listens on.
pub fn free_address() -> std::io::Result<SocketAddr> {
    TcpListener::bind(("127.0.0.1", 0))?.local_addr()
}
