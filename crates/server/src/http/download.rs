// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Outgoing`]: the body of whatever is answered on a connection: Oyez's own, which is there as a
//! whole, or a [`Download`] from the embedding program, which comes piece by piece.

use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body_util::Full;
use hyper::HeaderMap;
use hyper::body::{Body, Frame, SizeHint};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::watch::{Phase, Watch};
use crate::routes::BoxError;

/// The body of an answer.
pub(super) enum Outgoing {
    /// Oyez's.
    Own(Full<Bytes>),
    /// The embedding program's.
    Routed(Download),
}

/// One thing that comes of a body which is made on another thread.
pub(super) enum Piece {
    /// Some of it.
    Data(Bytes),
    /// What follows it.
    Trailers(HeaderMap),
    /// It is complete.
    End,
    /// The rest will not come.
    Broken(BoxError),
}

/// A body that is made on another thread.
pub(super) struct Download {
    pub(super) pieces: mpsc::Receiver<Piece>,
    /// Bytes that are still to come, if that is known.
    pub(super) left: Option<u64>,
    /// Whether all of it has come.
    pub(super) ended: bool,
    /// Makes it.
    pub(super) _task: Task,
    /// Until when the program is at work.
    pub(super) _busy: Busy,
}

/// A task that ends, at its next `await`, when nobody waits for it any more.
pub(super) struct Task(pub(super) JoinHandle<()>);

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// While it lives the embedding program works on a request of the connection.
pub(super) struct Busy(pub(super) Rc<Watch>);

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.enter(Phase::Idle);
    }
}

impl Body for Outgoing {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        match self.get_mut() {
            Outgoing::Own(body) => Pin::new(body).poll_frame(cx).map_err(|never| match never {}),
            Outgoing::Routed(body) => body.poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Outgoing::Own(body) => body.is_end_stream(),
            Outgoing::Routed(body) => body.ended,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Outgoing::Own(body) => body.size_hint(),
            Outgoing::Routed(body) => body.left.map(SizeHint::with_exact).unwrap_or_default(),
        }
    }
}

impl Download {
    fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        if self.ended {
            return Poll::Ready(None);
        }
        self.pieces.poll_recv(cx).map(|piece| match piece {
            Some(Piece::Data(data)) => {
                self.left = self.left.map(|left| left.saturating_sub(data.len() as u64));
                Some(Ok(Frame::data(data)))
            }
            Some(Piece::Trailers(trailers)) => Some(Ok(Frame::trailers(trailers))),
            Some(Piece::End) => {
                self.ended = true;
                None
            }
            Some(Piece::Broken(error)) => Some(Err(error)),
            // A panic, or the end of the program's runtime.
            None => Some(Err("the body broke off".into())),
        })
    }
}
