// SPDX-License-Identifier: MIT OR Apache-2.0
//! The deck: each card once.

use rand::Rng;
use rand::seq::SliceRandom;

use super::card::{Card, Rank, Suit};

/// The cards of a deck.
pub const DECK_CARDS: usize = Suit::ALL.len() * Rank::ALL.len();

/// Each card once, in order.
pub(super) fn sorted() -> impl Iterator<Item = Card> {
    Suit::ALL
        .into_iter()
        .flat_map(|suit| Rank::ALL.into_iter().map(move |rank| Card { suit, rank }))
}

/// Each card once, in any order.
pub(super) fn shuffled(rng: &mut impl Rng) -> Vec<Card> {
    let mut cards: Vec<Card> = sorted().collect();
    cards.shuffle(rng);
    cards
}

/// Whether these are each card once, in any order.
pub(super) fn is_whole(cards: impl Iterator<Item = Card>) -> bool {
    let mut cards: Vec<Card> = cards.collect();
    cards.sort_unstable();
    cards.into_iter().eq(sorted())
}
