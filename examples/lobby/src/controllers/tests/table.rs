// SPDX-License-Identifier: MIT OR Apache-2.0
//! Moves, and what happens when players leave or stay away.

use super::house::{House, refused};
use crate::StartError;
use crate::channel::Channel;
use crate::controllers::table::{act, skip};
use crate::controllers::{lobby, table_pusher};
use crate::crazy_eights::{Action, HandView, Status};
use crate::database::{game_user, now};
use crate::game_id::GameId;

/// What that user holds.
async fn hand(house: &House, game: &GameId, user: i64) -> HandView {
    let hand = table_pusher::hand(&house.app.database, game, user).await.expect("a database");
    hand.expect("a hand")
}

/// Who is on turn.
async fn turn(house: &House, game: &GameId) -> i64 {
    let table = table_pusher::table(&house.app.database, game).await.expect("a database");
    table.expect("a table").turn.expect("it is being played").0
}

#[tokio::test]
async fn of_two_moves_at_once_one_is_made_and_the_other_is_told() {
    let house = House::open(&[]).await;
    let (game, users) = house.started(2).await;
    let draw = || {
        let (app, game, user) = (house.app.clone(), game.clone(), users[0]);
        tokio::spawn(async move { act(&app, &game, user, 1, Action::Draw).await })
    };
    let (one, other) = (draw(), draw());
    let results = [one.await.expect("no panic"), other.await.expect("no panic")];
    let (made, told): (Vec<_>, Vec<_>) = results.into_iter().partition(Result::is_ok);
    assert_eq!((made.len(), told.len()), (1, 1));
    for result in told {
        assert_eq!(refused(result), "The game has moved on. Look again before you play.");
    }
    let hand = hand(&house, &game, users[0]).await;
    assert_eq!((hand.moves, hand.cards.len()), (2, 8), "one card was drawn");
}

#[tokio::test]
async fn what_is_against_the_rules_changes_nothing() {
    let house = House::open(&[]).await;
    let (game, users) = house.started(2).await;
    let before = hand(&house, &game, users[1]).await;
    refused(act(&house.app, &game, users[1], 1, Action::Draw).await);
    refused(act(&house.app, &game, users[0], 1, Action::Pass).await);
    let card = before.cards[0];
    refused(act(&house.app, &game, users[0], 1, Action::Play { card, suit: None }).await);
    refused(act(&house.app, &game, users[0], 0, Action::Draw).await);
    let stranger = house.user("stranger").await;
    refused(act(&house.app, &game, stranger, 1, Action::Draw).await);
    assert_eq!(hand(&house, &game, users[1]).await, before);
}

#[tokio::test]
async fn a_move_reaches_table_and_hands() {
    let house = House::open(&[]).await;
    let (game, users) = house.started(3).await;
    act(&house.app, &game, users[0], 1, Action::Draw).await.expect("drawn");
    house.truth_becomes(&Channel::Game(game.clone()), |table| table["move"] == 2).await;
    for user in users {
        let cards = hand(&house, &game, user).await.cards.len();
        let is = |hand: &serde_json::Value| {
            hand["move"] == 2 && hand["cards"].as_array().is_some_and(|held| held.len() == cards)
        };
        house.truth_becomes(&Channel::Hand(game.clone(), user), is).await;
    }
}

#[tokio::test]
async fn who_leaves_takes_the_turn_along_and_the_last_one_has_won() {
    let house = House::open(&[]).await;
    let (game, users) = house.started(3).await;
    lobby::leave(&house.app, &game, users[0]).await.expect("left");
    assert_eq!(turn(&house, &game).await, users[1]);
    assert_eq!(house.players(&game).await, [(users[1], true), (users[2], false)]);
    refused(act(&house.app, &game, users[0], 2, Action::Draw).await);
    lobby::leave(&house.app, &game, users[1]).await.expect("left");
    let table = table_pusher::table(&house.app.database, &game).await.expect("a database");
    let table = table.expect("a table");
    assert_eq!(table.status, Status::Finished);
    assert_eq!(table.winner.map(|winner| winner.0), Some(users[2]));
}

#[tokio::test]
async fn after_a_game_the_next_one_counts_on() {
    let house = House::open(&[]).await;
    let (game, users) = house.started(2).await;
    refused(lobby::again(&house.app, &game, users[0]).await);
    lobby::leave(&house.app, &game, users[1]).await.expect("left, and so it is over");
    lobby::again(&house.app, &game, users[0]).await.expect("open again");
    lobby::again(&house.app, &game, users[0]).await.expect("it is no error to be second");
    lobby::join(&house.app, &game, users[1]).await.expect("a seat");
    lobby::ready(&house.app, &game, users[1], true).await.expect("ready");
    lobby::start(&house.app, &game, users[0]).await.expect("it starts");
    let moves = hand(&house, &game, users[0]).await.moves;
    assert_eq!(moves, 3, "dealt, left, dealt: a page of the first game cannot play in the second");
}

#[tokio::test]
async fn whoever_is_away_for_too_long_is_skipped_unless_all_are() {
    let house = House::open(&["--away-seconds", "60"]).await;
    let (game, users) = house.started(3).await;
    let writes = house.app.database.writes();
    let set_away = async |user, since: Option<i64>| {
        game_user::set_away(writes, &game, user, None).await.expect("a database");
        game_user::set_away(writes, &game, user, since).await.expect("a database");
    };
    let long_ago = now() - 61_000;
    for user in &users {
        set_away(*user, Some(long_ago)).await;
    }
    skip(&house.app, &game).await.expect("nothing to do");
    assert_eq!(turn(&house, &game).await, users[0], "the game waits");
    set_away(users[1], Some(now())).await;
    skip(&house.app, &game).await.expect("skipped");
    assert_eq!(turn(&house, &game).await, users[1]);
    skip(&house.app, &game).await.expect("nothing to do");
    assert_eq!(turn(&house, &game).await, users[1], "they have a minute");
}

#[tokio::test]
async fn a_second_process_on_the_same_folder_sends_nobody_away() {
    let house = House::open(&[]).await;
    let (game, users) = house.started(2).await;
    let writes = house.app.database.writes();
    game_user::set_away(writes, &game, users[0], None).await.expect("a database");
    let refusal = house.open_twice().await;
    assert!(matches!(refusal, StartError::Oyez(_)), "{refusal}");
    let seated = game_user::seated(house.app.database.reads(), &game).await.expect("a database");
    assert_eq!(seated[0].away_since, None);
}
