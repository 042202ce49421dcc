// SPDX-License-Identifier: MIT OR Apache-2.0
//! Every kind of mistake in a config, and what its author is told.

use super::*;

#[test]
fn an_unknown_variable_names_the_nearest() {
    for (name, nearest) in [
        ("OYEZ_WORKRS", "OYEZ_WORKERS"),
        ("OYEZ_LIMIT_MESSAGE_BYTES", "OYEZ_LIMITS_MESSAGE_BYTES"),
        ("OYEZ_MESSAGE_BYTES", "OYEZ_LIMITS_MESSAGE_BYTES"),
        ("OYEZ_LISTENS", "OYEZ_LISTEN"),
        ("OYEZ_LOGFORMAT", "OYEZ_LOG_FORMAT"),
    ] {
        let error = with_environment(APP, &[(name, "hunter2")]).expect_err(name).to_string();
        let expected = format!(
            "environment variable {name}: there is no such setting: did you mean {nearest}?"
        );
        assert!(error.starts_with(&expected) && !error.contains("hunter2"), "{error}");
    }
    assert!(with_environment(APP, &[("OYEZ_WORKRS", "")]).is_ok(), "set to nothing is not set");
}

#[test]
fn variables_that_others_set_are_left_alone() {
    let variables = [
        ("OYEZ_PORT", "tcp://10.0.0.1:6001"),
        ("OYEZ_PORT_6001_TCP", "tcp://10.0.0.1:6001"),
        ("OYEZ_PORT_6001_TCP_ADDR", "10.0.0.1"),
        ("OYEZ_SERVICE_HOST", "10.0.0.1"),
        ("OYEZ_SERVICE_PORT_HTTP", "6001"),
        ("OYEZ_METRICS_PORT", "tcp://10.0.0.2:80"),
        ("OYEZ_URL", "http://k:s@h/apps/1"),
        ("OYEZ_LOG", "warn"),
        ("OYEZ_LOG_FORMAT", "json"),
    ];
    let about = |warning: &&Problem| matches!(warning.place, Place::Variable(_));
    let warnings = |variables: &[(&str, &str)]| -> Vec<String> {
        let config = with_environment(APP, variables).expect("no error");
        config.warnings.iter().filter(about).map(Problem::to_string).collect()
    };
    assert!(warnings(&variables).is_empty());
    let mistaken = warnings(&[("OYEZ_PORT", "7000")]);
    assert!(mistaken.len() == 1 && mistaken[0].contains("OYEZ_LISTEN"), "{mistaken:?}");
    let file = warnings(&[("OYEZ_CONFIG", "a.toml")]);
    assert!(file.len() == 1 && file[0].ends_with("name the file by --config"), "{file:?}");
    for name in ["OYEZ_BIN", "OYEZ_SEED", "OYEZ_TEST_PYTHON", "OYEZ_IMAGE"] {
        let foreign = warnings(&[(name, "x")]);
        assert!(foreign.len() == 1 && foreign[0].contains("it is ignored"), "{foreign:?}");
    }
}

#[test]
fn an_unknown_key_names_the_nearest_with_its_line() {
    for (text, expected) in [
        (format!("\nlisen = \"x\"\n{APP}"), "2: unknown key `lisen`: did you mean `listen`?"),
        (
            format!("[limits]\nmesage_bytes = 1\n{APP}"),
            "2: unknown key `mesage_bytes`: did you mean `message_bytes`?",
        ),
        (
            format!("{APP}clientevents = true\n"),
            "5: unknown key `clientevents`: did you mean `client_events`?",
        ),
        (
            format!(
                "{APP}[[apps.webhooks]]\nurl = \"http://a/\"\nevent = []\nevents = [\"cache_miss\"]"
            ),
            "7: unknown key `event`: did you mean `events`?",
        ),
        (
            format!("{APP}listen = \"127.0.0.1:1\"\n"),
            "5: `listen` does not belong here: it goes at the top of the file, before the first [section]",
        ),
        (
            format!("message_bytes = 4096\n{APP}"),
            "1: `message_bytes` does not belong here: it goes under [limits]",
        ),
        (
            format!("masage_bytes = 4096\n{APP}"),
            "1: unknown key `masage_bytes`: did you mean `message_bytes`, under [limits]?",
        ),
        (
            format!("LISTEN = \"127.0.0.1:1\"\n{APP}"),
            "1: unknown key `LISTEN`: did you mean `listen`?",
        ),
        (
            format!("{APP}Listen = \"127.0.0.1:1\"\n"),
            "5: `Listen` does not belong here: it goes at the top of the file, before the first [section]",
        ),
    ] {
        assert_eq!(problems(&text), [expected], "{text}");
    }
}

#[test]
fn an_unknown_table_names_the_nearest_of_its_level() {
    let rule = "[[apps.channels]]\nmatch = \"a\"\n";
    for (text, expected) in [
        (format!("[limit]\n{APP}"), "1: unknown key `limit`: did you mean `limits`?"),
        (format!("[Limits]\n{APP}"), "1: unknown key `Limits`: did you mean `limits`?"),
        (format!("[lmits]\n{APP}"), "1: unknown key `lmits`: did you mean `limits`?"),
        ("[[app]]\nid = \"1\"\n".to_owned(), "1: unknown key `app`: did you mean `apps`?"),
        ("[[Apps]]\nid = \"1\"\n".to_owned(), "1: unknown key `Apps`: did you mean `apps`?"),
        (
            format!("{APP}[[apps.webhook]]\nurl = 1\n"),
            "5: unknown key `webhook`: did you mean `webhooks`?",
        ),
        (
            format!("{APP}[[apps.channel]]\nmatch = 1\n"),
            "5: unknown key `channel`: did you mean `channels`?",
        ),
        (
            format!("{APP}{rule}histroy = {{}}\n"),
            "7: unknown key `histroy`: did you mean `history`?",
        ),
        (
            format!("{APP}{rule}history = {{ event = 5 }}\n"),
            "7: unknown key `event`: did you mean `events`?",
        ),
        (
            format!("{APP}{rule}truth = {{ event = \"E\", weit = 1 }}\n"),
            "7: unknown key `weit`: did you mean `wait`?",
        ),
        (
            format!("{APP}[[webhooks]]\nurl = \"http://a/\"\n"),
            "5: `webhooks` does not belong here: it goes under [[apps]]",
        ),
    ] {
        assert_eq!(problems(&text), [expected], "{text}");
    }
}

#[test]
fn every_bad_value_is_told_what_it_must_be() {
    for (top, expected) in [
        ("listen = 6001", "`listen` must be a text in quotes, not a number"),
        ("listen = \"example.com:80\"", "`listen` must be an IP address and a port"),
        ("data_dir = true", "`data_dir` must be a text in quotes, not true or false"),
        ("workers = -1", "`workers` must be a whole number from 0 to 1024; it is -1"),
        (
            "workers = 2.5",
            "`workers` must be a whole number from 0 to 1024, not a number with a fraction",
        ),
        ("path = \"real time\"", "`path` must be \"\" or a path like \"/realtime\""),
        ("activity_timeout = 9", "`activity_timeout` must be from 10s to 2m; it is 9 seconds"),
        ("activity_timeout = 121", "`activity_timeout` must be from 10s to 2m; it is 121 seconds"),
        ("activity_timeout = 10.5", "`activity_timeout` must be whole seconds"),
        ("ping_after = 0", "`ping_after` must be from 10ms to 1d; it is 0 seconds"),
        ("ping_after = nan", "`ping_after` must be from 10ms to 1d"),
        ("pong_timeout = \"soon\"", "`pong_timeout` must be a time: \"3s\""),
        ("drain_seconds = 1979-05-27", "`drain_seconds` must be a time"),
        ("webhook_delay = []", "`webhook_delay` must be a time"),
        ("limits = 3", "`limits` must be a table, not a number"),
        (
            "limits.message_bytes = 1",
            "limits.message_bytes = 1 is too small: the least is 1024 bytes",
        ),
        (
            "limits.message_bytes = \"1\"",
            "`limits.message_bytes` must be a whole number, 0 or more, not a text",
        ),
        (
            "limits.message_bytes = 99999999999999999999999",
            "`limits.message_bytes` must be a whole number",
        ),
    ] {
        let found = problems(&format!("{top}\n{APP}"));
        assert!(
            found.len() == 1 && found[0].starts_with(&format!("1: {expected}")),
            "{top}: {found:?}"
        );
    }
    for (line, expected) in [
        ("enabled = 1", "`enabled` must be true or false, not a number"),
        (
            "max_connections = \"1\"",
            "`max_connections` must be a whole number, 0 or more, not a text",
        ),
        (
            "allowed_origins = \"*\"",
            "`allowed_origins` must be a list of texts, like [\"a\", \"b\"], not a text",
        ),
        ("allowed_origins = []", "`allowed_origins` must not be empty"),
        ("allowed_origins = [1]", "`allowed_origins` must be a list of texts"),
        (
            "allowed_origins = [\"https://a.example/\"]",
            "`allowed_origins` must hold \"*\", origins",
        ),
        ("webhooks = \"http://a/\"", "`webhooks` must be blocks that begin with [[apps.webhooks]]"),
    ] {
        let found = problems(&format!("{APP}{line}\n"));
        assert!(
            found.len() == 1 && found[0].starts_with(&format!("5: {expected}")),
            "{line}: {found:?}"
        );
    }
    for (lines, expected) in [
        (
            "url = \"ftp://a/\"\nevents = [\"cache_miss\"]",
            "6: `url` must begin with http:// or https://, not ftp://",
        ),
        ("url = \"/hooks\"\nevents = [\"cache_miss\"]", "6: `url` must be an absolute URL"),
        (
            "url = \"http://a/\"\nevents = [\"chanel_ocupied\"]",
            "7: `events` has no event named \"chanel_ocupied\": did you mean \"channel_occupied\"?",
        ),
        ("url = \"http://a/\"\nevents = []", "7: `events` must not be empty"),
        ("url = \"http://a/\"", "5: [[apps.webhooks]] needs `events`: names of the events"),
        ("events = [\"cache_miss\"]", "5: [[apps.webhooks]] needs `url`: where the POSTs go"),
    ] {
        let found = problems(&format!("{APP}[[apps.webhooks]]\n{lines}\n"));
        assert!(found.len() == 1 && found[0].starts_with(expected), "{lines}: {found:?}");
    }
}

#[test]
fn apps_must_be_complete_and_told_apart() {
    assert!(problems("workers = 1\n")[0].starts_with("file: names no app"));
    assert!(
        problems("[apps]\nid = \"1\"\n")[0].contains("must be blocks that begin with [[apps]]")
    );
    let missing: Vec<_> = problems("[[apps]]\n");
    assert_eq!(missing.len(), 3, "{missing:?}");
    for key in ["id", "key", "secret"] {
        assert!(
            missing.iter().any(|text| text.starts_with(&format!("1: [[apps]] needs `{key}`: ")))
        );
    }
    let found = problems(&format!("{APP}{APP}"));
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found[0].starts_with("6: the id \"1\" is already that of the app at "), "{found:?}");
    assert!(found[1].starts_with("7: the key \"k\" is already that of the app at "), "{found:?}");
    let found = problems("[[apps]]\nid = \"a/b\"\nkey = \"\"\nsecret = \"\"\n");
    assert!(found[0].starts_with("2: `id` must be made of letters"), "{found:?}");
    assert_eq!(found[1..], ["3: `key` must not be empty", "4: `secret` must not be empty"]);
}

#[test]
fn everything_wrong_is_found_in_one_go_in_order() {
    let found =
        problems("workers = -1\nlisen = \"x\"\n[[apps]]\nid = 1\nkey = \"k\"\nenabled = 0\n");
    let lines: Vec<_> = found.iter().map(|text| text.split(':').next().unwrap_or("")).collect();
    assert_eq!(lines, ["1", "2", "3", "4", "6"], "{found:?}");
    let found = problems("a = \nb = [1\n");
    assert!(
        found.iter().all(|text| text.contains("this is not TOML")) && !found.is_empty(),
        "{found:?}"
    );
}

#[test]
fn no_error_and_no_debug_text_holds_a_secret() {
    for line in [
        "secret = hunter2",
        "secret = \"hunter2",
        "secret = 'hunter2\\q",
        "secret = \"hunter2\\q\"",
        "secret = [\"hunter2\"]",
        "secret = { a = \"hunter2\" }",
        "secret = \"hunter2\"\nsecret = \"hunter2\"",
        "secret = \"hunter2\" nonsense",
        "secrt = \"hunter2\"",
        "secret = \"hunter2\"\nid = 5",
        "secret = \"hunter2\"\nwebhooks = [{ url = \"http://u:hunter2@ a\", events = [\"x\"] }]",
    ] {
        let text = format!("[[apps]]\nkey = \"k\"\n{line}\n");
        let found = parse(&text).expect_err(line);
        assert!(!format!("{found} {found:?}").contains("hunter2"), "{found}");
    }
    let config = parse(&APP.replace("0123456789abcdef", "hunter2")).expect("settings");
    assert!(!format!("{config:?} {}", understood(&config)).contains("hunter2"));
}

/// The warnings about rules, with their lines; rules begin on line 5.
fn doubts(top: &str, rules: &str) -> Vec<String> {
    let config = parse(&format!("{top}{APP}{rules}\n")).unwrap_or_else(|e| panic!("{rules}: {e}"));
    let told = |warning: &Problem| match warning.place {
        Place::Line(_, line) if line > 4 => Some(format!("{line}: {}", warning.text)),
        _ => None,
    };
    config.warnings.iter().filter_map(told).collect()
}

#[test]
fn what_a_rule_probably_does_not_mean_is_told() {
    let rule = |top: &str, lines: &str| {
        doubts(top, &format!("[[apps.channels]]\nmatch = \"LOBBY_*\"\n{lines}"))
    };
    for (lines, expected) in [
        (
            "replay = \"all\"",
            "7: `replay = \"all\"` sends a page that reconnects events it has seen",
        ),
        ("durable = true", "7: `durable` alone keeps nothing"),
        ("durable = \"relaxed\"", "7: `durable` alone keeps nothing"),
        ("history = { age = \"29s\" }", "7: `age` is 29s: a client that loses its connection"),
        ("truth = { event = \"E\", wait = \"1s\" }", "7: `wait` means nothing without `url`"),
        (
            "truth = { event = \"E\", from = \"trigger\", settle = \"1s\" }",
            "7: `settle` means nothing without `url`",
        ),
    ] {
        let found = rule("", lines);
        assert!(found.len() == 1 && found[0].starts_with(expected), "{lines}: {found:?}");
    }
    for fine in [
        "",
        "replay = \"none\"",
        "durable = false",
        "replay = \"latest\"\nhistory = { events = 1, age = \"30s\" }\ndurable = true",
        "truth = { event = \"E\", from = \"trigger\" }",
        "truth = { event = \"E\", url = \"http://a/\", wait = \"1s\", confirm = true, \
         settle = 0, refresh = 1 }",
    ] {
        assert!(rule("", fine).is_empty(), "{fine}");
    }
    let folderless = |lines: &str| rule("data_dir = \"\"\n", lines);
    for durable in ["true", "\"relaxed\""] {
        let found = folderless(&format!("replay = \"latest\"\ndurable = {durable}"));
        assert!(found.len() == 1 && found[0].starts_with("9: nothing survives"), "{found:?}");
    }
    assert!(folderless("replay = \"latest\"\ndurable = false").is_empty());
}

#[test]
fn durable_alone_is_right_for_patterns_of_cache_channels() {
    for (pattern, warned) in [
        ("cache-*", false),
        ("private-cache-a", false),
        ("private-*", false),
        ("*", false),
        ("c?che-*", false),
        ("cache", true),
        ("private-a*", true),
        ("cach_*", true),
    ] {
        let rule = format!("[[apps.channels]]\nmatch = {pattern:?}\ndurable = true");
        assert_eq!(!doubts("", &rule).is_empty(), warned, "{pattern}");
    }
}

#[test]
fn a_rule_that_decides_nothing_is_told() {
    for (first, second, told) in [
        ("*", "a", true),
        ("a", "a", true),
        ("a?", "a?", true),
        ("LOBBY_*", "LOBBY_7", true),
        ("LOBBY_*", "LOBBY_?*", true),
        ("a*c", "a*b*c", true),
        ("a?", "a*", false),
        ("a?", "ab", false),
        ("LOBBY_7", "LOBBY_*", false),
        ("a*", "b*", false),
    ] {
        let rule =
            |pattern| format!("[[apps.channels]]\nmatch = {pattern:?}\nreplay = \"latest\"\n");
        let found = doubts("", &format!("{}{}", rule(first), rule(second)));
        let start = format!(
            "9: this rule decides nothing: every channel that matches {second:?} matches {first:?} at "
        );
        let expected = |text: &String| text.starts_with(&start) && text.ends_with(":6 first");
        assert_eq!(found.len(), usize::from(told), "{first} {second}: {found:?}");
        assert!(found.iter().all(expected), "{first} {second}: {found:?}");
    }
}

#[test]
fn rules_for_channels_are_checked() {
    let rule =
        |lines: &str| problems(&format!("{APP}[[apps.channels]]\nmatch = \"LOBBY_*\"\n{lines}\n"));
    for (lines, expected) in [
        (
            "replay = \"newest\"",
            "`replay` must be one of \"none\", \"latest\", \"latest-per-event\", \"all\"; it is \"newest\"",
        ),
        ("durable = \"full\"", "`durable` must be true, \"relaxed\" or false"),
        ("history = { events = 0 }", "`events` must be a whole number, 1 or more"),
        ("history = { age = \"never\" }", "`age` must be a time"),
        ("history = 5", "`history` must be a table"),
        ("truth = { url = \"http://a/\" }", "truth = { } needs `event`"),
        ("truth = { event = \"E\", url = \"a\" }", "`url` must be an absolute URL"),
        ("truth = { event = \"E\", url = \"http://u:p@a/\" }", "`url` must not hold a user name"),
        ("truth = { event = \"E\", url = \"http://ä/\" }", "`url` must be an absolute URL"),
        ("truth = { event = \"E\", wait = \"2h\" }", "`wait` must be from 0s to 1h"),
        ("truth = { event = \"E\", timeout = 0 }", "`timeout` must be from 10ms to 1d"),
        (
            "truth = { event = \"E\", url = \"http://a/\", wait = 0, confirm = true }",
            "`confirm` needs a `wait`",
        ),
        ("truth = { event = \"oyez:E\" }", "`event` begins with \"oyez:\""),
        (
            &*format!("truth = {{ event = {:?} }}", "E".repeat(201)),
            "`event` has 201 characters, at most 200 are allowed (limits.event_name)",
        ),
        ("truth = { event = \"E\", from = \"push\" }", "`from` must be one of \"trigger\""),
        (
            "truth = { event = \"E\", from = \"trigger\", url = \"http://a/\" }",
            "`truth` has both `url` and `from`",
        ),
        ("match = \"ä\"", "this is not TOML"),
    ] {
        let found = rule(lines);
        assert!(found.iter().any(|text| text.contains(expected)), "{lines}: {found:?}");
    }
    let found = problems(&format!("{APP}[[apps.channels]]\nmatch = \"a b\"\n"));
    assert!(
        found.iter().any(|text| text.contains("`match` must be made of the characters")),
        "{found:?}"
    );
    assert!(
        problems(&format!("cluster = \"redis://a\"\n{APP}"))[0]
            .contains("`cluster` needs more than one machine")
    );
}

#[test]
fn development_mode_is_never_public() {
    for (listen, address) in [
        ("0.0.0.0:6001", "0.0.0.0:6001"),
        (":6001", "0.0.0.0:6001"),
        ("[::]:6001", "[::]:6001"),
        ("192.168.1.5:6001", "192.168.1.5:6001"),
    ] {
        let error = load(&Sources { listen: Some(listen.to_owned()), ..Sources::default() })
            .expect_err(listen)
            .to_string();
        assert!(error.starts_with(&format!("--listen: {address} can be reached")), "{error}");
        assert!(error.contains("oyez new-app"), "{error}");
    }
    for listen in ["127.0.0.1:0", "[::1]:6001", "localhost:6001"] {
        let config = load(&Sources { listen: Some(listen.to_owned()), ..Sources::default() });
        assert_eq!(config.expect(listen).mode, Mode::Development);
    }
}

#[test]
fn a_missing_file_says_what_a_first_one_needs() {
    let file = Some(PathBuf::from("no-such-folder/oyez.toml"));
    let error = load(&Sources { file, ..Sources::default() }).expect_err("missing").to_string();
    assert_eq!(
        error,
        "no-such-folder/oyez.toml: there is no such file; `oyez new-app` prints what a first one needs"
    );
}
