// SPDX-License-Identifier: MIT OR Apache-2.0
//! The config as a whole: each key, each variable. What is wrong with one is in `mistakes`.

mod mistakes;

use std::time::Duration;

use oyez_protocol::limits::Limits;
use oyez_protocol::webhook::WebhookKind;
use oyez_server::core::{Durability, Replay, WrittenHistory};
use oyez_server::options::{ChannelOptions, Console, Source, TruthOptions};

use super::*;
use crate::credentials::{AppName, NewApp};

const APP: &str = "[[apps]]\nid = \"1\"\nkey = \"k\"\nsecret = \"0123456789abcdef\"\n";

/// The contract's own example, word for word.
const EXAMPLE: &str = include_str!("example.toml");

fn parse(text: &str) -> Result<Config, Problems> {
    with_environment(text, &[])
}

fn with_environment(text: &str, variables: &[(&str, &str)]) -> Result<Config, Problems> {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("oyez.toml");
    std::fs::write(&file, text).expect("written");
    let pairs = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    load(&Sources { file: Some(file), environment: pairs.collect(), ..Sources::default() })
}

fn options(top: &str) -> Options {
    parse(&format!("{top}\n{APP}")).unwrap_or_else(|e| panic!("{top}: {e}")).options
}

/// The problems of a text, without the path of the file.
fn problems(text: &str) -> Vec<String> {
    let problems = parse(text).expect_err("a problem");
    let short = |problem: &Problem| match &problem.place {
        Place::Line(_, line) => format!("{line}: {}", problem.text),
        Place::File(_) => format!("file: {}", problem.text),
        other => format!("{other}: {}", problem.text),
    };
    problems.all().iter().map(short).collect()
}

#[test]
fn the_example_of_the_contract_is_understood() {
    let config = parse(EXAMPLE).expect("the example");
    let base = Options { apps: config.options.apps.clone(), ..keys::base() };
    assert_eq!(format!("{:?}", config.options), format!("{base:?}"), "all of it is the default");
    let app = &config.options.apps[0];
    assert_eq!((&*app.id, &*app.key, app.secret.reveal()), ("app-id", "app-key", "app-secret"));
    assert_eq!(app.webhooks[0].events, WebhookKind::ALL);
    assert_eq!(config.options.console, Console::Off);
    let [lobby, game] = &app.channels[..] else { panic!("{:?}", app.channels) };
    let history = WrittenHistory { events: Some(256), age: Some(Duration::from_secs(600)) };
    let written = ChannelOptions {
        replay: Replay::Latest,
        history: Some(history),
        durability: Some(Durability::Full),
        ..ChannelOptions::new("LOBBY_*")
    };
    assert_eq!(*lobby, written);
    let source = Source::Url("http://127.0.0.1:3000/truth".to_owned());
    let truth = Some(TruthOptions::new("GAME_STATE", source));
    assert_eq!(*game, ChannelOptions { truth, ..ChannelOptions::new("private-GAME_*") });
    let about = |warning: &Problem| warning.text.contains("LOBBY") || warning.text.contains("GAME");
    assert!(!config.warnings.iter().any(about), "{:?}", config.warnings);
}

#[test]
fn every_key_of_the_server_is_read() {
    let all = options(
        "listen = \"[::1]:7000\"\ndata_dir = \"d\"\nworkers = 3\npath = \"/rt\"\n\
         activity_timeout = 30\nping_after = 0.5\npong_timeout = \"200ms\"\ndrain_seconds = 0\n\
         webhook_delay = \"10ms\"",
    );
    assert_eq!(all.listen.to_string(), "[::1]:7000");
    assert_eq!(all.data_dir.as_deref(), Some(Path::new("d")));
    assert_eq!((all.workers, &*all.path, all.activity_timeout), (3, "/rt", 30));
    let millis = [all.ping_after, all.pong_timeout, all.drain, all.webhook_delay];
    assert_eq!(millis.map(|time| time.as_millis()), [500, 200, 0, 10]);
    assert_eq!(options("data_dir = \"\"").data_dir, None);
    for (key, _) in keys::SERVER.iter().map(|key| (key.name, ())) {
        let default = reference().into_iter().find(|row| row.key == key).expect("a row").default;
        let same = options(&format!("{key} = {}", default.expect("a default")));
        let base = Options { apps: same.apps.clone(), ..keys::base() };
        assert_eq!(format!("{same:?}"), format!("{base:?}"), "{key}: the manual shows its default");
    }
}

#[test]
fn every_limit_is_read_from_file_and_environment() {
    for limit in Limits::TABLE {
        let value = limit.default + 1;
        let file = options(&format!("[limits]\n{} = {value}", limit.key));
        assert_eq!(file.limits.get(limit.key), Some(value), "{}", limit.key);
        let name = format!("OYEZ_LIMITS_{}", limit.key.to_uppercase());
        let text = value.to_string();
        let variable = with_environment(APP, &[(&name, &text)]).expect("a limit");
        assert_eq!(variable.options.limits.get(limit.key), Some(value), "{name}");
    }
}

#[test]
fn every_switch_of_an_app_is_read() {
    for row in reference().iter().filter(|row| row.section == keys::APPS) {
        let (Some(default), key) = (&row.default, row.key) else { continue };
        let other = match default.as_str() {
            "true" => "false",
            "false" => "true",
            "0" => "7",
            _ => "[\"https://example.com\", \"*.example.com\"]",
        };
        let app = |value: &str| {
            let config = parse(&format!("{APP}{key} = {value}\n")).expect("settings");
            config.options.apps[0].clone()
        };
        let shown = |value: &str| {
            let key = keys::APP.iter().find(|k| k.name == key).expect("a key");
            (key.show)(&app(value))
        };
        assert_eq!((shown(default), shown(other)), (default.clone(), other.to_owned()), "{key}");
    }
}

/// The one rule of an app.
fn rule(lines: &str) -> ChannelOptions {
    let text = format!("{APP}[[apps.channels]]\nmatch = \"a*\"\n{lines}\n");
    let config = parse(&text).unwrap_or_else(|e| panic!("{lines}: {e}"));
    config.options.apps[0].channels[0].clone()
}

#[test]
fn every_key_of_a_rule_is_read() {
    assert_eq!(rule(""), ChannelOptions::new("a*"));
    for (word, replay) in [
        ("none", Replay::None),
        ("latest", Replay::Latest),
        ("latest-per-event", Replay::LatestPerEvent),
        ("all", Replay::All),
    ] {
        assert_eq!(rule(&format!("replay = {word:?}")).replay, replay, "{word}");
    }
    for (word, durability) in [
        ("true", Durability::Full),
        ("\"relaxed\"", Durability::Relaxed),
        ("false", Durability::Off),
    ] {
        assert_eq!(rule(&format!("durable = {word}")).durability, Some(durability), "{word}");
    }
    assert_eq!(rule("history = {}").history, Some(WrittenHistory::default()));
    let history = rule("history = { events = 7, age = \"1h\" }").history.expect("a history");
    assert_eq!((history.events, history.age), (Some(7), Some(Duration::from_secs(3600))));
    let truth = |lines: &str| rule(&format!("truth = {lines}")).truth.expect("a truth");
    assert_eq!(truth("{ event = \"E\" }"), TruthOptions::new("E", Source::Pushed));
    let trigger = truth("{ event = \"E\", from = \"trigger\" }");
    assert_eq!(trigger, TruthOptions::new("E", Source::Trigger));
    let all = truth(
        "{ event = \"E\", url = \"https://a/?t=1\", timeout = \"2s\", wait = \"1h\", \
         confirm = true, settle = \"0s\", refresh = 30 }",
    );
    let expected = TruthOptions {
        timeout: Duration::from_secs(2),
        wait: Duration::from_secs(3600),
        confirm: true,
        settle: Duration::ZERO,
        refresh: Some(Duration::from_secs(30)),
        ..TruthOptions::new("E", Source::Url("https://a/?t=1".to_owned()))
    };
    assert_eq!(all, expected);
}

#[test]
fn a_rule_may_ask_for_as_many_events_as_the_limit_allows_wherever_that_is_set() {
    let text = format!("{APP}[[apps.channels]]\nmatch = \"a\"\nhistory = {{ events = 70_000 }}\n");
    let expected = "7: `events` must be at most 65536 (limits.history_events); it is 70000: ask for \
                    fewer or raise the limit";
    assert_eq!(problems(&text), [expected]);
    assert!(parse(&format!("limits.history_events = 70_000\n{text}")).is_ok());
    assert!(with_environment(&text, &[("OYEZ_LIMITS_HISTORY_EVENTS", "70000")]).is_ok());
}

#[test]
fn variables_win_over_the_file_and_flags_over_both() {
    let text = format!("workers = 1\nlisten = \"127.0.0.1:1\"\n{APP}");
    let variables = [("OYEZ_WORKERS", "2"), ("OYEZ_LISTEN", ""), ("OYEZ_DATA_DIR", "there")];
    let config = with_environment(&text, &variables).expect("settings");
    assert_eq!(config.options.workers, 2);
    assert_eq!(config.options.listen.port(), 1, "a variable set to nothing is not set");
    assert_eq!(config.options.data_dir.as_deref(), Some(Path::new("there")));
    let environment = [("OYEZ_LISTEN".to_owned(), "127.0.0.1:2".to_owned())].into_iter().collect();
    let (listen, data) = (Some("127.0.0.1:3".to_owned()), Some("here".to_owned()));
    let config = load(&Sources { file: None, environment, listen, data }).expect("settings");
    assert_eq!(config.options.listen.port(), 3);
    assert_eq!(config.options.data_dir.as_deref(), Some(Path::new("here")));
}

#[test]
fn every_key_of_the_server_has_its_variable() {
    for (name, good, bad) in [
        ("OYEZ_LISTEN", "127.0.0.1:1", "everywhere"),
        ("OYEZ_DATA_DIR", "x", ""),
        ("OYEZ_WORKERS", "4", "four"),
        ("OYEZ_PATH", "/x", "x y"),
        ("OYEZ_ACTIVITY_TIMEOUT", "20", "9"),
        ("OYEZ_PING_AFTER", "200ms", "0"),
        ("OYEZ_PONG_TIMEOUT", "1.5", "soon"),
        ("OYEZ_DRAIN_SECONDS", "0", "-1"),
        ("OYEZ_WEBHOOK_DELAY", "3s", "3 weeks"),
        ("OYEZ_LIMITS_MESSAGE_BYTES", "2048", "1"),
    ] {
        assert!(with_environment(APP, &[(name, good)]).is_ok(), "{name}");
        assert!(reference().iter().any(|row| row.variable.as_deref() == Some(name)), "{name}");
        if !bad.is_empty() {
            let error = with_environment(APP, &[(name, bad)]).expect_err("bad").to_string();
            let expected = ["must be ", "limits.message_bytes = 1 is too small"];
            let told = |what| error.starts_with(&format!("environment variable {name}: {what}"));
            assert!(expected.into_iter().any(told), "{error}");
        }
    }
}

#[test]
fn a_new_app_is_a_config_file() {
    let name = AppName::parse("My \"shop\" # 1").expect("a name");
    let app = NewApp::generate(Some(name)).expect("randomness");
    let read = &parse(&app.to_string()).expect("a config").options.apps[0];
    assert_eq!((&read.id, &read.key), (&app.id, &app.key));
    assert_eq!(read.secret.reveal(), app.secret.reveal());
    let warnings = parse(&app.to_string()).expect("a config").warnings;
    assert!(warnings.iter().all(|warning| warning.text.contains("chmod")), "{warnings:?}");
}

#[test]
fn the_report_shows_what_was_understood() {
    let text = format!(
        "ping_after = 0.5\n[limits]\nheaders = 64\n{APP}[[apps.webhooks]]\nurl = \"http://h:1/a@b?token=pw\"\nevents = [\"cache_miss\"]\n\
         [[apps.channels]]\nmatch = \"a*\"\ntruth = {{ event = \"E\", url = \"http://t/?token=pw\" }}\n\
         [[apps.channels]]\nmatch = \"c*\"\ntruth = {{ event = \"E\", from = \"trigger\" }}\n\
         [[apps.channels]]\nmatch = \"b*\"\ndurable = \"relaxed\"\nhistory = {{ age = \"1h\" }}\n"
    );
    let report = understood(&parse(&text).expect("settings"));
    for line in [
        "listen               = \"127.0.0.1:6001\"  (default)\n",
        "ping_after           = 0.5\n",
        "headers              = 64  lines\n",
        "secret               = \"…\"\n",
        "url                  = \"http://h:1/a@b?…\"\n",
        "match                = \"a*\"\nreplay               = \"none\"  (default)\n",
        "durable              = true  (default)\nhistory              = { events = 256 }  (default)\n",
        "truth                = { event = \"E\", url = \"http://t/?…\", timeout = \"5s\", wait = \"300ms\", settle = \"1s\" }\n",
        "truth                = { event = \"E\", from = \"trigger\" }\n",
        "durable              = \"relaxed\"\nhistory              = { events = 256, age = \"1h\" }\n",
    ] {
        assert!(report.contains(line), "{line}\n{report}");
    }
    let manual = manual();
    for row in reference() {
        assert!(manual.contains(&format!("| `{}` |", row.key)), "{}", row.key);
        assert!(!row.doc.is_empty(), "{}", row.key);
    }
    assert_eq!(keys::base().ping_after, Duration::from_secs(45));
}

#[test]
fn development_mode_stops_soon_unless_it_is_told_otherwise() {
    let drain = |environment: Environment| {
        load(&Sources { environment, ..Sources::default() }).expect("settings").options.drain
    };
    assert_eq!(drain(Environment::default()), Duration::from_secs(1));
    let told = [("OYEZ_DRAIN_SECONDS".to_owned(), "10".to_owned())].into_iter().collect();
    assert_eq!(drain(told), Duration::from_secs(10));
    assert_eq!(options("").drain, Duration::from_secs(10));
}
