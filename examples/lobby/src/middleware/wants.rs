// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Wants`]: whether a script asks, or a browser that goes from page to page.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::header::ACCEPT;
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};

const SEC_FETCH_DEST: &str = "sec-fetch-dest";

/// The form in which somebody wants the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wants {
    /// `Accept: application/json`, as all of our scripts say; or whatever a browser fetches for a
    /// script, as pusher-js does when it asks to be let into a channel.
    Json,
    /// Whoever else.
    Page,
}

impl Wants {
    pub(crate) fn of(headers: &HeaderMap) -> Wants {
        let is_json = |range: &str| {
            let media_type = range.split(';').next().unwrap_or_default();
            media_type.trim().eq_ignore_ascii_case("application/json")
        };
        let accepted = headers.get_all(ACCEPT).into_iter().filter_map(|value| value.to_str().ok());
        let is_for_script = headers.get(SEC_FETCH_DEST).is_some_and(|dest| dest == "empty");
        if is_for_script || accepted.flat_map(|value| value.split(',')).any(is_json) {
            Wants::Json
        } else {
            Wants::Page
        }
    }

    /// It is done: 204 for a script; a browser goes on to that path (303).
    pub(crate) fn done(self, path: &str) -> Response {
        match self {
            Wants::Json => StatusCode::NO_CONTENT.into_response(),
            Wants::Page => Redirect::to(path).into_response(),
        }
    }
}

impl<S: Sync> FromRequestParts<S> for Wants {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Wants, Infallible> {
        Ok(Wants::of(&parts.headers))
    }
}
