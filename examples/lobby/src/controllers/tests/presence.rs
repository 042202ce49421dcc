// SPDX-License-Identifier: MIT OR Apache-2.0
//! Who is there, by pages that are connected.

use std::net::TcpStream;

use serde_json::{Value, json};
use tokio::task::spawn_blocking;
use tungstenite::stream::MaybeTlsStream;
use tungstenite::{Message, WebSocket};

use super::house::{House, refused};
use crate::channel::Channel;
use crate::controllers::{audience, lobby};
use crate::database::game_user::{self, Gone};
use crate::game_id::GameId;
use crate::middleware::is_authed::CurrentUser;

/// A page of that user's, as far as the presence channel of the game knows. It is gone when it is
/// dropped.
async fn page(house: &House, game: &GameId, user: i64) -> WebSocket<MaybeTlsStream<TcpStream>> {
    let oyez = house.oyez.clone();
    let connect = move || {
        let address = format!("ws://{}/app/{}?protocol=7", oyez.address(), oyez.key());
        let (mut page, _) = tungstenite::connect(address).expect("a connection");
        let hello: Value = read(&mut page)["data"].as_str().expect("text").parse().expect("JSON");
        (page, hello["socket_id"].as_str().expect("an id").to_owned())
    };
    let (mut page, socket_id) = spawn_blocking(connect).await.expect("a page");
    let channel = Channel::Presence(game.clone()).to_string();
    let user = CurrentUser { id: user, username: "somebody".to_owned() };
    let auth = audience::let_in(&house.app, &user, &socket_id, &channel).await;
    let mut data = serde_json::to_value(auth.expect("a signature")).expect("JSON");
    data["channel"] = json!(channel);
    let subscribe = json!({ "event": "pusher:subscribe", "data": data }).to_string();
    let subscribed = move || {
        page.send(Message::text(subscribe)).expect("it is sent");
        assert_eq!(read(&mut page)["event"], "pusher_internal:subscription_succeeded");
        page
    };
    spawn_blocking(subscribed).await.expect("a page")
}

/// With which code the server ends the connection; whatever it says before does not count.
async fn end_of(mut page: WebSocket<MaybeTlsStream<TcpStream>>) -> u16 {
    let end = move || loop {
        if let Message::Close(frame) = page.read().expect("a frame") {
            return frame.expect("a code").code.into();
        }
    };
    spawn_blocking(end).await.expect("it ends")
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
async fn whoever_joins_with_a_page_open_is_not_away() {
    let house = House::open(&[]).await;
    let (game, users) = house.game(2).await;
    let _page = page(&house, &game, users[1]).await;
    // As if it had opened after the leave and before the join.
    let mut writes = house.app.database.begin().await.expect("a database");
    game_user::go(&mut writes, &game, users[1], Gone::Left).await.expect("a database");
    game_user::forget_left(&mut writes, &game).await.expect("a database");
    writes.commit().await.expect("a commit");
    lobby::join(&house.app, &game, users[1]).await.expect("a seat");
    assert!(!is_away(&house, &game, users[1]).await);
}

#[tokio::test]
async fn the_connections_of_whoever_is_gone_are_ended_and_no_other() {
    let house = House::open(&[]).await;
    let (game, users) = house.game(3).await;
    let elsewhere = lobby::create(&house.app, users[1]).await.expect("a game");
    let stays = page(&house, &elsewhere, users[1]).await;
    let pages = [page(&house, &game, users[1]).await, page(&house, &game, users[1]).await];
    lobby::leave(&house.app, &game, users[1]).await.expect("left");
    for page in pages {
        assert_eq!(end_of(page).await, 4200, "it may come back for what is still its own");
    }
    let removed = page(&house, &game, users[2]).await;
    lobby::remove(&house.app, &game, users[0], users[2]).await.expect("removed");
    assert_eq!(end_of(removed).await, 4200);
    let user = CurrentUser { id: users[2], username: "somebody".to_owned() };
    let chat = Channel::Chat(game).to_string();
    refused(audience::let_in(&house.app, &user, "1.1", &chat).await);
    audience::let_go(&house.app, users[1], None).await;
    assert_eq!(end_of(stays).await, 4200, "logged out");
}
