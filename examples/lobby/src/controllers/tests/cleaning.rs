// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is deleted, and that nothing of it stays true.

use serde_json::Value;
use sqlx::query;

use super::house::House;
use crate::channel::Channel;
use crate::controllers::{chat, lobby};
use crate::game_id::GameId;
use crate::housekeeping::clean;

const DAY: i64 = 24 * 3_600_000;

/// Lets so many days pass since a game was touched.
async fn leave_alone(house: &House, game: &GameId, days: i64) {
    query("UPDATE games SET changed_at = changed_at - ? WHERE id = ?")
        .bind(days * DAY)
        .bind(game)
        .execute(house.app.database.writes())
        .await
        .expect("a database");
}

async fn is_there(house: &House, game: &GameId) -> bool {
    let game = crate::database::game::find(house.app.database.reads(), game).await;
    game.expect("a database").is_some()
}

/// Whether Oyez holds something as true of that channel.
async fn holds(house: &House, channel: &Channel) -> bool {
    house.oyez.truth::<Value>(&channel.to_string()).await.expect("a call").is_some()
}

#[tokio::test]
async fn nothing_of_a_deleted_game_stays_true() {
    let house = House::open(&[]).await;
    let (game, users) = house.started(2).await;
    chat::say(&house.app, &game, users[0], "a word between us").await.expect("said");
    let channels = [
        Channel::Lobby(game.clone()),
        Channel::Chat(game.clone()),
        Channel::Game(game.clone()),
        Channel::Hand(game.clone(), users[0]),
        Channel::Hand(game.clone(), users[1]),
    ];
    for channel in &channels {
        house.truth_becomes(channel, |_| true).await;
    }
    leave_alone(&house, &game, 31).await;
    clean(&house.app).await.expect("it is clean");
    assert!(!is_there(&house, &game).await);
    for channel in &channels {
        while holds(&house, channel).await {
            tokio::task::yield_now().await;
        }
    }
}

#[tokio::test]
async fn a_game_without_players_is_deleted_after_a_day_and_others_after_a_month() {
    let house = House::open(&[]).await;
    let (game, users) = house.game(2).await;
    leave_alone(&house, &game, 29).await;
    clean(&house.app).await.expect("it is clean");
    assert!(is_there(&house, &game).await, "somebody plays in it");
    for user in users {
        lobby::leave(&house.app, &game, user).await.expect("left");
    }
    clean(&house.app).await.expect("it is clean");
    assert!(is_there(&house, &game).await, "somebody has its link");
    leave_alone(&house, &game, 2).await;
    clean(&house.app).await.expect("it is clean");
    assert!(!is_there(&house, &game).await);
}
