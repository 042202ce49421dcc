// SPDX-License-Identifier: MIT OR Apache-2.0
//! `POST /pusher/auth`: who may subscribe to what, by their session (protocol section 3).

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::{Form, Json};
use serde::Deserialize;

use crate::app::App;
use crate::controllers::audience;
use crate::error::Error;
use crate::middleware::is_authed::CurrentUser;

#[derive(Deserialize)]
pub(super) struct Wanted {
    socket_id: String,
    channel_name: String,
}

pub(super) async fn authorize(
    State(app): State<App>,
    user: CurrentUser,
    Form(Wanted { socket_id, channel_name }): Form<Wanted>,
) -> Result<Response, Error> {
    let auth = audience::let_in(&app, &user, &socket_id, &channel_name).await?;
    Ok(Json(auth).into_response())
}
