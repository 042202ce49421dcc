// SPDX-License-Identifier: MIT OR Apache-2.0
//! A game in one process: its page, its handlers and its realtime connections on one port.
//!
//! ```text
//! cargo run --example embedded --features axum
//! ```
//!
//! Then open the address that it prints, in two windows. The list of players is what the function
//! `players` says, in every window, at once, however they join and whatever they missed.

use std::collections::BTreeSet;
use std::error::Error;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Extension, Form, Json, Router};
use oyez::{Oyez, Server};
use serde::Deserialize;

/// The game's channel.
const GAME: &str = "private-GAME_7";

/// Stands for the database.
#[derive(Clone, Default)]
struct Players(Arc<Mutex<BTreeSet<String>>>);

impl Players {
    async fn list(&self) -> BTreeSet<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn add(&self, name: String) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(name);
    }
}

#[derive(Deserialize)]
struct Join {
    name: String,
}

/// A player joins: the database first, then the word that the game has changed.
async fn join(
    State(players): State<Players>,
    Extension(oyez): Extension<Oyez>,
    Form(Join { name }): Form<Join>,
) -> Response {
    players.add(name).await;
    match oyez.changed(GAME).await {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(error) => (StatusCode::SERVICE_UNAVAILABLE, error.to_string()).into_response(),
    }
}

#[derive(Deserialize)]
struct Subscription {
    socket_id: String,
    channel_name: String,
}

/// Who may subscribe. A real program looks at its session here.
async fn authorize(Extension(oyez): Extension<Oyez>, Form(form): Form<Subscription>) -> Response {
    match oyez.authorize(&form.socket_id, &form.channel_name) {
        Ok(auth) => Json(auth).into_response(),
        Err(error) => (StatusCode::FORBIDDEN, error.to_string()).into_response(),
    }
}

async fn page(Extension(oyez): Extension<Oyez>) -> Html<String> {
    Html(PAGE.replace("{key}", oyez.key()))
}

const PAGE: &str = r#"<!doctype html>
<title>Players</title>
<form><input name="name" placeholder="your name" required> <button>Join</button></form>
<ul></ul>
<script src="/oyez.js"></script>
<script>
  const pusher = new Pusher("{key}", {
    cluster: "", wsHost: location.hostname, wsPort: location.port, forceTLS: false,
    channelAuthorization: { endpoint: "/pusher/auth" },
  });
  pusher.subscribe("private-GAME_7").bind("GAME_STATE", (players) => {
    const item = (name) => Object.assign(document.createElement("li"), { textContent: name });
    document.querySelector("ul").replaceChildren(...players.map(item));
  });
  document.querySelector("form").addEventListener("submit", (event) => {
    event.preventDefault();
    fetch("/join", { method: "POST", body: new URLSearchParams(new FormData(event.target)) });
  });
</script>
"#;

/// Starts the game at that address.
pub(crate) fn start(address: SocketAddr) -> Result<Oyez, oyez::StartError> {
    let players = Players::default();
    let router = Router::new()
        .route("/", get(page))
        .route("/join", post(join))
        .route("/pusher/auth", post(authorize))
        .with_state(players.clone());
    Server::builder()
        .listen(address)
        .truth_with("private-GAME_*", "GAME_STATE", move |_channel| {
            let players = players.clone();
            async move { Some(players.list().await) }
        })
        .router(router)
        .start()
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let oyez = start(SocketAddr::from(([127, 0, 0, 1], 6001)))?;
    println!("open http://{}/", oyez.address());
    oyez.ended().await?;
    Ok(())
}
