// SPDX-License-Identifier: MIT OR Apache-2.0
//! Cards and the deck.

use std::collections::BTreeSet;

use super::super::{Card, DECK_CARDS, NotACard, NotASuit, Rank, Suit, deck};
use super::{card, rng};

#[test]
fn each_card_is_read_as_it_is_written() {
    for card in deck::sorted() {
        assert_eq!(card.to_string().parse(), Ok(card));
        let json = serde_json::to_string(&card).unwrap();
        assert_eq!(json, format!("\"{card}\""));
        assert_eq!(serde_json::from_str::<Card>(&json).unwrap(), card);
    }
}

#[test]
fn the_ten_of_hearts_is_th() {
    assert_eq!(card("TH"), Card { rank: Rank::Ten, suit: Suit::Hearts });
    assert_eq!(Card { rank: Rank::Ace, suit: Suit::Spades }.to_string(), "AS");
}

#[test]
fn what_is_no_card_is_refused() {
    for text in ["", "T", "H", "HT", "th", "10H", "TH ", " TH", "1H", "TX", "THH", "♥T", "T♥"] {
        assert_eq!(text.parse::<Card>(), Err(NotACard), "{text:?}");
    }
    assert!(serde_json::from_str::<Card>("\"TX\"").is_err());
    assert!(serde_json::from_str::<Card>("10").is_err());
}

#[test]
fn each_suit_is_read_as_it_is_written() {
    for suit in Suit::ALL {
        assert_eq!(suit.to_string().parse(), Ok(suit));
        let json = serde_json::to_string(&suit).unwrap();
        assert_eq!(serde_json::from_str::<Suit>(&json).unwrap(), suit);
        assert!(suit.name().to_uppercase().starts_with(&suit.to_string()));
    }
    for text in ["", "h", "HH", "♥", "hearts"] {
        assert_eq!(text.parse::<Suit>(), Err(NotASuit), "{text:?}");
    }
}

#[test]
fn an_eight_counts_50_a_court_card_or_ten_10_an_ace_1_others_their_number() {
    let points = [1, 2, 3, 4, 5, 6, 7, 50, 9, 10, 10, 10, 10];
    assert_eq!(Rank::ALL.map(Rank::points), points);
    assert_eq!(card("8D").points(), 50);
    assert_eq!(deck::sorted().map(Card::points).sum::<u32>(), 4 * points.iter().sum::<u32>());
}

#[test]
fn only_an_eight_is_an_eight() {
    let eights: Vec<String> =
        deck::sorted().filter(|card| card.is_eight()).map(|card| card.to_string()).collect();
    assert_eq!(eights, ["8C", "8D", "8H", "8S"]);
}

#[test]
fn the_deck_holds_each_card_once() {
    let cards: BTreeSet<Card> = deck::sorted().collect();
    assert_eq!((cards.len(), DECK_CARDS), (52, 52));
    assert!(deck::is_whole(deck::sorted()));
}

#[test]
fn a_shuffled_deck_is_whole_and_in_another_order() {
    let shuffled = deck::shuffled(&mut rng());
    assert!(deck::is_whole(shuffled.iter().copied()));
    assert!(!deck::sorted().eq(shuffled));
}

#[test]
fn a_deck_with_a_card_less_or_more_or_twice_is_not_whole() {
    assert!(!deck::is_whole(deck::sorted().skip(1)));
    assert!(!deck::is_whole(deck::sorted().chain([card("AS")])));
    assert!(!deck::is_whole(deck::sorted().skip(1).chain([card("AS")])));
}
