// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Post`]: a receiver at a URL: one POST, and whether it took the events.
//!
//! Redirects are not followed, because the events would go where nobody configured; and no more of
//! an answer is read than must be.

use bytes::Bytes;
use hyper::Uri;
use hyper::header::HeaderValue;
use oyez_protocol::secret::Secret;
use oyez_protocol::webhook::body;
use rustls::ClientConfig;
use tokio::time::{Instant, timeout_at};

use super::failure::Failure;
use super::queue::Entry;
use super::timing::Timing;
use crate::apps::App;
use crate::outgoing::client::{
    HttpClient, Keep, client, discard, key_header, signature_header, signed_post, with_causes,
};
use crate::outgoing::url::{self, UrlError};

/// A URL, and as whom to send there.
pub(super) struct Post {
    uri: Uri,
    /// Value of `X-Pusher-Key`.
    key: HeaderValue,
    /// Signs.
    secret: Secret,
}

/// A body and its signature: an attempt sends exactly these bytes, and so does a repetition.
#[derive(Clone)]
pub(super) struct Letter {
    body: Bytes,
    signature: HeaderValue,
}

/// A client that has no connection yet; they are made when they are needed.
pub(super) fn client_of(tls: ClientConfig, timing: &Timing) -> HttpClient {
    // A destination has one request in flight.
    client(tls, Keep { idle: timing.idle_connection, per_host: 1 })
}

impl Post {
    /// That app's way to that URL.
    pub(super) fn new(app: &App, url: &str) -> Result<Post, UrlError> {
        let (uri, key) = (url::parse(url)?, key_header(&app.options.key));
        Ok(Post { uri, key, secret: app.options.secret.clone() })
    }

    /// Whether it is reached by TLS.
    pub(super) fn is_https(&self) -> bool {
        url::is_https(&self.uri)
    }

    /// The request for a batch.
    pub(super) fn letter(&self, batch: &[Entry]) -> Letter {
        let body = body(now_ms(), batch.iter().map(|entry| &*entry.json));
        Letter { signature: signature_header(&self.secret, &body), body: body.into() }
    }

    /// One attempt. `Ok` when the receiver answered with 2xx in time.
    pub(super) async fn attempt(
        &self,
        letter: &Letter,
        http: &HttpClient,
        timing: &Timing,
    ) -> Result<(), Failure> {
        let Letter { body, signature } = letter.clone();
        let request = signed_post(&self.uri, &self.key, signature, body);
        let end = Instant::now() + timing.answer_within;
        let answer = match timeout_at(end, http.request(request)).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(error)) => return Err(Failure::Connection(with_causes(&error))),
            Err(_) => return Err(Failure::NoAnswer(timing.answer_within)),
        };
        let status = answer.status();
        // The status is the answer.
        let _ = timeout_at(end, discard(answer.into_body())).await;
        if status.is_success() { Ok(()) } else { Err(Failure::Status(status)) }
    }
}

/// The time of a batch: when its first attempt is made.
fn now_ms() -> u64 {
    let since_epoch = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since_epoch.map_or(0, |d| u64::try_from(d.as_millis()).unwrap_or(u64::MAX))
}
