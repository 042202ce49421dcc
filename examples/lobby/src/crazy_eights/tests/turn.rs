// SPDX-License-Identifier: MIT OR Apache-2.0
//! A turn: play, draw, pass.

use super::super::{Action, Illegal, Last, PlayerId, Rank, Suit};
use super::{Rest, card, cards, does, eight, held, lay, leaves, play, refused, turn};

#[test]
fn a_card_of_the_suit_fits() {
    let mut game = lay("2C", &["KC 3D 3H", "4D 4H"], Rest::Stock);
    does(&mut game, 1, play("KC"));
    assert_eq!((game.0.top(), game.0.suit), (card("KC"), Suit::Clubs));
    assert_eq!(game.0.last, Last::Play { player: PlayerId(1), card: card("KC"), suit: None });
    assert_eq!(held(&game, 1), 2);
    assert_eq!(turn(&game), 2);
}

#[test]
fn a_card_of_the_rank_fits_and_changes_the_suit() {
    let mut game = lay("2C", &["2H 3D 3H", "4D 4H"], Rest::Stock);
    does(&mut game, 1, play("2H"));
    assert_eq!((game.0.top(), game.0.suit), (card("2H"), Suit::Hearts));
}

#[test]
fn a_card_of_neither_does_not_fit() {
    let mut game = lay("2C", &["KH 3D 3H", "4D 4H"], Rest::Stock);
    let (suit, rank) = (Suit::Clubs, Rank::Two);
    refused(&mut game, 1, play("KH"), Illegal::DoesNotFit { card: card("KH"), suit, rank });
}

#[test]
fn an_eight_fits_on_everything_and_chooses_the_suit() {
    let mut game = lay("2C", &["8H 3D 3H", "4D 4H", "5S 5D"], Rest::Stock);
    does(&mut game, 1, eight("8H", Suit::Spades));
    assert_eq!((game.0.top(), game.0.suit), (card("8H"), Suit::Spades));
    let suit = Some(Suit::Spades);
    assert_eq!(game.0.last, Last::Play { player: PlayerId(1), card: card("8H"), suit });
}

#[test]
fn after_an_eight_the_chosen_suit_fits_and_the_suit_of_the_eight_does_not() {
    let mut game = lay("2C", &["8H 3D 3H", "4H 4S 4C"], Rest::Stock);
    does(&mut game, 1, eight("8H", Suit::Spades));
    let (suit, rank) = (Suit::Spades, Rank::Eight);
    refused(&mut game, 2, play("4H"), Illegal::DoesNotFit { card: card("4H"), suit, rank });
    does(&mut game, 2, play("4S"));
}

#[test]
fn an_eight_fits_on_an_eight() {
    let mut game = lay("2C", &["8H 3D 3H", "8D 4S 4C"], Rest::Stock);
    does(&mut game, 1, eight("8H", Suit::Spades));
    does(&mut game, 2, eight("8D", Suit::Diamonds));
    assert_eq!(game.0.suit, Suit::Diamonds);
}

#[test]
fn an_eight_may_choose_its_own_suit() {
    let mut game = lay("2C", &["8H 3D 3H", "4H 4S"], Rest::Stock);
    does(&mut game, 1, eight("8H", Suit::Hearts));
    assert_eq!(game.0.suit, Suit::Hearts);
}

#[test]
fn an_eight_that_is_not_the_last_card_needs_a_suit() {
    let mut game = lay("2C", &["8H 3D", "4H 4S"], Rest::Stock);
    refused(&mut game, 1, play("8H"), Illegal::SuitMissing);
}

#[test]
fn only_an_eight_chooses_a_suit() {
    let mut game = lay("2C", &["3C 3D", "4H 4S"], Rest::Stock);
    refused(&mut game, 1, eight("3C", Suit::Hearts), Illegal::SuitUnasked(card("3C")));
}

#[test]
fn a_card_that_is_not_held_is_refused() {
    let mut game = lay("2C", &["3C 3D", "4C 4S"], Rest::Stock);
    refused(&mut game, 1, play("4C"), Illegal::NotHeld(card("4C")));
    refused(&mut game, 1, play("2C"), Illegal::NotHeld(card("2C")));
}

#[test]
fn nobody_plays_draws_or_passes_out_of_turn() {
    let mut game = lay("2C", &["3C 3D", "4C 4S", "5C 5S"], Rest::Stock);
    for player in [2, 3] {
        refused(&mut game, player, play("4C"), Illegal::NotYourTurn);
        refused(&mut game, player, Action::Draw, Illegal::NotYourTurn);
        refused(&mut game, player, Action::Pass, Illegal::NotYourTurn);
    }
}

#[test]
fn who_has_no_seat_can_do_nothing() {
    let mut game = lay("2C", &["3C 3D", "4C 4S"], Rest::Stock);
    for action in [play("3C"), Action::Draw, Action::Pass, Action::Call, Action::Catch] {
        refused(&mut game, 9, action, Illegal::NotAPlayer);
    }
}

#[test]
fn the_turn_goes_around_the_table_and_past_those_who_left() {
    let mut game = lay("2C", &["3C 3D 3H", "4C 4S 4H", "5C 5S 5H", "6C 6S 6H"], Rest::Stock);
    leaves(&mut game, 3);
    does(&mut game, 1, play("3C"));
    does(&mut game, 2, play("4C"));
    assert_eq!(turn(&game), 4);
    does(&mut game, 4, play("6C"));
    assert_eq!(turn(&game), 1);
}

#[test]
fn who_draws_gets_the_top_of_the_stock_and_stays_on_turn() {
    let mut game = lay("2C", &["3D 3H", "4H 4S"], Rest::Stock);
    let top = *game.0.stock.last().unwrap();
    does(&mut game, 1, Action::Draw);
    assert_eq!(game.0.seats[0].hand, [card("3D"), card("3H"), top]);
    assert_eq!(game.0.last, Last::Draw { player: PlayerId(1) });
    assert_eq!(turn(&game), 1);
}

#[test]
fn who_can_play_may_draw_and_draw_again() {
    let mut game = lay("2C", &["3C 3H", "4H 4S"], Rest::Stock);
    let stock = game.0.stock.len();
    for _ in 0..stock {
        does(&mut game, 1, Action::Draw);
    }
    assert_eq!((held(&game, 1), game.0.stock.len()), (2 + stock, 0));
    does(&mut game, 1, play("3C"));
}

#[test]
fn an_empty_stock_takes_the_pile_but_its_top() {
    let mut game = lay("2C", &["3D 3H", "4H 4S"], Rest::Pile);
    does(&mut game, 1, Action::Draw);
    assert_eq!(game.0.pile, [card("2C")]);
    assert_eq!((held(&game, 1), game.0.stock.len()), (3, 52 - 1 - 3 - 2));
}

#[test]
fn the_pile_is_shuffled_into_the_stock() {
    let mut game = lay("2C", &["3D 3H", "4H 4S"], Rest::Pile);
    let mut below = game.0.pile.clone();
    below.pop();
    does(&mut game, 1, Action::Draw);
    below.retain(|card| game.0.stock.contains(card));
    assert_ne!(game.0.stock, below);
}

#[test]
fn the_suit_that_was_chosen_outlasts_the_shuffle() {
    let mut game = lay("8C", &["3D 3H", "4H 4S"], Rest::Pile);
    game.0.suit = Suit::Hearts;
    does(&mut game, 1, Action::Draw);
    assert_eq!(game.0.suit, Suit::Hearts);
    does(&mut game, 1, play("3H"));
}

#[test]
fn the_stock_is_not_refilled_before_somebody_draws() {
    let mut game = lay("2C", &["3C 3H 3S", "4H 4S"], Rest::Pile);
    does(&mut game, 1, play("3C"));
    assert_eq!(game.0.stock, cards(""));
}

#[test]
fn there_is_nothing_to_draw_when_the_stock_is_empty_and_the_pile_is_one_card() {
    let mut game = lay("2C", &["3D 3H", "4H 4S"], Rest::Hand(2));
    refused(&mut game, 1, Action::Draw, Illegal::NothingToDraw);
}

#[test]
fn who_has_nothing_to_play_and_nothing_to_draw_passes() {
    let mut game = lay("2C", &["3D 3H", "4H 4S"], Rest::Hand(2));
    does(&mut game, 1, Action::Pass);
    assert_eq!(game.0.last, Last::Pass { player: PlayerId(1) });
    assert_eq!(turn(&game), 2);
}

#[test]
fn nobody_passes_who_can_draw() {
    let mut game = lay("2C", &["3D 3H", "4H 4S"], Rest::Stock);
    refused(&mut game, 1, Action::Pass, Illegal::CanDraw);
    let mut game = lay("2C", &["3D 3H", "4H 4S"], Rest::Pile);
    refused(&mut game, 1, Action::Pass, Illegal::CanDraw);
}

#[test]
fn nobody_passes_who_can_play() {
    for hand in ["3C 3H", "2H 3H", "8H 3H"] {
        let mut game = lay("2C", &[hand, "4H 4S"], Rest::Hand(2));
        refused(&mut game, 1, Action::Pass, Illegal::CanPlay);
    }
}

#[test]
fn after_a_pass_the_next_card_makes_one_to_draw() {
    let mut game = lay("2C", &["3D 3H", "4C 4S"], Rest::Hand(2));
    does(&mut game, 1, Action::Pass);
    does(&mut game, 2, play("4C"));
    does(&mut game, 1, Action::Draw);
    assert_eq!(game.0.seats[0].hand, cards("3D 3H 2C"));
}

#[test]
fn six_players_draw_the_whole_stock_and_play_on() {
    let hands = ["3D 3H", "4D 4H", "5D 5H", "6D 6H", "7D 7H", "9D 9H"];
    let mut game = lay("2C", &hands, Rest::Stock);
    for _ in 0..game.0.stock.len() {
        does(&mut game, 1, Action::Draw);
    }
    refused(&mut game, 1, Action::Draw, Illegal::NothingToDraw);
    does(&mut game, 1, play("TC"));
    does(&mut game, 2, Action::Draw);
    refused(&mut game, 2, Action::Draw, Illegal::NothingToDraw);
    does(&mut game, 2, play("2C"));
    assert_eq!(turn(&game), 3);
}
