// SPDX-License-Identifier: MIT OR Apache-2.0
//! A game's lobby: who is in it, and what they may do there.

use askama::Template;
use axum::Form;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use super::link::Link;
use super::page::{Page, render};
use crate::app::App;
use crate::controllers::{chat_pusher, game_pusher, lobby};
use crate::database::game::{self, Status};
use crate::database::game_user::{Gone, Player, Standing};
use crate::database::message::Message;
use crate::error::Error;
use crate::game_id::GameId;
use crate::middleware::is_authed::CurrentUser;
use crate::middleware::wants::Wants;

#[derive(Template)]
#[template(path = "lobby.html")]
struct Lobby {
    page: Page,
    title: String,
    room_id: GameId,
    /// What the page hears of the table is news only after that many.
    moves: u64,
    link: String,
    players: Vec<Player>,
    joined: bool,
    host: bool,
    ready: bool,
    messages: Vec<Message>,
    /// By the host: there is no seat here any more.
    removed: bool,
    /// Why there is no seat now, while the cards are dealt.
    begun: &'static str,
    playing: bool,
}

/// `GET /lobby/:uuid`. What it renders may be old before the page is there: the page's channels
/// bring what is true, with their subscription.
pub(super) async fn show(
    State(app): State<App>,
    user: CurrentUser,
    id: GameId,
    link: Link,
) -> Result<Response, Error> {
    let found = game::find_for(app.database.reads(), &id, user.id).await?;
    let (game, standing) = found.ok_or(lobby::UNKNOWN)?;
    let players = game_pusher::players(&app.database, &id).await?.unwrap_or_default();
    let me = players.iter().find(|player| player.id == user.id);
    let (joined, ready) = (me.is_some(), me.is_some_and(|me| me.ready));
    if joined && game.status != Status::Lobby {
        return Ok(Redirect::to(&format!("/game/{id}")).into_response());
    }
    let messages = match joined {
        true => chat_pusher::messages(&app.database, &id).await?.unwrap_or_default(),
        false => Vec::new(),
    };
    let host = players.iter().find(|player| player.host);
    render(&Lobby {
        title: host.map_or("An empty game".to_owned(), |host| format!("{}’s game", host.username)),
        link: link.to(&format!("/lobby/{id}")),
        removed: standing == Standing::Gone(Gone::Removed),
        begun: begun(standing),
        playing: game.status != Status::Lobby,
        host: joined && game.host_id == user.id,
        moves: game.cards()?.map_or(0, |cards| cards.moves()),
        page: app.page(&user).await,
        room_id: id,
        players,
        joined,
        ready,
        messages,
    })
}

/// What is told while nobody can take a seat because the cards are dealt.
fn begun(standing: Standing) -> &'static str {
    match standing {
        Standing::Gone(_) => "You have left this game. You can join again when it is over.",
        Standing::Stranger | Standing::Player => {
            "This game has already started. Seats are free again when it is back in its lobby."
        }
    }
}

/// `POST /lobby/:uuid/join`
pub(super) async fn join(
    State(app): State<App>,
    user: CurrentUser,
    id: GameId,
    wants: Wants,
) -> Result<Response, Error> {
    lobby::join(&app, &id, user.id).await?;
    Ok(wants.done(&format!("/lobby/{id}")))
}

/// `POST /lobby/:uuid/leave`
pub(super) async fn leave(
    State(app): State<App>,
    user: CurrentUser,
    id: GameId,
    wants: Wants,
) -> Result<Response, Error> {
    lobby::leave(&app, &id, user.id).await?;
    Ok(wants.done("/"))
}

#[derive(Deserialize)]
pub(super) struct Ready {
    ready: bool,
}

/// `POST /lobby/:uuid/ready`
pub(super) async fn ready(
    State(app): State<App>,
    user: CurrentUser,
    id: GameId,
    wants: Wants,
    Form(Ready { ready }): Form<Ready>,
) -> Result<Response, Error> {
    lobby::ready(&app, &id, user.id, ready).await?;
    Ok(wants.done(&format!("/lobby/{id}")))
}

#[derive(Deserialize)]
pub(super) struct Remove {
    user_id: i64,
}

/// `POST /lobby/:uuid/remove`
pub(super) async fn remove(
    State(app): State<App>,
    user: CurrentUser,
    id: GameId,
    wants: Wants,
    Form(Remove { user_id }): Form<Remove>,
) -> Result<Response, Error> {
    lobby::remove(&app, &id, user.id, user_id).await?;
    Ok(wants.done(&format!("/lobby/{id}")))
}

/// `POST /lobby/:uuid/start`
pub(super) async fn start(
    State(app): State<App>,
    user: CurrentUser,
    id: GameId,
    wants: Wants,
) -> Result<Response, Error> {
    lobby::start(&app, &id, user.id).await?;
    Ok(wants.done(&format!("/game/{id}")))
}
