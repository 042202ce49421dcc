// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`RequestBody`]: the body of a request, bounded in size and in time.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;

use bytes::{Bytes, BytesMut};
use hyper::HeaderMap;
use hyper::body::{Body, Incoming};
use hyper::header::EXPECT;
use oyez_protocol::api::{ApiError, ErrorCode};
use oyez_protocol::limits::Limits;

use super::watch::{Phase, Watch};

/// A body that may still be on its way.
pub(super) struct RequestBody<'a> {
    incoming: Incoming,
    limits: &'a Limits,
    watch: &'a Watch,
    state: State,
}

/// How far the body has come.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// It is on its way, or here already.
    Coming,
    /// The client sends it only when asked to, and was not.
    Unasked,
    /// All of it was taken.
    Complete,
    /// There is no use in waiting for the rest.
    Hopeless,
}

impl<'a> RequestBody<'a> {
    pub(super) fn new(
        incoming: Incoming,
        headers: &HeaderMap,
        limits: &'a Limits,
        watch: &'a Watch,
    ) -> RequestBody<'a> {
        let state = match incoming.is_end_stream() {
            true => State::Complete,
            false if headers.contains_key(EXPECT) => State::Unasked,
            false => State::Coming,
        };
        RequestBody { incoming, limits, watch, state }
    }

    /// Whether all of it was taken from the connection, which then can carry another request.
    pub(super) fn is_complete(&self) -> bool {
        self.state == State::Complete
    }

    /// All of it. Too large a body is refused by its declared length, before it is awaited.
    pub(super) async fn read(&mut self) -> Result<Bytes, ApiError> {
        if self.is_complete() {
            return Ok(Bytes::new());
        }
        self.state = State::Coming;
        let body = self.read_within(self.limits.body_bytes).await;
        match body {
            Ok(_) => self.watch.enter(Phase::Call),
            Err(_) => self.state = State::Hopeless,
        }
        body
    }

    async fn read_within(&mut self, limit: usize) -> Result<Bytes, ApiError> {
        if self.declared() > limit as u64 {
            return Err(too_large(limit));
        }
        // What came in one piece, as small bodies do, is not copied.
        let (mut first, mut joined) = (Bytes::new(), BytesMut::new());
        while let Some(piece) = self.next().await? {
            if first.len() + joined.len() + piece.len() > limit {
                return Err(too_large(limit));
            }
            if first.is_empty() && joined.is_empty() {
                first = piece;
                continue;
            }
            joined.extend_from_slice(&std::mem::take(&mut first));
            joined.extend_from_slice(&piece);
        }
        Ok(if joined.is_empty() { first } else { joined.freeze() })
    }

    /// Takes it from the connection without keeping it, so that the connection can carry another
    /// request; unless it is too large, or the client waits to be asked for it.
    pub(super) async fn discard(&mut self) {
        let limit = self.limits.body_bytes as u64;
        if self.state != State::Coming || self.declared() > limit {
            return;
        }
        let mut taken = 0;
        while let Ok(Some(piece)) = self.next().await {
            taken += piece.len() as u64;
            if taken > limit {
                return;
            }
        }
    }

    /// How many bytes will come at least.
    fn declared(&self) -> u64 {
        self.incoming.size_hint().lower()
    }

    async fn next(&mut self) -> Result<Option<Bytes>, ApiError> {
        loop {
            let frame = poll_fn(|cx| match Pin::new(&mut self.incoming).poll_frame(cx) {
                Poll::Pending if self.watch.body_is_late() => Poll::Ready(Err(self.late())),
                Poll::Pending => {
                    if self.watch.phase() != Phase::Body {
                        self.watch.enter(Phase::Body);
                    }
                    Poll::Pending
                }
                Poll::Ready(frame) => Poll::Ready(Ok(frame)),
            });
            let Some(frame) = frame.await? else {
                self.state = State::Complete;
                return Ok(None);
            };
            let frame = frame.map_err(|error| {
                let text = format!("the body did not arrive as HTTP says it must: {error}");
                ApiError::new(ErrorCode::BadBody, text)
            })?;
            // Anything but data is trailers, which say nothing here.
            if let Ok(piece) = frame.into_data() {
                return Ok(Some(piece));
            }
        }
    }

    fn late(&self) -> ApiError {
        let text = format!(
            "the body did not arrive within {} s (limits.request_seconds)",
            self.limits.request_seconds
        );
        ApiError::new(ErrorCode::RequestTimeout, text)
    }
}

fn too_large(limit: usize) -> ApiError {
    let text = format!("the body has more than {limit} bytes (limits.body_bytes)");
    ApiError::new(ErrorCode::BodyTooLarge, text)
}
