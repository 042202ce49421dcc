// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is printed of a run with the founding app: how long everything took, what it cost, and
//! whether anything was wrong.

use super::deed::Act;
use super::judge::{Findings, From, Span};
use super::room::Change;
use crate::metric::thousands;
use crate::report::{Form, grid};
use crate::stats::percentile;
use std::fmt::Write as _;

/// The percentiles of a row, in thousandths, and what their columns are called.
const PER_MILLE: [(u32, &str); 5] =
    [(500, "p50"), (900, "p90"), (990, "p99"), (999, "p99.9"), (1_000, "max")];

/// Everything about a run.
#[derive(Debug)]
pub(crate) struct Report {
    /// What was done, in a sentence.
    pub(crate) what: String,
    pub(crate) findings: Findings,
    /// What it cost: each a name and a figure.
    pub(crate) costs: Vec<(String, String)>,
    /// Everything that was wrong, a line for each kind.
    pub(crate) wrongs: String,
    /// What makes its figures doubtful.
    pub(crate) doubts: Vec<String>,
}

impl Report {
    /// Whether anything was wrong.
    pub(crate) fn failed(&self) -> bool {
        !self.wrongs.is_empty()
    }

    /// As text.
    pub(crate) fn text(&self, form: Form) -> String {
        let mut out = format!("{}\n\n", self.what);
        let mut lines = vec![vec!["milliseconds".to_owned(), "times".to_owned()]];
        lines[0].extend(PER_MILLE.map(|(_, name)| name.to_owned()));
        for (span, times) in &self.findings.times {
            let mut line = vec![span_text(*span), thousands(times.len() as u64)];
            line.extend(PER_MILLE.map(|(per_mille, _)| millis(percentile(times, per_mille))));
            lines.push(line);
        }
        out += &grid(&lines, form);
        out.push('\n');
        let mut lines = vec![vec!["cost".to_owned(), String::new()]];
        lines.extend(self.costs.iter().map(|(name, figure)| vec![name.clone(), figure.clone()]));
        out += &grid(&lines, form);
        let Findings { opened, began_older, unseen, .. } = self.findings;
        let _ = writeln!(
            out,
            "\nPages opened onto a truth {} times; {} of them showed an older one first, for as long \
             as the table says. {} changes were not shown on a page that was left within moments, \
             such as that of a player who joins.",
            thousands(opened),
            thousands(began_older),
            thousands(unseen)
        );
        for doubt in &self.doubts {
            let _ = writeln!(out, "\nDOUBTFUL: {doubt}");
        }
        if self.failed() {
            for line in self.wrongs.lines() {
                let _ = writeln!(out, "\nWRONG: {line}");
            }
        } else {
            out.push_str(
                "\nNothing was stale: every change was shown on every page that stayed open, no \
                 page went back or showed what was never true, and at rest each one was equal to \
                 the database.\n",
            );
        }
        out
    }
}

fn millis(micros: u32) -> String {
    let millis = f64::from(micros) / 1_000.0;
    let digits = if millis < 10.0 { 2 } else { usize::from(millis < 100.0) };
    format!("{millis:.digits$}")
}

fn span_text(span: Span) -> String {
    let act = |act| match act {
        Act::Change(Change::Join) => "a player joins",
        Act::Change(Change::Leave) => "a player leaves",
        Act::Change(Change::Ready) => "a player is ready",
        Act::Change(Change::Unready) => "a player is not ready",
        Act::Chat => "a message",
    };
    match span {
        Span::ToPage(From::Commit, what) => format!("{}: from its commit to each page", act(what)),
        Span::ToPage(From::Due, what) => format!("{}: since it was due, to each page", act(what)),
        Span::ToAnswer(what) => format!("{}: since it was due, to its answer", act(what)),
        Span::ToPlayers => "a page opens: from subscribing to its players".to_owned(),
        Span::ToMessages => "a page opens: from subscribing to its messages".to_owned(),
        Span::Late => "the generator's own lateness".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(wrongs: &str) -> Report {
        let mut findings = Findings::default();
        findings.times.insert(Span::ToPage(From::Commit, Act::Chat), vec![900, 2_345, 123_456]);
        Report {
            what: "Two lobbies.".to_owned(),
            findings,
            costs: vec![("µs CPU per change".to_owned(), "412".to_owned())],
            wrongs: wrongs.to_owned(),
            doubts: Vec::new(),
        }
    }

    #[test]
    fn a_run_without_a_wrong_says_so_and_one_with_a_wrong_fails() {
        let right = report("");
        let text = right.text(Form::Markdown);
        assert!(!right.failed() && text.contains("Nothing was stale"), "{text}");
        let row = "| a message: from its commit to each page | 3     | 2.35 | 123 | 123 | 123   |";
        assert!(text.contains(row), "{text}");
        assert!(text.contains("| µs CPU per change | 412 |"), "{text}");
        let wrong = report("3 lists\n1 page\n");
        let text = wrong.text(Form::Plain);
        assert!(wrong.failed() && text.contains("WRONG: 1 page"), "{text}");
    }
}
