// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Page`]: what every page says about whoever looks at it.

use askama::Template;
use axum::response::{Html, IntoResponse, Response};

use crate::error::Error;
use crate::middleware::is_authed::CurrentUser;

/// For the templates.
#[derive(Clone, Debug)]
pub(crate) struct Page {
    pub(crate) user_id: i64,
    pub(crate) username: String,
    /// The app key, with which the page's script connects.
    pub(crate) pusher_key: String,
}

impl Page {
    pub(crate) fn new(user: &CurrentUser, pusher_key: String) -> Page {
        Page { user_id: user.id, username: user.username.clone(), pusher_key }
    }

    /// A page without scripts.
    pub(crate) fn without_connection(user: &CurrentUser) -> Page {
        Page::new(user, String::new())
    }
}

/// Makes a page of a template.
pub(crate) fn render(template: &impl Template) -> Result<Response, Error> {
    let html = template.render();
    let html = html.map_err(|error| Error::Broken(format!("a page is not rendered: {error}")))?;
    Ok(Html(html).into_response())
}
