// SPDX-License-Identifier: MIT OR Apache-2.0
//! Who is signed in, for how long, and who is not.

use axum::http::StatusCode;
use axum::http::header::{LOCATION, SET_COOKIE};
use tower_sessions::SessionStore;

use super::{Ask, House, PASSWORD};
use crate::session::tests::{delete_expired, expire, last_visited_yesterday};

/// The session in a cookie.
fn id(cookie: &str) -> &str {
    let (_, id) = cookie.split_once('=').expect("a value");
    id
}

#[tokio::test]
async fn the_cookie_is_for_this_site_and_no_script() {
    for (flags, secure) in [(&[][..], false), (&["--behind-proxy"][..], true)] {
        let house = House::new(flags).await;
        let answer = house.send(Ask::credentials("/register", "ann", PASSWORD)).await;
        let cookie = answer.header(SET_COOKIE).expect("a cookie");
        let mut attributes = cookie.split("; ");
        assert!(attributes.next().expect("a name").starts_with("lobby="), "{cookie}");
        let attributes: Vec<_> = attributes.collect();
        for attribute in ["HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=2592000"] {
            assert!(attributes.contains(&attribute), "{attribute}: {cookie}");
        }
        assert_eq!(attributes.contains(&"Secure"), secure, "{cookie}");
        assert!(!cookie.contains("Domain"), "{cookie}");
    }
}

#[tokio::test]
async fn a_session_that_somebody_else_knows_is_never_signed_in() {
    let house = House::new(&[]).await;
    // Somebody's own session, planted in the browser of a victim who then logs in.
    let planted = house.register("mallory").await;
    house.register("ann").await;
    let log_in = Ask::credentials("/login", "ann", PASSWORD).cookie(&planted);
    let cookie = house.send(log_in).await.cookie().expect("a new cookie");
    assert_ne!(cookie, planted);
    assert_eq!(house.who(&cookie).await.as_deref(), Some("2 ann"));
    assert_eq!(house.who(&planted).await, None);

    // One that does not exist is not taken over either.
    let invented = "lobby=AAAAAAAAAAAAAAAAAAAAAA";
    let log_in = Ask::credentials("/login", "ann", PASSWORD).cookie(invented);
    let cookie = house.send(log_in).await.cookie().expect("a new cookie");
    assert_ne!(cookie, invented);
    assert_eq!(house.who(invented).await, None);
    let register = Ask::credentials("/register", "bob", PASSWORD).cookie(invented);
    assert_ne!(house.send(register).await.cookie().expect("a new cookie"), invented);
}

#[tokio::test]
async fn a_log_out_ends_the_session_everywhere() {
    let house = House::new(&[]).await;
    let cookie = house.register("ann").await;
    let other = house.send(Ask::credentials("/login", "ann", PASSWORD)).await;
    let other = other.cookie().expect("a cookie");

    let answer = house.send(Ask::post("/logout", &[]).cookie(&cookie)).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    assert_eq!(answer.header(LOCATION), Some("/login"));
    let gone = answer.header(SET_COOKIE).expect("a cookie");
    assert!(gone.starts_with("lobby=;") && gone.contains("Max-Age=0"), "{gone}");
    assert_eq!(house.who(&cookie).await, None, "even if the browser keeps it");
    assert!(house.who(&other).await.is_some(), "the other browser is still signed in");

    let answer = house.send(Ask::post("/logout", &[]).cookie(&cookie)).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "twice is no error");
    assert_eq!(house.send(Ask::get("/logout")).await.status, StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test]
async fn a_session_that_was_ended_meanwhile_stays_ended() {
    let house = House::new(&[]).await;
    let cookie = house.register("ann").await;
    let store = &house.sessions;
    let id = id(&cookie).parse().expect("an id");
    let record = store.load(&id).await.expect("no error").expect("a session");
    store.delete(&id).await.expect("no error");
    store.save(&record).await.expect("no error");
    assert_eq!(house.who(&cookie).await, None);
}

#[tokio::test]
async fn sessions_survive_a_restart() {
    let house = House::new(&[]).await;
    let cookie = house.register("ann").await;
    let house = house.restart().await;
    assert_eq!(house.who(&cookie).await.as_deref(), Some("1 ann"));
}

#[tokio::test]
async fn a_visit_prolongs_the_session_once_a_day() {
    let house = House::new(&[]).await;
    let cookie = house.register("ann").await;
    let answer = house.send(Ask::get("/whoami").cookie(&cookie)).await;
    assert_eq!(answer.cookie(), None, "nothing is written twice a day");

    last_visited_yesterday(&house.sessions, id(&cookie)).await;
    let answer = house.send(Ask::get("/whoami").cookie(&cookie)).await;
    assert_eq!(answer.cookie(), Some(cookie.clone()), "the same, for 30 days more");
    let answer = house.send(Ask::get("/whoami").cookie(&cookie)).await;
    assert_eq!(answer.cookie(), None);
}

#[tokio::test]
async fn expired_sessions_are_worth_nothing_and_are_deleted() {
    let house = House::new(&[]).await;
    let old = house.register("ann").await;
    expire(&house.sessions, id(&old)).await;
    assert_eq!(house.who(&old).await, None);
    let new = house.register("bob").await;
    assert_eq!(house.count_sessions().await, 2);
    delete_expired(&house.sessions).await;
    assert_eq!(house.count_sessions().await, 1);
    assert!(house.who(&new).await.is_some());
}

#[tokio::test]
async fn a_session_does_not_outlive_its_user() {
    let house = House::new(&[]).await;
    let cookie = house.register("ann").await;
    sqlx::query("DELETE FROM users").execute(house.app.database.writes()).await.expect("a write");
    assert_eq!(house.who(&cookie).await, None);
}

#[tokio::test]
async fn nonsense_in_the_cookie_is_nobody() {
    let house = House::new(&[]).await;
    for cookie in ["lobby=", "lobby=x", "lobby=' OR 1=1", "lobby=AAAAAAAAAAAAAAAAAAAAAA", "a=b"] {
        let answer = house.send(Ask::get("/whoami").cookie(cookie)).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{cookie}");
    }
}
