// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`tell`]: says what went wrong in the form that was asked for: `{"error": text}` to a script,
//! a page to a person. No handler needs to know which.

use askama::Template;
use axum::Json;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use axum::middleware::Next;
use axum::response::{Html, IntoResponse, Response};
use serde::Serialize;

use super::is_authed::CurrentUser;
use super::wants::Wants;
use crate::error::Told;
use crate::routes::page::Page;

#[derive(Serialize)]
struct ErrorJson {
    error: String,
}

#[derive(Template)]
#[template(path = "error.html")]
struct ErrorPage {
    title: &'static str,
    status: u16,
    text: String,
    page: Option<Page>,
}

/// See the module. Status and headers stay as they are.
pub(crate) async fn tell(wants: Wants, request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    let Some(text) = what_is_wrong(&response) else { return response };
    let (mut head, _) = response.into_parts();
    head.headers.remove(CONTENT_TYPE);
    head.headers.remove(CONTENT_LENGTH);
    match wants {
        Wants::Json => (head, Json(ErrorJson { error: text })).into_response(),
        Wants::Page => {
            let page = head.extensions.get::<CurrentUser>().map(Page::without_connection);
            let title = title(head.status);
            let status = head.status.as_u16();
            match (ErrorPage { title, status, text, page }).render() {
                Ok(page) => (head, Html(page)).into_response(),
                Err(_) => head.status.into_response(),
            }
        }
    }
}

/// What a handler says; or what is to be said when it was axum that answered, in place of one: in
/// plain text, in English for programmers, or with nothing.
fn what_is_wrong(response: &Response) -> Option<String> {
    if let Some(Told(text)) = response.extensions().get() {
        return Some(text.clone());
    }
    let status = response.status();
    let is_error = status.is_client_error() || status.is_server_error();
    let is_said = response
        .headers()
        .get(CONTENT_TYPE)
        .is_some_and(|content_type| !content_type.as_bytes().starts_with(b"text/plain"));
    (is_error && !is_said).then(|| text(status).to_owned())
}

fn text(status: StatusCode) -> &'static str {
    match status {
        StatusCode::NOT_FOUND => "There is no such page.",
        StatusCode::METHOD_NOT_ALLOWED => "Nothing can be sent to this address in this way.",
        StatusCode::PAYLOAD_TOO_LARGE => "That is too long.",
        status if status.is_client_error() => "Something is missing in what was sent, or wrong.",
        _ => "Something went wrong here. Please try again.",
    }
}

fn title(status: StatusCode) -> &'static str {
    match status {
        StatusCode::UNAUTHORIZED => "Who are you?",
        StatusCode::FORBIDDEN => "Not for you",
        StatusCode::NOT_FOUND => "Nothing here",
        StatusCode::CONFLICT => "Not now",
        StatusCode::TOO_MANY_REQUESTS => "Too fast",
        status if status.is_client_error() => "That did not work",
        _ => "Something broke",
    }
}
