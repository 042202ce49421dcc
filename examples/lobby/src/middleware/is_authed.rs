// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`is_authed`]: lets those pass who are signed in, and tells handlers who they are.

use axum::extract::{FromRequestParts, Request, State};
use axum::http::Method;
use axum::http::request::Parts;
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use tower_sessions::Session;

use super::wants::Wants;
use crate::app::App;
use crate::database::user;
use crate::error::Error;
use crate::local_path::LocalPath;
use crate::session;

/// Who asks: any handler behind [`is_authed`] has it as an argument. As the database says now: a
/// session outlives neither its user nor a change of name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CurrentUser {
    pub(crate) id: i64,
    pub(crate) username: String,
}

impl CurrentUser {
    /// Whose session it is, if anybody's.
    pub(crate) async fn of(session: &Session, app: &App) -> Result<Option<CurrentUser>, Error> {
        let Some(id) = session::visit(session).await? else { return Ok(None) };
        let user = user::find_by_id(app.database.reads(), id).await?;
        Ok(user.map(|user| CurrentUser { id: user.id, username: user.username }))
    }
}

impl<S: Sync> FromRequestParts<S> for CurrentUser {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<CurrentUser, Error> {
        let user = parts.extensions.get().cloned();
        user.ok_or_else(|| Error::Broken(format!("{} is not behind is_authed", parts.uri)))
    }
}

/// Whoever is not signed in gets the log-in page, and from there to where they wanted to go, or to
/// the page whose form they sent; a script gets [`Error::SignedOut`].
pub(crate) async fn is_authed(
    State(app): State<App>,
    session: Session,
    wants: Wants,
    mut request: Request,
    next: Next,
) -> Result<Response, Error> {
    let Some(user) = CurrentUser::of(&session, &app).await? else {
        if wants == Wants::Json {
            return Err(Error::SignedOut);
        }
        let back = match *request.method() {
            Method::GET | Method::HEAD => LocalPath::of(request.uri()),
            // What was sent is lost with the session: it is not done on the way.
            _ => LocalPath::of_page(request.headers()),
        };
        return Ok(Redirect::to(&back.after_log_in()).into_response());
    };
    request.extensions_mut().insert(user.clone());
    let mut response = next.run(request).await;
    // For the page that tells an error.
    response.extensions_mut().insert(user);
    Ok(response)
}
