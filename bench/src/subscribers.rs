// SPDX-License-Identifier: MIT OR Apache-2.0
//! The subscribers of a run: thousands of sockets, each in one room, all in the load generator's
//! one thread. A subscriber connects, upgrades, waits for `connection_established`, subscribes,
//! and from then on hands every event to whoever [`Hears`] it. Reading costs one system call per
//! readiness and allocates nothing once a connection is set up.

use crate::signature::app;
use crate::traffic::RoomNames;
use crate::trouble::Trouble;
use crate::wire::{self, CLIENT_KEY, Head, Opcode, Sender};
use mio::event::Event;
use mio::net::TcpStream;
use mio::{Interest, Registry, Token};
use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::time::Instant;

/// One read takes at most this; longer backlogs take another.
const READ_BYTES: usize = 64 * 1024;

/// How far a subscriber has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Connecting,
    Upgrading,
    Establishing,
    Subscribing,
    Subscribed,
}

struct Subscriber {
    stream: TcpStream,
    stage: Stage,
    room: u32,
    /// The start of a message whose end has not come.
    rest: Vec<u8>,
}

/// What becomes of what subscribers are sent.
pub(crate) trait Hears {
    /// What a subscriber says beside the channel, as members of the object that begin with a
    /// comma.
    fn also_says(&self, _subscriber: usize) -> String {
        String::new()
    }

    /// The subscription of a subscriber was acknowledged.
    ///
    /// # Errors
    /// The acknowledgement does not say what it should.
    fn subscribed(&mut self, _subscriber: usize, _message: &[u8]) -> Result<(), Trouble> {
        Ok(())
    }

    /// A subscribed one got a message; false when it is none of the events that were expected.
    ///
    /// # Errors
    /// It is one that must not come.
    fn event(
        &mut self,
        subscriber: usize,
        room: u32,
        message: &[u8],
        now: Instant,
    ) -> Result<bool, Trouble>;
}

/// All subscribers of a run. Subscriber `i` is the event source with token `i`.
pub(crate) struct Subscribers {
    server: SocketAddr,
    rooms: RoomNames,
    list: Vec<Subscriber>,
    subscribed: usize,
    buffer: Vec<u8>,
}

impl Subscribers {
    /// Nobody yet.
    pub(crate) fn new(server: SocketAddr, rooms: RoomNames) -> Self {
        Self { server, rooms, list: Vec::new(), subscribed: 0, buffer: vec![0; READ_BYTES] }
    }

    /// How many have begun to connect.
    pub(crate) fn started(&self) -> usize {
        self.list.len()
    }

    /// How many are subscribed.
    pub(crate) fn subscribed(&self) -> usize {
        self.subscribed
    }

    /// Begins to connect one more, for `room`.
    pub(crate) fn connect(&mut self, registry: &Registry, room: u32) -> Result<(), Trouble> {
        let mut stream =
            TcpStream::connect(self.server).map_err(Trouble::io("connecting a subscriber"))?;
        registry
            .register(&mut stream, Token(self.list.len()), Interest::READABLE | Interest::WRITABLE)
            .map_err(Trouble::io("watching a subscriber"))?;
        self.list.push(Subscriber { stream, stage: Stage::Connecting, room, rest: Vec::new() });
        Ok(())
    }

    /// Something happened on subscriber `index`'s socket.
    pub(crate) fn ready(
        &mut self,
        index: usize,
        event: &Event,
        hears: &mut impl Hears,
    ) -> Result<(), Trouble> {
        if self.list[index].stage == Stage::Connecting && !self.connected(index, event)? {
            return Ok(());
        }
        if event.is_readable() || event.is_read_closed() {
            self.read(index, event.is_read_closed(), hears)?;
        }
        Ok(())
    }

    fn connected(&mut self, index: usize, event: &Event) -> Result<bool, Trouble> {
        let server = self.server;
        let subscriber = &mut self.list[index];
        if let Some(source) =
            subscriber.stream.take_error().map_err(Trouble::io("asking a socket for its error"))?
        {
            return Err(Trouble::Io { what: "connecting a subscriber", source });
        }
        if !event.is_writable() {
            return Ok(false);
        }
        subscriber.stream.set_nodelay(true).map_err(Trouble::io("TCP_NODELAY"))?;
        let upgrade = format!(
            "GET /app/{}?protocol=7&client=bench&version=1.0.0&flash=false HTTP/1.1\r\n\
             Host: {server}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Key: {CLIENT_KEY}\r\nSec-WebSocket-Version: 13\r\n\r\n",
            app::KEY
        );
        send(&mut subscriber.stream, upgrade.as_bytes())?;
        subscriber.stage = Stage::Upgrading;
        Ok(true)
    }

    fn read(
        &mut self,
        index: usize,
        to_the_end: bool,
        hears: &mut impl Hears,
    ) -> Result<(), Trouble> {
        let mut buffer = std::mem::take(&mut self.buffer);
        let result = self.read_with(&mut buffer, index, to_the_end, hears);
        self.buffer = buffer;
        result
    }

    fn read_with(
        &mut self,
        buffer: &mut [u8],
        index: usize,
        to_the_end: bool,
        hears: &mut impl Hears,
    ) -> Result<(), Trouble> {
        loop {
            let subscriber = &mut self.list[index];
            let kept = subscriber.rest.len();
            let closed =
                |detail: String| Trouble::Closed { who: format!("subscriber {index}"), detail };
            let count = match subscriber.stream.read(&mut buffer[kept..]) {
                Ok(0) => return Err(closed("end of stream without a close frame".to_owned())),
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(closed(error.to_string())),
            };
            buffer[..kept].copy_from_slice(&subscriber.rest);
            subscriber.rest.clear();
            let filled = kept + count;
            let used = self.take(&mut buffer[..filled], index, hears)?;
            self.list[index].rest.extend_from_slice(&buffer[used..filled]);
            // A short read means that the socket is drained: the next byte is a new readiness.
            if filled < buffer.len() && !to_the_end {
                return Ok(());
            }
        }
    }

    /// Handles every complete message in `bytes` and says how many bytes those were.
    fn take(
        &mut self,
        bytes: &mut [u8],
        index: usize,
        hears: &mut impl Hears,
    ) -> Result<usize, Trouble> {
        let mut used = 0;
        if self.list[index].stage == Stage::Upgrading {
            let Some(end) = wire::head_end(bytes) else { return Ok(0) };
            let accept = wire::accept_key(CLIENT_KEY.as_bytes());
            let upgraded = bytes.starts_with(b"HTTP/1.1 101")
                && wire::find(&bytes[..end], accept.as_bytes()).is_some();
            if !upgraded {
                return Err(Trouble::unexpected(format!("subscriber {index}"), bytes));
            }
            self.list[index].stage = Stage::Establishing;
            used = end;
        }
        let now = Instant::now();
        loop {
            let frame = &mut bytes[used..];
            let head = Head::read(frame, Sender::Server)
                .map_err(|source| Trouble::Frame { subscriber: index, source })?;
            let Some(head) = head else { return Ok(used) };
            let payload = head.unmask(frame);
            match head.opcode {
                Opcode::Text => self.message(index, payload, hears, now)?,
                Opcode::Ping => {
                    let mut pong = Vec::new();
                    wire::client_frame(&mut pong, Opcode::Pong, payload);
                    send(&mut self.list[index].stream, &pong)?;
                }
                Opcode::Pong => {}
                Opcode::Close => {
                    let (code, reason) = payload.split_at(payload.len().min(2));
                    let code = code.iter().fold(0, |code, byte| code << 8 | u32::from(*byte));
                    let detail = format!("{code} {}", String::from_utf8_lossy(reason));
                    return Err(Trouble::Closed { who: format!("subscriber {index}"), detail });
                }
            }
            used += head.end;
        }
    }

    fn message(
        &mut self,
        index: usize,
        message: &[u8],
        hears: &mut impl Hears,
        now: Instant,
    ) -> Result<(), Trouble> {
        let Subscriber { stream, stage, room, .. } = &mut self.list[index];
        if *stage == Stage::Subscribed && hears.event(index, *room, message, now)? {
            return Ok(());
        }
        let says = |text: &[u8]| wire::find(message, text).is_some();
        match *stage {
            _ if says(b"\"pusher:ping\"") => {
                let mut pong = Vec::new();
                wire::client_frame(
                    &mut pong,
                    Opcode::Text,
                    br#"{"event":"pusher:pong","data":{}}"#,
                );
                send(stream, &pong)
            }
            Stage::Establishing if says(b"\"pusher:connection_established\"") => {
                let subscribe = format!(
                    r#"{{"event":"pusher:subscribe","data":{{"auth":"","channel":"{}"{}}}}}"#,
                    self.rooms.of(*room),
                    hears.also_says(index)
                );
                let mut frame = Vec::new();
                wire::client_frame(&mut frame, Opcode::Text, subscribe.as_bytes());
                *stage = Stage::Subscribing;
                send(stream, &frame)
            }
            Stage::Subscribing if says(b"\"pusher_internal:subscription_succeeded\"") => {
                *stage = Stage::Subscribed;
                self.subscribed += 1;
                hears.subscribed(index, message)
            }
            // Servers may tell more than was asked for, such as `subscription_count`.
            _ if says(b"\"pusher_internal:") || says(b"\"oyez:mark\"") => Ok(()),
            _ => Err(Trouble::unexpected(format!("subscriber {index}"), message)),
        }
    }
}

/// Sends a few hundred bytes to a socket that has nothing unsent: it takes them all.
pub(crate) fn send(stream: &mut TcpStream, bytes: &[u8]) -> Result<(), Trouble> {
    stream.write_all(bytes).map_err(Trouble::io("sending a request"))
}
