// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Handover`]: a connection that carried HTTP requests and now becomes a WebSocket.
//!
//! Reverse proxies keep connections open and send the requests of many clients over each of them,
//! handshakes included. A handshake that follows other requests is not answered here: the whole
//! connection goes back to whoever opens WebSockets, as if its head were the first that came.
//!
//! The head is the one that hyper has read, whole and behind the end of the request before it, and
//! never a guess about raw bytes: what looks like a handshake inside of another request stays what
//! it is. Nothing leaves before all earlier answers are written. A first request is never handed
//! over, so that no connection goes to and fro.

use std::cell::{Cell, RefCell};

use bytes::Bytes;
use hyper::body::Incoming;
use hyper::header::UPGRADE;
use hyper::{HeaderMap, Method, Request};
use tokio::net::TcpStream;

/// A connection on which a handshake came after other requests.
pub(crate) struct Handover {
    pub(crate) stream: TcpStream,
    /// The handshake, and whatever was read behind it.
    pub(crate) bytes: Bytes,
}

/// What a connection knows of its handover.
#[derive(Debug, Default)]
pub(super) struct Gate {
    answered: Cell<bool>,
    /// Whether bytes of answers may wait to be written.
    unwritten: Cell<bool>,
    handshake: RefCell<Option<Vec<u8>>>,
}

impl Gate {
    /// Notes that a request was answered.
    pub(super) fn answered(&self) {
        self.answered.set(true);
    }

    /// Notes that bytes are to be written.
    pub(super) fn writing(&self) {
        self.unwritten.set(true);
    }

    /// Notes that all bytes are written.
    pub(super) fn flushed(&self) {
        self.unwritten.set(false);
    }

    /// Takes a handshake below `prefix` that follows other requests. It must not be answered then.
    pub(super) fn takes(&self, request: &Request<Incoming>, prefix: &str) -> Handling {
        let is_app =
            request.uri().path().strip_prefix(prefix).is_some_and(|p| p.starts_with("/app/"));
        let is_handshake = is_app && is_upgrade(request.method(), request.headers());
        if !self.answered.get() || !is_handshake {
            return Handling::Answer;
        }
        self.handshake.replace(Some(head(request)));
        Handling::HandOver
    }

    /// The head of a handshake, once everything before it is answered and written.
    pub(super) fn handshake(&self) -> Option<Vec<u8>> {
        if self.unwritten.get() { None } else { self.handshake.take() }
    }
}

/// What is to become of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Handling {
    Answer,
    /// It ends HTTP on this connection.
    HandOver,
}

/// Whether a request asks to become a WebSocket, well or badly.
pub(super) fn is_upgrade(method: &Method, headers: &HeaderMap) -> bool {
    let mut upgrades = headers.get_all(UPGRADE).iter().filter(|_| method == Method::GET);
    upgrades.any(|list| {
        let mut protocols = list.as_bytes().split(|byte| *byte == b',');
        protocols.any(|protocol| protocol.trim_ascii().eq_ignore_ascii_case(b"websocket"))
    })
}

/// The head of a request, as it could have been sent.
fn head(request: &Request<Incoming>) -> Vec<u8> {
    let target = request.uri().path_and_query().map_or("/", |target| target.as_str());
    let mut head =
        format!("{} {target} {:?}\r\n", request.method(), request.version()).into_bytes();
    for (name, value) in request.headers() {
        head.extend_from_slice(name.as_str().as_bytes());
        head.extend_from_slice(b": ");
        head.extend_from_slice(value.as_bytes());
        head.extend_from_slice(b"\r\n");
    }
    head.extend_from_slice(b"\r\n");
    head
}
