// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Failure`]: why a receiver did not take the events. Its text goes to logs.

use std::time::Duration;

use hyper::StatusCode;

use crate::outgoing::program::Broken;

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
    /// A closure gave an error: its text.
    #[error("the closure failed: {0}")]
    Closure(String),
    /// A closure came to no end.
    #[error(transparent)]
    Broken(#[from] Broken),
    /// A closure's earlier call has not returned, although its time is over.
    #[error("an earlier call of the closure has not returned: does it block its runtime?")]
    Stuck,
}
