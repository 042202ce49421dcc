// SPDX-License-Identifier: MIT OR Apache-2.0
//! The program, as it is started.

use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// The program with that data folder, on a free port; and the first line that it says, if any.
fn lobby(data: &Path) -> (Child, String) {
    let mut lobby = Command::new(env!("CARGO_BIN_EXE_lobby"));
    lobby.args(["--listen", "127.0.0.1:0", "--data"]).arg(data);
    lobby.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = lobby.spawn().expect("a process");
    let mut line = String::new();
    let said = child.stdout.take().expect("a pipe");
    BufReader::new(said).read_line(&mut line).expect("a line");
    (child, line)
}

fn end(mut child: Child) {
    child.kill().expect("it runs");
    child.wait().expect("it ends");
}

/// Why it does not start.
fn refusal(data: &Path) -> String {
    let (child, line) = lobby(data);
    if !line.is_empty() {
        end(child);
        panic!("it has started");
    }
    let output = child.wait_with_output().expect("it ends");
    assert!(!output.status.success());
    String::from_utf8(output.stderr).expect("text")
}

#[test]
fn it_says_where_it_is_and_its_folder_is_for_its_owner_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("new").join("data");
    let (child, line) = lobby(&data);
    end(child);
    assert!(line.starts_with("The lobby is open: http://127.0.0.1:"), "{line:?}");
    let mode = std::fs::metadata(data).expect("a folder").permissions().mode();
    assert_eq!(mode & 0o777, 0o700, "{mode:o}");
}

#[test]
fn why_it_does_not_start_is_said_in_words() {
    let folder = tempfile::tempdir().expect("a folder");
    let (child, _) = lobby(folder.path());
    let text = refusal(folder.path());
    end(child);
    assert!(text.contains("lobby: ") && text.contains("journal.redb"), "{text}");
    assert!(!text.contains("InUse"), "{text}");

    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("lobby.db");
    std::fs::write(file, "this is no database, but rather a text").expect("a file");
    let text = refusal(folder.path());
    assert!(text.contains("cannot use the database") && text.contains("lobby.db"), "{text}");
}
