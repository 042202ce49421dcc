// SPDX-License-Identifier: MIT OR Apache-2.0
//! How a round begins, and the next one.

use std::collections::BTreeSet;

use rand::SeedableRng;
use rand::rngs::StdRng;

use super::super::{Game, Illegal, Last, PLAYERS_MAX, PLAYERS_MIN, PlayerId};
use super::{Rest, does, lay, leaves, play, players, rng, turn};

#[test]
fn two_players_get_seven_cards_and_more_get_five() {
    for (count, cards) in [(2, 7), (3, 5), (4, 5), (5, 5), (6, 5)] {
        let game = Game::deal(&players(count), &mut rng()).unwrap();
        assert_eq!(game.0.check(), Ok(()));
        assert_eq!(game.0.seats.len() as i64, count);
        assert!(game.0.seats.iter().all(|seat| seat.hand.len() == cards), "{count} players");
        assert_eq!(game.0.pile.len(), 1);
        assert_eq!(game.0.stock.len(), 52 - 1 - cards * count as usize);
    }
}

#[test]
fn one_player_or_seven_are_refused() {
    for count in [0, PLAYERS_MIN - 1, PLAYERS_MAX + 1] {
        let players = players(count as i64);
        assert_eq!(Game::deal(&players, &mut rng()), Err(Illegal::Players(count)));
    }
}

#[test]
fn nobody_sits_on_two_seats() {
    let twice = [PlayerId(1), PlayerId(2), PlayerId(1)];
    assert_eq!(Game::deal(&twice, &mut rng()), Err(Illegal::SeatedTwice(PlayerId(1))));
}

#[test]
fn the_first_player_begins_and_the_deal_is_move_1() {
    let game = Game::deal(&[PlayerId(30), PlayerId(10)], &mut rng()).unwrap();
    assert_eq!(game.turn(), Some(PlayerId(30)));
    assert_eq!(game.moves(), 1);
    assert_eq!(game.0.last, Last::Deal { player: PlayerId(30) });
    assert_eq!(game.players().collect::<Vec<_>>(), [PlayerId(30), PlayerId(10)]);
}

/// In many deals, so that an eight lies on the stock in some of them, and two in a few.
#[test]
fn no_pile_starts_with_an_eight_and_none_is_lost() {
    let mut stocks_with_eights_on_top = BTreeSet::new();
    for seed in 0..2_000 {
        let game = Game::deal(&players(6), &mut StdRng::seed_from_u64(seed)).unwrap();
        assert_eq!(game.0.check(), Ok(()), "seed {seed}");
        assert!(!game.0.top().is_eight(), "seed {seed}");
        let mut shuffled = super::deck::shuffled(&mut StdRng::seed_from_u64(seed));
        shuffled.truncate(52 - 30);
        let eights = shuffled.iter().rev().take_while(|card| card.is_eight()).count();
        stocks_with_eights_on_top.insert(eights);
        assert_eq!(game.0.top(), shuffled[shuffled.len() - 1 - eights], "seed {seed}");
    }
    assert!(stocks_with_eights_on_top.is_superset(&BTreeSet::from([0, 1, 2])));
}

#[test]
fn the_suit_to_follow_is_that_of_the_first_card() {
    let game = Game::deal(&players(3), &mut rng()).unwrap();
    assert_eq!(game.0.suit, game.0.top().suit);
}

#[test]
fn the_same_chance_deals_the_same_game() {
    let deal = |seed| Game::deal(&players(4), &mut StdRng::seed_from_u64(seed)).unwrap();
    assert_eq!(deal(1), deal(1));
    assert_ne!(deal(1), deal(2));
}

fn finished() -> Game {
    let mut game = lay("2C", &["3C", "KD QD", "AH"], Rest::Stock);
    does(&mut game, 1, play("3C"));
    assert!(game.is_over());
    game
}

#[test]
fn the_next_round_keeps_the_points_and_counts_the_moves_on() {
    let game = finished();
    let next = game.again(&players(3), &mut rng()).unwrap();
    assert_eq!(next.0.check(), Ok(()));
    assert_eq!(next.moves(), game.moves() + 1);
    assert_eq!(next.seats().map(|seat| seat.points).collect::<Vec<_>>(), [21, 0, 0]);
    assert!(!next.is_over());
}

#[test]
fn the_next_round_begins_with_whoever_sat_next_to_the_one_who_began() {
    let game = finished();
    assert_eq!(turn(&game.again(&players(3), &mut rng()).unwrap()), 2);
    let without_two = [PlayerId(1), PlayerId(3)];
    assert_eq!(turn(&game.again(&without_two, &mut rng()).unwrap()), 3);
    let others = [PlayerId(8), PlayerId(9)];
    assert_eq!(turn(&game.again(&others, &mut rng()).unwrap()), 8);
}

#[test]
fn who_is_new_in_the_next_round_has_no_points() {
    let next = finished().again(&[PlayerId(9), PlayerId(1)], &mut rng()).unwrap();
    assert_eq!(next.seats().map(|seat| seat.points).collect::<Vec<_>>(), [0, 21]);
}

#[test]
fn who_left_may_play_the_next_round() {
    let mut game = lay("2C", &["3C", "KD QD", "AH"], Rest::Stock);
    leaves(&mut game, 3);
    does(&mut game, 1, play("3C"));
    let next = game.again(&players(3), &mut rng()).unwrap();
    assert_eq!(next.players().collect::<Vec<_>>(), players(3));
}

#[test]
fn there_is_no_next_round_while_one_is_played_or_without_players() {
    let game = Game::deal(&players(3), &mut rng()).unwrap();
    assert_eq!(game.again(&players(3), &mut rng()), Err(Illegal::StillPlaying));
    assert_eq!(finished().again(&players(1), &mut rng()), Err(Illegal::Players(1)));
    let twice = [PlayerId(2), PlayerId(2)];
    assert_eq!(finished().again(&twice, &mut rng()), Err(Illegal::SeatedTwice(PlayerId(2))));
}
