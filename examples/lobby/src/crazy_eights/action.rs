// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Action`]: what a player wants to do.

use super::card::{Card, Suit};

/// What a player who is in the game can do with it, if the rules allow it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Put a card on the pile; ends the turn.
    Play {
        /// The card.
        card: Card,
        /// With an eight: the suit to follow. May be left out if the eight is the last card.
        suit: Option<Suit>,
    },
    /// Take the top card of the stock and stay on turn.
    Draw,
    /// End the turn without a card, when there is none to play and none to draw.
    Pass,
    /// Say "last card".
    Call,
    /// Catch whoever came down to one card and did not say so.
    Catch,
}
