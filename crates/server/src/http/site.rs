// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`answer`]: one request, answered: health, metrics and pages here, calls by [`api`].

use hyper::body::Incoming;
use hyper::header::{ACCEPT, CONNECTION, HOST, HeaderValue};
use hyper::http::request::Parts;
use hyper::{Method, Request, Response, StatusCode};

use super::answer::{self, Answer, Refusal};
use super::body::RequestBody;
use super::handover::is_upgrade;
use super::route::Route;
use super::watch::Watch;
use super::{Backend, HttpContext, api};
use crate::metrics::Format;
use crate::routes::Routes;

const CLOSE: HeaderValue = HeaderValue::from_static("close");
const READING: &[&str] = &["GET", "HEAD"];

/// Who answers a request that is not Oyez's, if an embedding program does.
pub(super) fn routes_for<'a, B>(
    context: &'a HttpContext<B>,
    request: &Request<Incoming>,
) -> Option<&'a Routes> {
    let (path, routes) = (request.uri().path(), context.routes.as_ref()?);
    let is_free = Route::find(path, &context.path).is_free(path, &context.path)
        && !is_upgrade(request.method(), request.headers());
    let host = request.headers().get(HOST).and_then(|host| host.to_str().ok());
    (is_free && (context.pages)(path, host).is_none()).then_some(routes)
}

/// What is said of an answer by an embedding program.
pub(super) fn finish<B, Body>(context: &HttpContext<B>, answer: &mut Response<Body>) {
    if context.is_draining() {
        answer.headers_mut().insert(CONNECTION, CLOSE);
    }
    context.stats.request(Route::Other.kind(), answer.status());
}

/// Answers one request.
pub(super) async fn answer<B: Backend>(
    context: &HttpContext<B>,
    watch: &Watch,
    request: Request<Incoming>,
) -> Answer {
    let (head, incoming) = request.into_parts();
    let mut body = RequestBody::new(incoming, &head.headers, &context.limits, watch);
    let route = Route::find(head.uri.path(), &context.path);
    let outcome = match route {
        _ if is_upgrade(&head.method, &head.headers) => {
            Err(Refusal::not_found("WebSocket connections are made to /app/KEY only"))
        }
        Route::Api { app, call } => api::answer(context, &head, app, call, &mut body).await,
        _ if head.method != Method::GET && head.method != Method::HEAD => match route {
            Route::Other => Err(nothing_there()),
            _ => Err(Refusal::method(READING)),
        },
        Route::Up if context.is_draining() => {
            Ok(answer::up(StatusCode::SERVICE_UNAVAILABLE, "draining"))
        }
        Route::Up => Ok(answer::up(StatusCode::OK, "OK")),
        Route::Metrics => {
            let format = metrics_format(&head);
            Ok(answer::metrics((context.metrics)(format), format))
        }
        Route::Library(library) => Ok(library.answer(&head.headers)),
        Route::Other => (context.pages)(head.uri.path(), host(&head)).ok_or_else(nothing_there),
    };
    let mut answer = match outcome {
        Ok(answer) => answer,
        Err(refusal) => refusal.answer(),
    };
    body.discard().await;
    if !body.is_complete() || context.is_draining() {
        answer.headers_mut().insert(CONNECTION, CLOSE);
    }
    context.stats.request(route.kind(), answer.status());
    answer
}

fn nothing_there() -> Refusal {
    Refusal::not_found("there is nothing at this path: the HTTP API is under /apps/APP_ID")
}

/// OpenMetrics is for those who name it in `Accept`, at whatever quality: scrapers that can read it
/// also name the other.
fn metrics_format(head: &Parts) -> Format {
    let named = head.headers.get_all(ACCEPT).iter().any(|accepted| {
        accepted.as_bytes().split(|byte| *byte == b',').any(|range| {
            let media_type = range.split(|byte| *byte == b';').next().unwrap_or_default();
            media_type.trim_ascii().eq_ignore_ascii_case(b"application/openmetrics-text")
        })
    });
    if named { Format::OpenMetrics } else { Format::Classic }
}

fn host(head: &Parts) -> Option<&str> {
    match head.uri.host() {
        Some(host) => Some(host),
        None => head.headers.get(HOST)?.to_str().ok(),
    }
}
