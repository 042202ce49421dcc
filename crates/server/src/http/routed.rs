// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`answer`]: one request for the embedding program, handed to its runtime, and its answer handed
//! back piece by piece.

use std::future::poll_fn;
use std::net::SocketAddr;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;

use bytes::Bytes;
use hyper::body::{Body, Incoming};
use hyper::header::{CONNECTION, HeaderValue};
use hyper::http::response::Parts;
use hyper::{Request, Response, StatusCode};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinError;

use super::answer;
use super::download::{Busy, Download, Outgoing, Piece, Task};
use super::watch::Watch;
use crate::routes::{BoxError, Peer, Progress, Routes, RoutesFn, Upload};

/// The largest piece of an answer: what a worker copies at once.
const PIECE: usize = 32 * 1024;

/// Pieces that may be on their way.
const PIECES: usize = 2;

/// An answer whose body is about to come.
struct Begun {
    head: Parts,
    length: Option<u64>,
    ended: bool,
    pieces: mpsc::Receiver<Piece>,
}

/// Has the embedding program answer.
pub(super) async fn answer(
    routes: &Routes,
    peer: Option<SocketAddr>,
    watch: &Rc<Watch>,
    request: Request<Incoming>,
) -> Response<Outgoing> {
    let progress = Arc::<Progress>::default();
    watch.enter_routes(Arc::clone(&progress));
    let busy = Busy(Rc::clone(watch));
    let mut request = request.map(|incoming| Upload::new(incoming, progress));
    if let Some(peer) = peer {
        request.extensions_mut().insert(Peer(peer));
    }
    let (begun, answered) = oneshot::channel();
    let mut task = Task(routes.runtime.spawn(run(Arc::clone(&routes.serve), request, begun)));
    match answered.await {
        Ok(Begun { head, length, ended, pieces }) => {
            let body = Download { pieces, left: length, ended, _task: task, _busy: busy };
            Response::from_parts(head, Outgoing::Routed(body))
        }
        Err(_) => {
            let mut failed = failed((&mut task.0).await.err()).map(Outgoing::Own);
            // What the program has not read of the request nobody will.
            failed.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
            failed
        }
    }
}

/// On the program's runtime: the request from its first poll to the last piece of its answer.
async fn run(serve: RoutesFn, request: Request<Upload>, begun: oneshot::Sender<Begun>) {
    let (head, body) = serve(request).await.into_parts();
    let (length, ended) = (body.size_hint().exact(), body.is_end_stream());
    let (to, pieces) = mpsc::channel(PIECES);
    if begun.send(Begun { head, length, ended, pieces }).is_err() || ended {
        return;
    }
    let _ = send(body, &to).await;
}

/// Sends a body, unless nobody takes it any more.
async fn send(
    body: impl Body<Data = Bytes, Error = BoxError>,
    to: &mpsc::Sender<Piece>,
) -> Result<(), mpsc::error::SendError<Piece>> {
    let mut body = pin!(body);
    while let Some(frame) = poll_fn(|cx| body.as_mut().poll_frame(cx)).await {
        let frame = match frame {
            Ok(frame) => frame,
            Err(error) => return to.send(Piece::Broken(error)).await,
        };
        match frame.into_data() {
            Ok(mut data) => {
                while data.len() > PIECE {
                    to.send(Piece::Data(data.split_to(PIECE))).await?;
                }
                to.send(Piece::Data(data)).await?;
            }
            Err(frame) => {
                if let Ok(trailers) = frame.into_trailers() {
                    to.send(Piece::Trailers(trailers)).await?;
                }
            }
        }
    }
    to.send(Piece::End).await
}

/// The program has no answer.
fn failed(error: Option<JoinError>) -> answer::Answer {
    if error.is_some_and(|error| error.is_panic()) {
        tracing::error!("a handler of the embedding program panicked");
        let text = "the handler of this request has failed";
        return answer::error(StatusCode::INTERNAL_SERVER_ERROR, text);
    }
    answer::error(StatusCode::SERVICE_UNAVAILABLE, "the program's runtime has ended")
}
