// SPDX-License-Identifier: MIT OR Apache-2.0
//! "Last card": who says it, who is caught, and until when.

use super::super::{Action, Game, Illegal, Last, PlayerId};
use super::{Rest, called, card, catchable, does, held, lay, leaves, play, refused, skips, turn};

/// Player 1 has come down to one card without saying so.
fn uncalled(rest: Rest) -> Game {
    let mut game = lay("2C", &["3C KD", "4C 4S 4H", "5C 5S 5H"], rest);
    does(&mut game, 1, play("3C"));
    game
}

#[test]
fn who_holds_two_calls_on_turn_and_cannot_be_caught() {
    let mut game = lay("2C", &["3C KD", "4C 4S 4H", "5C 5S 5H"], Rest::Stock);
    does(&mut game, 1, Action::Call);
    assert_eq!(game.0.last, Last::Call { player: PlayerId(1) });
    assert!(called(&game, 1));
    assert_eq!(turn(&game), 1);
    does(&mut game, 1, play("3C"));
    assert!(called(&game, 1));
    refused(&mut game, 2, Action::Catch, Illegal::NobodyToCatch);
}

#[test]
fn who_holds_one_calls_after_playing_and_cannot_be_caught() {
    let mut game = uncalled(Rest::Stock);
    assert_eq!(catchable(&game), Some(1));
    does(&mut game, 1, Action::Call);
    assert!(called(&game, 1));
    assert_eq!(turn(&game), 2);
    refused(&mut game, 2, Action::Catch, Illegal::NobodyToCatch);
}

#[test]
fn who_did_not_call_is_caught_and_draws_two() {
    let mut game = uncalled(Rest::Stock);
    let stock = game.0.stock.len();
    does(&mut game, 2, Action::Catch);
    assert_eq!(game.0.last, Last::Catch { player: PlayerId(2), other: PlayerId(1) });
    assert_eq!((held(&game, 1), game.0.stock.len()), (3, stock - 2));
    assert_eq!(turn(&game), 2);
}

#[test]
fn any_other_player_may_catch_and_only_once() {
    let mut game = uncalled(Rest::Stock);
    does(&mut game, 3, Action::Catch);
    refused(&mut game, 2, Action::Catch, Illegal::NobodyToCatch);
    refused(&mut game, 1, Action::Call, Illegal::NothingToCall);
}

#[test]
fn nobody_catches_themself() {
    let mut game = uncalled(Rest::Stock);
    refused(&mut game, 1, Action::Catch, Illegal::CatchYourself);
}

#[test]
fn who_left_or_never_played_catches_nobody() {
    let mut game = uncalled(Rest::Stock);
    leaves(&mut game, 3);
    refused(&mut game, 3, Action::Catch, Illegal::Left);
    refused(&mut game, 9, Action::Catch, Illegal::NotAPlayer);
}

#[test]
fn the_caught_player_draws_from_the_pile_when_the_stock_is_empty() {
    let mut game = uncalled(Rest::Pile);
    does(&mut game, 2, Action::Catch);
    assert_eq!((held(&game, 1), game.0.pile.len()), (3, 1));
}

#[test]
fn the_caught_player_draws_one_from_the_stock_and_one_from_the_pile() {
    let mut game = lay("2C", &["3C KD", "4C 4S 4H", "5C 5S 5H"], Rest::Pile);
    let below = game.0.pile.remove(0);
    game.0.stock.push(below);
    does(&mut game, 1, play("3C"));
    does(&mut game, 2, Action::Catch);
    assert_eq!((held(&game, 1), game.0.pile.len()), (3, 1));
    assert!(game.0.seats[0].hand.contains(&below));
}

#[test]
fn the_caught_player_draws_only_as_many_as_there_are() {
    let mut game = uncalled(Rest::Hand(2));
    does(&mut game, 2, Action::Catch);
    assert_eq!(game.0.seats[0].hand, [card("KD"), card("2C")]);
    assert_eq!(game.0.drawable(), 0);
}

#[test]
fn when_the_next_player_has_drawn_it_is_too_late_to_catch_and_to_call() {
    let mut game = uncalled(Rest::Stock);
    does(&mut game, 2, Action::Draw);
    refused(&mut game, 3, Action::Catch, Illegal::NobodyToCatch);
    refused(&mut game, 1, Action::Call, Illegal::NothingToCall);
}

#[test]
fn when_the_next_player_has_played_it_is_too_late_to_catch_and_to_call() {
    let mut game = uncalled(Rest::Stock);
    does(&mut game, 2, play("4C"));
    refused(&mut game, 3, Action::Catch, Illegal::NobodyToCatch);
    refused(&mut game, 1, Action::Call, Illegal::NothingToCall);
}

#[test]
fn when_the_next_player_was_skipped_it_is_too_late_to_catch_and_to_call() {
    let mut game = uncalled(Rest::Stock);
    skips(&mut game, &[2]);
    refused(&mut game, 3, Action::Catch, Illegal::NobodyToCatch);
    refused(&mut game, 1, Action::Call, Illegal::NothingToCall);
}

#[test]
fn when_the_catchable_player_leaves_nobody_can_be_caught() {
    let mut game = uncalled(Rest::Stock);
    leaves(&mut game, 1);
    assert_eq!(catchable(&game), None);
    refused(&mut game, 2, Action::Catch, Illegal::NobodyToCatch);
}

/// They have done nothing with cards; whoever is next has not acted yet.
#[test]
fn when_the_next_player_leaves_one_can_still_be_caught() {
    let mut game = uncalled(Rest::Stock);
    leaves(&mut game, 2);
    assert_eq!((turn(&game), catchable(&game)), (3, Some(1)));
    does(&mut game, 3, Action::Catch);
    assert_eq!(held(&game, 1), 3);
}

/// To say something is not to do something with the cards.
#[test]
fn when_the_next_player_calls_one_can_still_be_caught() {
    let mut game = lay("2C", &["3C KD", "4C 4S", "5C 5S 5H"], Rest::Stock);
    does(&mut game, 1, play("3C"));
    does(&mut game, 2, Action::Call);
    assert_eq!(catchable(&game), Some(1));
    does(&mut game, 2, Action::Catch);
    assert!(called(&game, 2));
}

#[test]
fn the_next_who_comes_down_to_one_can_be_caught_in_place_of_the_one_before() {
    let mut game = lay("2C", &["3C KD", "4C 4S", "5C 5S 5H"], Rest::Stock);
    does(&mut game, 1, play("3C"));
    does(&mut game, 2, play("4C"));
    assert_eq!(catchable(&game), Some(2));
    does(&mut game, 1, Action::Catch);
    assert_eq!((held(&game, 1), held(&game, 2)), (1, 3));
}

#[test]
fn one_call_is_enough() {
    let mut game = lay("2C", &["3C KD", "4C 4S 4H"], Rest::Stock);
    does(&mut game, 1, Action::Call);
    refused(&mut game, 1, Action::Call, Illegal::CalledAlready);
    does(&mut game, 1, play("3C"));
    refused(&mut game, 1, Action::Call, Illegal::CalledAlready);
}

#[test]
fn a_call_with_two_cards_is_void_after_a_draw() {
    let mut game = lay("2C", &["3C KD", "4C 4S 4H"], Rest::Stock);
    does(&mut game, 1, Action::Call);
    does(&mut game, 1, Action::Draw);
    assert!(!called(&game, 1));
    refused(&mut game, 1, Action::Call, Illegal::NothingToCall);
}

#[test]
fn who_draws_back_to_two_must_call_again() {
    let mut game = lay("2C", &["KD", "4C 4S 4H"], Rest::Stock);
    game.0.seats[0].called = true;
    does(&mut game, 1, Action::Draw);
    assert!(!called(&game, 1));
    does(&mut game, 1, Action::Call);
    assert!(called(&game, 1));
}

#[test]
fn a_call_with_two_cards_is_void_after_a_pass() {
    let mut game = lay("2C", &["3D KD", "4S 4H"], Rest::Hand(2));
    does(&mut game, 1, Action::Call);
    does(&mut game, 1, Action::Pass);
    assert!(!called(&game, 1));
}

#[test]
fn a_call_with_two_cards_is_void_after_a_skip() {
    let mut game = lay("2C", &["3C KD", "4S 4H"], Rest::Stock);
    does(&mut game, 1, Action::Call);
    skips(&mut game, &[1]);
    assert!(!called(&game, 1));
}

#[test]
fn a_call_with_one_card_holds_while_others_play() {
    let mut game = uncalled(Rest::Stock);
    does(&mut game, 1, Action::Call);
    does(&mut game, 2, play("4C"));
    does(&mut game, 3, play("5C"));
    assert!(called(&game, 1));
}

#[test]
fn a_call_with_one_card_holds_when_one_is_skipped() {
    let mut game = lay("2C", &["KD", "4C 4S 4H"], Rest::Stock);
    game.0.seats[0].called = true;
    skips(&mut game, &[1]);
    assert!(called(&game, 1));
}

#[test]
fn nobody_calls_with_two_cards_out_of_turn() {
    let mut game = lay("2C", &["3C KD", "4C 4S"], Rest::Stock);
    refused(&mut game, 2, Action::Call, Illegal::NothingToCall);
}

#[test]
fn nobody_calls_with_three_cards() {
    let mut game = lay("2C", &["3C KD QD", "4C 4S"], Rest::Stock);
    refused(&mut game, 1, Action::Call, Illegal::NothingToCall);
}

#[test]
fn nobody_calls_with_one_card_on_a_later_turn() {
    let mut game = lay("2C", &["KD", "4C 4S"], Rest::Stock);
    refused(&mut game, 1, Action::Call, Illegal::NothingToCall);
}

#[test]
fn who_plays_down_to_two_cannot_be_caught() {
    let mut game = lay("2C", &["3C KD QD", "4C 4S"], Rest::Stock);
    does(&mut game, 1, play("3C"));
    refused(&mut game, 2, Action::Catch, Illegal::NobodyToCatch);
}
