// SPDX-License-Identifier: MIT OR Apache-2.0
//! Reading sockets: bytes into the worker's one buffer, frames out of it, messages from those.

use std::io::{self, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};

use oyez_protocol::close::CloseCode;
use oyez_protocol::encode::Frame;
use oyez_protocol::message::{ClientMessage, FailedSubscription, MessageError};
use oyez_protocol::websocket::{Close, Event, ProtocolError, frame};

use super::Worker;
use crate::socket::connection::{Farewell, Seat};

/// Whether to go on with what a socket said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Attention {
    Listen,
    Enough,
}

impl Worker {
    /// Reads what a socket has to say, one buffer at the most; the rest waits for the next turn,
    /// so that a loud socket delays the others by one buffer.
    pub(super) fn readable(&mut self, slot: u32) {
        self.guarded(slot, |worker| worker.read_seat(slot));
    }

    /// Does something that a client's bytes decide. A panic is a bug, but not a reason to drop
    /// everybody else.
    pub(super) fn guarded(&mut self, slot: u32, act: impl FnOnce(&mut Worker)) {
        if catch_unwind(AssertUnwindSafe(|| act(self))).is_err() {
            self.stats().panics.add(1);
            tracing::error!(
                "a connection was dropped because reading it panicked: please report this"
            );
            self.buffer.resize(super::READ_BUFFER, 0);
            self.moving = None;
            self.remove(slot);
        }
    }

    fn read_seat(&mut self, slot: u32) {
        match self.seats.get_mut(slot) {
            Some(Seat::Arrival(_)) => self.arrival_readable(slot),
            Some(Seat::Open(_)) => self.connection_readable(slot),
            Some(Seat::Lingering(lingering)) => {
                // One buffer a turn, like anybody else.
                match lingering.stream.read(&mut self.buffer) {
                    Ok(0) => self.remove(slot),
                    Ok(count) if count == self.buffer.len() => self.unread.push_back(slot),
                    Err(error) if error.kind() != io::ErrorKind::WouldBlock => self.remove(slot),
                    _ => {}
                }
            }
            Some(Seat::Changing) | None => {}
        }
    }

    fn connection_readable(&mut self, slot: u32) {
        if self.shared.is_backlogged() {
            return self.unread.push_back(slot);
        }
        let now = self.now;
        let mut buffer = std::mem::take(&mut self.buffer);
        let read: io::Result<usize> = self.seats.connection(slot).map_or(Ok(0), |connection| {
            let count = connection.stream.read(&mut buffer)?;
            connection.life.hear(now);
            Ok(count)
        });
        match read {
            Ok(0) => self.remove(slot),
            Ok(count) => {
                self.stats().bytes_in.add(count as u64);
                if count == buffer.len() {
                    self.unread.push_back(slot);
                }
                self.heard(slot, &mut buffer[..count]);
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => self.unread.push_back(slot),
            Err(_) => self.remove(slot),
        }
        self.buffer = buffer;
    }

    /// Takes bytes of an open WebSocket.
    pub(super) fn heard(&mut self, slot: u32, mut bytes: &mut [u8]) {
        let Some(connection) = self.seats.connection(slot) else { return };
        // An event borrows the decoder while the worker acts on it, so it leaves the connection.
        let mut decoder = std::mem::take(&mut connection.decoder);
        let message_bytes = self.limits().message_bytes;
        loop {
            match decoder.next(&mut bytes, message_bytes) {
                Ok(None) => break,
                Ok(Some(event)) => {
                    let attention = self.on_event(slot, event);
                    if attention == Attention::Enough || self.moving.is_some() {
                        break;
                    }
                }
                Err(error) => {
                    self.violated(slot, error);
                    break;
                }
            }
        }
        if let Some(connection) = self.seats.connection(slot) {
            connection.decoder = decoder;
        }
        if let Some(moving) = self.moving.take() {
            self.depart_for(moving, bytes);
        }
    }

    fn on_event(&mut self, slot: u32, event: Event<'_>) -> Attention {
        let Some(connection) = self.seats.connection(slot) else { return Attention::Enough };
        if let Event::Close(close) = event {
            self.closed_by_client(slot, close);
            return Attention::Enough;
        }
        if !connection.is_open() {
            // Our goodbye is on its way: only the client's own is of interest.
            return Attention::Listen;
        }
        let uptime = self.shared.uptime();
        if connection.messages.take(self.allowances.messages, uptime).is_err() {
            let limit = self.limits().messages_per_second;
            self.close_with(
                slot,
                CloseCode::OverCapacity,
                &format!("more than {limit} messages per second (limits.messages_per_second)"),
            );
            return Attention::Enough;
        }
        if let Event::Pong(_) = event {
            connection.life.answers_pings = true;
        }
        self.stats().messages_in.add(1);
        match event {
            Event::Text(text) => self.on_text(slot, text),
            Event::Binary(_) => {
                let error = "binary messages are not part of the protocol: send JSON text";
                self.complain(slot, MessageError::new(error));
            }
            Event::Ping(payload) => self.say_bytes(slot, &frame::pong(payload)),
            Event::Pong(_) | Event::Close(_) => {}
        }
        Attention::Listen
    }

    fn on_text(&mut self, slot: u32, text: &str) {
        let shared = self.shared.clone();
        match ClientMessage::parse(text, &shared.options.limits) {
            Ok(message) => self.on_message(slot, message),
            Err(error) => self.complain(slot, error),
        }
    }

    /// Answers a bad message with `pusher:error`, or with `pusher:subscription_error` where a
    /// channel's handler shall hear it; the connection lives.
    pub(super) fn complain(&mut self, slot: u32, error: MessageError) {
        self.stats().errors.add(1);
        let MessageError { code, message, subscription } = error;
        let frame = match subscription {
            None => Frame::error(code, message),
            Some(FailedSubscription { channel, kind, status }) => {
                Frame::subscription_error(&channel, kind, message, status)
            }
        };
        self.say(slot, frame.bytes().clone());
    }

    /// RFC 6455 5.5.1: a close frame is answered by one, with the code that came.
    fn closed_by_client(&mut self, slot: u32, close: Option<Close<'_>>) {
        let ours_is_out = self.seats.connection(slot).is_some_and(|c| !c.is_open());
        if !ours_is_out {
            let answer = match close {
                Some(close) => frame::close(close.code, ""),
                None => frame::close_without_code(),
            };
            self.say_bytes(slot, &answer);
        }
        self.end(slot, Farewell::Drop);
    }

    /// RFC 6455 7.1.7: fail the connection.
    fn violated(&mut self, slot: u32, error: ProtocolError) {
        if self.seats.connection(slot).is_some_and(|c| c.is_open()) {
            self.say_bytes(slot, &frame::close(error.close_code(), &error.to_string()));
        }
        self.end(slot, Farewell::Linger);
    }
}
