// SPDX-License-Identifier: MIT OR Apache-2.0
//! Every key of the config file: the one place where a setting gets its name, its reading, its
//! default and its sentence in the manual. The limits have their own table in
//! [`oyez_protocol::limits`]; [`reference`] shows both.

use std::ops::RangeInclusive;
use std::path::Path;
use std::time::Duration;

use oyez_protocol::limits::Limits;
use oyez_protocol::secret::Secret;
use oyez_protocol::webhook::WebhookKind;
use oyez_server::core::{Durability, HISTORY_EVENTS, Pattern, Replay, WrittenHistory};
use oyez_server::options::{
    AppOptions, ChannelOptions, Options, Receiver, Source, TruthOptions, WebhookOptions,
};

use super::given::{Given, Read, show_time};
use super::key::{Key, Need, Row, rows};

/// Section names as they are written in the file.
pub(super) const TOP: &str = "";
pub(super) const LIMITS: &str = "[limits]";
pub(super) const APPS: &str = "[[apps]]";
pub(super) const WEBHOOKS: &str = "[[apps.webhooks]]";
pub(super) const CHANNELS: &str = "[[apps.channels]]";
pub(super) const HISTORY: &str = "history = { }";
pub(super) const TRUTH: &str = "truth = { }";

/// The folder for data when nobody names another.
pub const DATA_DIR: &str = "oyez-data";

const WORKERS: RangeInclusive<usize> = 0..=1024;
const ACTIVITY_TIMEOUT: RangeInclusive<Duration> =
    Duration::from_secs(10)..=Duration::from_secs(120);
/// Times on which the server acts: short ones are for tests, zero would be a busy loop.
const LIVENESS: RangeInclusive<Duration> =
    Duration::from_millis(10)..=Duration::from_secs(24 * 3600);
const PATIENCE: RangeInclusive<Duration> = Duration::ZERO..=Duration::from_secs(3600);
/// `drain_seconds` of development mode.
const DEVELOPMENT_DRAIN: Duration = Duration::from_secs(1);
const AGE: RangeInclusive<Duration> = Duration::from_millis(1)..=Duration::MAX;

/// A server with every default of the config file: as [`Options::default`], with a data folder.
pub(super) fn base() -> Options {
    Options { data_dir: Some(DATA_DIR.into()), ..Options::default() }
}

/// A server with every default of development mode: the same, but for a person who waits for it
/// to stop.
pub(super) fn development_base() -> Options {
    Options { drain: DEVELOPMENT_DRAIN, ..base() }
}

/// Every key that exists, in the order of the manual.
pub fn reference() -> Vec<Row> {
    let limit = |limit: &oyez_protocol::limits::Limit| Row {
        section: LIMITS,
        key: limit.key,
        variable: Some(super::environment::variable(&["limits", limit.key])),
        default: Some(limit.default.to_string()),
        doc: format!("{} In {}; beyond it: {}.", limit.what.trim(), limit.unit, limit.beyond),
    };
    let app = AppOptions::new("", "", "");
    let webhook = WebhookOptions::url("", []);
    let mut all = rows(TOP, SERVER, &base());
    all.extend(Limits::TABLE.iter().map(limit));
    all.extend(rows(APPS, APP, &app));
    all.extend(rows(WEBHOOKS, WEBHOOK, &webhook));
    all.extend(rows(CHANNELS, CHANNEL, &ChannelOptions::new("")));
    all.extend(rows(HISTORY, CHANNEL_HISTORY, &WrittenHistory::default()));
    all.extend(rows(TRUTH, CHANNEL_TRUTH, &TruthOptions::new("", Source::Pushed)));
    all
}

/// Settings of the whole server.
pub(super) const SERVER: &[Key<Options>] = &[
    Key {
        name: "listen",
        need: Need::Optional,
        doc: "IP address and port of everything that Oyez serves, \":6001\" for every address; port 0 takes a free one.",
        read: |o, v| put(&mut o.listen, v.address()),
        show: |o| quoted(&o.listen.to_string()),
    },
    Key {
        name: "data_dir",
        need: Need::Optional,
        doc: "Folder for what must survive a restart, relative to the working directory; \"\" keeps nothing.",
        read: |o, v| put(&mut o.data_dir, v.folder()),
        show: |o| quoted(&o.data_dir.as_deref().unwrap_or(Path::new("")).to_string_lossy()),
    },
    Key {
        name: "workers",
        need: Need::Optional,
        doc: "Worker threads; 0 is one per core.",
        read: |o, v| put(&mut o.workers, v.count(WORKERS)),
        show: |o| o.workers.to_string(),
    },
    Key {
        name: "path",
        need: Need::Optional,
        doc: "Prefix before /app and /apps, like \"/realtime\".",
        read: |o, v| put(&mut o.path, v.prefix()),
        show: |o| quoted(&o.path),
    },
    Key {
        name: "activity_timeout",
        need: Need::Optional,
        doc: "Seconds of silence after which a client pings; told to clients, 10 to 120.",
        read: |o, v| {
            let time = v.time(ACTIVITY_TIMEOUT)?;
            if time.subsec_nanos() > 0 {
                return Err("must be whole seconds: clients are told a whole number".to_owned());
            }
            o.activity_timeout = time.as_secs();
            Ok(())
        },
        show: |o| o.activity_timeout.to_string(),
    },
    Key {
        name: "ping_after",
        need: Need::Optional,
        doc: "Seconds of silence before the server pings a client.",
        read: |o, v| put(&mut o.ping_after, v.time(LIVENESS)),
        show: |o| seconds(o.ping_after),
    },
    Key {
        name: "pong_timeout",
        need: Need::Optional,
        doc: "Seconds of further silence before the server closes with 4201.",
        read: |o, v| put(&mut o.pong_timeout, v.time(LIVENESS)),
        show: |o| seconds(o.pong_timeout),
    },
    Key {
        name: "drain_seconds",
        need: Need::Optional,
        doc: "Seconds over which a stopping server closes its connections.",
        read: |o, v| put(&mut o.drain, v.time(PATIENCE)),
        show: |o| seconds(o.drain),
    },
    Key {
        name: "webhook_delay",
        need: Need::Optional,
        doc: "Wait before channel_vacated and member_removed; whoever is back in time causes neither.",
        read: |o, v| put(&mut o.webhook_delay, v.time(PATIENCE)),
        show: |o| quoted(&show_time(o.webhook_delay)),
    },
];

/// An app.
pub(super) const APP: &[Key<AppOptions>] = &[
    Key {
        name: "id",
        need: Need::Required,
        doc: "the app's id, in the path of the HTTP API: letters, digits, - and _.",
        read: |a, v| put(&mut a.id, path_word(v)),
        show: |a| quoted(&a.id),
    },
    Key {
        name: "key",
        need: Need::Required,
        doc: "the app's key, which pages hold: letters, digits, - and _.",
        read: |a, v| put(&mut a.key, path_word(v)),
        show: |a| quoted(&a.key),
    },
    Key {
        name: "secret",
        need: Need::Required,
        doc: "the app's secret, which signs and which only backends hold.",
        read: |a, v| put(&mut a.secret, v.name().map(|text| Secret::new(&text))),
        show: |_| quoted("…"),
    },
    Key {
        name: "client_events",
        need: Need::Optional,
        doc: "Whether clients may send client- events.",
        read: |a, v| put(&mut a.switches.client_events, v.switch()),
        show: |a| a.switches.client_events.to_string(),
    },
    Key {
        name: "subscription_count",
        need: Need::Optional,
        doc: "Whether channels tell their subscribers how many they are.",
        read: |a, v| put(&mut a.switches.subscription_count, v.switch()),
        show: |a| a.switches.subscription_count.to_string(),
    },
    Key {
        name: "watchlist",
        need: Need::Optional,
        doc: "Whether signed-in users hear who of their watchlist comes and goes.",
        read: |a, v| put(&mut a.switches.watchlist, v.switch()),
        show: |a| a.switches.watchlist.to_string(),
    },
    Key {
        name: "enabled",
        need: Need::Optional,
        doc: "Whether the app is served; if not, connections are closed with 4003 and calls answered 403.",
        read: |a, v| put(&mut a.switches.enabled, v.switch()),
        show: |a| a.switches.enabled.to_string(),
    },
    Key {
        name: "tls_only",
        need: Need::Optional,
        doc: "Whether plain connections are closed with 4000; the proxy that does TLS says X-Forwarded-Proto: https.",
        read: |a, v| put(&mut a.switches.tls_only, v.switch()),
        show: |a| a.switches.tls_only.to_string(),
    },
    Key {
        name: "max_connections",
        need: Need::Optional,
        doc: "Connections of this app; 0 sets no limit of its own; beyond it: close 4004.",
        read: |a, v| put(&mut a.max_connections, v.count(0..=usize::MAX)),
        show: |a| a.max_connections.to_string(),
    },
    Key {
        name: "allowed_origins",
        need: Need::Optional,
        doc: "Pages that may connect: \"*\", \"https://example.com\", \"example.com\" or \"*.example.com\".",
        read: |a, v| put(&mut a.allowed_origins, origins(v)),
        show: |a| list(a.allowed_origins.iter().map(String::as_str)),
    },
];

/// A receiver of webhooks.
pub(super) const WEBHOOK: &[Key<WebhookOptions>] = &[
    Key {
        name: "url",
        need: Need::Required,
        doc: "where the POSTs go, http or https.",
        read: |w, v| put(&mut w.receiver, v.url().map(Receiver::Url)),
        show: |w| match &w.receiver {
            Receiver::Url(url) => quoted(&without_query(url)),
            // Only a program can give one.
            Receiver::Closure { .. } => "a closure".to_owned(),
        },
    },
    Key {
        name: "events",
        need: Need::Required,
        doc: "names of the events it wants: channel_occupied, channel_vacated, member_added, \
              member_removed, client_event, cache_miss, subscription_count.",
        read: |w, v| put(&mut w.events, webhook_kinds(v)),
        show: |w| list(w.events.iter().map(|kind| kind.name())),
    },
];

/// The words of `replay`.
const REPLAYS: &[(&str, Replay)] = &[
    ("none", Replay::None),
    ("latest", Replay::Latest),
    ("latest-per-event", Replay::LatestPerEvent),
    ("all", Replay::All),
];

/// A rule for channels.
pub(super) const CHANNEL: &[Key<ChannelOptions>] = &[
    Key {
        name: "match",
        need: Need::Required,
        doc: "which channels: a name in which * stands for any characters and ? for one; the first match wins.",
        read: |r, v| put(&mut r.pattern, pattern(v)),
        show: |r| quoted(r.pattern.as_str()),
    },
    Key {
        name: "replay",
        need: Need::Optional,
        doc: "What a new subscriber gets of the past: none, latest, latest-per-event or all.",
        read: |r, v| put(&mut r.replay, v.choice(REPLAYS)),
        show: |r| {
            let word = REPLAYS.iter().find(|(_, replay)| *replay == r.replay);
            quoted(word.map_or("", |(word, _)| word))
        },
    },
    Key {
        name: "durable",
        need: Need::Optional,
        doc: "Whether memory survives: true (kept before anybody sees it), \"relaxed\" (kept within 50 ms) or false.",
        read: |r, v| put(&mut r.durability, durability(v).map(Some)),
        show: |r| match r.durability {
            None | Some(Durability::Full) => "true".to_owned(),
            Some(Durability::Relaxed) => quoted("relaxed"),
            Some(Durability::Off) => "false".to_owned(),
        },
    },
];

/// `history` of a rule.
pub(super) const CHANNEL_HISTORY: &[Key<WrittenHistory>] = &[
    Key {
        name: "events",
        need: Need::Optional,
        doc: "Events that are kept for whoever comes back; at most limits.history_events.",
        read: |h, v| put(&mut h.events, v.count(1..=usize::MAX).map(Some)),
        show: |h| h.events.unwrap_or(HISTORY_EVENTS).to_string(),
    },
    Key {
        name: "age",
        need: Need::Optional,
        doc: "How long anything is kept; unsaid, 10 minutes for whoever comes back, and what a new \
              subscriber gets 30 days (of a cache channel 30 minutes).",
        read: |h, v| put(&mut h.age, v.time(AGE).map(Some)),
        show: |h| h.age.map_or_else(String::new, shown_time),
    },
];

/// Keys of `truth` that mean nothing unless somebody is asked at a `url`.
pub(super) const OF_URL: [&str; 5] = ["timeout", "wait", "confirm", "settle", "refresh"];

/// `truth` of a rule.
pub(super) const CHANNEL_TRUTH: &[Key<TruthOptions>] = &[
    Key {
        name: "event",
        need: Need::Required,
        doc: "the name of the event that carries the truth.",
        read: |t, v| put(&mut t.event, v.name()),
        show: |t| quoted(&t.event),
    },
    Key {
        name: "url",
        need: Need::Optional,
        doc: "Whom Oyez asks for the truth, by a signed POST; http or https.",
        read: |t, v| put(&mut t.source, v.url().map(Source::Url)),
        show: |t| match &t.source {
            Source::Url(url) => quoted(&without_query(url)),
            _ => String::new(),
        },
    },
    Key {
        name: "from",
        need: Need::Optional,
        doc: "\"trigger\": a plain trigger of the event sets the truth.",
        read: |t, v| v.choice(&[("trigger", ())]).map(|()| t.source = Source::Trigger),
        show: |t| match t.source {
            Source::Trigger => quoted("trigger"),
            _ => String::new(),
        },
    },
    Key {
        name: "timeout",
        need: Need::Optional,
        doc: "A call of the url that takes longer has failed, and is made again later.",
        read: |t, v| put(&mut t.timeout, v.time(LIVENESS)),
        show: |t| shown_time(t.timeout),
    },
    Key {
        name: "wait",
        need: Need::Optional,
        doc: "How long a subscription waits for an answer; beyond it the truth follows live.",
        read: |t, v| put(&mut t.wait, v.time(PATIENCE)),
        show: |t| shown_time(t.wait),
    },
    Key {
        name: "confirm",
        need: Need::Optional,
        doc: "Each subscription waits for an answer of its own time, and not only one that comes \
              when nothing is known: no page goes back behind what it was made of.",
        read: |t, v| put(&mut t.confirm, v.switch()),
        show: |t| if t.confirm { "true".to_owned() } else { String::new() },
    },
    Key {
        name: "settle",
        need: Need::Optional,
        doc: "When one confirming call follows the last `changed`; \"0s\" makes none.",
        read: |t, v| put(&mut t.settle, v.time(PATIENCE)),
        show: |t| shown_time(t.settle),
    },
    Key {
        name: "refresh",
        need: Need::Optional,
        doc: "How often to ask again while somebody is subscribed; unsaid, never.",
        read: |t, v| put(&mut t.refresh, v.time(LIVENESS).map(Some)),
        show: |t| t.refresh.map_or_else(String::new, shown_time),
    },
];

fn put<T>(slot: &mut T, read: Read<T>) -> Read<()> {
    *slot = read?;
    Ok(())
}

fn quoted(text: &str) -> String {
    format!("{text:?}")
}

fn list<'a>(texts: impl Iterator<Item = &'a str>) -> String {
    format!("[{}]", texts.map(quoted).collect::<Vec<_>>().join(", "))
}

fn shown_time(time: Duration) -> String {
    quoted(&show_time(time))
}

fn seconds(time: Duration) -> String {
    time.as_secs_f64().to_string()
}

/// An id or a key: a part of a path.
fn path_word(given: &Given<'_>) -> Read<String> {
    let text = given.name()?;
    let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    match text.bytes().all(plain) {
        true => Ok(text),
        false => Err(format!("must be made of letters, digits, - and _; it is {text:?}")),
    }
}

fn pattern(given: &Given<'_>) -> Read<Pattern> {
    let text = given.name()?;
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"_-=@,.;*?#".contains(&b);
    match text.bytes().all(allowed) {
        true => Ok(Pattern::new(&text)),
        false => Err(format!(
            "must be made of the characters of channel names (letters, digits and _ - = @ , . ;) \
             and of * and ?; it is {text:?}"
        )),
    }
}

fn durability(given: &Given<'_>) -> Read<Durability> {
    let read = match given {
        Given::Toml(toml::de::DeValue::String(_)) => {
            given.choice(&[("relaxed", Durability::Relaxed)])
        }
        _ => given.switch().map(|on| if on { Durability::Full } else { Durability::Off }),
    };
    read.map_err(|_| "must be true, \"relaxed\" or false".to_owned())
}

fn origins(given: &Given<'_>) -> Read<Vec<String>> {
    let texts = given.texts()?;
    for text in &texts {
        let host = text.split_once("://").map_or(text.as_str(), |(_, host)| host);
        let plain = |c: char| c.is_alphanumeric() || "-_.:[]*".contains(c);
        if host.is_empty() || !host.chars().all(plain) {
            return Err(format!(
                "must hold \"*\", origins like \"https://example.com\" or hosts like \"*.example.com\", \
                 without a path; one is {text:?}"
            ));
        }
    }
    Ok(texts)
}

fn webhook_kinds(given: &Given<'_>) -> Read<Vec<WebhookKind>> {
    let mut kinds = Vec::new();
    for text in given.texts()? {
        let kind = WebhookKind::parse(&text).ok_or_else(|| {
            let distance = |kind: &WebhookKind| strsim::damerau_levenshtein(kind.name(), &text);
            let nearest = WebhookKind::ALL.into_iter().min_by_key(distance);
            let nearest = nearest.map_or("", WebhookKind::name);
            format!("has no event named {text:?}: did you mean {nearest:?}?")
        })?;
        if !kinds.contains(&kind) {
            kinds.push(kind);
        }
    }
    Ok(kinds)
}

/// A URL as it may be shown: without its query, which may hold a token.
fn without_query(url: &str) -> String {
    match url.split_once('?') {
        Some((url, _)) => format!("{url}?…"),
        None => url.to_owned(),
    }
}
