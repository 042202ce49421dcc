// SPDX-License-Identifier: MIT OR Apache-2.0
//! Who is in a game, and who may change that.

use serde_json::Value;

use super::house::{House, refused};
use crate::channel::Channel;
use crate::controllers::{games_pusher, lobby};
use crate::database::game_user;
use crate::game_id::GameId;

#[tokio::test]
async fn players_stand_in_the_order_of_joining_and_nobody_joins_twice() {
    let house = House::open(&[]).await;
    let (game, users) = house.game(3).await;
    lobby::join(&house.app, &game, users[1]).await.expect("it is no error to be in it");
    let players = house.players(&game).await;
    assert_eq!(players, [(users[0], true), (users[1], false), (users[2], false)]);
}

#[tokio::test]
async fn five_who_join_at_once_are_all_in_the_truth_that_oyez_holds() {
    let house = House::open(&[]).await;
    let (game, users) = house.game(1).await;
    let mut joins = Vec::new();
    for number in 0..5 {
        let (app, game) = (house.app.clone(), game.clone());
        let guest = house.user(&format!("racer-{number}")).await;
        joins.push(tokio::spawn(async move { lobby::join(&app, &game, guest).await }));
    }
    for join in joins {
        join.await.expect("no panic").expect("a seat");
    }
    let seats = house.players(&game).await;
    assert_eq!((seats.len(), seats[0]), (6, (users[0], true)));
    let ids = |truth: &Value| {
        let players = truth.as_array().into_iter().flatten();
        players.filter_map(|player| player["id"].as_i64()).collect::<Vec<_>>()
    };
    let seats: Vec<_> = seats.into_iter().map(|(id, _)| id).collect();
    house.truth_becomes(&Channel::Lobby(game), |truth| ids(truth) == seats).await;
}

#[tokio::test]
async fn a_join_of_which_nobody_was_told_is_true_after_a_restart() {
    let house = House::open(&[]).await;
    let (game, users) = house.game(1).await;
    let lobby = Channel::Lobby(game.clone());
    let of =
        |players: usize| move |truth: &Value| truth.as_array().is_some_and(|t| t.len() == players);
    house.truth_becomes(&lobby, of(1)).await;
    // As if the process had died after the commit and before `changed`.
    let guest = house.user("guest").await;
    let mut writes = house.app.database.begin().await.expect("a database");
    game_user::join(&mut writes, &game, guest, None).await.expect("a seat");
    writes.commit().await.expect("a commit");
    let house = house.reopen().await;
    house.truth_becomes(&lobby, of(2)).await;
    assert_eq!(house.players(&game).await, [(users[0], true), (guest, false)]);
}

#[tokio::test]
async fn a_full_game_takes_nobody_and_is_not_listed() {
    let house = House::open(&[]).await;
    let (game, _) = house.game(6).await;
    let late = house.user("late").await;
    let text = refused(lobby::join(&house.app, &game, late).await);
    assert_eq!(text, "This game is full: 6 players are in it.");
    assert_eq!(games_pusher::games(&house.app.database).await.expect("a list"), []);
}

#[tokio::test]
async fn a_game_that_has_started_takes_nobody() {
    let house = House::open(&[]).await;
    let (game, _) = house.started(2).await;
    let late = house.user("late").await;
    let text = refused(lobby::join(&house.app, &game, late).await);
    assert_eq!(text, "This game has already started.");
}

#[tokio::test]
async fn nobody_is_in_more_games_than_the_limit() {
    let house = House::open(&["--games-per-user", "1"]).await;
    let (game, users) = house.game(2).await;
    let text = refused(lobby::create(&house.app, users[1]).await);
    assert_eq!(text, "You are in 1 games: leave one of them first.");
    lobby::leave(&house.app, &game, users[1]).await.expect("left");
    lobby::create(&house.app, users[1]).await.expect("a game");
}

#[tokio::test]
async fn a_host_who_leaves_hands_over_and_an_empty_game_belongs_to_whoever_comes() {
    let house = House::open(&[]).await;
    let (game, users) = house.game(2).await;
    lobby::leave(&house.app, &game, users[0]).await.expect("left");
    assert_eq!(house.players(&game).await, [(users[1], true)]);
    lobby::leave(&house.app, &game, users[1]).await.expect("left");
    assert_eq!(house.players(&game).await, []);
    lobby::join(&house.app, &game, users[0]).await.expect("a seat");
    assert_eq!(house.players(&game).await, [(users[0], true)]);
}

#[tokio::test]
async fn only_the_host_removes_and_starts() {
    let house = House::open(&[]).await;
    let (game, users) = house.game(3).await;
    let text = refused(lobby::remove(&house.app, &game, users[1], users[2]).await);
    assert_eq!(text, "Only the host can do that.");
    let text = refused(lobby::start(&house.app, &game, users[1]).await);
    assert_eq!(text, "Only the host can do that.");
    assert_eq!(house.players(&game).await.len(), 3);
}

#[tokio::test]
async fn whoever_was_removed_stays_out_also_after_another_game() {
    let house = House::open(&[]).await;
    let (game, users) = house.game(3).await;
    lobby::remove(&house.app, &game, users[0], users[2]).await.expect("removed");
    let text = refused(lobby::join(&house.app, &game, users[2]).await);
    assert_eq!(text, "The host has removed you from this game.");
    let text = refused(lobby::remove(&house.app, &game, users[0], users[2]).await);
    assert_eq!(text, "They are not in this game any more.");
    lobby::ready(&house.app, &game, users[1], true).await.expect("ready");
    lobby::start(&house.app, &game, users[0]).await.expect("it starts");
    lobby::leave(&house.app, &game, users[1]).await.expect("left, and so it is over");
    lobby::again(&house.app, &game, users[0]).await.expect("open again");
    refused(lobby::join(&house.app, &game, users[2]).await);
    lobby::join(&house.app, &game, users[1]).await.expect("who left may come back");
}

#[tokio::test]
async fn a_game_starts_when_two_are_there_and_all_guests_are_ready() {
    let house = House::open(&[]).await;
    let (game, users) = house.game(1).await;
    refused(lobby::start(&house.app, &game, users[0]).await);
    let guest = house.user("guest").await;
    lobby::join(&house.app, &game, guest).await.expect("a seat");
    let text = refused(lobby::start(&house.app, &game, users[0]).await);
    assert_eq!(text, "guest is not ready yet.");
    lobby::ready(&house.app, &game, guest, true).await.expect("ready");
    lobby::start(&house.app, &game, users[0]).await.expect("it starts");
    let text = refused(lobby::ready(&house.app, &game, guest, false).await);
    assert_eq!(text, "This game has already started.");
}

#[tokio::test]
async fn strangers_and_unknown_games_are_refused() {
    let house = House::open(&[]).await;
    let (game, _) = house.game(2).await;
    let stranger = house.user("stranger").await;
    let text = refused(lobby::ready(&house.app, &game, stranger, true).await);
    assert_eq!(text, "You are not in this game.");
    refused(lobby::leave(&house.app, &game, stranger).await);
    refused(lobby::again(&house.app, &game, stranger).await);
    let text = refused(lobby::join(&house.app, &GameId::random(), stranger).await);
    assert_eq!(text, "There is no such game. Perhaps it was deleted.");
}

#[tokio::test]
async fn what_cannot_be_told_is_not_done() {
    let house = House::open(&[]).await;
    let (game, users) = house.game(2).await;
    sqlx::query("UPDATE games SET cards = 'damaged' WHERE id = ?")
        .bind(&game)
        .execute(house.app.database.writes())
        .await
        .expect("a database");
    refused(lobby::leave(&house.app, &game, users[1]).await);
    refused(lobby::remove(&house.app, &game, users[0], users[1]).await);
    assert_eq!(house.players(&game).await.len(), 2);
}
