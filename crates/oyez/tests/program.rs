// SPDX-License-Identifier: MIT OR Apache-2.0
//! The program as a person uses it: started, asked and stopped, over real sockets.

#![cfg(unix)]

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Output, Stdio};
use std::{fs, str};

use serde_json::Value;

/// The program in a folder, with nothing of the caller's environment that concerns it.
fn oyez(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_oyez"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("OYEZ_")) {
        command.env_remove(name);
    }
    command.current_dir(folder).args(arguments);
    command
}

fn run(folder: &Path, arguments: &[&str]) -> Output {
    oyez(folder, arguments).output().expect("the program runs")
}

fn text(bytes: &[u8]) -> &str {
    str::from_utf8(bytes).expect("UTF-8")
}

/// A server, and its log until it listens.
struct Server {
    process: Child,
    log: BufReader<ChildStderr>,
    seen: String,
    address: String,
}

impl Server {
    fn start(folder: &Path, arguments: &[&str]) -> Server {
        let mut process = oyez(folder, arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program runs");
        let log = BufReader::new(process.stderr.take().expect("piped"));
        let mut server = Server { process, log, seen: String::new(), address: String::new() };
        while server.address.is_empty() {
            let mut line = String::new();
            let read = server.log.read_line(&mut line).expect("a log");
            assert!(read > 0, "it ended: {}", server.seen);
            server.seen.push_str(&line);
            let entry: Value = serde_json::from_str(&line).expect("a log line is JSON");
            server.address = entry["address"].as_str().unwrap_or_default().to_owned();
        }
        server
    }

    /// Asks it to stop and gives its exit code and all that it printed.
    fn stop(mut self) -> (Option<i32>, String, String) {
        let pid = self.process.id().to_string();
        let sent = Command::new("kill").args(["-TERM", &pid]).status().expect("kill");
        assert!(sent.success());
        self.log.read_to_string(&mut self.seen).expect("a log");
        let mut printed = String::new();
        let mut stdout = self.process.stdout.take().expect("piped");
        stdout.read_to_string(&mut printed).expect("UTF-8");
        let code = self.process.wait().expect("an end").code();
        (code, printed, std::mem::take(&mut self.seen))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Starts `tail` and waits until it is subscribed.
fn tail(folder: &Path, arguments: &[&str]) -> Child {
    let mut process = oyez(folder, arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program runs");
    let channels = arguments.iter().filter(|argument| !argument.starts_with('-')).count() - 1;
    let notes = BufReader::new(process.stderr.take().expect("piped"));
    let subscribed =
        notes.lines().map_while(Result::ok).filter(|line| line.starts_with("subscribed"));
    assert_eq!(subscribed.take(channels).count(), channels);
    process
}

#[test]
fn development_mode_works_from_nothing_with_every_command() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let server = Server::start(folder, &["--listen", "127.0.0.1:0"]);
    let mut watcher = tail(folder, &["tail", "--json", "LOBBY_7", "private-a", "presence-a"]);
    for channel in ["LOBBY_7", "private-a"] {
        let sent = run(folder, &["trigger", channel, "PLAYER_JOIN", "{\"id\": 7}\n\u{1b}"]);
        assert_eq!(sent.status.code(), Some(0), "{}", text(&sent.stderr));
        assert!(text(&sent.stderr).contains("1 subscriber"), "{}", text(&sent.stderr));
    }
    let events =
        BufReader::new(watcher.stdout.take().expect("piped")).lines().map_while(Result::ok);
    let events: Vec<Value> = events
        .map(|line| serde_json::from_str(&line).expect("JSON"))
        .filter(|event: &Value| event["event"] == "PLAYER_JOIN")
        .take(2)
        .collect();
    assert_eq!(
        (&events[0]["channel"], &events[1]["channel"]),
        (&"LOBBY_7".into(), &"private-a".into())
    );
    assert_eq!(events[0]["data"], "{\"id\": 7}\n\u{1b}");

    let list = run(folder, &["channels", "--json"]);
    let list: Value = serde_json::from_slice(&list.stdout).expect("JSON");
    assert_eq!(list["LOBBY_7"]["subscription_count"], 1);
    assert_eq!(list["presence-a"]["user_count"], 1);
    let table = run(folder, &["channels", "--prefix", "LOB"]);
    assert!(text(&table.stdout).starts_with("CHANNEL  SUBSCRIBERS  USERS\nLOBBY_7            1\n"));
    watcher.kill().expect("running");
    watcher.wait().expect("an end");

    let secret = fs::read_to_string(folder.join("oyez-data/dev-app.toml")).expect("credentials");
    let secret = secret.split("secret = \"").nth(1).and_then(|rest| rest.split('"').next());
    let secret = secret.expect("a secret");
    let (code, printed, log) = server.stop();
    assert_eq!(code, Some(0), "{log}");
    assert!(printed.contains("new Pusher(") && printed.contains("dev-app.toml"), "{printed}");
    let pasted = format!("secret: \"{secret}\"");
    assert!(printed.contains(&pasted), "a pipe gets what a terminal gets: {printed}");
    assert!(!log.contains(secret), "no log holds the secret");
}

#[test]
fn a_config_file_made_by_new_app_serves_with_a_path() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let app = run(folder, &["new-app", "shop"]);
    let config = format!("listen = \"127.0.0.1:0\"\npath = \"/rt\"\n{}", text(&app.stdout));
    fs::write(folder.join("oyez.toml"), &config).expect("written");
    let checked = run(folder, &["check-config"]);
    assert_eq!(checked.status.code(), Some(0), "{}", text(&checked.stderr));
    assert!(text(&checked.stdout).contains("path                 = \"/rt\"\n"));

    let server = Server::start(folder, &["serve", "--config", "oyez.toml"]);
    let of = |key: &str| {
        config.split(&format!("{key} = \"")).nth(1).and_then(|rest| rest.split('"').next())
    };
    let (id, key, secret) = (of("\nid"), of("\nkey"), of("\nsecret"));
    let [id, key, secret] = [id, key, secret].map(|value| value.expect("a value"));
    let url = format!("http://{key}:{secret}@{}/rt/apps/{id}", server.address);
    let sent = oyez(folder, &["trigger", "a", "b", "-"])
        .env("OYEZ_URL", &url)
        .stdin(Stdio::null())
        .output()
        .expect("the program runs");
    assert_eq!(sent.status.code(), Some(0), "{}", text(&sent.stderr));
    let wrong = run(folder, &["trigger", "a", "b", "c", "--url", &url.replace(secret, "hunter2")]);
    assert_eq!(wrong.status.code(), Some(1));
    assert!(
        text(&wrong.stderr).contains("refused (401, bad_signature)")
            && !text(&wrong.stderr).contains("hunter2")
    );
    let lost = run(folder, &["tail", "a", "--url", &url.replace(key, "nobody")]);
    assert_eq!(lost.status.code(), Some(1));
    assert!(text(&lost.stderr).contains("(4001)"), "{}", text(&lost.stderr));
    assert_eq!(server.stop().0, Some(0));
}

#[test]
fn exit_codes_tell_a_wrong_question_from_an_impossible_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    fs::write(folder.join("bad.toml"), "lisen = 1\n[[apps]]\nsecret = hunter2\n").expect("written");
    let url = "http://k:hunter2@127.0.0.1:1/apps/1";
    for (arguments, code, expected) in [
        (&["--listen", "0.0.0.0:0"][..], 2, "can be reached from other machines"),
        (&["--listen", "nowhere"], 2, "--listen: must be an IP address and a port"),
        (&["--config", "missing.toml"], 2, "there is no such file"),
        (&["check-config", "--config", "bad.toml"], 2, "bad.toml:3: this is not TOML"),
        (&["--config", "bad.toml"], 2, "bad.toml:3: this is not TOML"),
        (&["new-app", "a\nb"], 2, "a name is"),
        (&["frobnicate"], 2, "unrecognized subcommand"),
        (&["channels"], 2, "which server?"),
        (
            &["channels", "--url", "http://k:hunter2@/apps/1"],
            2,
            "--url (or OYEZ_URL) must look like",
        ),
        (&["trigger", "a b", "e", "d", "--url", url], 2, "a character that is not allowed"),
        (&["trigger", "a", "e", "d", "--url", url], 1, "cannot reach http://127.0.0.1:1"),
        (&["tail", "a", "--url", url], 1, "http://127.0.0.1:1 cannot be reached"),
    ] {
        let output = run(folder, arguments);
        let error = text(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {error}");
        assert!(error.contains(expected) && !error.contains("hunter2"), "{arguments:?}: {error}");
    }
    assert!(!folder.join("oyez-data").exists(), "no wrong question makes a data folder");
}

#[test]
fn a_doubtful_rule_is_told_at_the_check_and_in_the_log() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let app = run(folder, &["new-app"]);
    let rules = "[[apps.channels]]\nmatch = \"*\"\nreplay = \"latest\"\n\
                 [[apps.channels]]\nmatch = \"LOBBY_*\"\nreplay = \"none\"\n";
    let config = format!("listen = \"localhost:0\"\npath = \"rt/\"\n{}{rules}", text(&app.stdout));
    fs::write(folder.join("a.toml"), config).expect("written");
    let told = |text: &str| text.matches("this rule decides nothing").count();
    let checked = run(folder, &["--config", "a.toml", "check-config"]);
    assert_eq!(checked.status.code(), Some(0), "{}", text(&checked.stderr));
    assert_eq!(told(text(&checked.stderr)), 1, "{}", text(&checked.stderr));
    assert!(text(&checked.stderr).contains("warning: a.toml:12: this rule decides nothing"));
    assert!(text(&checked.stdout).contains("replay               = \"latest\"\n"));
    let (code, _, log) = Server::start(folder, &["serve", "--config", "a.toml"]).stop();
    assert_eq!((code, told(&log)), (Some(0), 1), "{log}");
    let line = log.lines().find(|line| told(line) == 1).expect("a line");
    let line: Value = serde_json::from_str(line).expect("JSON");
    assert_eq!((&line["level"], &line["place"]), (&"warn".into(), &"a.toml:12".into()));
}

#[test]
fn what_a_channel_remembers_is_read_set_and_followed_by_commands() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let app = run(folder, &["new-app"]);
    let rules = "[[apps.channels]]\nmatch = \"LOBBY_*\"\nreplay = \"latest-per-event\"\n\
                 [[apps.channels]]\nmatch = \"GAME_*\"\ntruth = { event = \"STATE\" }\n";
    let config = format!("listen = \"127.0.0.1:0\"\n{}{rules}", text(&app.stdout));
    fs::write(folder.join("oyez.toml"), config).expect("written");
    let server = Server::start(folder, &[]);
    let [key, secret, id] = ["key", "secret", "id"].map(|name| {
        let line = text(&app.stdout).lines().find(|line| line.starts_with(name)).expect("a key");
        line.split('"').nth(1).expect("a value").to_owned()
    });
    let url = format!("http://{key}:{secret}@{}/apps/{id}", server.address);
    let call = |arguments: &[&str], code: i32| {
        let output = oyez(folder, arguments).env("OYEZ_URL", &url).output().expect("it runs");
        let (out, notes) = (text(&output.stdout).to_owned(), text(&output.stderr).to_owned());
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {out} {notes}");
        (out, notes)
    };

    let (_, none) = call(&["truth", "get", "GAME_7"], 1);
    assert!(none.contains("refused (404, no_truth): "), "{none}");
    let (_, put) = call(&["truth", "put", "GAME_7", "{\"n\": 123456789012345678901}"], 0);
    assert!(put.starts_with("the truth of GAME_7 has version 1 of epoch "), "{put}");
    let (got, about) = call(&["truth", "get", "GAME_7"], 0);
    assert_eq!(got, "{\"n\":123456789012345678901}\n");
    assert!(about.starts_with("version 1 of epoch ") && about.ends_with("as STATE\n"), "{about}");
    let (_, same) = call(&["truth", "put", "GAME_7", "--merge", "{}"], 0);
    assert!(same.starts_with("that was the truth of GAME_7 already: version 1"), "{same}");
    let (_, late) = call(&["truth", "put", "GAME_7", "1", "--if-version", "0"], 1);
    assert!(late.contains("refused (409, version_mismatch): "), "{late}");
    let patch = "[{\"op\":\"add\",\"path\":\"/m\",\"value\":-1}]";
    let (answer, _) = call(&["truth", "put", "GAME_7", "--patch", patch, "--json"], 0);
    let answer: Value = serde_json::from_str(&answer).expect("JSON");
    assert_eq!((&answer["version"], &answer["changed"]), (&2.into(), &true.into()));
    let (_, unasked) = call(&["truth", "changed", "GAME_7"], 1);
    assert!(unasked.contains("(400, no_resolver)"), "{unasked}");
    let (_, gone) = call(&["truth", "put", "GAME_7", "--delete"], 0);
    assert_eq!(gone, "GAME_7 holds no truth any more\n");
    let (_, forgetful) = call(&["truth", "put", "other", "1", "--event", "E"], 1);
    assert!(forgetful.contains("(400, no_memory)"), "{forgetful}");
    let (_, bad) = call(&["truth", "put", "GAME_7", "hello"], 2);
    assert!(bad.contains("DATA is not JSON"), "{bad}");

    for (event, data) in [("A", "1"), ("B", "2"), ("A", "3")] {
        call(&["trigger", "LOBBY_7", event, data], 0);
    }
    let (lines, place) = call(&["history", "LOBBY_7", "--since", "1", "--limit", "1"], 0);
    assert!(lines.ends_with("  #2  B  2\n") && lines.lines().count() == 1, "{lines}");
    assert!(place.starts_with("LOBBY_7 is at offset 3 of epoch "), "{place}");
    assert!(place.contains("; go on with --since 2 --epoch "), "{place}");
    let (page, _) = call(&["history", "LOBBY_7", "--json"], 0);
    let page: Value = serde_json::from_str(&page).expect("JSON");
    assert_eq!(page["events"].as_array().map(Vec::len), Some(3));
    let (_, ahead) = call(&["history", "LOBBY_7", "--since", "9"], 1);
    assert!(ahead.contains("(410, history_gone)") && ahead.contains("offset 3 of"), "{ahead}");
    call(&["forget", "LOBBY_7", "B"], 0);

    let mut watcher = oyez(folder, &["tail", "LOBBY_7", "other", "--url", &url])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program runs");
    let notes = BufReader::new(watcher.stderr.take().expect("piped")).lines();
    let subscribed = notes.map_while(Result::ok).filter(|line| line.starts_with("subscribed"));
    assert_eq!(
        subscribed.take(2).collect::<Vec<_>>(),
        ["subscribed to LOBBY_7 at #4, 1 from before", "subscribed to other"]
    );
    call(&["trigger", "LOBBY_7", "C", "5"], 0);
    let lines = BufReader::new(watcher.stdout.take().expect("piped")).lines();
    let lines = lines.map_while(Result::ok).filter(|line| !line.contains("subscription_count"));
    let seen: Vec<_> = lines.take(2).map(|line| line[12..].to_owned()).collect();
    assert_eq!(seen, ["  LOBBY_7  #3  A (replayed)  3", "  LOBBY_7  #5  C  5"]);
    watcher.kill().expect("killed");
    watcher.wait().expect("an end");
    let (code, _, log) = server.stop();
    assert_eq!(code, Some(0), "{log}");
}

#[test]
fn an_unknown_variable_stops_the_start() {
    let folder = tempfile::tempdir().expect("a folder");
    for arguments in [&["--listen", "127.0.0.1:0"][..], &["check-config"]] {
        let mut command = oyez(folder.path(), arguments);
        let output = command.env("OYEZ_WORKRS", "2").output().expect("the program runs");
        assert_eq!(output.status.code(), Some(2));
        assert!(text(&output.stderr).contains("did you mean OYEZ_WORKERS?"), "{arguments:?}");
    }
}

#[test]
fn a_port_in_use_is_told_as_such() {
    let folder = tempfile::tempdir().expect("a folder");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("an address").to_string();
    let output = run(folder.path(), &["--listen", &address]);
    assert_eq!(output.status.code(), Some(1));
    let error = text(&output.stderr);
    assert!(
        error.contains(&format!("cannot listen on {address}: something else already does")),
        "{error}"
    );
}

#[test]
fn every_key_is_in_the_printed_manual() {
    let folder = tempfile::tempdir().expect("a folder");
    let output = run(folder.path(), &["check-config", "--keys"]);
    for key in ["`listen`", "`OYEZ_LIMITS_MESSAGE_BYTES`", "`allowed_origins`", "`webhook_delay`"] {
        assert!(text(&output.stdout).contains(key), "{key}");
    }
}
