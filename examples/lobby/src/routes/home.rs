// SPDX-License-Identifier: MIT OR Apache-2.0
//! The home page: open games, live; making one; joining by link.

use askama::Template;
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use super::page::{Page, render};
use crate::app::App;
use crate::controllers::{games_pusher, lobby};
use crate::database::game::{self, MyGame, OpenGame};
use crate::error::Error;
use crate::game_id::GameId;
use crate::middleware::is_authed::CurrentUser;
use crate::middleware::wants::Wants;

#[derive(Template)]
#[template(path = "home.html")]
struct Home {
    page: Page,
    games: Vec<OpenGame>,
    mine: Vec<MyGame>,
}

/// What the form says in which one pastes a link.
#[derive(Deserialize)]
pub(super) struct Pasted {
    link: Option<String>,
}

/// `GET /`, and `GET /?link=…` for whoever pastes the link to a table without any script.
pub(super) async fn show(
    State(app): State<App>,
    user: CurrentUser,
    Query(Pasted { link }): Query<Pasted>,
) -> Result<Response, Error> {
    if let Some(link) = link {
        let id = link.trim().rsplit('/').next().unwrap_or_default().to_ascii_lowercase();
        return match GameId::parse(&id) {
            Ok(id) => Ok(Redirect::to(&format!("/lobby/{id}")).into_response()),
            Err(_) => Err(Error::Invalid("This does not look like a link to a table.".to_owned())),
        };
    }
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
