// SPDX-License-Identifier: MIT OR Apache-2.0
//! Skips: the turn goes on from whoever is away.

use super::super::{Game, Illegal, Last, PlayerId};
use super::{Rest, away, does, lay, leaves, play, skips, turn};

fn four() -> Game {
    lay("2C", &["3C KD 9D", "4C 4S 4H", "5C 5S 5H", "6C 6S 6H"], Rest::Stock)
}

#[track_caller]
fn not_skipped(game: &mut Game, numbers: &[i64], why: Illegal) {
    let before = game.clone();
    assert_eq!(game.skip(&away(numbers)), Err(why));
    assert_eq!(*game, before);
}

#[test]
fn the_turn_goes_on_to_the_next_player() {
    let mut game = four();
    skips(&mut game, &[1]);
    assert_eq!(turn(&game), 2);
    assert_eq!(game.0.last, Last::Skip { player: PlayerId(1) });
}

#[test]
fn the_turn_goes_on_past_all_who_are_away() {
    let mut game = four();
    skips(&mut game, &[1, 2, 3]);
    assert_eq!(turn(&game), 4);
    assert_eq!(game.0.last, Last::Skip { player: PlayerId(1) });
    skips(&mut game, &[1, 4, 3]);
    assert_eq!(turn(&game), 2);
}

#[test]
fn who_is_away_and_not_next_does_not_matter() {
    let mut game = four();
    skips(&mut game, &[1, 3]);
    assert_eq!(turn(&game), 2);
}

#[test]
fn who_is_skipped_keeps_the_cards_and_plays_on_later() {
    let mut game = four();
    skips(&mut game, &[1]);
    does(&mut game, 2, play("4C"));
    does(&mut game, 3, play("5C"));
    does(&mut game, 4, play("6C"));
    does(&mut game, 1, play("3C"));
}

#[test]
fn nobody_is_skipped_who_is_there() {
    let mut game = four();
    not_skipped(&mut game, &[], Illegal::NotAway(PlayerId(1)));
    not_skipped(&mut game, &[2, 3, 4], Illegal::NotAway(PlayerId(1)));
}

#[test]
fn nobody_is_skipped_when_everybody_is_away() {
    let mut game = four();
    not_skipped(&mut game, &[1, 2, 3, 4], Illegal::EverybodyAway);
    leaves(&mut game, 2);
    not_skipped(&mut game, &[1, 3, 4], Illegal::EverybodyAway);
}

#[test]
fn nobody_is_skipped_when_it_is_over() {
    let mut game = lay("2C", &["3C", "4C 4S"], Rest::Stock);
    does(&mut game, 1, play("3C"));
    not_skipped(&mut game, &[1], Illegal::Over);
    not_skipped(&mut game, &[2], Illegal::Over);
}

/// A skip is a pass when there is nothing to draw, and only then: with cards in the stock the
/// game goes on however often players are skipped.
#[test]
fn skips_block_no_game_in_which_cards_can_be_drawn() {
    let mut game = four();
    for _ in 0..3 {
        skips(&mut game, &[1, 2, 3]);
        skips(&mut game, &[4]);
    }
    assert!(!game.is_over());
    assert_eq!(turn(&game), 1);
}

#[test]
fn skips_of_everybody_one_after_the_other_block_a_game_with_nothing_to_draw() {
    let mut game = lay("2C", &["3C KD 9D", "4C 4S 4H"], Rest::Hand(2));
    skips(&mut game, &[1]);
    assert!(!game.is_over());
    skips(&mut game, &[2]);
    assert!(game.is_over());
    assert_eq!(game.winner(), Some(PlayerId(1)));
}

#[test]
fn a_blocked_game_ends_in_the_middle_of_a_skip() {
    let mut game = lay("2C", &["4C", "KD KH", "5S 5H"], Rest::Hand(1));
    skips(&mut game, &[1]);
    does(&mut game, 2, super::Action::Pass);
    // From 3 the skip would go on to 1, whose turn was passed before.
    skips(&mut game, &[3, 1]);
    assert_eq!(game.winner(), Some(PlayerId(3)));
}
