// SPDX-License-Identifier: MIT OR Apache-2.0
//! Who is there, by pages that are connected.

use std::net::TcpStream;

use serde_json::{Value, json};
use tokio::task::spawn_blocking;
use tungstenite::stream::MaybeTlsStream;
use tungstenite::{Message, WebSocket};

use super::house::House;
use crate::channel::Channel;
use crate::controllers::lobby;
use crate::database::game_user;
use crate::game_id::GameId;

/// A page of that user's, as far as the presence channel of the game knows. It is gone when it is
/// dropped.
async fn page(house: &House, game: &GameId, user: i64) -> WebSocket<MaybeTlsStream<TcpStream>> {
    let (oyez, channel) = (house.oyez.clone(), Channel::Presence(game.clone()).to_string());
    let connect = move || {
        let address = format!("ws://{}/app/{}?protocol=7", oyez.address(), oyez.key());
        let (mut page, _) = tungstenite::connect(address).expect("a connection");
        let hello: Value = read(&mut page)["data"].as_str().expect("text").parse().expect("JSON");
        let socket_id = hello["socket_id"].as_str().expect("an id");
        let info = json!({ "username": "somebody" });
        let auth = oyez.authorize_member(socket_id, &channel, &user.to_string(), &info);
        let mut data = serde_json::to_value(auth.expect("a signature")).expect("JSON");
        data["channel"] = json!(channel);
        let subscribe = json!({ "event": "pusher:subscribe", "data": data }).to_string();
        page.send(Message::text(subscribe)).expect("it is sent");
        assert_eq!(read(&mut page)["event"], "pusher_internal:subscription_succeeded");
        page
    };
    spawn_blocking(connect).await.expect("a page")
}

fn read(page: &mut WebSocket<MaybeTlsStream<TcpStream>>) -> Value {
    page.read().expect("a frame").to_text().expect("text").parse().expect("JSON")
}

/// Whether that user is away, as the database says.
async fn is_away(house: &House, game: &GameId, user: i64) -> bool {
    let seated = game_user::seated(house.app.database.reads(), game).await.expect("a database");
    let player = seated.iter().find(|seated| seated.id == user).expect("a player");
    player.away_since.is_some()
}

#[tokio::test]
async fn whoever_joins_is_away_until_a_page_of_theirs_is_there() {
    let house = House::open(&[]).await;
    let (game, users) = house.game(2).await;
    assert!(is_away(&house, &game, users[1]).await);
    let _page = page(&house, &game, users[1]).await;
    while is_away(&house, &game, users[1]).await {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn whoever_left_and_joins_again_while_a_page_stayed_open_is_not_away() {
    let house = House::open(&[]).await;
    let (game, users) = house.game(2).await;
    let _page = page(&house, &game, users[1]).await;
    while is_away(&house, &game, users[1]).await {
        tokio::task::yield_now().await;
    }
    lobby::leave(&house.app, &game, users[1]).await.expect("left");
    lobby::join(&house.app, &game, users[1]).await.expect("a seat");
    assert!(!is_away(&house, &game, users[1]).await);
}
