// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a data folder is good for when processes die and disks fill up. The other process is this
//! very test program, asked to run one of the functions below.

use std::io::{BufRead, BufReader, Lines};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use super::persistence::{on_disk, until_stored};
use super::receiver::Nobody;
use super::*;
use crate::webhooks::StoreError;

const SOON: Duration = Duration::from_secs(10);
const FOLDER: &str = "OYEZ_TEST_WEBHOOKS_FOLDER";
const URL: &str = "OYEZ_TEST_WEBHOOKS_URL";

/// Another process that holds a folder; killed when dropped.
struct Other {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Other {
    /// Runs a function of this file by a command that ends in the program and its arguments.
    fn start(mut command: Command, function: &str, folder: &Path, url: &str) -> Other {
        let mut child = command
            .args([&format!("process::{function}"), "--nocapture"])
            .env(FOLDER, folder)
            .env(URL, url)
            .stdout(Stdio::piped())
            .spawn()
            .expect("it starts");
        let lines = BufReader::new(child.stdout.take().expect("it is piped")).lines();
        Other { child, lines }
    }

    /// Waits until it says that word. Answers what follows on the line.
    fn says(&mut self, word: &str) -> String {
        let mut said = self.lines.by_ref().map(|line| line.expect("text"));
        let said = said.find_map(|line| Some(line.split_once(word)?.1.trim().to_owned()));
        said.unwrap_or_else(|| panic!("it ended without saying {word:?}"))
    }

    /// Signal 9.
    fn kill(&mut self) {
        self.child.kill().expect("it lives");
        self.child.wait().expect("it is ours");
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn this_program() -> std::path::PathBuf {
    std::env::current_exe().expect("it has a path")
}

/// The folder and the URL, in the other process only.
fn task() -> Option<(String, String)> {
    Some((std::env::var(FOLDER).ok()?, std::env::var(URL).ok()?))
}

#[tokio::test]
async fn other_that_stores_a_thousand_events() {
    let Some((folder, url)) = task() else { return };
    let webhooks = start_in(app(&[url]), Path::new(&folder));
    send_numbers(&webhooks, 0..1_000);
    until_stored(&webhooks, 1_000).await;
    println!("stored");
    std::future::pending::<()>().await;
}

#[tokio::test]
async fn what_waits_survives_kill_9_and_its_folder_is_refused_while_the_process_lives() {
    let folder = tempfile::tempdir().unwrap();
    let nobody = Nobody::new();
    let url = nobody.url();
    let function = "other_that_stores_a_thousand_events";
    let mut other = Other::start(Command::new(this_program()), function, folder.path(), &url);
    other.says("stored");
    let apps = vec![app(std::slice::from_ref(&url))];
    let refused = start_with(apps, Limits::default(), Some(folder.path()), short());
    other.kill();
    let Err(WebhooksError::Store(error @ StoreError::InUse { .. })) = refused else {
        panic!("{refused:?}")
    };
    assert!(error.to_string().contains("in use by another process"), "{error}");

    let mut receiver = nobody.comes_back();
    let webhooks = start_in(app(&[url]), folder.path());
    assert_eq!(receiver.next_channels(1_000).await, numbers(0..1_000));
    stop(&webhooks, SOON).await;
    assert_eq!(on_disk(folder.path()), 0);
}

#[tokio::test]
async fn other_whose_disk_fills_up() {
    let Some((folder, url)) = task() else { return };
    let timing = Timing { commit_retry: Duration::from_millis(20), ..short() };
    let apps = vec![app(&[url])];
    let webhooks = start_with(apps, Limits::default(), Some(Path::new(&folder)), timing).unwrap();
    let mut sent = 0;
    while webhooks.store_failures() == 0 {
        send_numbers(&webhooks, sent..sent + 100);
        sent += 100;
        until(&webhooks, |outcomes| outcomes.waiting() == sent).await;
    }
    println!("full");
    until_stored(&webhooks, sent as u64).await;
    println!("stored {sent}");
    std::future::pending::<()>().await;
}

/// A limit on the size of files stands for a disk that is full, and later is not any more.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_full_disk_loses_nothing_that_memory_holds_and_heals() {
    let folder = tempfile::tempdir().unwrap();
    let nobody = Nobody::new();
    let mut command = Command::new("sh");
    // Ignored, the signal turns into an error of the write.
    command.args(["-c", "trap '' XFSZ; ulimit -S -f 1000; exec \"$@\"", "sh"]).arg(this_program());
    let mut other =
        Other::start(command, "other_whose_disk_fills_up", folder.path(), &nobody.url());
    other.says("full");
    let pid = other.child.id().to_string();
    let healed = Command::new("prlimit").args(["--fsize=unlimited", "--pid", &pid]).status();
    assert!(healed.expect("prlimit is part of util-linux").success());
    let sent = other.says("stored");
    other.kill();
    assert_eq!(on_disk(folder.path()).to_string(), sent);

    let mut receiver = nobody.comes_back();
    let webhooks = start_in(app(&[receiver.url()]), folder.path());
    let sent: usize = sent.parse().unwrap();
    assert_eq!(receiver.next_channels(sent).await, numbers(0..sent));
    stop(&webhooks, SOON).await;
    assert_eq!(on_disk(folder.path()), 0);
}
