// SPDX-License-Identifier: MIT OR Apache-2.0
//! The home page: open games, live; making one; joining by link.

use askama::Template;
use axum::extract::State;
use axum::response::Response;

use super::page::{Page, render};
use crate::app::App;
use crate::controllers::{games_pusher, lobby};
use crate::database::game::{self, MyGame, OpenGame};
use crate::error::Error;
use crate::middleware::is_authed::CurrentUser;
use crate::middleware::wants::Wants;

#[derive(Template)]
#[template(path = "home.html")]
struct Home {
    page: Page,
    games: Vec<OpenGame>,
    mine: Vec<MyGame>,
}

/// `GET /`
pub(super) async fn show(State(app): State<App>, user: CurrentUser) -> Result<Response, Error> {
    render(&Home {
        games: games_pusher::games(&app.database).await?,
        mine: game::of_user(app.database.reads(), user.id).await?,
        page: app.page(&user).await,
    })
}

/// `POST /games`
pub(super) async fn create(
    State(app): State<App>,
    user: CurrentUser,
    wants: Wants,
) -> Result<Response, Error> {
    let game = lobby::create(&app, user.id).await?;
    Ok(wants.done(&format!("/lobby/{game}")))
}
