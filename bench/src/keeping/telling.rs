// SPDX-License-Identifier: MIT OR Apache-2.0
//! What Oyez says of itself: of its journal at `/metrics`, and at `/up`.

use crate::metrics::{Metrics, get};
use crate::process::Server;
use crate::trouble::Trouble;

/// The counters of the journal.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Commits {
    /// Commits since the start.
    count: f64,
    /// Appends in them.
    appends: f64,
    /// How long they took together, seconds.
    seconds: f64,
}

impl Commits {
    /// `None` when the server does not say.
    pub(crate) fn of(server: &Server) -> Result<Option<Self>, Trouble> {
        let metrics = Metrics::of(server)?;
        let read = || {
            Some(Self {
                count: metrics.sum("oyez_journal_commit_seconds_count")?,
                appends: metrics.sum("oyez_journal_appends_total")?,
                seconds: metrics.sum("oyez_journal_commit_seconds_sum")?,
            })
        };
        Ok(read())
    }

    /// Since an earlier reading, when there was any commit: appends of one, and its seconds.
    pub(crate) fn since(self, before: Self) -> Option<(f64, f64)> {
        let count = self.count - before.count;
        let each = |after: f64, before: f64| (after - before) / count;
        (count > 0.0)
            .then(|| (each(self.appends, before.appends), each(self.seconds, before.seconds)))
    }
}

/// Waits until the server answers: its port is open before it has read what it kept.
pub(crate) fn wait_until_up(server: &Server) -> Result<(), Trouble> {
    let answer = get(server, "/up").map_err(Trouble::io("asking whether a server is up"))?;
    let is_up = answer.starts_with("HTTP/1.1 200");
    is_up.then_some(()).ok_or_else(|| Trouble::unexpected("who asked /up", answer.as_bytes()))
}
