// SPDX-License-Identifier: MIT OR Apache-2.0
//! The founding app as it is measured: its own binary and defaults, but with limits that let a
//! whole crowd come from one address, on an empty folder.

use crate::metrics::Metrics;
use crate::process::{Program, Server, free_address};
use crate::trouble::Trouble;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What anybody may do in a minute.
const AS_OFTEN_AS_THEY_LIKE: &str = "1000000";

/// Starts it with its data in that folder.
pub(crate) fn start(binary: &Path, folder: &Path) -> Result<Server, Trouble> {
    let address = free_address()?;
    let listen = address.to_string();
    let arguments = [
        ["--listen", &listen],
        ["--data", DATA],
        ["--registrations-per-minute", AS_OFTEN_AS_THEY_LIKE],
        ["--logins-per-minute", AS_OFTEN_AS_THEY_LIKE],
        ["--messages-per-minute", AS_OFTEN_AS_THEY_LIKE],
    ];
    let program = Program {
        path: binary.to_path_buf(),
        arguments: arguments.concat().into_iter().map(str::to_owned).collect(),
        environment: Vec::new(),
        directory: folder.to_path_buf(),
    };
    Server::start(&program, address, folder.join("log"))
}

/// Its data folder, within its own.
const DATA: &str = "data";

/// Its database.
pub(crate) fn database(folder: &Path) -> PathBuf {
    folder.join(DATA).join("lobby.db")
}

/// What the app has spent until some moment.
pub(crate) struct Spent {
    pub(crate) cpu: Duration,
    pub(crate) written: u64,
    metrics: Metrics,
}

impl Spent {
    /// Until now.
    pub(crate) fn by(server: &Server) -> Result<Self, Trouble> {
        let metrics = Metrics::of(server)?;
        Ok(Self { cpu: server.cpu_time()?, written: server.written()?, metrics })
    }

    /// Questions for the truths of channels of that kind since an earlier moment.
    pub(crate) fn questions(&self, before: &Self, kind: &str) -> f64 {
        let count = |spent: &Self| {
            spent.metrics.sum_where("oyez_resolver_calls_total", kind).unwrap_or_default()
        };
        count(self) - count(before)
    }

    /// Commits of the journal since an earlier moment.
    pub(crate) fn commits(&self, before: &Self) -> f64 {
        let count = |spent: &Self| spent.metrics.sum("oyez_journal_commits_total");
        count(self).unwrap_or_default() - count(before).unwrap_or_default()
    }
}
