// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`headers`]: what browsers shall forbid to our pages, should anything foreign get into one.

use axum::extract::Request;
use axum::http::HeaderMap;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderValue, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use axum::middleware::Next;
use axum::response::Response;

/// Scripts, styles, images and connections are our own, from their own files: no script or style
/// in a page runs. `'self'` is the websocket of our own host and port, too. No other site may
/// show a page of ours inside of one of its own.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'self'; connect-src 'self'; object-src 'none'; base-uri 'none'; \
     form-action 'self'; frame-ancestors 'none'",
);

/// Types are as we say.
const NOSNIFF: HeaderValue = HeaderValue::from_static("nosniff");

/// Other sites do not learn a game's link, which is what lets people in.
const SAME_ORIGIN: HeaderValue = HeaderValue::from_static("same-origin");

/// Going back shows how things are, not how they were; and nothing is left after a log out.
const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");

/// Puts those headers on every answer.
pub(crate) async fn headers(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    protect(response.headers_mut());
    response
}

fn protect(headers: &mut HeaderMap) {
    headers.insert(CONTENT_SECURITY_POLICY, POLICY);
    headers.insert(X_CONTENT_TYPE_OPTIONS, NOSNIFF);
    headers.insert(REFERRER_POLICY, SAME_ORIGIN);
    // What may be kept says so itself.
    headers.entry(CACHE_CONTROL).or_insert(NO_STORE);
}
