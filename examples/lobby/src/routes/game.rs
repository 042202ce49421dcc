// SPDX-License-Identifier: MIT OR Apache-2.0
//! The table: its page, and the moves.

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use axum::{Form, Json};
use serde::Deserialize;
use serde_json::json;

use super::page::{Page, render};
use crate::app::App;
use crate::controllers::{chat_pusher, lobby, table};
use crate::crazy_eights::{Action, Card, Suit};
use crate::database::game::{self, Status};
use crate::database::game_user::Standing;
use crate::database::message::Message;
use crate::error::Error;
use crate::game_id::GameId;
use crate::middleware::is_authed::CurrentUser;
use crate::middleware::wants::Wants;

#[derive(Template)]
#[template(path = "game.html")]
struct Table {
    page: Page,
    title: String,
    room_id: GameId,
    /// What the table shows cannot be older.
    moves: u64,
    messages: Vec<Message>,
}

/// `GET /game/:uuid`. The cards come with the subscription to the table and to the player's hand.
pub(super) async fn show(
    State(app): State<App>,
    user: CurrentUser,
    id: GameId,
) -> Result<Response, Error> {
    let found = game::find_for(app.database.reads(), &id, user.id).await?;
    let (game, standing) = found.ok_or(lobby::UNKNOWN)?;
    if game.status == Status::Lobby || standing != Standing::Player {
        return Ok(Redirect::to(&format!("/lobby/{id}")).into_response());
    }
    render(&Table {
        title: "Crazy Eights".to_owned(),
        moves: game.cards()?.map_or(0, |cards| cards.moves()),
        messages: chat_pusher::messages(&app.database, &id).await?.unwrap_or_default(),
        page: app.page(&user).await,
        room_id: id,
    })
}

/// What every move says: which state of the game its player has seen.
#[derive(Deserialize)]
pub(super) struct Seen {
    r#move: u64,
}

#[derive(Deserialize)]
pub(super) struct Play {
    card: Card,
    suit: Option<Suit>,
    r#move: u64,
}

/// `POST /game/:uuid/play`
pub(super) async fn play(
    app: State<App>,
    user: CurrentUser,
    id: GameId,
    Form(Play { card, suit, r#move }): Form<Play>,
) -> Result<Response, Error> {
    act(app, user, id, r#move, Action::Play { card, suit }).await
}

/// `POST /game/:uuid/draw`
pub(super) async fn draw(
    app: State<App>,
    user: CurrentUser,
    id: GameId,
    Form(seen): Form<Seen>,
) -> Result<Response, Error> {
    act(app, user, id, seen.r#move, Action::Draw).await
}

/// `POST /game/:uuid/pass`
pub(super) async fn pass(
    app: State<App>,
    user: CurrentUser,
    id: GameId,
    Form(seen): Form<Seen>,
) -> Result<Response, Error> {
    act(app, user, id, seen.r#move, Action::Pass).await
}

/// `POST /game/:uuid/call`
pub(super) async fn call(
    app: State<App>,
    user: CurrentUser,
    id: GameId,
    Form(seen): Form<Seen>,
) -> Result<Response, Error> {
    act(app, user, id, seen.r#move, Action::Call).await
}

/// `POST /game/:uuid/catch`
pub(super) async fn catch(
    app: State<App>,
    user: CurrentUser,
    id: GameId,
    Form(seen): Form<Seen>,
) -> Result<Response, Error> {
    act(app, user, id, seen.r#move, Action::Catch).await
}

async fn act(
    State(app): State<App>,
    user: CurrentUser,
    id: GameId,
    seen: u64,
    action: Action,
) -> Result<Response, Error> {
    let now = table::act(&app, &id, user.id, seen, action).await?;
    Ok(Json(json!({ "move": now })).into_response())
}

/// `POST /game/:uuid/again`
pub(super) async fn again(
    State(app): State<App>,
    user: CurrentUser,
    id: GameId,
    wants: Wants,
) -> Result<Response, Error> {
    lobby::again(&app, &id, user.id).await?;
    Ok(wants.done(&format!("/lobby/{id}")))
}
