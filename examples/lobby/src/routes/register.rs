// SPDX-License-Identifier: MIT OR Apache-2.0
//! `/register`: who comes for the first time chooses a name and a password, and is signed in.

use askama::Template;
use axum::Router;
use axum::extract::{Form, Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use tower_sessions::Session;

use super::login::{Credentials, Whereto, refuse};
use super::page::render;
use crate::app::App;
use crate::database::user::{self, Username};
use crate::error::Error;
use crate::middleware::caller::Caller;
use crate::middleware::is_authed::CurrentUser;
use crate::middleware::wants::Wants;
use crate::password::Password;
use crate::session;

pub(crate) fn routes() -> Router<App> {
    Router::new().route("/register", get(form).post(register))
}

#[derive(Template)]
#[template(path = "register.html")]
struct RegisterPage<'a> {
    username: &'a str,
    next: &'a str,
    error: Option<String>,
}

async fn form(
    State(app): State<App>,
    session: Session,
    Query(Whereto { next }): Query<Whereto>,
) -> Result<Response, Error> {
    if CurrentUser::of(&session, &app).await?.is_some() {
        return Ok(Redirect::to(next.as_str()).into_response());
    }
    render(&RegisterPage { username: "", next: next.as_str(), error: None })
}

async fn register(
    State(app): State<App>,
    session: Session,
    wants: Wants,
    caller: Caller,
    Form(credentials): Form<Credentials>,
) -> Result<Response, Error> {
    let Credentials { username, password, next } = credentials;
    match create(&app, caller, &username, &password).await {
        Ok(user) => {
            session::sign_in(&session, user).await?;
            Ok(wants.done(next.as_str()))
        }
        Err(error) => refuse(wants, error, |error| RegisterPage {
            username: &username,
            next: next.as_str(),
            error: Some(error),
        }),
    }
}

/// The id of a new user.
async fn create(app: &App, caller: Caller, name: &str, password: &str) -> Result<i64, Error> {
    let username = Username::parse(name)?;
    let password = Password::parse(password)?;
    app.paces.register(caller)?;
    let hash = password.hash().await?;
    let user = user::create(app.database.writes(), &username, &hash).await?;
    user.ok_or_else(|| Error::Conflict("This name is taken. Please choose another.".to_owned()))
}
