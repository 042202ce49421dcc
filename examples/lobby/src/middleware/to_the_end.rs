// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`to_the_end`]: what was begun is done, also when whoever asked for it has gone.
//!
//! A browser that leaves a page gives up its requests, and the server drops the work of a request
//! whose connection is gone, wherever it waits. Between a commit and the `changed` after it, that
//! would leave every page with what was true before. So the work is a task of its own, and only
//! the waiting for it can be given up.

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;

use crate::error::Error;

/// See the module. A panic is an error like others.
pub(crate) async fn to_the_end(request: Request, next: Next) -> Result<Response, Error> {
    let work = tokio::spawn(next.run(request));
    work.await.map_err(|error| Error::Broken(format!("a request ended early: {error}")))
}
