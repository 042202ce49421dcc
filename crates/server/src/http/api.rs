// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`answer`]: one call of the HTTP API, from its head to its answer.
//!
//! In this order: draining, app, method, signature, switched off, rate, body, its MD5, its
//! contents, and then the backend. What is refused has done nothing.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use hyper::http::request::Parts;
use oyez_protocol::api::{ApiError, ErrorCode, Query, SignedRequest};

use super::answer::{Answer, Refusal};
use super::body::RequestBody;
use super::caller::Caller;
use super::route::{AppName, Call};
use super::{Backend, HttpContext, compose};
use crate::apps::App;
use crate::door::Unable;

/// Answers a call for that app.
pub(super) async fn answer<B: Backend>(
    context: &HttpContext<B>,
    head: &Parts,
    app: AppName<'_>,
    call: Call<'_>,
    body: &mut RequestBody<'_>,
) -> Result<Answer, Refusal> {
    let outcome = admit_and_run(context, head, app, call, body).await;
    if call.publishes() {
        let result = outcome.as_ref().map(|_| ()).map_err(|refusal| refusal.error.code);
        context.stats.publish(result);
    }
    outcome
}

async fn admit_and_run<B: Backend>(
    context: &HttpContext<B>,
    head: &Parts,
    app: AppName<'_>,
    call: Call<'_>,
    body: &mut RequestBody<'_>,
) -> Result<Answer, Refusal> {
    let method = call.methods().iter().find(|method| head.method.as_str() == **method);
    let method = *method.ok_or_else(|| Refusal::method(call.methods()))?;
    if context.is_draining() && method != "GET" {
        return Err(compose::unable(Unable::Draining).into());
    }
    let query = Query::parse(head.uri.query().unwrap_or_default());
    let app = match (app, &query) {
        (AppName::Id(id), _) => context.apps.by_id(id),
        (AppName::SigningKey, Ok(query)) => {
            query.get("auth_key").and_then(|key| context.apps.by_key(key))
        }
        (AppName::SigningKey, Err(_)) => None,
    };
    let app = app.ok_or_else(|| {
        ApiError::new(ErrorCode::UnknownApp, "no app of this server has the id in the path")
    })?;
    let query = query.map_err(|error| ApiError::new(ErrorCode::BadUrl, error.to_string()))?;
    let request =
        SignedRequest { method, path: head.uri.path(), prefix: &context.path, query: &query };
    request.check(app.credentials(), unix_seconds()).map_err(ApiError::from)?;
    admit(context, app)?;
    let body = body.read().await?;
    context.stats.body_bytes.add(body.len() as u64);
    request.check_body(&body).map_err(ApiError::from)?;
    let caller = Caller { context, app, query: &query, head };
    caller.run(method, call, body).await.map_err(Refusal::from)
}

/// Whether the app may make a call now.
fn admit<B>(context: &HttpContext<B>, app: &App) -> Result<(), Refusal> {
    is_enabled(app)?;
    match context.limits.requests_per_second {
        0 => Ok(()),
        limit => {
            app.requests.take(limit, Instant::now()).map_err(|wait| Refusal::rate(limit, wait))
        }
    }
}

/// Whether the app may make calls at all.
pub(super) fn is_enabled(app: &App) -> Result<(), ApiError> {
    if app.options.switches.enabled {
        return Ok(());
    }
    let text = "the app is switched off in the config of this server (enabled = false)";
    Err(ApiError::new(ErrorCode::AppDisabled, text))
}

fn unix_seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
