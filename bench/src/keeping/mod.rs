// SPDX-License-Identifier: MIT OR Apache-2.0
//! What it costs to keep: memory, the disk, resume and truths. Each scenario compares Oyez with
//! something of the same run, on the same machine and disk: a loop that only writes and syncs, or
//! Oyez itself with one thing less to do.
//!
//! - [`rows`] says what is measured and beside what, [`table`] prints it;
//! - [`durable`] and the raw loop of [`disk`]; [`cost`]; [`resume`], whose clients are a
//!   [`crowd`]; [`footprint`]; [`changed`].

mod changed;
mod cost;
mod crowd;
mod disk;
mod durable;
mod footprint;
mod resume;
mod rows;
mod rules;
mod table;
mod telling;

use crate::scenarios::Plan;
use crate::targets::Starter;
use crate::trouble::Trouble;
use rows::{Row, Side};
pub(crate) use table::Table;

/// A group of rows that is measured together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Keeping {
    /// Durable publishes beside a loop that writes and syncs.
    Durable,
    /// CPU of a channel with memory beside one without.
    Memory,
    /// A thousand clients that resume after `kill -9` beside the same that missed nothing.
    Resume,
    /// Resident memory of a remembered event.
    Footprint,
    /// Questions that a burst of `changed` costs.
    Changed,
}

/// One figure of one repetition.
pub(crate) type Figure = (Row, Side, f64);

/// What a measurement of this module is given.
pub(crate) struct Run<'a> {
    /// Starts servers.
    pub(crate) starter: &'a Starter,
    /// How long and how much.
    pub(crate) plan: &'a Plan,
    /// Which repetition it is, from 1: what is compared takes turns in going first.
    pub(crate) repeat: u32,
}

impl Run<'_> {
    /// Whether what is compared with goes first this time.
    fn swapped(&self) -> bool {
        self.repeat.is_multiple_of(2)
    }
}

impl Keeping {
    /// Measures once.
    pub(crate) fn measure(self, run: &Run<'_>) -> Result<Vec<Figure>, Trouble> {
        match self {
            Self::Durable => durable::measure(run),
            Self::Memory => cost::measure(run),
            Self::Resume => resume::measure(run),
            Self::Footprint => footprint::measure(run),
            Self::Changed => changed::measure(run),
        }
    }

    /// Whether one repetition says as much as many.
    pub(crate) const fn is_steady(self) -> bool {
        matches!(self, Self::Footprint)
    }
}
