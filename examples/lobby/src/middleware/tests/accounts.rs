// SPDX-License-Identifier: MIT OR Apache-2.0
//! Registering and logging in.

use axum::http::StatusCode;
use axum::http::header::LOCATION;

use super::{Ask, House, PASSWORD};

#[tokio::test]
async fn whoever_registers_is_signed_in_and_can_log_in_again() {
    let house = House::new(&[]).await;
    let cookie = house.register("Ann").await;
    assert_eq!(house.who(&cookie).await.as_deref(), Some("1 Ann"));

    let answer = house.send(Ask::credentials("/login", "aNN", PASSWORD)).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    assert_eq!(answer.header(LOCATION), Some("/"));
    let again = answer.cookie().expect("a cookie");
    assert_ne!(again, cookie);
    assert_eq!(house.who(&again).await.as_deref(), Some("1 Ann"), "as it was spelled at first");
}

#[tokio::test]
async fn scripts_register_and_log_in_too() {
    let house = House::new(&[]).await;
    let answer = house.send(Ask::credentials("/register", "ann", PASSWORD).fetch()).await;
    assert_eq!((answer.status, answer.text.as_str()), (StatusCode::NO_CONTENT, ""));
    assert!(answer.cookie().is_some());
    let answer = house.send(Ask::credentials("/login", "ann", "wrong password").fetch()).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    assert_eq!(answer.error(), "The name or the password is wrong.");
}

#[tokio::test]
async fn a_name_is_taken_in_any_spelling() {
    let house = House::new(&[]).await;
    house.register("ann").await;
    let answer = house.send(Ask::credentials("/register", "ANN", PASSWORD)).await;
    assert_eq!(answer.status, StatusCode::CONFLICT);
    assert!(answer.text.contains("This name is taken."), "{}", answer.text);
    assert!(answer.text.contains(r#"value="ANN""#), "what was typed stays");
    assert_eq!(answer.cookie(), None);
}

#[tokio::test]
async fn a_name_that_two_want_at_once_is_one_users() {
    let house = House::new(&[]).await;
    let wanted = || house.send(Ask::credentials("/register", "ann", PASSWORD).fetch());
    let (a, b, c) = tokio::join!(wanted(), wanted(), wanted());
    let mut statuses = [a.status, b.status, c.status];
    statuses.sort();
    assert_eq!(statuses, [StatusCode::NO_CONTENT, StatusCode::CONFLICT, StatusCode::CONFLICT]);
}

#[tokio::test]
async fn what_breaks_a_rule_is_not_registered() {
    let house = House::new(&[]).await;
    let long = "a".repeat(129);
    for (username, password) in [
        ("an", PASSWORD),
        ("ann anna", PASSWORD),
        ("<script>", PASSWORD),
        ("ann", "7 chars"),
        ("ann", &long),
    ] {
        let answer = house.send(Ask::credentials("/register", username, password)).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{username} {password}");
        assert!(answer.text.contains(r#"role="alert""#));
        assert!(!answer.text.contains("<script>"), "what was typed is escaped");
        assert_eq!(answer.cookie(), None);
    }
    // Eight characters, whichever; more than 8 bytes are not needed.
    let answer = house.send(Ask::credentials("/register", "ann", "ääääääää")).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_name_are_told_alike() {
    let house = House::new(&[]).await;
    house.register("ann").await;
    let mut pages = Vec::new();
    for (username, password) in [("ann", "eight of spades"), ("bob", PASSWORD), ("ann", "short")] {
        let answer = house.send(Ask::credentials("/login", username, password)).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
        assert!(answer.text.contains("The name or the password is wrong."), "{}", answer.text);
        assert!(!answer.text.contains(password), "a password never comes back");
        assert_eq!(answer.cookie(), None);
        pages.push(answer.text.replace(username, "NAME"));
    }
    assert!(pages.windows(2).all(|two| two[0] == two[1]));
}

#[tokio::test]
async fn too_many_tries_have_to_wait() {
    let house = House::new(&["--logins-per-minute=2"]).await;
    house.register("ann").await;
    let wrong = || Ask::credentials("/login", "ann", "eight of spades");
    for _ in 0..2 {
        assert_eq!(house.send(wrong()).await.status, StatusCode::UNAUTHORIZED);
    }
    let answer = house.send(wrong()).await;
    assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS);
    assert!(answer.text.contains("Please try again in"), "{}", answer.text);
    // Nor for the right password, nor from elsewhere.
    let right = Ask::credentials("/login", "ann", PASSWORD).from(2).fetch();
    assert_eq!(house.send(right).await.status, StatusCode::TOO_MANY_REQUESTS);
    // Somebody else from elsewhere does not wait.
    let other = Ask::credentials("/login", "bob", PASSWORD).from(2);
    assert_eq!(house.send(other).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn too_many_registrations_have_to_wait() {
    let house = House::new(&["--registrations-per-minute=1"]).await;
    house.register("ann").await;
    let answer = house.send(Ask::credentials("/register", "bob", PASSWORD)).await;
    assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS);
    let answer = house.send(Ask::credentials("/register", "bob", PASSWORD).from(2)).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn a_caller_cannot_name_its_own_address() {
    let forwarded = |ask: Ask, address: &str| ask.header("x-forwarded-for", address);
    let ask = |name| Ask::credentials("/register", name, PASSWORD);

    let house = House::new(&["--registrations-per-minute=1"]).await;
    house.send(forwarded(ask("ann"), "198.51.100.1")).await;
    let answer = house.send(forwarded(ask("bob"), "198.51.100.2")).await;
    assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS, "there is no proxy");

    let house = House::new(&["--registrations-per-minute=1", "--behind-proxy"]).await;
    house.send(forwarded(ask("ann"), "198.51.100.1")).await;
    let answer = house.send(forwarded(ask("bob"), "198.51.100.9, 198.51.100.1")).await;
    assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS, "the proxy's word is the last");
    let answer = house.send(forwarded(ask("bob"), "198.51.100.2")).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
}
