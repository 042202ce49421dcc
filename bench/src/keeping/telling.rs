// SPDX-License-Identifier: MIT OR Apache-2.0
//! What Oyez says of itself: of its journal at `/metrics`, and at `/up`.

use crate::process::Server;
use crate::trouble::Trouble;
use std::io::{self, Read, Write};
use std::net::TcpStream;

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
        let text = get(server, "/metrics").map_err(Trouble::io("reading /metrics"))?;
        Ok(Self::parse(&text))
    }

    fn parse(text: &str) -> Option<Self> {
        Some(Self {
            count: sample(text, "oyez_journal_commit_seconds_count")?,
            appends: sample(text, "oyez_journal_appends_total")?,
            seconds: sample(text, "oyez_journal_commit_seconds_sum")?,
        })
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

/// The whole answer, with its head.
fn get(server: &Server, path: &str) -> io::Result<String> {
    let mut stream = TcpStream::connect(server.address())?;
    let host = server.address();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n")?;
    let mut text = String::new();
    stream.read_to_string(&mut text)?;
    Ok(text)
}

/// The sum of a metric's samples, of all labels.
fn sample(text: &str, name: &str) -> Option<f64> {
    let values = text.lines().filter_map(|line| {
        let rest = line.strip_prefix(name)?;
        let value = match rest.strip_prefix('{') {
            Some(labelled) => labelled.rsplit_once("} ")?.1,
            None => rest.strip_prefix(' ')?,
        };
        value.split(' ').next()?.parse::<f64>().ok()
    });
    let values: Vec<f64> = values.collect();
    (!values.is_empty()).then(|| values.iter().sum())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_are_summed_over_labels_and_names_are_whole() {
        let text = "# TYPE a counter\na_total{w=\"0\"} 3\na_total{w=\"1\"} 4\na 9\na_x 7.5\n";
        assert_eq!(sample(text, "a_total"), Some(7.0));
        assert_eq!(sample(text, "a"), Some(9.0));
        assert_eq!(sample(text, "a_x"), Some(7.5));
        assert_eq!(sample(text, "b"), None);
    }
}
