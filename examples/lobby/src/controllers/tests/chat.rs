// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is said, and what is kept of it.

use super::house::{House, refused};
use crate::controllers::{chat, chat_pusher};
use crate::database::message;

#[tokio::test]
async fn messages_are_numbered_without_holes_also_when_they_race() {
    let house = House::open(&["--messages-per-minute", "1000"]).await;
    let (game, users) = house.game(2).await;
    let mut says = Vec::new();
    for number in 0..60 {
        let (app, game, user) = (house.app.clone(), game.clone(), users[number % 2]);
        let text = format!("message {number}");
        says.push(tokio::spawn(async move { chat::say(&app, &game, user, &text).await }));
    }
    let mut numbers = Vec::new();
    for say in says {
        numbers.push(say.await.expect("no panic").expect("said"));
    }
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=60).collect::<Vec<_>>());

    let shown = chat_pusher::messages(&house.app.database, &game)
        .await
        .expect("a database")
        .expect("a chat");
    let of = |shown: &[message::Message]| shown.iter().map(|one| one.number).collect::<Vec<_>>();
    assert_eq!(of(&shown), (11..=60).collect::<Vec<_>>());
    let before = message::last(house.app.database.reads(), &game, Some(11)).await.expect("a chat");
    assert_eq!(of(&before), (1..=10).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_message_has_some_text_and_not_too_much() {
    let house = House::open(&[]).await;
    let (game, users) = house.game(1).await;
    let text = refused(chat::say(&house.app, &game, users[0], " \n ").await);
    assert_eq!(text, "A message needs some text.");
    let text = refused(chat::say(&house.app, &game, users[0], &"ä".repeat(501)).await);
    assert_eq!(text, "A message has at most 500 characters; this one has 501.");
    let most = format!(" {} ", "ä".repeat(500));
    assert_eq!(chat::say(&house.app, &game, users[0], &most).await.expect("said"), 1);
}

#[tokio::test]
async fn who_writes_too_fast_is_told_when_to_go_on() {
    let house = House::open(&["--messages-per-minute", "8"]).await;
    let (game, users) = house.game(1).await;
    for _ in 0..2 {
        chat::say(&house.app, &game, users[0], "quick").await.expect("said");
    }
    let text = refused(chat::say(&house.app, &game, users[0], "quicker").await);
    assert!(text.contains("Please try again in 8 seconds"), "{text}");
    assert_eq!(
        chat_pusher::messages(&house.app.database, &game)
            .await
            .expect("a database")
            .expect("a chat")
            .len(),
        2
    );
}

#[tokio::test]
async fn strangers_say_nothing() {
    let house = House::open(&[]).await;
    let (game, _) = house.game(1).await;
    let stranger = house.user("stranger").await;
    let text = refused(chat::say(&house.app, &game, stranger, "hello").await);
    assert_eq!(text, "You are not in this game.");
}
