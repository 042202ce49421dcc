// SPDX-License-Identifier: MIT OR Apache-2.0
//! What pages get, to the letter.

use serde::Serialize;
use serde_json::json;

use super::super::{Action, Game, PlayerId, SeatView, Suit, TableView};
use super::{Rest, cards, does, eight, lay, leaves, play};

fn table(game: &Game) -> serde_json::Value {
    serde_json::to_value(game.table(|seat| seat)).unwrap()
}

fn hand(game: &Game, player: i64) -> serde_json::Value {
    serde_json::to_value(game.hand(PlayerId(player))).unwrap()
}

#[test]
fn a_table_that_is_played_on() {
    let mut game = lay("2C", &["8C KD", "4C 4S 4H", "5C 5S 5H"], Rest::Stock);
    leaves(&mut game, 3);
    does(&mut game, 1, eight("8C", Suit::Spades));
    let seat = |id, cards, left| json!({"id": id, "cards": cards, "points": 0, "left": left, "called": false});
    let expected = json!({
        "status": "playing",
        "move": 3,
        "players": [seat(1, 1, false), seat(2, 3, false), seat(3, 0, true)],
        "turn": 2,
        "top": "8C",
        "suit": "S",
        "stock": 46,
        "catchable": 1,
        "winner": null,
        "won": null,
        "last": {"action": "play", "player": 1, "card": "8C", "suit": "S"},
    });
    assert_eq!(table(&game), expected);
}

#[test]
fn a_table_when_it_is_over() {
    let mut game = lay("2C", &["3C", "4C 4S"], Rest::Stock);
    does(&mut game, 1, play("3C"));
    let expected = json!({
        "status": "finished",
        "move": 2,
        "players": [
            {"id": 1, "cards": 0, "points": 8, "left": false, "called": false},
            {"id": 2, "cards": 2, "points": 0, "left": false, "called": false},
        ],
        "turn": null,
        "top": "3C",
        "suit": "C",
        "stock": 48,
        "catchable": null,
        "winner": 1,
        "won": 8,
        "last": {"action": "win", "player": 1, "card": "3C"},
    });
    assert_eq!(table(&game), expected);
}

#[test]
fn the_app_shows_of_a_player_what_it_knows_besides() {
    #[derive(Serialize)]
    struct Player {
        username: &'static str,
        #[serde(flatten)]
        seat: SeatView,
    }
    let game = lay("2C", &["3C", "4C 4S"], Rest::Stock);
    let table = serde_json::to_value(game.table(|seat| Player { username: "ann", seat })).unwrap();
    let ann = json!(
        {"username": "ann", "id": 1, "cards": 1, "points": 0, "left": false, "called": false}
    );
    assert_eq!(table["players"][0], ann);
}

#[test]
fn before_the_first_deal_there_is_a_table_without_cards() {
    let expected = json!({
        "status": "lobby", "move": 0, "players": ["ann"], "turn": null, "top": null, "suit": null,
        "stock": 0, "catchable": null, "winner": null, "won": null, "last": null,
    });
    assert_eq!(serde_json::to_value(TableView::lobby(vec!["ann"])).unwrap(), expected);
}

#[test]
fn a_hand_on_turn_shows_its_cards_sorted_and_what_may_be_played() {
    let game = lay("2C", &["KD 8S 3C 2H", "4C 4S"], Rest::Stock);
    let expected = json!({
        "move": 1,
        "cards": ["3C", "KD", "2H", "8S"],
        "playable": ["3C", "2H", "8S"],
        "may_draw": true,
        "may_pass": false,
        "may_call": false,
    });
    assert_eq!(hand(&game, 1), expected);
}

#[test]
fn a_hand_that_is_not_on_turn_may_do_nothing() {
    let game = lay("2C", &["KD 3C", "4S 4C"], Rest::Stock);
    let expected = json!({
        "move": 1, "cards": ["4C", "4S"], "playable": [],
        "may_draw": false, "may_pass": false, "may_call": false,
    });
    assert_eq!(hand(&game, 2), expected);
}

#[test]
fn a_hand_shows_when_one_may_call() {
    let mut game = lay("2C", &["3C KD", "4S 4C 4H"], Rest::Stock);
    assert_eq!(hand(&game, 1)["may_call"], json!(true));
    does(&mut game, 1, play("3C"));
    assert_eq!(hand(&game, 1)["may_call"], json!(true));
    does(&mut game, 1, Action::Call);
    assert_eq!(hand(&game, 1)["may_call"], json!(false));
}

#[test]
fn a_hand_shows_when_one_may_pass() {
    let game = lay("2C", &["3D KD", "4S 4C 4H"], Rest::Hand(2));
    let hand = hand(&game, 1);
    assert_eq!((&hand["may_pass"], &hand["may_draw"]), (&json!(true), &json!(false)));
}

#[test]
fn a_hand_when_it_is_over_may_do_nothing() {
    let mut game = lay("2C", &["3C", "4C 4S"], Rest::Stock);
    does(&mut game, 1, play("3C"));
    let expected = json!({
        "move": 2, "cards": ["4C", "4S"], "playable": [],
        "may_draw": false, "may_pass": false, "may_call": false,
    });
    assert_eq!(hand(&game, 2), expected);
}

#[test]
fn who_has_no_seat_has_no_hand_and_who_left_an_empty_one() {
    let mut game = lay("2C", &["3C", "4C 4S", "5C 5S"], Rest::Stock);
    assert_eq!(game.hand(PlayerId(9)), None);
    leaves(&mut game, 2);
    assert_eq!(game.hand(PlayerId(2)).unwrap().cards, cards(""));
}
