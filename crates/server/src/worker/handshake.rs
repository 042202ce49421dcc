// SPDX-License-Identifier: MIT OR Apache-2.0
//! From a socket's first bytes to an open WebSocket, a refusal, or the HTTP stack.
//!
//! A refusal is an accepted upgrade, one `pusher:error` and a close frame with the same code:
//! browsers cannot see the HTTP status of a failed upgrade (protocol section 1).

use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytes::Bytes;
use oyez_protocol::close::CloseCode;
use oyez_protocol::encode::Frame;
use oyez_protocol::socket_id::SocketId;
use oyez_protocol::websocket::handshake::{HeadLimits, Request, WebSocketKey, parse_head};
use oyez_protocol::websocket::{Decoder, frame};

use super::Worker;
use crate::apps::App;
use crate::shared::Shared;
use crate::socket::connection::{Connection, Life, Seat, Stage};
use crate::socket::outbox::Chain;
use crate::socket::rate::Rate;
use crate::socket::subscriptions::Subscriptions;

/// What the first bytes of a socket are.
enum Opening {
    /// Not enough to tell.
    Unclear,
    /// Nothing that begins a WebSocket.
    Http,
    /// A request for `/app/…`.
    App,
}

impl Worker {
    /// Reads a socket that has not said yet what it wants.
    pub(super) fn arrival_readable(&mut self, slot: u32) {
        let mut buffer = std::mem::take(&mut self.buffer);
        match self.read_arrival(slot, &mut buffer) {
            Ok(0) => self.remove(slot),
            Ok(count) => {
                if count == buffer.len() {
                    self.unread.push_back(slot);
                }
                self.arrival_said(slot, &mut buffer[..count]);
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => self.unread.push_back(slot),
            Err(_) => self.remove(slot),
        }
        self.buffer = buffer;
    }

    fn read_arrival(&mut self, slot: u32, buffer: &mut [u8]) -> io::Result<usize> {
        match self.seats.get_mut(slot) {
            Some(Seat::Arrival(arrival)) => arrival.stream.read(buffer),
            _ => Err(io::ErrorKind::WouldBlock.into()),
        }
    }

    /// Takes the next bytes of such a socket.
    pub(super) fn arrival_said(&mut self, slot: u32, fresh: &mut [u8]) {
        let Some(Seat::Arrival(arrival)) = self.seats.get_mut(slot) else { return };
        let seen = arrival.head.len();
        if seen == 0 {
            // The whole head in one packet, as nearly always: nothing is copied.
            return self.opening(slot, fresh, 0);
        }
        let mut all = std::mem::take(&mut arrival.head);
        all.extend_from_slice(fresh);
        self.opening(slot, &mut all, seen);
    }

    /// `seen` bytes were too few in an earlier call.
    fn opening(&mut self, slot: u32, bytes: &mut [u8], seen: usize) {
        match opening(bytes, &self.shared.options.path) {
            Opening::Http => return self.hand_to_http(slot, Bytes::copy_from_slice(bytes)),
            Opening::Unclear => return self.keep_head(slot, bytes),
            Opening::App => {}
        }
        let limits = HeadLimits::from(&self.shared.options.limits);
        let (len, outcome) = match parse_head(bytes, seen, limits) {
            Ok(None) => return self.keep_head(slot, bytes),
            Err(refusal) => return self.say_goodbye(slot, &refusal.response()),
            Ok(Some(request)) if !request.wants_websocket() => {
                return self.hand_to_http(slot, Bytes::copy_from_slice(bytes));
            }
            Ok(Some(request)) => match request.upgrade() {
                Err(refusal) => return self.say_goodbye(slot, &refusal.response()),
                Ok(key) => (request.len, (key, admit(&self.shared, &request))),
            },
        };
        match outcome {
            (key, Err(code)) => self.refuse(slot, &key, code),
            (key, Ok(app)) => {
                self.open(slot, &key, &app);
                if bytes.len() > len {
                    self.heard(slot, &mut bytes[len..]);
                }
            }
        }
    }

    fn keep_head(&mut self, slot: u32, bytes: &[u8]) {
        if let Some(Seat::Arrival(arrival)) = self.seats.get_mut(slot) {
            arrival.head = bytes.to_vec();
        }
    }

    fn open(&mut self, slot: u32, key: &WebSocketKey, app: &Arc<App>) {
        self.shared.connections.fetch_add(1, Ordering::Relaxed);
        self.stats().opened.add(1);
        let (socket_id, now) = (SocketId::random(), self.now);
        self.seats.open_with(slot, |stream, serial| Connection {
            stream,
            serial,
            app: app.index,
            socket_id,
            decoder: Decoder::default(),
            subscriptions: Subscriptions::default(),
            identity: None,
            chain: Chain::default(),
            backlog: None,
            messages: Rate::default(),
            client_events: Rate::default(),
            life: Life::born(now),
            stage: Stage::Open,
        });
        self.stats().connections.set(self.seats.open() as u64);
        self.say(slot, Bytes::copy_from_slice(&key.response_101()));
        let established =
            Frame::connection_established(socket_id, self.shared.options.activity_timeout);
        self.say(slot, established.bytes().clone());
    }

    /// Accepts the upgrade only to say why there will be no connection.
    fn refuse(&mut self, slot: u32, key: &WebSocketKey, code: CloseCode) {
        self.stats().refused.add(1);
        let mut words = key.response_101().to_vec();
        words.extend_from_slice(Frame::error(Some(code), code.text()).bytes());
        words.extend_from_slice(&frame::close(code.code(), code.text()));
        self.say_goodbye(slot, &words);
    }

    /// Writes last words to a socket that never opened. They fit its empty buffer.
    fn say_goodbye(&mut self, slot: u32, words: &[u8]) {
        let now = Life::tick(self.now);
        let Some(Seat::Arrival(arrival)) = self.seats.get_mut(slot) else { return };
        let written = arrival.stream.write(words);
        let _ = arrival.stream.shutdown(Shutdown::Write);
        match written {
            Ok(_) => self.seats.linger(slot, now),
            Err(_) => self.remove(slot),
        }
    }
}

/// Tells from the first bytes what a socket wants: `GET <path>/app/` or anything else.
fn opening(bytes: &[u8], path: &str) -> Opening {
    let expected = b"GET ".iter().chain(path.as_bytes()).chain(b"/app/");
    let length = 4 + path.len() + 5;
    if !bytes.iter().zip(expected).all(|(byte, expected)| byte == expected) {
        Opening::Http
    } else if bytes.len() < length {
        Opening::Unclear
    } else {
        Opening::App
    }
}

/// The app that a good handshake may connect to, counted already.
fn admit(shared: &Shared, request: &Request<'_>) -> Result<Arc<App>, CloseCode> {
    let options = &shared.options;
    let key = request.path.get(options.path.len() + "/app/".len()..).unwrap_or_default();
    let key = key.strip_suffix('/').unwrap_or(key);
    if key.is_empty() || key.contains('/') {
        return Err(CloseCode::PathNotFound);
    }
    let app = shared.apps.by_key(key).ok_or(CloseCode::UnknownApp)?;
    check_protocol(request.query)?;
    let switches = app.options.switches;
    if !switches.enabled {
        return Err(CloseCode::AppDisabled);
    }
    if switches.tls_only
        && !request.forwarded_proto.is_some_and(|p| p.eq_ignore_ascii_case("https"))
    {
        return Err(CloseCode::TlsOnly);
    }
    if !app.allows_origin(request.origin) {
        return Err(CloseCode::Unauthorized);
    }
    if shared.draining.load(Ordering::Relaxed) {
        return Err(CloseCode::Draining);
    }
    if shared.connections.load(Ordering::Relaxed) >= options.limits.max_connections {
        return Err(CloseCode::OverCapacity);
    }
    app.connect().map_err(|_| CloseCode::AppFull)?;
    Ok(Arc::clone(app))
}

/// `protocol` of the query must be 5, 6 or 7.
fn check_protocol(query: Option<&str>) -> Result<(), CloseCode> {
    let parameters = query.unwrap_or_default().split('&');
    let mut pairs = parameters.map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    let (_, protocol) = pairs.find(|(key, _)| *key == "protocol").ok_or(CloseCode::NoProtocol)?;
    // As a float, so that every number is one, however large.
    match protocol.parse::<f64>() {
        Ok(5.0 | 6.0 | 7.0) => Ok(()),
        Ok(number) if number.is_finite() => Err(CloseCode::UnsupportedProtocol),
        _ => Err(CloseCode::BadProtocol),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p003_the_protocol_is_checked_with_its_own_codes() {
        for (query, code) in [
            (Some("protocol=7&client=js"), None),
            (Some("client=js&protocol=5"), None),
            (Some("protocol=seven"), Some(CloseCode::BadProtocol)),
            (Some("protocol=8"), Some(CloseCode::UnsupportedProtocol)),
            (Some("protocol=-7"), Some(CloseCode::UnsupportedProtocol)),
            (Some("protocol=7.5"), Some(CloseCode::UnsupportedProtocol)),
            (Some("protocol=99999999999999999999999"), Some(CloseCode::UnsupportedProtocol)),
            (Some("protocol=nan"), Some(CloseCode::BadProtocol)),
            (Some("protocol="), Some(CloseCode::BadProtocol)),
            (Some("protocol"), Some(CloseCode::BadProtocol)),
            (Some("client=js"), Some(CloseCode::NoProtocol)),
            (None, Some(CloseCode::NoProtocol)),
        ] {
            assert_eq!(check_protocol(query).err(), code, "{query:?}");
        }
    }

    #[test]
    fn p009_the_path_prefix_stands_before_app() {
        assert!(matches!(opening(b"GET /app/k", ""), Opening::App));
        assert!(matches!(opening(b"GET /ws/app/k", "/ws"), Opening::App));
        assert!(matches!(opening(b"GET /ws/ap", "/ws"), Opening::Unclear));
        assert!(matches!(opening(b"GET /app/k", "/ws"), Opening::Http));
        assert!(matches!(opening(b"GET /apps/1", ""), Opening::Http));
        assert!(matches!(opening(b"POST /app/", ""), Opening::Http));
        assert!(matches!(opening(b"\x16\x03\x01", ""), Opening::Http));
    }
}
