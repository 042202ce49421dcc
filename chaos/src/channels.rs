// SPDX-License-Identifier: MIT OR Apache-2.0
//! The channels that everybody plays with, one for each kind of memory, and the server's settings
//! for them: as a config file for the real program, and as [`Options`] for one in this process.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use oyez_core::{Durability, Replay, WrittenHistory};
use oyez_server::options::{AppOptions, ChannelOptions, Options, Source, TruthOptions};

/// Id of the one app.
pub const APP_ID: &str = "chaos";
/// Its key.
pub const APP_KEY: &str = "chaos-key";
/// Its secret.
pub const APP_SECRET: &str = "chaos-secret";

/// How long the server lets a silent client be before it pings, with a bookmark.
const PING_AFTER: Duration = Duration::from_secs(2);
/// How long a client may take to answer: a slow one shall be slow, not dead.
const PONG_TIMEOUT: Duration = Duration::from_secs(120);
/// How long a draining server takes to close everybody.
const DRAIN: Duration = Duration::from_secs(1);
/// Long enough for nothing to grow too old in a run.
const AGE: Duration = Duration::from_secs(7 * 24 * 3600);
/// `limits.output_bytes`: small, so that slow readers fall behind.
const OUTPUT_BYTES: usize = 256 * 1024;
/// `limits.replay_bytes`: small, so that replays come in pieces.
pub const REPLAY_BYTES: usize = 16 * 1024;
/// `limits.history_bytes`: so large that only `history.events` trims.
const HISTORY_BYTES: usize = 512 * 1024 * 1024;
/// `limits.memory_bytes`.
const MEMORY_BYTES: usize = 2 * 1024 * 1024 * 1024;

/// A channel and its rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Channel {
    /// Its name, and the pattern of its rule.
    pub name: &'static str,
    /// What newcomers are shown.
    pub replay: Replay,
    /// How many entries its log keeps.
    pub events: usize,
    /// Whether it survives.
    pub durability: Durability,
    /// The event of its truth.
    pub truth: Option<&'static str>,
    /// What publishers do with it.
    pub use_for: Use,
}

/// What publishers do with a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// They publish events.
    Events,
    /// They publish events and let some be forgotten.
    EventsAndForget,
    /// They set, merge and delete the truth.
    Truth,
    /// They do all of this.
    All,
    /// They increment the truth by compare-and-set, and nothing else.
    Counter,
}

const fn channel(name: &'static str, replay: Replay, events: usize, use_for: Use) -> Channel {
    Channel { name, replay, events, durability: Durability::Full, truth: None, use_for }
}

/// All of them.
pub const CHANNELS: [Channel; 10] = [
    channel("hist", Replay::None, 65_536, Use::Events),
    channel("all", Replay::All, 1_500, Use::EventsAndForget),
    channel("tiny", Replay::All, 32, Use::Events),
    channel("latest", Replay::Latest, 500, Use::EventsAndForget),
    channel("per-event", Replay::LatestPerEvent, 500, Use::EventsAndForget),
    channel("cache-last", Replay::Latest, 500, Use::Events),
    Channel { truth: Some("STATE"), ..channel("truth", Replay::None, 2_000, Use::Truth) },
    Channel { truth: Some("COUNT"), ..channel("counter", Replay::None, 65_536, Use::Counter) },
    Channel {
        durability: Durability::Relaxed,
        truth: Some("MOOD"),
        ..channel("relaxed", Replay::LatestPerEvent, 1_000, Use::All)
    },
    Channel {
        durability: Durability::Off,
        truth: Some("MOOD"),
        ..channel("loose", Replay::All, 300, Use::All)
    },
];

impl Channel {
    /// The channel of that name.
    pub fn named(name: &str) -> Option<&'static Channel> {
        CHANNELS.iter().find(|channel| channel.name == name)
    }

    /// Whether nothing of it may ever be lost.
    pub fn is_durable(&self) -> bool {
        self.durability == Durability::Full
    }
}

fn replay(replay: Replay) -> &'static str {
    match replay {
        Replay::None => "none",
        Replay::Latest => "latest",
        Replay::LatestPerEvent => "latest-per-event",
        Replay::All => "all",
    }
}

/// The text of `oyez.toml`.
pub fn config(listen: SocketAddr, data_dir: &Path) -> String {
    let mut text = format!(
        "listen = \"{listen}\"\ndata_dir = {data_dir:?}\nworkers = 2\nping_after = {}\npong_timeout = {}\n\
         drain_seconds = {}\n\n[limits]\noutput_bytes = {OUTPUT_BYTES}\n\
         replay_bytes = {REPLAY_BYTES}\nhistory_bytes = {HISTORY_BYTES}\n\
         memory_bytes = {MEMORY_BYTES}\n\n[[apps]]\nid = \"{APP_ID}\"\nkey = \"{APP_KEY}\"\n\
         secret = \"{APP_SECRET}\"\nsubscription_count = false\n",
        PING_AFTER.as_secs(),
        PONG_TIMEOUT.as_secs(),
        DRAIN.as_secs(),
    );
    for channel in &CHANNELS {
        let durable = match channel.durability {
            Durability::Full => "true",
            Durability::Relaxed => "\"relaxed\"",
            Durability::Off => "false",
        };
        let truth = channel.truth.map(|event| format!("truth = {{ event = \"{event}\" }}\n"));
        let _ = write!(
            text,
            "\n[[apps.channels]]\nmatch = \"{}\"\nreplay = \"{}\"\nhistory = {{ events = {}, age = \
             \"{}s\" }}\ndurable = {durable}\n{}",
            channel.name,
            replay(channel.replay),
            channel.events,
            AGE.as_secs(),
            truth.unwrap_or_default(),
        );
    }
    text
}

/// The same for a server in this process.
pub fn options(data_dir: &Path) -> Options {
    let mut app = AppOptions::new(APP_ID, APP_KEY, APP_SECRET);
    // Counts are kept for slow readers until they are closed for it; here they shall fall behind.
    app.switches.subscription_count = false;
    app.channels = CHANNELS.iter().map(rule).collect();
    let mut options = Options {
        listen: SocketAddr::from(([127, 0, 0, 1], 0)),
        data_dir: Some(data_dir.to_owned()),
        workers: 2,
        ping_after: PING_AFTER,
        pong_timeout: PONG_TIMEOUT,
        drain: DRAIN,
        apps: vec![app],
        ..Options::default()
    };
    options.limits.output_bytes = OUTPUT_BYTES;
    options.limits.replay_bytes = REPLAY_BYTES;
    options.limits.history_bytes = HISTORY_BYTES;
    options.limits.memory_bytes = MEMORY_BYTES;
    options
}

fn rule(channel: &Channel) -> ChannelOptions {
    ChannelOptions {
        replay: channel.replay,
        history: Some(WrittenHistory { events: Some(channel.events), age: Some(AGE) }),
        durability: Some(channel.durability),
        truth: channel.truth.map(|event| TruthOptions::new(event, Source::Pushed)),
        ..ChannelOptions::new(channel.name)
    }
}
