// SPDX-License-Identifier: MIT OR Apache-2.0
//! `/login` and `/logout`.

use askama::Template;
use axum::Router;
use axum::extract::{Form, Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use serde::Deserialize;
use tower_sessions::Session;

use super::page::render;
use crate::app::App;
use crate::controllers::audience;
use crate::database::user::{self, Username};
use crate::error::Error;
use crate::local_path::LocalPath;
use crate::middleware::caller::Caller;
use crate::middleware::is_authed::CurrentUser;
use crate::middleware::wants::Wants;
use crate::password::Password;
use crate::session;

pub(crate) fn routes() -> Router<App> {
    Router::new().route("/login", get(form).post(log_in)).route("/logout", post(log_out))
}

/// Where to go afterwards.
#[derive(Deserialize)]
pub(super) struct Whereto {
    #[serde(default)]
    pub(super) next: LocalPath,
}

/// What is sent to log in, and to register.
#[derive(Deserialize)]
pub(super) struct Credentials {
    pub(super) username: String,
    pub(super) password: String,
    #[serde(default)]
    pub(super) next: LocalPath,
}

#[derive(Template)]
#[template(path = "login.html")]
struct LoginPage<'a> {
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
    render(&LoginPage { username: "", next: next.as_str(), error: None })
}

async fn log_in(
    State(app): State<App>,
    session: Session,
    wants: Wants,
    caller: Caller,
    Form(credentials): Form<Credentials>,
) -> Result<Response, Error> {
    let Credentials { username, password, next } = credentials;
    match check(&app, caller, &username, &password).await {
        Ok(user) => {
            session::sign_in(&session, user).await?;
            Ok(wants.done(next.as_str()))
        }
        Err(error) => refuse(wants, error, |error| LoginPage {
            username: &username,
            next: next.as_str(),
            error: Some(error),
        }),
    }
}

/// The id of the user of that name and password.
async fn check(app: &App, caller: Caller, name: &str, password: &str) -> Result<i64, Error> {
    // What breaks a rule is nobody's: and everybody knows the rules, so that tells nothing.
    let (Ok(username), Ok(password)) = (Username::parse(name), Password::parse(password)) else {
        return Err(Error::WrongPassword);
    };
    app.paces.log_in(caller, &username)?;
    let user = user::find_by_name(app.database.reads(), &username).await?;
    let (id, kept) = user.map(|user| (user.id, user.password_hash)).unzip();
    match (id, password.is(kept).await?) {
        (Some(id), true) => Ok(id),
        _ => Err(Error::WrongPassword),
    }
}

async fn log_out(
    State(app): State<App>,
    session: Session,
    wants: Wants,
) -> Result<Response, Error> {
    let user = session::visit(&session).await?;
    session::sign_out(&session).await?;
    if let Some(user) = user {
        audience::let_go(&app, user, None).await;
    }
    Ok(wants.done("/login"))
}

/// Shows the form again, with what was wrong. Scripts are just told.
pub(super) fn refuse<T: Template>(
    wants: Wants,
    error: Error,
    form: impl FnOnce(String) -> T,
) -> Result<Response, Error> {
    let status = error.status();
    if wants == Wants::Json || status.is_server_error() {
        return Err(error);
    }
    Ok((status, render(&form(error.to_string()))?).into_response())
}
