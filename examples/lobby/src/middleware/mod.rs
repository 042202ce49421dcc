// SPDX-License-Identifier: MIT OR Apache-2.0
//! What stands between the port and the handlers. From outside to inside:
//!
//! 1. [`headers`] puts on every answer what browsers shall forbid to pages;
//! 2. [`errors`] tells what went wrong, in the form that was asked for;
//! 3. [`same_origin`] turns away what another site's page sends;
//! 4. [`to_the_end`] does what was begun, also when whoever asked for it has gone;
//! 5. the [session](crate::session) says who calls;
//! 6. and before the routes of those who are signed in, as their `route_layer`: [`is_authed`].

pub(crate) mod caller;
pub(crate) mod errors;
pub(crate) mod headers;
pub(crate) mod is_authed;
pub(crate) mod pace;
pub(crate) mod same_origin;
#[cfg(test)]
mod tests;
pub(crate) mod to_the_end;
pub(crate) mod wants;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn;
use tower_sessions::SessionManagerLayer;

use crate::app::App;
use crate::error::Error;
use crate::session::Store;

/// How long a form may be, in bytes: the longest, of text that is all escapes, has half of it.
const FORM_BYTES: usize = 16 * 1024;

/// Puts all that is said above around the routes, but `is_authed`, which is not for all of them.
pub(crate) fn around(
    routes: Router<App>,
    sessions: SessionManagerLayer<Store>,
    app: App,
) -> Router {
    routes
        .fallback(async || Error::NotFound("There is no such page."))
        .layer(DefaultBodyLimit::max(FORM_BYTES))
        .layer(sessions)
        .layer(from_fn(to_the_end::to_the_end))
        .layer(from_fn(same_origin::same_origin))
        .layer(from_fn(errors::tell))
        .layer(from_fn(headers::headers))
        .with_state(app)
}
