// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Last`]: what happened last, so that everybody at the table can be told.

use serde::{Deserialize, Serialize};

use super::card::{Card, Suit};
use super::player::PlayerId;

/// The last change of a game. Written as `{"action":"play","player":1,"card":"8H","suit":"S"}`;
/// what there is not is left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "action", rename_all = "lowercase")]
pub enum Last {
    /// The cards were dealt.
    Deal {
        /// Who begins.
        player: PlayerId,
    },
    /// A card was played, and it was not the last of a hand.
    Play {
        /// Who played.
        player: PlayerId,
        /// The card, which is now the top of the pile.
        card: Card,
        /// The suit that was chosen with an eight.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        suit: Option<Suit>,
    },
    /// A card was drawn.
    Draw {
        /// Who drew.
        player: PlayerId,
    },
    /// Somebody could do nothing.
    Pass {
        /// Who passed.
        player: PlayerId,
    },
    /// Somebody said "last card".
    Call {
        /// Who said it.
        player: PlayerId,
    },
    /// Somebody did not say "last card" and was caught.
    Catch {
        /// Who saw it.
        player: PlayerId,
        /// Who was caught and drew.
        other: PlayerId,
    },
    /// Somebody was away, and so the turn went on to the next who is not.
    Skip {
        /// Whose turn it was.
        player: PlayerId,
    },
    /// Somebody left.
    Leave {
        /// Who left.
        player: PlayerId,
    },
    /// Somebody won: with a card if it was their last one, with another if that was the last one
    /// to leave them alone at the table, with neither if the game was blocked.
    Win {
        /// Who won.
        player: PlayerId,
        /// The winner's last card, the top of the pile.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        card: Option<Card>,
        /// Who left.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        other: Option<PlayerId>,
    },
}
