// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Routes`]: what an embedding program serves on the same port, beside Oyez.
//!
//! **What it promises.** Whatever path is not Oyez's goes to the program. Its function, the future
//! of it and both bodies are polled on the program's runtime and on no thread of the server: a
//! handler that blocks delays nobody's delivery. A client that goes away takes its handler along.
//!
//! **What is bounded.** A body is read no faster than the program takes it, and an answer is made
//! no faster than the client takes it. A client that sends nothing of a body that is awaited, or
//! takes nothing of its answer, is cut off in time. How long a body may be is the program's to say.

use std::error::Error;
use std::fmt;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body_util::BodyExt;
use http_body_util::combinators::UnsyncBoxBody;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::{Request, Response};
use tokio::runtime::Handle;

/// An error of whatever kind.
pub type BoxError = Box<dyn Error + Send + Sync>;

/// The body of an answer.
pub type RoutesBody = UnsyncBoxBody<Bytes, BoxError>;

/// What [`Routes::serve`] promises.
pub type RoutesFuture = Pin<Box<dyn Future<Output = Response<RoutesBody>> + Send>>;

/// A function that answers requests. Each has its [`Peer`] among its extensions.
pub type RoutesFn = Arc<dyn Fn(Request<Upload>) -> RoutesFuture + Send + Sync>;

/// Any function from request to response as a [`RoutesFn`].
pub fn routes_fn<F, Answer, B>(serve: F) -> RoutesFn
where
    F: Fn(Request<Upload>) -> Answer + Send + Sync + 'static,
    Answer: Future<Output = Response<B>> + Send + 'static,
    B: Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
{
    Arc::new(move |request| {
        let answer = serve(request);
        let boxed = async move { answer.await.map(|body| body.map_err(Into::into).boxed_unsync()) };
        let answer: RoutesFuture = Box::pin(boxed);
        answer
    })
}

/// The routes of an embedding program.
#[derive(Clone)]
pub struct Routes {
    /// Where everything of them runs.
    pub runtime: Handle,
    /// Answers.
    pub serve: RoutesFn,
}

/// The other end of a request's connection: the client, or the proxy before us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer(pub SocketAddr);

/// The body of a request, as it arrives.
#[derive(Debug)]
pub struct Upload {
    incoming: Incoming,
    progress: Arc<Progress>,
}

/// Whether somebody waits for a part of a body. Odd while that is so; another number each time.
#[derive(Debug, Default)]
pub(crate) struct Progress(AtomicUsize);

impl Upload {
    pub(crate) fn new(incoming: Incoming, progress: Arc<Progress>) -> Upload {
        Upload { incoming, progress }
    }
}

impl Progress {
    /// The number of the wait that goes on, if one does.
    pub(crate) fn awaited(&self) -> Option<usize> {
        let number = self.0.load(Ordering::Relaxed);
        (number % 2 == 1).then_some(number)
    }

    fn is_awaited(&self) -> bool {
        self.awaited().is_some()
    }

    pub(crate) fn step(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

impl Body for Upload {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let polled = Pin::new(&mut self.incoming).poll_frame(cx);
        if polled.is_pending() != self.progress.is_awaited() {
            self.progress.step();
        }
        polled.map(|frame| frame.map(|frame| frame.map_err(BoxError::from)))
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.size_hint()
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        if self.progress.is_awaited() {
            self.progress.step();
        }
    }
}

impl fmt::Debug for Routes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Routes")
    }
}
