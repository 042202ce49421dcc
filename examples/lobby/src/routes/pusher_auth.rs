// SPDX-License-Identifier: MIT OR Apache-2.0
//! `POST /pusher/auth`: who may subscribe to what, by their session (protocol section 3).

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::{Form, Json};
use serde::Deserialize;
use serde_json::json;

use crate::app::App;
use crate::channel::Channel;
use crate::database::game_user::{self, Standing};
use crate::error::Error;
use crate::middleware::is_authed::CurrentUser;

#[derive(Deserialize)]
pub(super) struct Wanted {
    socket_id: String,
    channel_name: String,
}

/// Signs for that socket and that channel, and for no other, if the channel is theirs.
pub(super) async fn authorize(
    State(app): State<App>,
    user: CurrentUser,
    Form(Wanted { socket_id, channel_name }): Form<Wanted>,
) -> Result<Response, Error> {
    let channel = Channel::parse(&channel_name).ok_or(NOT_YOURS)?;
    let game = match &channel {
        Channel::Games => None,
        Channel::Hand(_, owner) if *owner != user.id => return Err(NOT_YOURS),
        Channel::Hand(game, _)
        | Channel::Chat(game)
        | Channel::Presence(game)
        | Channel::Game(game)
        | Channel::Lobby(game) => Some(game),
    };
    if let Some(game) = game
        && game_user::standing(app.database.reads(), game, user.id).await? != Standing::Player
    {
        return Err(NOT_YOURS);
    }
    let oyez = app.pusher.oyez().await;
    let auth = match channel {
        Channel::Presence(_) => oyez.authorize_member(
            &socket_id,
            &channel_name,
            &user.id.to_string(),
            &json!({ "username": user.username }),
        ),
        _ => oyez.authorize(&socket_id, &channel_name),
    };
    Ok(Json(auth.map_err(|error| Error::Invalid(error.to_string()))?).into_response())
}

const NOT_YOURS: Error = Error::Forbidden("This channel is not yours.");
