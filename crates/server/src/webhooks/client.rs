// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Client`]: one POST to a receiver, and whether it took the events.
//!
//! Redirects are not followed, because the events would go where nobody configured; and no more of
//! an answer is read than must be.

use std::time::Duration;

use bytes::Bytes;
use hyper::StatusCode;
use hyper::header::HeaderValue;
use rustls::ClientConfig;
use tokio::time::{Instant, timeout_at};

use super::destination::Destination;
use super::timing::Timing;
use crate::outgoing::client::{HttpClient, Keep, client, discard, signed_post, with_causes};

/// Sends to receivers. Cheap to clone; connections are made when they are needed.
#[derive(Clone)]
pub(super) struct Client {
    http: HttpClient,
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

impl Client {
    /// A client that has no connection yet.
    pub(super) fn new(tls: ClientConfig, timing: &Timing) -> Client {
        // A destination has one request in flight.
        let keep = Keep { idle: timing.idle_connection, per_host: 1 };
        Client { http: client(tls, keep), answer_within: timing.answer_within }
    }

    /// One attempt. `Ok` when the receiver answered with 2xx in time.
    pub(super) async fn attempt(
        &self,
        to: &Destination,
        delivery: &Delivery,
    ) -> Result<(), Failure> {
        let Delivery { body, signature } = delivery.clone();
        let request = signed_post(&to.uri, &to.key, signature, body);
        let end = Instant::now() + self.answer_within;
        let answer = match timeout_at(end, self.http.request(request)).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(error)) => return Err(Failure::Connection(with_causes(&error))),
            Err(_) => return Err(Failure::NoAnswer(self.answer_within)),
        };
        let status = answer.status();
        // The status is the answer.
        let _ = timeout_at(end, discard(answer.into_body())).await;
        if status.is_success() { Ok(()) } else { Err(Failure::Status(status)) }
    }
}
