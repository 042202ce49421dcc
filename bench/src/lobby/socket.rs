// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Socket`]: the WebSocket of one page, from connecting to the messages that come over it. It
//! answers the server's pings itself, and knows nothing of what messages say.

use super::moment::Moment;
use crate::subscribers::send;
use crate::trouble::Trouble;
use crate::wire::{self, CLIENT_KEY, Head, Opcode, Sender};
use mio::event::Event;
use mio::net::TcpStream;
use mio::{Interest, Registry, Token};
use std::io::{self, Read};
use std::net::SocketAddr;

/// One read takes at most this; longer backlogs take another.
pub(crate) const READ_BYTES: usize = 64 * 1024;

/// Close code of a browser whose page goes away (RFC 6455, section 7.4.1).
const GOING_AWAY: [u8; 2] = 1001_u16.to_be_bytes();

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Connecting,
    Upgrading,
    Open,
}

/// See the module.
pub(crate) struct Socket {
    stream: TcpStream,
    stage: Stage,
    /// The start of a message whose end has not come.
    rest: Vec<u8>,
}

impl Socket {
    /// Begins to connect.
    pub(crate) fn connect(
        registry: &Registry,
        server: SocketAddr,
        token: Token,
    ) -> Result<Self, Trouble> {
        let mut stream = TcpStream::connect(server).map_err(Trouble::io("connecting a page"))?;
        registry
            .register(&mut stream, token, Interest::READABLE | Interest::WRITABLE)
            .map_err(Trouble::io("watching a page"))?;
        Ok(Self { stream, stage: Stage::Connecting, rest: Vec::new() })
    }

    /// Something happened. `path` is that of the upgrade; every text message goes to `hear`, with
    /// the moment at which it was read and a buffer for messages to send in return.
    pub(crate) fn ready(
        &mut self,
        event: &Event,
        path: &str,
        buffer: &mut [u8],
        mut hear: impl FnMut(&[u8], Moment, &mut Outgoing) -> Result<(), Trouble>,
    ) -> Result<(), Trouble> {
        if self.stage == Stage::Connecting && !self.connected(event, path)? {
            return Ok(());
        }
        if !event.is_readable() && !event.is_read_closed() {
            return Ok(());
        }
        loop {
            let kept = self.rest.len();
            let count = match self.stream.read(&mut buffer[kept..]) {
                Ok(0) => return Err(closed("end of stream without a close frame".to_owned())),
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(closed(error.to_string())),
            };
            let now = Moment::now();
            buffer[..kept].copy_from_slice(&self.rest);
            self.rest.clear();
            let filled = kept + count;
            let mut out = Outgoing::default();
            let used = self.take(&mut buffer[..filled], now, &mut out, &mut hear)?;
            self.rest.extend_from_slice(&buffer[used..filled]);
            if !out.0.is_empty() {
                send(&mut self.stream, &out.0)?;
            }
            // A short read means that the socket is drained: the next byte is a new readiness.
            if filled < buffer.len() && !event.is_read_closed() {
                return Ok(());
            }
        }
    }

    /// Sends a text message.
    pub(crate) fn say(&mut self, message: &str) -> Result<(), Trouble> {
        let mut out = Outgoing::default();
        out.say(message);
        send(&mut self.stream, &out.0)
    }

    /// Goes away as a browser does.
    pub(crate) fn leave(mut self) {
        let mut frame = Vec::new();
        wire::client_frame(&mut frame, Opcode::Close, &GOING_AWAY);
        // Whoever goes away does not mind that the other is gone already.
        let _ = send(&mut self.stream, &frame);
    }

    fn connected(&mut self, event: &Event, path: &str) -> Result<bool, Trouble> {
        let error =
            self.stream.take_error().map_err(Trouble::io("asking a socket for its error"))?;
        if let Some(source) = error {
            return Err(Trouble::Io { what: "connecting a page", source });
        }
        if !event.is_writable() {
            return Ok(false);
        }
        self.stream.set_nodelay(true).map_err(Trouble::io("TCP_NODELAY"))?;
        let server = self.stream.peer_addr().map_err(Trouble::io("asking who was called"))?;
        let upgrade = format!(
            "GET {path} HTTP/1.1\r\nHost: {server}\r\nOrigin: http://{server}\r\n\
             Upgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Key: {CLIENT_KEY}\r\nSec-WebSocket-Version: 13\r\n\r\n"
        );
        send(&mut self.stream, upgrade.as_bytes())?;
        self.stage = Stage::Upgrading;
        Ok(true)
    }

    /// Handles every complete message in `bytes` and says how many bytes those were.
    fn take(
        &mut self,
        bytes: &mut [u8],
        now: Moment,
        out: &mut Outgoing,
        hear: &mut impl FnMut(&[u8], Moment, &mut Outgoing) -> Result<(), Trouble>,
    ) -> Result<usize, Trouble> {
        let mut used = 0;
        if self.stage == Stage::Upgrading {
            let Some(end) = wire::head_end(bytes) else { return Ok(0) };
            let accept = wire::accept_key(CLIENT_KEY.as_bytes());
            let upgraded = bytes.starts_with(b"HTTP/1.1 101")
                && wire::find(&bytes[..end], accept.as_bytes()).is_some();
            if !upgraded {
                return Err(Trouble::unexpected("a page that connects", bytes));
            }
            self.stage = Stage::Open;
            used = end;
        }
        loop {
            let frame = &mut bytes[used..];
            let head = Head::read(frame, Sender::Server)
                .map_err(|error| Trouble::unexpected("a page", error.to_string().as_bytes()))?;
            let Some(head) = head else { return Ok(used) };
            let payload = head.unmask(frame);
            match head.opcode {
                Opcode::Text => hear(payload, now, out)?,
                Opcode::Ping => wire::client_frame(&mut out.0, Opcode::Pong, payload),
                Opcode::Pong => {}
                Opcode::Close => {
                    let (code, reason) = payload.split_at(payload.len().min(2));
                    let code = code.iter().fold(0, |code, byte| code << 8 | u32::from(*byte));
                    return Err(closed(format!("{code} {}", String::from_utf8_lossy(reason))));
                }
            }
            used += head.end;
        }
    }
}

fn closed(detail: String) -> Trouble {
    Trouble::Closed { who: "a page".to_owned(), detail }
}

/// Frames to be sent together.
#[derive(Debug, Default)]
pub(crate) struct Outgoing(Vec<u8>);

impl Outgoing {
    /// Adds a text message.
    pub(crate) fn say(&mut self, message: &str) {
        wire::client_frame(&mut self.0, Opcode::Text, message.as_bytes());
    }
}
