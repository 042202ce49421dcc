// SPDX-License-Identifier: MIT OR Apache-2.0
//! A game in the database: it comes back as it was, or is refused for what is wrong with it.

use serde_json::json;

use super::super::table::Table;
use super::super::{Action, Game, Inconsistent, Last, NotACard, PlayerId, Suit};
use super::{Rest, card, does, lay, leaves, play, players, rng};

/// Player 3 has left, player 1 has come down to one card.
fn game() -> Game {
    let mut game = lay("2C", &["3C KD", "4C 4S 4H", "5C 5S 5H"], Rest::Stock);
    leaves(&mut game, 3);
    does(&mut game, 1, play("3C"));
    game
}

#[test]
fn a_game_comes_back_as_it_was() {
    let mut finished = lay("2C", &["3C", "4C 4S"], Rest::Stock);
    does(&mut finished, 1, play("3C"));
    let dealt = Game::deal(&players(6), &mut rng()).unwrap();
    for game in [game(), finished, dealt] {
        let json = serde_json::to_string(&game).unwrap();
        assert_eq!(serde_json::from_str::<Game>(&json).unwrap(), game);
    }
}

#[test]
fn what_happened_last_comes_back_as_it_was() {
    let (player, other, card) = (PlayerId(1), PlayerId(-2), card("8H"));
    for last in [
        Last::Deal { player },
        Last::Play { player, card, suit: Some(Suit::Spades) },
        Last::Play { player, card, suit: None },
        Last::Draw { player },
        Last::Pass { player },
        Last::Call { player },
        Last::Catch { player, other },
        Last::Skip { player },
        Last::Leave { player },
        Last::Win { player, card: Some(card), other: None },
        Last::Win { player, card: None, other: Some(other) },
        Last::Win { player, card: None, other: None },
    ] {
        let json = serde_json::to_string(&last).unwrap();
        assert_eq!(serde_json::from_str::<Last>(&json).unwrap(), last, "{json}");
    }
}

#[track_caller]
fn broken(break_it: impl FnOnce(&mut Table), why: Inconsistent) {
    let mut game = game();
    break_it(&mut game.0);
    let json = serde_json::to_string(&game).unwrap();
    let error = serde_json::from_str::<Game>(&json).unwrap_err();
    assert_eq!(error.to_string(), why.to_string());
}

#[test]
fn missing_cards_are_found() {
    broken(|table| table.stock.truncate(10), Inconsistent::Cards);
}

#[test]
fn a_card_that_is_there_twice_is_found() {
    broken(|table| table.stock.push(card("KD")), Inconsistent::Cards);
    broken(|table| table.stock[0] = card("KD"), Inconsistent::Cards);
}

#[test]
fn a_pile_without_cards_is_found() {
    broken(
        |table| {
            let pile = std::mem::take(&mut table.pile);
            table.stock.extend(pile);
        },
        Inconsistent::Pile,
    );
}

#[test]
fn a_suit_that_nobody_chose_is_found() {
    broken(|table| table.suit = Suit::Hearts, Inconsistent::Suit);
}

#[test]
fn too_few_and_too_many_seats_are_found() {
    broken(
        |table| {
            let hands = table.seats.drain(1..).flat_map(|seat| seat.hand);
            table.stock.extend(hands);
        },
        Inconsistent::Seats(1),
    );
    let seven = |table: &mut Table| {
        for number in 4..=7 {
            let hand = vec![table.stock.pop().unwrap()];
            let seat = super::Seat { player: PlayerId(number), hand, ..table.seats[2].clone() };
            table.seats.push(seat);
        }
    };
    broken(seven, Inconsistent::Seats(7));
}

#[test]
fn a_player_on_two_seats_is_found() {
    broken(|table| table.seats[2].player = PlayerId(2), Inconsistent::SeatedTwice(PlayerId(2)));
}

#[test]
fn cards_of_one_who_left_are_found() {
    broken(
        |table| {
            let card = table.stock.pop().unwrap();
            table.seats[2].hand.push(card);
        },
        Inconsistent::Left(PlayerId(3)),
    );
}

#[test]
fn a_beginner_without_a_seat_is_found() {
    broken(|table| table.first = PlayerId(9), Inconsistent::First(PlayerId(9)));
}

#[test]
fn a_game_of_one_is_found() {
    broken(
        |table| {
            let hand = std::mem::take(&mut table.seats[0].hand);
            table.stock.extend(hand);
            table.seats[0].left = true;
        },
        Inconsistent::Alone,
    );
}

/// Changes how the round stands.
fn round(change: impl FnOnce(&mut super::Round)) -> impl FnOnce(&mut Table) {
    |table| {
        let mut round = table.round().unwrap();
        change(&mut round);
        table.phase = super::Phase::Playing(round);
    }
}

#[test]
fn a_turn_of_nobody_in_play_is_found() {
    for number in [3, 9] {
        let player = PlayerId(number);
        broken(round(|round| round.turn = player), Inconsistent::Turn(player));
    }
}

#[test]
fn a_player_without_cards_is_found() {
    broken(
        |table| {
            let hand = std::mem::take(&mut table.seats[1].hand);
            table.stock.extend(hand);
        },
        Inconsistent::EmptyHand(PlayerId(2)),
    );
}

#[test]
fn a_call_with_too_many_cards_is_found() {
    broken(|table| table.seats[1].called = true, Inconsistent::Called(PlayerId(2)));
    broken(|table| table.seats[2].called = true, Inconsistent::Called(PlayerId(3)));
    let two_cards_out_of_turn = |table: &mut Table| {
        let card = table.stock.pop().unwrap();
        table.seats[0].hand.push(card);
        table.seats[0].called = true;
    };
    broken(two_cards_out_of_turn, Inconsistent::Called(PlayerId(1)));
}

#[test]
fn a_player_who_can_be_caught_for_nothing_is_found() {
    for number in [2, 3, 9] {
        let player = PlayerId(number);
        broken(round(|round| round.catchable = Some(player)), Inconsistent::Catchable(player));
    }
    broken(|table| table.seats[0].called = true, Inconsistent::Catchable(PlayerId(1)));
    broken(round(|round| round.turn = PlayerId(1)), Inconsistent::Catchable(PlayerId(1)));
}

#[test]
fn passes_of_players_who_could_draw_are_found() {
    broken(round(|round| (round.passes, round.catchable) = (1, None)), Inconsistent::Passes(1));
    let mut game = lay("2C", &["3D KD", "4C 4S 4H"], Rest::Hand(2));
    does(&mut game, 1, Action::Pass);
    let json = serde_json::to_string(&game).unwrap();
    assert_eq!(serde_json::from_str::<Game>(&json).unwrap(), game);
    let json = json.replace("\"passes\":1", "\"passes\":2");
    let error = serde_json::from_str::<Game>(&json).unwrap_err();
    assert_eq!(error.to_string(), Inconsistent::Passes(2).to_string());
}

#[test]
fn a_winner_who_does_not_play_is_found() {
    for number in [3, 9] {
        let player = PlayerId(number);
        let won = Some(super::super::table::Won { player, points: 3 });
        broken(|table| table.phase = super::Phase::Finished(won), Inconsistent::Winner(player));
    }
}

#[test]
fn what_is_no_game_is_refused() {
    let whole = serde_json::to_value(game()).unwrap();
    let keys: Vec<String> = whole.as_object().unwrap().keys().cloned().collect();
    assert_eq!(keys.len(), 8);
    for key in keys {
        let mut part = whole.clone();
        part.as_object_mut().unwrap().remove(&key);
        let error = serde_json::from_value::<Game>(part).unwrap_err().to_string();
        assert!(error.contains(&key), "{error}");
    }
    let mut wrong = whole;
    wrong["pile"] = json!(["1X"]);
    let error = serde_json::from_value::<Game>(wrong).unwrap_err();
    assert_eq!(error.to_string(), NotACard.to_string());
}
