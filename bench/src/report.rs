// SPDX-License-Identifier: MIT OR Apache-2.0
//! The table: medians of all repetitions, their ratio to the bare loop of the same run, and
//! whether Oyez reached its goal. In plain text, or as Markdown for `docs/measurements.md`.

use crate::machine::Machine;
use crate::metric::{Goal, Metric};
use crate::scenarios::Figure;
use crate::stats::Spread;
use crate::targets::Target;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

/// Everything measured in a run.
#[derive(Default)]
pub(crate) struct Results {
    samples: BTreeMap<(Metric, Target), Vec<f64>>,
    /// What went wrong, in words.
    troubles: Vec<(Target, String)>,
    /// Rivals that are not there, in words.
    absent: Vec<(Target, String)>,
}

/// How the table is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// For a terminal.
    Plain,
    /// For a document.
    Markdown,
}

/// What stands above the tables.
pub(crate) struct Heading {
    /// Where it was measured.
    pub(crate) machine: Machine,
    /// With which command.
    pub(crate) command: String,
    /// Percent of the machine that others used meanwhile, and that was stolen.
    pub(crate) busy: (f64, f64),
}

/// Above this many percent, others may have made the figures worse.
const BUSY: f64 = 5.0;

/// How one row ended for Oyez.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Reached,
    FallsShort,
    NotMeasured,
    NoGoal,
}

impl Verdict {
    const fn text(self) -> &'static str {
        match self {
            Self::Reached => "reached",
            Self::FallsShort => "FALLS SHORT",
            Self::NotMeasured => "not measured",
            Self::NoGoal => "",
        }
    }
}

impl Results {
    /// Takes the figures of one repetition.
    pub(crate) fn add(&mut self, target: Target, figures: &[Figure]) {
        for (metric, value) in figures {
            self.samples.entry((*metric, target)).or_default().push(*value);
        }
    }

    /// A measurement that failed.
    pub(crate) fn fail(&mut self, target: Target, what: String) {
        self.troubles.push((target, what));
    }

    /// A rival that is not there.
    pub(crate) fn miss(&mut self, target: Target, why: String) {
        self.absent.push((target, why));
    }

    /// Whether a rival is not there.
    pub(crate) fn is_absent(&self, target: Target) -> bool {
        self.absent.iter().any(|(absent, _)| *absent == target)
    }

    /// Whether any measurement failed.
    pub(crate) fn failed(&self) -> bool {
        !self.troubles.is_empty()
    }

    /// Whether Oyez missed a goal whose row was measured.
    pub(crate) fn falls_short(&self) -> bool {
        self.rows().into_iter().any(|row| self.verdict(row) == Verdict::FallsShort)
    }

    fn rows(&self) -> BTreeSet<Metric> {
        self.samples.keys().map(|(metric, _)| *metric).collect()
    }

    fn spread(&self, metric: Metric, target: Target) -> Option<Spread> {
        Spread::of(self.samples.get(&(metric, target))?)
    }

    fn verdict(&self, metric: Metric) -> Verdict {
        let oyez = self.spread(metric, Target::Oyez).map(|spread| spread.median);
        let bound = match metric.goal() {
            Goal::None => return Verdict::NoGoal,
            Goal::AtMost(bound) => Some(bound),
            Goal::TimesBare(times) => {
                self.spread(metric, Target::Bare).map(|bare| bare.median * times)
            }
        };
        match (oyez, bound) {
            (Some(oyez), Some(bound)) if oyez <= bound => Verdict::Reached,
            (Some(_), Some(_)) => Verdict::FallsShort,
            _ => Verdict::NotMeasured,
        }
    }

    fn cell(&self, metric: Metric, target: Target) -> String {
        let Some(Spread { low, median, high }) = self.spread(metric, target) else {
            return "–".to_owned();
        };
        let mut cell = metric.figure(median);
        let (low, high) = (metric.figure(low), metric.figure(high));
        if low != high {
            let _ = write!(cell, " [{low}–{high}]");
        }
        if let Goal::TimesBare(_) = metric.goal()
            && target != Target::Bare
            && let Some(bare) = self.spread(metric, Target::Bare)
            && bare.median > 0.0
        {
            let _ = write!(cell, " {:.2} ×", median / bare.median);
        }
        cell
    }

    /// The table with all that belongs to it; nothing when nothing was measured.
    pub(crate) fn table(&self, targets: &[Target], repeats: u32, form: Form) -> String {
        let mut header = vec!["server".to_owned()];
        header.extend(targets.iter().map(|target| target.name().to_owned()));
        header.extend(["goal for Oyez".to_owned(), "verdict".to_owned()]);
        let mut lines = vec![header];
        for row in self.rows() {
            let mut line = vec![row.to_string()];
            line.extend(targets.iter().map(|target| self.cell(row, *target)));
            line.push(match row.goal() {
                Goal::TimesBare(times) => format!("≤ {times:.1} × bare"),
                Goal::AtMost(bound) => format!("≤ {bound:.1}"),
                Goal::None => String::new(),
            });
            line.push(self.verdict(row).text().to_owned());
            lines.push(line);
        }
        let mut out = String::new();
        if lines.len() > 1 {
            let _ = writeln!(
                out,
                "CPU is server CPU, user and kernel, all threads; median [lowest–highest] of \
                 {repeats} repetitions; × is the ratio to the bare loop.\n"
            );
            out.push_str(&grid(&lines, form));
            out.push('\n');
        }
        for (target, why) in &self.absent {
            let _ = writeln!(out, "\n{}: {why}", target.name());
        }
        for (target, what) in &self.troubles {
            let _ = writeln!(out, "\nFAILED {}: {what}", target.name());
        }
        out
    }
}

impl Heading {
    /// The lines above everything.
    pub(crate) fn text(&self, form: Form) -> String {
        let Machine { cores, processor, kernel, date, files } = &self.machine;
        let (others, stolen) = self.busy;
        let code = if form == Form::Markdown { "`" } else { "" };
        let mut text = format!(
            "{date}, {cores} cores of {processor}, Linux {kernel}, {files} files per process\n\
             {code}{}{code}\n\
             Meanwhile other processes used {others:.0} % of the machine, and {stolen:.0} % of it \
             was stolen.\n",
            self.command
        );
        if others + stolen > BUSY {
            text.push_str(
                "The machine was BUSY: absolute figures are too high, ratios doubtful.\n",
            );
        }
        text.push('\n');
        text
    }
}

/// Lines of cells of which the first is the heading, with columns that line up.
pub(crate) fn grid(lines: &[Vec<String>], form: Form) -> String {
    let columns = lines.first().map_or(0, Vec::len);
    let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max();
    let widths: Vec<usize> = (0..columns).map(|column| width(column).unwrap_or(0)).collect();
    let mut out = String::new();
    for (number, line) in lines.iter().enumerate() {
        let cells: Vec<String> =
            line.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        match form {
            Form::Plain => {
                out.push_str(cells.join("  ").trim_end());
                out.push('\n');
            }
            Form::Markdown => {
                let _ = writeln!(out, "| {} |", cells.join(" | "));
            }
        }
        if number == 0 {
            let rule = |width: &usize| match form {
                Form::Plain => "─".repeat(*width),
                Form::Markdown => "-".repeat(*width + 2),
            };
            let rules: Vec<String> = widths.iter().map(rule).collect();
            match form {
                Form::Plain => out.push_str(&rules.join("  ")),
                Form::Markdown => {
                    let _ = write!(out, "|{}|", rules.join("|"));
                }
            }
            out.push('\n');
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn results(bare: &[f64], oyez: &[f64]) -> Results {
        let mut results = Results::default();
        bare.iter().for_each(|value| results.add(Target::Bare, &[(Metric::Fanout8, *value)]));
        oyez.iter().for_each(|value| results.add(Target::Oyez, &[(Metric::Fanout8, *value)]));
        results
    }

    #[test]
    fn a_goal_is_a_ratio_of_medians_to_the_bare_loop() {
        let reached = results(&[4.0, 5.0, 3.0], &[1.6, 9.0, 1.0]);
        assert_eq!(reached.verdict(Metric::Fanout8), Verdict::Reached);
        assert_eq!(reached.cell(Metric::Fanout8, Target::Oyez), "1.60 [1.00–9.00] 0.40 ×");
        assert_eq!(reached.cell(Metric::Fanout8, Target::Sockudo), "–");
        let short = results(&[4.0], &[1.61]);
        assert_eq!(short.verdict(Metric::Fanout8), Verdict::FallsShort);
        assert!(short.falls_short() && !reached.falls_short());
        assert_eq!(results(&[], &[1.0]).verdict(Metric::Fanout8), Verdict::NotMeasured);
        assert_eq!(results(&[1.0], &[]).verdict(Metric::Fanout8), Verdict::NotMeasured);
    }

    #[test]
    fn an_absolute_goal_needs_no_bare_loop() {
        let mut results = Results::default();
        results
            .add(Target::Oyez, &[(Metric::Empty, 10.0), (Metric::IdlePerConnection(5_000), 1.1)]);
        assert_eq!(results.verdict(Metric::Empty), Verdict::Reached);
        assert_eq!(results.verdict(Metric::IdlePerConnection(5_000)), Verdict::FallsShort);
    }

    #[test]
    fn columns_line_up_in_both_forms() {
        let lines = [vec!["a".into(), "µs".into()], vec!["long".into(), "1".into()]];
        assert_eq!(grid(&lines, Form::Plain), "a     µs\n────  ──\nlong  1\n");
        assert_eq!(grid(&lines, Form::Markdown), "| a    | µs |\n|------|----|\n| long | 1  |\n");
    }
}
