// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Report`]: what the log hears of one source: that it fails, at a bounded rate, and that it
//! answers again.

use std::time::Duration;

use oyez_protocol::channel::ChannelName;
use tokio::time::Instant;

use super::source::{Asker, Source};

/// One source's failures are logged once in this time.
const LOG_EVERY: Duration = Duration::from_secs(10);

/// What was logged of one source, and what was not.
#[derive(Debug, Default)]
pub(super) struct Report {
    logged: Option<Instant>,
    /// Failures that were not logged since.
    unlogged: u64,
    /// Whether the last that was logged is a failure.
    failing: bool,
}

impl Report {
    /// A question failed.
    pub(super) fn failed(
        &mut self,
        source: &Source,
        asker: &Asker,
        channel: &ChannelName,
        reason: &str,
    ) {
        if self.logged.is_some_and(|logged| logged.elapsed() < LOG_EVERY) {
            self.unlogged += 1;
            return;
        }
        tracing::warn!(
            source = source.name,
            app = asker.app_id,
            channel = channel.as_str(),
            not_logged = std::mem::take(&mut self.unlogged),
            "a truth was not resolved: {reason}"
        );
        self.logged = Some(Instant::now());
        self.failing = true;
    }

    /// A question was answered.
    pub(super) fn answered(&mut self, source: &Source) {
        if std::mem::take(&mut self.failing) {
            tracing::info!(source = source.name, "truths are resolved again");
        }
    }
}
