// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Inside`]: a call of the HTTP API that the embedding program makes from its own threads.
//!
//! It is the same call, checked and answered by the same code, without a connection and without a
//! signature. It arrives as mail at one worker, becomes a task there like any request, and its
//! answer goes back. When the caller stops waiting, the task is dropped: the call was handed to the
//! homes as a whole, or not at all.

use std::rc::Rc;

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::{Method, Request, StatusCode};
use oyez_protocol::api::{ApiError, ErrorCode, Query};
use tokio::sync::oneshot;

use super::answer::{Answer, Refusal};
use super::caller::Caller;
use super::route::{AppName, Route};
use super::{Backend, HttpContext, api, compose};
use crate::door::Unable;

/// A call from inside the process.
#[derive(Debug)]
pub(crate) struct Inside {
    pub(crate) method: Method,
    /// Path and query, as they would stand in a request.
    pub(crate) target: String,
    pub(crate) body: Bytes,
    pub(crate) reply: oneshot::Sender<Reply>,
}

/// What the HTTP API answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The status.
    pub status: u16,
    /// JSON.
    pub body: Bytes,
}

impl Inside {
    /// Bytes that it holds.
    pub(crate) fn weight(&self) -> usize {
        self.target.len() + self.body.len()
    }

    /// Answers, unless nobody waits for it any more.
    pub(crate) async fn answer<B: Backend>(self, context: Rc<HttpContext<B>>) {
        let Inside { method, target, body, mut reply } = self;
        let answer = async {
            let call = run(&context, &method, &target, body).await;
            let answer = call.unwrap_or_else(|error| Refusal::from(error).answer());
            let status = answer.status().as_u16();
            let Ok(body) = answer.into_body().collect().await;
            Reply { status, body: body.to_bytes() }
        };
        tokio::select! {
            biased;
            () = reply.closed() => {}
            answer = answer => {
                // Whoever asked may have gone just now.
                let _ = reply.send(answer);
            }
        }
    }
}

async fn run<B: Backend>(
    context: &HttpContext<B>,
    method: &Method,
    target: &str,
    body: Bytes,
) -> Result<Answer, ApiError> {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let Route::Api { app: AppName::Id(id), call } = Route::find(path, "") else {
        return Err(ApiError::new(ErrorCode::NotFound, "there is no such call"));
    };
    let method = call.methods().iter().find(|known| method.as_str() == **known);
    let method = *method.ok_or_else(|| Refusal::method(call.methods()).error)?;
    if context.is_draining() && method != Method::GET {
        return Err(compose::unable(Unable::Draining));
    }
    let unknown = || ApiError::new(ErrorCode::UnknownApp, "no app of this server has that id");
    let app = context.apps.by_id(id).ok_or_else(unknown)?;
    api::is_enabled(app)?;
    let query =
        Query::parse(query).map_err(|error| ApiError::new(ErrorCode::BadUrl, error.to_string()))?;
    let (head, ()) = Request::new(()).into_parts();
    let caller = Caller { context, app, query: &query, head: &head };
    let outcome = caller.run(method, call, body).await;
    if call.publishes() {
        context.stats.publish(outcome.as_ref().map(|_| ()).map_err(|error| error.code));
    }
    outcome
}

impl Reply {
    /// Whether it was done.
    pub fn is_success(&self) -> bool {
        StatusCode::from_u16(self.status).is_ok_and(|status| status.is_success())
    }
}
