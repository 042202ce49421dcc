// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Link`]: the app's address as whoever asks has typed it, for links to share.

use std::convert::Infallible;

use axum::extract::{FromRef, FromRequestParts};
use axum::http::header::HOST;
use axum::http::request::Parts;

use crate::app::App;

/// See the module.
pub(crate) struct Link(String);

impl Link {
    /// The whole link to that path.
    pub(crate) fn to(&self, path: &str) -> String {
        format!("{}{path}", self.0)
    }
}

impl<S> FromRequestParts<S> for Link
where
    S: Sync,
    App: FromRef<S>,
{
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Link, Infallible> {
        let config = App::from_ref(state).config;
        let scheme = if config.behind_proxy { "https" } else { "http" };
        let host = parts.headers.get(HOST).and_then(|host| host.to_str().ok());
        let host = host.map_or_else(|| config.listen.to_string(), str::to_owned);
        Ok(Link(format!("{scheme}://{host}")))
    }
}
