// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`HttpClient`]: one for everything that one thread sends, and the signed POST that it sends.
//! Every request carries the app's key and the signature of its body (protocol section 7).

use std::error::Error;
use std::fmt::Write as _;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HeaderName, HeaderValue, USER_AGENT};
use hyper::{Method, Request, Uri};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use oyez_protocol::secret::Secret;
use rustls::ClientConfig;

/// As which program we call.
const AGENT: HeaderValue = HeaderValue::from_static(concat!("oyez/", env!("CARGO_PKG_VERSION")));
const JSON: HeaderValue = HeaderValue::from_static("application/json");
const KEY: HeaderName = HeaderName::from_static("x-pusher-key");
const SIGNATURE: HeaderName = HeaderName::from_static("x-pusher-signature");

/// The head of an answer may be so long.
const ANSWER_HEAD_BYTES: usize = 32 * 1024;
/// A longer body that nobody wants closes the connection instead of being read to its end.
const UNWANTED_BODY_BYTES: usize = 16 * 1024;
/// An unused connection is closed before common servers close it (Node: 5 s), because a request
/// that crosses their close would fail.
pub(crate) const IDLE_CONNECTION: Duration = Duration::from_secs(4);

/// Makes connections when they are needed, and keeps some. Cheap to clone.
pub(crate) type HttpClient = legacy::Client<HttpsConnector<HttpConnector>, Full<Bytes>>;

/// Which connections are kept for another request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Keep {
    /// An unused one is closed after this time.
    pub(crate) idle: Duration,
    /// So many unused ones are kept per host.
    pub(crate) per_host: usize,
}

/// A client that has no connection yet.
pub(crate) fn client(tls: ClientConfig, keep: Keep) -> HttpClient {
    let mut tcp = HttpConnector::new();
    tcp.enforce_http(false);
    tcp.set_nodelay(true);
    let connector = HttpsConnectorBuilder::new()
        .with_tls_config(tls)
        .https_or_http()
        .enable_http1()
        .wrap_connector(tcp);
    legacy::Client::builder(TokioExecutor::new())
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(keep.idle)
        .pool_max_idle_per_host(keep.per_host)
        .http1_max_buf_size(ANSWER_HEAD_BYTES)
        // Some receivers look for `X-Pusher-Key` in just this case, as PHP's library does.
        .http1_title_case_headers(true)
        .build(connector)
}

/// The value of `X-Pusher-Key`.
pub(crate) fn key_header(key: &str) -> HeaderValue {
    HeaderValue::from_str(key).expect("a key is letters, digits, - and _")
}

/// The value of `X-Pusher-Signature` for that body.
pub(crate) fn signature_header(secret: &Secret, body: &[u8]) -> HeaderValue {
    HeaderValue::from_bytes(&secret.sign(&[body])).expect("a signature is hexadecimal")
}

/// A POST of JSON.
pub(crate) fn signed_post(
    to: &Uri,
    key: &HeaderValue,
    signature: HeaderValue,
    body: Bytes,
) -> Request<Full<Bytes>> {
    let mut request = Request::new(Full::new(body));
    *request.method_mut() = Method::POST;
    *request.uri_mut() = to.clone();
    let headers = request.headers_mut();
    headers.insert(CONTENT_TYPE, JSON);
    headers.insert(USER_AGENT, AGENT);
    headers.insert(KEY, key.clone());
    headers.insert(SIGNATURE, signature);
    request
}

/// Reads a body that nobody wants, only so that the connection can be used again: to its end, or
/// until it is too long.
pub(crate) async fn discard(mut body: Incoming) {
    let mut read = 0;
    while let Some(Ok(frame)) = body.frame().await {
        read += frame.data_ref().map_or(0, Bytes::len);
        if read > UNWANTED_BODY_BYTES {
            return;
        }
    }
}

/// The error and everything that led to it, in one line.
pub(crate) fn with_causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let _ = write!(text, ": {error}");
        cause = error.source();
    }
    text
}
