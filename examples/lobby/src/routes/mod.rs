// SPDX-License-Identifier: MIT OR Apache-2.0
//! The paths of the app: what a request says, who does it, what is answered.

mod chat;
mod game;
mod game_path;
mod home;
mod link;
mod lobby;
pub(crate) mod login;
pub(crate) mod page;
mod public;
mod pusher_auth;
pub(crate) mod register;
#[cfg(test)]
mod tests;

use axum::routing::{get, post};
use axum::{Router, middleware};
use tower_sessions::SessionManagerLayer;

use crate::app::App;
use crate::middleware::around;
use crate::middleware::is_authed::is_authed;
use crate::session::Store;

/// Everything that Oyez does not serve itself.
pub(crate) fn router(app: &App, sessions: SessionManagerLayer<Store>) -> Router {
    let behind_is_authed = Router::new()
        .route("/", get(home::show))
        .route("/games", post(home::create))
        .route("/lobby/{uuid}", get(lobby::show))
        .route("/lobby/{uuid}/join", post(lobby::join))
        .route("/lobby/{uuid}/leave", post(lobby::leave))
        .route("/lobby/{uuid}/ready", post(lobby::ready))
        .route("/lobby/{uuid}/remove", post(lobby::remove))
        .route("/lobby/{uuid}/start", post(lobby::start))
        .route("/lobby/{uuid}/messages", get(chat::earlier).post(chat::say))
        .route("/game/{uuid}", get(game::show))
        .route("/game/{uuid}/play", post(game::play))
        .route("/game/{uuid}/draw", post(game::draw))
        .route("/game/{uuid}/pass", post(game::pass))
        .route("/game/{uuid}/call", post(game::call))
        .route("/game/{uuid}/catch", post(game::catch))
        .route("/game/{uuid}/again", post(game::again))
        .route("/pusher/auth", post(pusher_auth::authorize))
        .route_layer(middleware::from_fn_with_state(app.clone(), is_authed));
    let routes =
        behind_is_authed.merge(login::routes()).merge(register::routes()).merge(public::routes());
    around(routes, sessions, app.clone())
}
