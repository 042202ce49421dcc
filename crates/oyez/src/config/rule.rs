// SPDX-License-Identifier: MIT OR Apache-2.0
//! Reading an `[[apps.channels]]` block. What is wrong or doubtful about rules that can be read is
//! found later, by `doubts`: it depends on settings that stand elsewhere.

use oyez_server::core::WrittenHistory;
use oyez_server::options::{ChannelOptions, Source, TruthOptions};
use toml::de::DeTable;

use super::key::{Places, Walk};
use super::keys;

/// Where a rule and each of its keys stand.
pub(super) struct RulePlaces {
    /// Index of its app.
    pub(super) app: usize,
    /// Its keys.
    pub(super) rule: Places,
    /// The keys of its `history`.
    pub(super) history: Option<Places>,
    /// The keys of its `truth`.
    pub(super) truth: Option<Places>,
}

/// Reads a block of the app with that index.
pub(super) fn read(
    walk: &mut Walk<'_>,
    app: usize,
    block: (usize, &DeTable<'_>),
) -> (ChannelOptions, RulePlaces) {
    let mut rule = ChannelOptions::new("");
    let nested = &["history", "truth"];
    let places = walk.block(keys::CHANNELS, keys::CHANNEL, nested, block, &mut rule);
    let mut places = RulePlaces { app, rule: places, history: None, truth: None };
    if let Some(table) = walk.table(block.1, "history") {
        let mut history = WrittenHistory::default();
        let inner = walk.block(keys::HISTORY, keys::CHANNEL_HISTORY, &[], table, &mut history);
        (rule.history, places.history) = (Some(history), Some(inner));
    }
    if let Some(table) = walk.table(block.1, "truth") {
        let mut truth = TruthOptions::new("", Source::Pushed);
        let inner = walk.block(keys::TRUTH, keys::CHANNEL_TRUTH, &[], table, &mut truth);
        if inner.has("url") && inner.has("from") {
            let text = "`truth` has both `url` and `from`: keep one, the truth has one source";
            walk.wrong(table.0, text);
        }
        (rule.truth, places.truth) = (Some(truth), Some(inner));
    }
    (rule, places)
}
