// SPDX-License-Identifier: MIT OR Apache-2.0
//! How a round ends: the last card, a blocked game, and players who leave.

use super::super::{Action, Game, Illegal, Last, PlayerId, Suit};
use super::{
    Rest, card, cards, catchable, does, eight, held, lay, leaves, play, refused, rng, skips, turn,
};

fn won(game: &Game) -> (Option<i64>, Option<u32>) {
    let table = game.table(|seat| seat);
    (table.winner.map(|player| player.0), table.won)
}

fn points(game: &Game) -> Vec<u32> {
    game.seats().map(|seat| seat.points).collect()
}

#[test]
fn the_first_without_cards_wins_the_points_of_the_other_hands() {
    let mut game = lay("2C", &["3C", "8D KD 9H", "AS TH"], Rest::Stock);
    does(&mut game, 1, play("3C"));
    assert!(game.is_over());
    assert_eq!(won(&game), (Some(1), Some(50 + 10 + 9 + 1 + 10)));
    assert_eq!(points(&game), [80, 0, 0]);
    let (player, card) = (PlayerId(1), Some(card("3C")));
    assert_eq!(game.0.last, Last::Win { player, card, other: None });
    assert_eq!(game.winner(), Some(PlayerId(1)));
}

#[test]
fn points_add_up_over_the_rounds() {
    let mut game = lay("2C", &["3C", "KD"], Rest::Stock);
    game.0.seats[0].points = 30;
    game.0.seats[1].points = 5;
    does(&mut game, 1, play("3C"));
    assert_eq!(points(&game), [40, 5]);
}

#[test]
fn a_last_card_wins_without_a_call() {
    let mut game = lay("2C", &["3C 4C", "5C KD QD"], Rest::Stock);
    does(&mut game, 1, play("3C"));
    does(&mut game, 2, play("5C"));
    does(&mut game, 1, play("4C"));
    assert_eq!(won(&game), (Some(1), Some(20)));
}

#[test]
fn an_eight_as_the_last_card_needs_no_suit() {
    let mut game = lay("2C", &["8D", "KD QD"], Rest::Stock);
    does(&mut game, 1, play("8D"));
    assert_eq!(won(&game), (Some(1), Some(20)));
}

#[test]
fn an_eight_as_the_last_card_may_have_a_suit() {
    let mut game = lay("2C", &["8D", "KD QD"], Rest::Stock);
    does(&mut game, 1, eight("8D", Suit::Spades));
    assert_eq!(won(&game), (Some(1), Some(20)));
}

#[test]
fn when_it_is_over_nothing_more_can_be_done() {
    let mut game = lay("2C", &["3C", "KD QD"], Rest::Stock);
    does(&mut game, 1, play("3C"));
    for player in [1, 2] {
        for action in [play("KD"), Action::Draw, Action::Pass, Action::Call, Action::Catch] {
            refused(&mut game, player, action, Illegal::Over);
        }
        let before = game.clone();
        assert_eq!(game.leave(PlayerId(player), &mut rng()), Err(Illegal::Over));
        assert_eq!(game, before);
    }
    assert_eq!(game.turn(), None);
}

#[test]
fn a_leavers_cards_go_under_the_stock_shuffled() {
    let hand = "3D 3H 3S 4D 4H 4S 5D 5H 5S 6D 6H";
    let mut game = lay("2C", &["KD QD", hand, "AS TH"], Rest::Stock);
    let stock = game.0.stock.clone();
    leaves(&mut game, 2);
    let (mut under, over) = (game.0.stock.clone(), game.0.stock[11..].to_vec());
    under.truncate(11);
    assert_eq!(over, stock);
    assert_ne!(under, cards(hand));
    under.sort_unstable();
    let mut hand = cards(hand);
    hand.sort_unstable();
    assert_eq!(under, hand);
    assert_eq!(held(&game, 2), 0);
    assert_eq!(game.0.last, Last::Leave { player: PlayerId(2) });
}

#[test]
fn when_who_is_on_turn_leaves_the_next_is_on_turn() {
    let mut game = lay("2C", &["KD QD", "3D 3H", "AS TH"], Rest::Stock);
    leaves(&mut game, 1);
    assert_eq!(turn(&game), 2);
    let mut game = lay("2C", &["KC QD JD", "3C 3H JH", "AS TH JS"], Rest::Stock);
    does(&mut game, 1, play("KC"));
    does(&mut game, 2, play("3C"));
    leaves(&mut game, 3);
    assert_eq!(turn(&game), 1);
}

#[test]
fn when_somebody_else_leaves_the_turn_stays() {
    let mut game = lay("2C", &["KD QD", "3D 3H", "AS TH"], Rest::Stock);
    leaves(&mut game, 2);
    assert_eq!(turn(&game), 1);
    assert_eq!(game.players().collect::<Vec<_>>(), [PlayerId(1), PlayerId(3)]);
}

#[test]
fn who_left_can_do_nothing_more() {
    let mut game = lay("2C", &["KD QD", "3D 3H", "AS TH"], Rest::Stock);
    leaves(&mut game, 1);
    for action in [play("KD"), Action::Draw, Action::Pass, Action::Call, Action::Catch] {
        refused(&mut game, 1, action, Illegal::Left);
    }
    let before = game.clone();
    assert_eq!(game.leave(PlayerId(1), &mut rng()), Err(Illegal::Left));
    assert_eq!(game.leave(PlayerId(9), &mut rng()), Err(Illegal::NotAPlayer));
    assert_eq!(game, before);
}

#[test]
fn the_last_one_left_wins_no_points_as_nobody_else_holds_cards() {
    let mut game = lay("2C", &["KD QD", "3D 3H", "AS TH"], Rest::Stock);
    leaves(&mut game, 3);
    leaves(&mut game, 1);
    assert_eq!(won(&game), (Some(2), Some(0)));
    let (player, other) = (PlayerId(2), Some(PlayerId(1)));
    assert_eq!(game.0.last, Last::Win { player, card: None, other });
}

#[test]
fn the_last_one_left_wins_out_of_turn_and_on_turn() {
    for leaver in [1, 2] {
        let mut game = lay("2C", &["KD QD", "3D 3H"], Rest::Stock);
        leaves(&mut game, leaver);
        assert_eq!(won(&game), (Some(3 - leaver), Some(0)));
    }
}

#[test]
fn a_leavers_cards_count_for_nobody() {
    let mut game = lay("2C", &["3C", "8D 8H", "AS TH"], Rest::Stock);
    leaves(&mut game, 2);
    does(&mut game, 1, play("3C"));
    assert_eq!(won(&game), (Some(1), Some(11)));
}

#[test]
fn a_leavers_call_is_void() {
    let mut game = lay("2C", &["3C KD", "3D 3H", "AS TH"], Rest::Stock);
    does(&mut game, 1, Action::Call);
    leaves(&mut game, 1);
    assert!(!super::called(&game, 1));
    assert_eq!(catchable(&game), None);
}

/// Player 2 holds all clubs and eights but the pile's, and is away. With everybody at the table
/// no game is blocked: when nothing can be drawn, the rest of the suit is in somebody's hand.
fn one_to_pass_and_one_to_skip(first: &str) -> Game {
    let mut game = lay("2C", &[first, "3C"], Rest::Hand(2));
    does(&mut game, 1, Action::Pass);
    game
}

#[test]
fn when_all_have_passed_the_fewest_points_win_the_difference_to_the_others_sum() {
    let mut game = one_to_pass_and_one_to_skip("KD 3H");
    let others = game.0.seats[1].hand_points();
    skips(&mut game, &[2]);
    assert_eq!(won(&game), (Some(1), Some(others - 13)));
    assert_eq!(points(&game), [others - 13, 0]);
    assert_eq!(game.0.last, Last::Win { player: PlayerId(1), card: None, other: None });
}

#[test]
fn a_pass_blocks_the_game_when_the_others_were_skipped_before() {
    let mut game = lay("2C", &["3C", "KD 3H"], Rest::Hand(1));
    skips(&mut game, &[1]);
    assert_eq!(turn(&game), 2);
    does(&mut game, 2, Action::Pass);
    let others = game.0.seats[0].hand_points();
    assert_eq!(won(&game), (Some(2), Some(others - 13)));
}

#[test]
fn a_tie_has_no_winner() {
    let mut game = lay("2C", &["KD 3H", "QD 3S", "3C"], Rest::Hand(3));
    does(&mut game, 1, Action::Pass);
    does(&mut game, 2, Action::Pass);
    skips(&mut game, &[3]);
    assert!(game.is_over());
    assert_eq!(won(&game), (None, None));
    assert_eq!(game.winner(), None);
    assert_eq!(points(&game), [0, 0, 0]);
    assert_eq!(game.0.last, Last::Skip { player: PlayerId(3) });
}

#[test]
fn a_tie_for_second_place_has_a_winner() {
    let mut game = lay("2C", &["9D 3D", "QD 3S", "JD 3H", "3C"], Rest::Hand(4));
    let others = game.0.seats[3].hand_points();
    for player in 1..=3 {
        does(&mut game, player, Action::Pass);
    }
    skips(&mut game, &[4]);
    assert_eq!(won(&game), (Some(1), Some(13 + 13 + others - 12)));
}

#[test]
fn a_tie_is_told_by_the_pass_that_led_to_it() {
    let mut game = lay("2C", &["3C", "KD 3H", "QD 3S"], Rest::Hand(1));
    skips(&mut game, &[1]);
    does(&mut game, 2, Action::Pass);
    does(&mut game, 3, Action::Pass);
    assert_eq!(won(&game), (None, None));
    assert_eq!(game.0.last, Last::Pass { player: PlayerId(3) });
}

#[test]
fn a_card_played_in_between_unblocks_the_game() {
    let mut game = one_to_pass_and_one_to_skip("KD 3H");
    does(&mut game, 2, play("4C"));
    does(&mut game, 1, Action::Draw);
    assert!(!game.is_over());
    assert_eq!(game.0.round().unwrap().passes, 0);
}

#[test]
fn a_leavers_cards_unblock_the_game() {
    let mut game = lay("2C", &["KD 3H", "QD 3S", "3C"], Rest::Hand(3));
    does(&mut game, 1, Action::Pass);
    does(&mut game, 2, Action::Pass);
    leaves(&mut game, 3);
    assert_eq!(turn(&game), 1);
    refused(&mut game, 1, Action::Pass, Illegal::CanDraw);
    does(&mut game, 1, Action::Draw);
}

#[test]
fn who_leaves_in_place_of_a_pass_unblocks_the_game() {
    let mut game = lay("2C", &["KD 3H", "QD 3S", "3C"], Rest::Hand(3));
    does(&mut game, 1, Action::Pass);
    leaves(&mut game, 2);
    assert_eq!(turn(&game), 3);
    assert_eq!(game.0.round().unwrap().passes, 0);
    assert_eq!(game.0.drawable(), 2);
}
