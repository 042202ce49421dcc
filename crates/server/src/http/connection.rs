// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`serve`]: one HTTP connection, from its first bytes to its end.

use std::convert::Infallible;
use std::future::{Future, pending, poll_fn};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Poll, ready};

use bytes::Bytes;
use hyper::server::conn::http1::Builder;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use oyez_protocol::limits::Limits;
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep_until};

use super::download::Outgoing;
use super::handover::{Gate, Handling, Handover};
use super::io::Io;
use super::pace::Pass;
use super::watch::{Phase, Verdict, Watch};
use super::{Backend, HttpContext, routed, site};

/// Header lines that hyper reads without an allocation.
const HEADERS_ON_STACK: usize = 100;

/// When all is said, so many times the largest body is still taken from the client, so that it
/// gets to read why its request was refused.
const PATIENCE: usize = 4;

/// Serves a connection of which `first` was read already, until either side has had enough, or
/// until it becomes a WebSocket.
pub(crate) async fn serve<B: Backend>(
    stream: TcpStream,
    first: Bytes,
    context: Rc<HttpContext<B>>,
) -> Option<Handover> {
    let limits = &context.limits;
    let (watch, gate) = (Rc::new(Watch::new(limits, Instant::now())), Rc::<Gate>::default());
    let patience = PATIENCE * limits.body_bytes;
    let peer = context.routes.as_ref().and_then(|_| stream.peer_addr().ok());
    let io = Io::new(stream, first, Rc::clone(&watch), Rc::clone(&gate), patience);
    let service = service_fn(|request| {
        let (context, watch, gate) = (Rc::clone(&context), Rc::clone(&watch), Rc::clone(&gate));
        async move {
            if gate.takes(&request, &context.path) == Handling::HandOver {
                // The client may have to take earlier answers first.
                watch.enter(Phase::Idle);
                return pending().await;
            }
            context.pace.next_request().await;
            let answer = match site::routes_for(&context, &request) {
                Some(routes) => {
                    let mut answer = routed::answer(routes, peer, &watch, request).await;
                    site::finish(&context, &mut answer);
                    answer
                }
                None => {
                    watch.enter(Phase::Call);
                    let answer = site::answer(&context, &watch, request).await;
                    watch.enter(Phase::Idle);
                    answer.map(Outgoing::Own)
                }
            };
            gate.answered();
            Ok::<_, Infallible>(answer)
        }
    });
    let mut builder = builder(limits);
    if context.routes.is_some() {
        // A client that goes away takes its handler along; one that only ends its side looks the
        // same.
        builder.half_close(false);
    }
    let mut connection = builder.serve_connection(TokioIo::new(io), service);
    let mut alarm = pin!(sleep_until(watch.first()));
    let mut stopping = pin!(context.stopping.notified());
    let (mut lingers, mut told) = (false, false);
    let mut pass = Pass::new(&context.pace);
    let handshake = poll_fn(|cx| {
        let _work = ready!(pass.poll_work(cx));
        if !told && stopping.as_mut().poll(cx).is_ready() {
            // Closes at once when it is idle, else after the answer that it is about to give.
            Pin::new(&mut connection).graceful_shutdown();
            told = true;
        }
        loop {
            // An error is the client's: it went away, or what it sent was answered with 4xx.
            if Pin::new(&mut connection).poll(cx).is_ready() {
                return Poll::Ready(None);
            }
            if let Some(handshake) = gate.handshake() {
                return Poll::Ready(Some(handshake));
            }
            if let Some(end) = watch.linger_until().filter(|_| !lingers) {
                lingers = true;
                alarm.as_mut().reset(end);
            }
            if alarm.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
            match watch.look(Instant::now()) {
                Verdict::Wait(next) | Verdict::BodyLate(next) => alarm.as_mut().reset(next),
                Verdict::Close => return Poll::Ready(None),
            }
        }
    })
    .await;
    let mut bytes = handshake?;
    let parts = connection.into_parts();
    let (stream, unread) = parts.io.into_inner().into_parts();
    bytes.extend_from_slice(&parts.read_buf);
    bytes.extend_from_slice(&unread);
    Some(Handover { stream, bytes: bytes.into() })
}

fn builder(limits: &Limits) -> Builder {
    let mut builder = Builder::new();
    builder
        // A client may end its side and still want its answer.
        .half_close(true)
        // The watch does this, with one alarm for all that a connection waits for.
        .header_read_timeout(None)
        .max_buf_size(limits.header_bytes)
        .max_header_size(limits.header_bytes)
        // Answers are small: one write of one buffer.
        .writev(false);
    if limits.headers != HEADERS_ON_STACK {
        builder.max_headers(limits.headers);
    }
    builder
}
