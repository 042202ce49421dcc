// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Client`]: one POST to a receiver, and whether it took the events.
//!
//! HTTP/1.1 over TCP or TLS, connections kept for a few seconds. It follows no redirect, because
//! the events would go where nobody configured; it uses no proxy; and it reads no more of an
//! answer than it must.

use std::error::Error;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HeaderName, HeaderValue, USER_AGENT};
use hyper::{Method, Request, Response, StatusCode};
use hyper_rustls::{ConfigBuilderExt, HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::{ClientConfig, RootCertStore};
use tokio::time::{Instant, timeout_at};

use super::destination::Destination;
use super::timing::Timing;

/// As which program we call.
const AGENT: HeaderValue = HeaderValue::from_static(concat!("oyez/", env!("CARGO_PKG_VERSION")));
const KEY: HeaderName = HeaderName::from_static("x-pusher-key");
const SIGNATURE: HeaderName = HeaderName::from_static("x-pusher-signature");

/// The head of an answer may be so long.
const ANSWER_HEAD_BYTES: usize = 32 * 1024;
/// A longer body closes the connection instead of being read to its end.
const ANSWER_BODY_BYTES: usize = 16 * 1024;

/// Sends to receivers. Cheap to clone; connections are made when they are needed.
#[derive(Clone)]
pub(super) struct Client {
    http: legacy::Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    answer_within: Duration,
}

/// A body and its signature: an attempt sends exactly these bytes, and so does a repetition.
#[derive(Clone, Debug)]
pub(super) struct Delivery {
    pub(super) body: Bytes,
    pub(super) signature: HeaderValue,
}

/// Why a receiver did not take the events.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    /// It answered, but not with 2xx.
    #[error("it answered {0}{hint}", hint = if .0.is_redirection() { ", and redirects are not followed: configure the URL that it leads to" } else { "" })]
    Status(StatusCode),
    /// It did not answer.
    #[error("it did not answer within {0:?}")]
    NoAnswer(Duration),
    /// There was no connection, or it broke.
    #[error("{0}")]
    Connection(String),
}

/// The certificates of the machine, which is where an operator adds a private authority
/// (`SSL_CERT_FILE` names another place). Read only when there is an https URL.
pub(super) fn system_tls() -> Result<ClientConfig, std::io::Error> {
    Ok(tls().with_native_roots()?.with_no_client_auth())
}

/// For when no URL is https: trusts nobody.
pub(super) fn no_tls() -> ClientConfig {
    tls().with_root_certificates(RootCertStore::empty()).with_no_client_auth()
}

pub(super) fn tls() -> rustls::ConfigBuilder<ClientConfig, rustls::WantsVerifier> {
    ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("ring can do the default versions of TLS")
}

impl Client {
    /// A client that has no connection yet.
    pub(super) fn new(tls: ClientConfig, timing: &Timing) -> Client {
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(tls)
            .https_or_http()
            .enable_http1()
            .wrap_connector(tcp);
        let http = legacy::Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(timing.idle_connection)
            .pool_max_idle_per_host(1)
            .http1_max_buf_size(ANSWER_HEAD_BYTES)
            // Some receivers look for `X-Pusher-Key` in just this case, as PHP's library does.
            .http1_title_case_headers(true)
            .build(connector);
        Client { http, answer_within: timing.answer_within }
    }

    /// One attempt. `Ok` when the receiver answered with 2xx in time.
    pub(super) async fn attempt(
        &self,
        to: &Destination,
        delivery: &Delivery,
    ) -> Result<(), Failure> {
        let mut request = Request::new(Full::new(delivery.body.clone()));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = to.uri.clone();
        let headers = request.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(USER_AGENT, AGENT);
        headers.insert(KEY, to.key.clone());
        headers.insert(SIGNATURE, delivery.signature.clone());

        let end = Instant::now() + self.answer_within;
        let answer = match timeout_at(end, self.http.request(request)).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(error)) => return Err(Failure::Connection(with_causes(&error))),
            Err(_) => return Err(Failure::NoAnswer(self.answer_within)),
        };
        let status = answer.status();
        // The status is the answer. The body is read only so that the connection can be used again.
        let _ = timeout_at(end, discard(answer)).await;
        if status.is_success() { Ok(()) } else { Err(Failure::Status(status)) }
    }
}

/// Reads a body to its end, or until it is too long.
async fn discard(answer: Response<Incoming>) {
    let mut body = answer.into_body();
    let mut read = 0;
    while let Some(Ok(frame)) = body.frame().await {
        read += frame.data_ref().map_or(0, Bytes::len);
        if read > ANSWER_BODY_BYTES {
            return;
        }
    }
}

/// The error and everything that led to it, in one line.
fn with_causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let _ = write!(text, ": {error}");
        cause = error.source();
    }
    text
}
