// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`PlayerId`] and [`Seat`]: who plays, and what is before them.

use std::fmt::{self, Display};

use serde::{Deserialize, Serialize};

use super::card::Card;

/// Who plays: the id of a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PlayerId(pub i64);

impl Display for PlayerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A place at the table. It stays when its player leaves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Seat {
    pub(super) player: PlayerId,
    /// In the order in which the cards came. Whoever left holds none.
    pub(super) hand: Vec<Card>,
    /// Won in all rounds at this table.
    pub(super) points: u32,
    pub(super) left: bool,
    /// Has said "last card", and it counts: holds one card, or two and is on turn.
    pub(super) called: bool,
}

impl Seat {
    /// What the hand is worth to a winner.
    pub(super) fn hand_points(&self) -> u32 {
        self.hand.iter().map(|card| card.points()).sum()
    }
}
