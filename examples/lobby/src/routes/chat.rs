// SPDX-License-Identifier: MIT OR Apache-2.0
//! A game's chat: saying something, and what was said before.

use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::{Form, Json};
use serde::Deserialize;
use serde_json::json;

use crate::app::App;
use crate::controllers::{chat, lobby};
use crate::database::game_user::{self, Standing};
use crate::database::message;
use crate::error::Error;
use crate::game_id::GameId;
use crate::middleware::is_authed::CurrentUser;
use crate::middleware::wants::Wants;

#[derive(Deserialize)]
pub(super) struct Said {
    text: String,
}

/// `POST /lobby/:uuid/messages`
pub(super) async fn say(
    State(app): State<App>,
    user: CurrentUser,
    id: GameId,
    wants: Wants,
    Form(Said { text }): Form<Said>,
) -> Result<Response, Error> {
    let number = chat::say(&app, &id, user.id, &text).await?;
    Ok(match wants {
        Wants::Json => (StatusCode::CREATED, Json(json!({ "number": number }))).into_response(),
        Wants::Page => wants.done(&format!("/lobby/{id}")),
    })
}

#[derive(Deserialize)]
pub(super) struct Earlier {
    before: Option<i64>,
}

/// `GET /lobby/:uuid/messages?before=N`
pub(super) async fn earlier(
    State(app): State<App>,
    user: CurrentUser,
    id: GameId,
    Query(Earlier { before }): Query<Earlier>,
) -> Result<Response, Error> {
    if game_user::standing(app.database.reads(), &id, user.id).await? != Standing::Player {
        return Err(lobby::NOT_YOURS);
    }
    Ok(Json(message::last(app.database.reads(), &id, before).await?).into_response())
}
