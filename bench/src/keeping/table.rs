// SPDX-License-Identifier: MIT OR Apache-2.0
//! The second table: for each row Oyez, what it is compared with, their ratios, and whether the
//! goal was reached.

use super::Figure;
use super::rows::{Goal, Row, Side};
use crate::report::{Form, grid};
use crate::stats::Spread;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

/// Everything measured about keeping in a run.
#[derive(Default)]
pub(crate) struct Table {
    samples: BTreeMap<(Row, Side), Vec<f64>>,
    troubles: Vec<String>,
}

impl Table {
    /// Takes the figures of one repetition.
    pub(crate) fn add(&mut self, figures: &[Figure]) {
        for (row, side, value) in figures {
            self.samples.entry((*row, *side)).or_default().push(*value);
        }
    }

    /// A measurement that failed.
    pub(crate) fn fail(&mut self, what: String) {
        self.troubles.push(what);
    }

    /// Whether any measurement failed.
    pub(crate) fn failed(&self) -> bool {
        !self.troubles.is_empty()
    }

    /// Whether Oyez missed a goal, in whichever reading.
    pub(crate) fn falls_short(&self) -> bool {
        let rows = self.rows();
        let mut goals = rows.into_iter().flat_map(|row| row.goals().iter().map(move |g| (row, g)));
        goals.any(|(row, goal)| self.reaches(row, *goal) == Some(false))
    }

    fn rows(&self) -> BTreeSet<Row> {
        self.samples.keys().map(|(row, _)| *row).collect()
    }

    fn spread(&self, row: Row, side: Side) -> Option<Spread> {
        Spread::of(self.samples.get(&(row, side))?)
    }

    fn median(&self, row: Row, side: Side) -> Option<f64> {
        self.spread(row, side).map(|spread| spread.median)
    }

    /// `None` when one of the two was not measured.
    fn reaches(&self, row: Row, goal: Goal) -> Option<bool> {
        let oyez = self.median(row, Side::Oyez)?;
        Some(match goal {
            Goal::AtLeast(side, times) => oyez >= times * self.median(row, side)?,
            Goal::AtMost(side, times) => oyez <= times * self.median(row, side)?,
            Goal::Bound(bound) => oyez <= bound,
        })
    }

    fn cell(&self, row: Row, side: Side) -> String {
        let Some(Spread { low, median, high }) = self.spread(row, side) else {
            return "–".to_owned();
        };
        let mut cell = row.figure(median);
        let (low, high) = (row.figure(low), row.figure(high));
        if low != high {
            let _ = write!(cell, " [{low}–{high}]");
        }
        if side != Side::Oyez
            && median > 0.0
            && let Some(oyez) = self.median(row, Side::Oyez)
        {
            let _ = write!(cell, ": {:.2} ×", oyez / median);
        }
        cell
    }

    fn verdict(&self, row: Row) -> String {
        let each = row.goals().iter().map(|goal| {
            let side = match goal {
                Goal::AtLeast(side, _) | Goal::AtMost(side, _) => side.short(),
                Goal::Bound(_) => "",
            };
            let word = match self.reaches(row, *goal) {
                Some(true) => "reached",
                Some(false) => "FALLS SHORT",
                None => "not measured",
            };
            format!("{side}{word}")
        });
        each.collect::<Vec<_>>().join("; ")
    }

    /// The table; nothing when nothing was measured.
    pub(crate) fn text(&self, form: Form) -> String {
        let rows = self.rows();
        let mut out = String::new();
        if !rows.is_empty() {
            let measured = |side: &Side| self.samples.keys().any(|(_, other)| other == side);
            let sides: Vec<Side> = Side::ALL.into_iter().filter(measured).collect();
            let mut header = vec!["keeping".to_owned()];
            header.extend(sides.iter().map(|side| side.name().to_owned()));
            header.extend(["goal for Oyez".to_owned(), "verdict".to_owned()]);
            let mut lines = vec![header];
            for row in rows {
                let mut line = vec![row.to_string()];
                line.extend(sides.iter().map(|side| self.cell(row, *side)));
                line.push(goal_text(row));
                line.push(self.verdict(row));
                lines.push(line);
            }
            out.push_str("× is Oyez divided by that column.\n\n");
            out.push_str(&grid(&lines, form));
        }
        for what in &self.troubles {
            let _ = writeln!(out, "\nFAILED {what}");
        }
        out
    }
}

/// All goals of a row ask for the same number, of different sides.
fn goal_text(row: Row) -> String {
    match row.goals().first() {
        Some(Goal::AtLeast(_, times)) => format!("≥ {times} ×"),
        Some(Goal::AtMost(_, times)) => format!("≤ {times} ×"),
        Some(Goal::Bound(bound)) => format!("≤ {bound}"),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::rows::{Durability, GOAL_FLIGHT, Spread as Channels};
    use super::*;

    const RATE: Row = Row::Rate(Channels::Many, GOAL_FLIGHT);

    #[test]
    fn both_readings_of_the_raw_loop_are_judged_apart() {
        let mut table = Table::default();
        table.add(&[
            (RATE, Side::Oyez, 10_000.0),
            (RATE, Side::RawEach, 5_000.0),
            (RATE, Side::RawTogether, 100_000.0),
        ]);
        assert_eq!(table.verdict(RATE), "1 per fdatasync: reached; all per fdatasync: FALLS SHORT");
        assert!(table.falls_short());
        assert_eq!(table.cell(RATE, Side::RawEach), "5,000: 2.00 ×");
        assert_eq!(table.cell(RATE, Side::Less), "–");
    }

    #[test]
    fn a_bound_needs_nothing_beside_it_and_a_ratio_does() {
        let mut table = Table::default();
        let bytes = Row::Remembered(Durability::Memory);
        table.add(&[(bytes, Side::Oyez, 450.0), (Row::Delivery, Side::Oyez, 1.0)]);
        assert_eq!(table.verdict(bytes), "reached");
        assert_eq!(table.verdict(Row::Delivery), "not measured");
        assert!(!table.falls_short());
        table.add(&[(Row::Delivery, Side::Less, 0.8)]);
        assert_eq!(table.verdict(Row::Delivery), "FALLS SHORT");
    }
}
