// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`ChannelRule`]: what an `[[apps.channels]]` block asks for.

use std::time::Duration;

use toml::de::DeTable;

use super::key::{Places, Walk};
use super::keys;

/// One rule. The first whose pattern matches a channel's whole name decides.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChannelRule {
    /// A channel name in which `*` stands for any characters and `?` for one.
    pub pattern: String,
    /// What a new subscriber gets.
    pub replay: Replay,
    /// How much is kept for whoever resumes.
    pub history: Option<History>,
    /// Whether it survives; `None` leaves the default.
    pub durable: Option<Durable>,
    /// The channel's truth.
    pub truth: Option<Truth>,
}

/// What a new subscriber gets of the past.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Replay {
    /// Nothing.
    #[default]
    None,
    /// The newest event.
    Latest,
    /// The newest event of each name.
    LatestPerEvent,
    /// All that is kept.
    All,
}

/// Whether memory survives a crash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durable {
    /// Committed before anybody sees or is told of it.
    Full,
    /// Committed within 50 ms, waiting for nothing.
    Relaxed,
    /// In memory only.
    Off,
}

/// Bounds of a channel's ring of events; `None` leaves the default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct History {
    /// Events kept.
    pub events: Option<usize>,
    /// How long they are kept.
    pub age: Option<Duration>,
}

/// Where a channel's truth comes from and how it is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Truth {
    /// The event that carries it.
    pub event: String,
    /// Who knows it.
    pub source: TruthSource,
    /// How long a subscription waits for a first answer.
    pub wait: Duration,
    /// When the confirming call follows the last `changed`.
    pub settle: Duration,
    /// How often to ask again; `None` never.
    pub refresh: Option<Duration>,
}

/// Who knows a channel's truth.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TruthSource {
    /// Whoever sets it by a call.
    Pushed,
    /// A plain trigger of the event.
    Trigger,
    /// The backend at this URL.
    Url(String),
}

impl Replay {
    /// The words of the config file.
    pub(super) const CHOICES: &[(&'static str, Replay)] = &[
        ("none", Replay::None),
        ("latest", Replay::Latest),
        ("latest-per-event", Replay::LatestPerEvent),
        ("all", Replay::All),
    ];

    /// The word of the config file.
    pub fn name(self) -> &'static str {
        Self::CHOICES.iter().find(|(_, replay)| *replay == self).map_or("", |(name, _)| name)
    }
}

impl Default for Truth {
    fn default() -> Truth {
        Truth {
            event: String::new(),
            source: TruthSource::Pushed,
            wait: Duration::from_millis(300),
            settle: Duration::from_secs(1),
            refresh: None,
        }
    }
}

/// Reads an `[[apps.channels]]` block.
pub(super) fn read(walk: &mut Walk<'_>, block: (usize, &DeTable<'_>)) -> (ChannelRule, Places) {
    let mut rule = ChannelRule::default();
    let places = walk.block(keys::CHANNELS, keys::CHANNEL, &["history", "truth"], block, &mut rule);
    if let Some(table) = walk.table(block.1, "history") {
        let mut history = History::default();
        walk.block(keys::HISTORY, keys::CHANNEL_HISTORY, &[], table, &mut history);
        rule.history = Some(history);
    }
    if let Some(table) = walk.table(block.1, "truth") {
        let mut truth = Truth::default();
        let inner = walk.block(keys::TRUTH, keys::CHANNEL_TRUTH, &[], table, &mut truth);
        if inner.has("url") && inner.has("from") {
            let text = "`truth` has both `url` and `from`: keep one, the truth has one source";
            walk.wrong(table.0, text);
        }
        rule.truth = Some(truth);
    }
    (rule, places)
}
