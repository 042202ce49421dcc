// SPDX-License-Identifier: MIT OR Apache-2.0
//! The yardstick: one thread, one epoll, sockets, and no server around it. It upgrades, answers
//! `pusher:subscribe`, and for each publish sends one pre-encoded frame to each subscriber. It
//! checks no signature, keeps no state, enforces no limit, and speaks only with the load
//! generator of this crate, whose requests it takes apart by searching for what it needs.

use crate::wire::{self, Head, Opcode, Sender};
use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token};
use std::collections::HashMap;
use std::io::{self, Read, Write};
use std::mem;

/// How frames leave the loop: the one difference between its two forms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Delivery {
    /// One `send` per message and subscriber, at once.
    Bare,
    /// What a turn of the loop produced for one socket leaves in one write at the turn's end.
    Coalesced,
}

const READ_BYTES: usize = 64 * 1024;
const EVENTS: usize = 1024;
const LISTENER: Token = Token(usize::MAX - 1);

/// Output buffers that are kept for the next turn, at most.
const SPARE_BUFFERS: usize = 4096;

const HTTP_OK: &[u8] =
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}";

/// What a connection has turned out to be.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    Http,
    Socket,
    Subscriber { room: u32 },
}

struct Connection {
    stream: TcpStream,
    role: Role,
    /// The socket was full: `out` waits for it to become writable.
    blocked: bool,
    out: Vec<u8>,
    rest: Vec<u8>,
}

/// The loop and all it knows.
pub(crate) struct BareLoop {
    poll: Poll,
    listener: TcpListener,
    delivery: Delivery,
    connections: Vec<Option<Connection>>,
    free: Vec<usize>,
    room_of: HashMap<Box<[u8]>, u32>,
    rooms: Vec<Vec<u32>>,
    /// Connections with output of this turn.
    dirty: Vec<usize>,
    spare: Vec<Vec<u8>>,
    scratch: Vec<u8>,
    next_socket: u64,
}

impl BareLoop {
    /// A loop that serves `listener`.
    pub(crate) fn new(listener: std::net::TcpListener, delivery: Delivery) -> io::Result<Self> {
        listener.set_nonblocking(true)?;
        let mut listener = TcpListener::from_std(listener);
        let poll = Poll::new()?;
        poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
        Ok(Self {
            poll,
            listener,
            delivery,
            connections: Vec::new(),
            free: Vec::new(),
            room_of: HashMap::new(),
            rooms: Vec::new(),
            dirty: Vec::new(),
            spare: Vec::new(),
            scratch: Vec::new(),
            next_socket: 1,
        })
    }

    /// Serves until the system fails.
    pub(crate) fn run(mut self) -> io::Result<()> {
        let mut events = Events::with_capacity(EVENTS);
        let mut buffer = vec![0; READ_BYTES];
        loop {
            match self.poll.poll(&mut events, None) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                result => result?,
            }
            for event in events.iter() {
                let Token(index) = event.token();
                if event.token() == LISTENER {
                    self.accept()?;
                    continue;
                }
                if event.is_writable() {
                    self.flush(index)?;
                }
                if event.is_readable() || event.is_read_closed() {
                    self.read(index, event.is_read_closed(), &mut buffer)?;
                }
            }
            for index in mem::take(&mut self.dirty) {
                self.flush(index)?;
            }
        }
    }

    fn accept(&mut self) -> io::Result<()> {
        loop {
            let mut stream = match self.listener.accept() {
                Ok((stream, _)) => stream,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            };
            stream.set_nodelay(true)?;
            let index = self.free.pop().unwrap_or(self.connections.len());
            self.poll.registry().register(&mut stream, Token(index), Interest::READABLE)?;
            let connection = Connection {
                stream,
                role: Role::Http,
                blocked: false,
                out: Vec::new(),
                rest: Vec::new(),
            };
            match self.connections.get_mut(index) {
                Some(place) => *place = Some(connection),
                None => self.connections.push(Some(connection)),
            }
        }
    }

    fn read(&mut self, index: usize, to_the_end: bool, buffer: &mut [u8]) -> io::Result<()> {
        loop {
            let Some(Some(connection)) = self.connections.get_mut(index) else { return Ok(()) };
            let kept = connection.rest.len();
            let count = match connection.stream.read(&mut buffer[kept..]) {
                Ok(count) if count > 0 => count,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                _ => return self.close(index),
            };
            buffer[..kept].copy_from_slice(&mem::take(&mut connection.rest));
            let filled = kept + count;
            let Some(used) = self.take(index, &mut buffer[..filled]) else {
                return self.close(index);
            };
            if let Some(connection) = &mut self.connections[index]
                && used < filled
            {
                connection.rest = buffer[used..filled].to_vec();
            }
            if filled < buffer.len() && !to_the_end {
                return Ok(());
            }
        }
    }

    /// Handles each complete request or frame; `None` when the connection has to go.
    fn take(&mut self, index: usize, bytes: &mut [u8]) -> Option<usize> {
        let mut used = 0;
        loop {
            let role = self.connections[index].as_ref()?.role;
            let length = match role {
                Role::Http => self.request(index, &bytes[used..])?,
                Role::Socket | Role::Subscriber { .. } => self.frame(index, &mut bytes[used..])?,
            };
            if length == 0 {
                return Some(used);
            }
            used += length;
        }
    }

    fn request(&mut self, index: usize, bytes: &[u8]) -> Option<usize> {
        let mut headers = [httparse::EMPTY_HEADER; 32];
        let mut request = httparse::Request::new(&mut headers);
        let httparse::Status::Complete(head) = request.parse(bytes).ok()? else { return Some(0) };
        let header = |name: &str| {
            let mut all = request.headers.iter();
            all.find(|header| header.name.eq_ignore_ascii_case(name)).map(|header| header.value)
        };
        if request.path?.starts_with("/app/") {
            let accept = wire::accept_key(header("sec-websocket-key")?);
            self.upgrade(index, &accept)?;
            return Some(head);
        }
        let length: usize = std::str::from_utf8(header("content-length")?).ok()?.parse().ok()?;
        let Some(body) = bytes.get(head..head + length) else { return Some(0) };
        self.publish(body)?;
        self.push(index, HTTP_OK);
        Some(head + length)
    }

    fn upgrade(&mut self, index: usize, accept: &str) -> Option<()> {
        let socket = self.next_socket;
        self.next_socket += 1;
        let established = format!(
            r#"{{"event":"pusher:connection_established","data":"{{\"socket_id\":\"1.{socket}\",\"activity_timeout\":120}}"}}"#
        );
        let mut out = mem::take(&mut self.scratch);
        out.clear();
        write!(
            out,
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Accept: {accept}\r\n\r\n"
        )
        .ok()?;
        wire::server_frame(&mut out, Opcode::Text, established.as_bytes());
        self.connections[index].as_mut()?.role = Role::Socket;
        self.push(index, &out);
        self.scratch = out;
        Some(())
    }

    fn frame(&mut self, index: usize, bytes: &mut [u8]) -> Option<usize> {
        let Some(head) = Head::read(bytes, Sender::Client).ok()? else { return Some(0) };
        let payload = head.unmask(bytes);
        if head.opcode == Opcode::Close {
            return None;
        }
        if head.opcode == Opcode::Text && wire::find(payload, b"\"pusher:subscribe\"").is_some() {
            let name = quoted_after(payload, b"\"channel\":\"")?;
            self.subscribe(index, name)?;
        }
        Some(head.end)
    }

    fn subscribe(&mut self, index: usize, name: &[u8]) -> Option<()> {
        let room = match self.room_of.get(name) {
            Some(room) => *room,
            None => {
                let room = u32::try_from(self.rooms.len()).ok()?;
                self.rooms.push(Vec::new());
                self.room_of.insert(name.into(), room);
                room
            }
        };
        self.rooms[room as usize].push(u32::try_from(index).ok()?);
        self.connections[index].as_mut()?.role = Role::Subscriber { room };
        let mut message =
            br#"{"event":"pusher_internal:subscription_succeeded","channel":""#.to_vec();
        message.extend_from_slice(name);
        message.extend_from_slice(br#"","data":"{}"}"#);
        let mut frame = Vec::with_capacity(message.len() + 4);
        wire::server_frame(&mut frame, Opcode::Text, &message);
        self.push(index, &frame);
        Some(())
    }

    /// Encodes the event once and hands it to each subscriber.
    fn publish(&mut self, body: &[u8]) -> Option<()> {
        let event = quoted_after(body, b"\"name\":\"")?;
        let channel = quoted_after(body, b"\"channels\":[\"")?;
        let data = quoted_after(body, b"\"data\":\"")?;
        let Some(room) = self.room_of.get(channel).copied() else { return Some(()) };

        let mut message = mem::take(&mut self.scratch);
        message.clear();
        for part in [
            b"{\"event\":\"",
            event,
            b"\",\"channel\":\"",
            channel,
            b"\",\"data\":\"",
            data,
            b"\"}",
        ] {
            message.extend_from_slice(part);
        }
        let mut frame = Vec::with_capacity(message.len() + 4);
        wire::server_frame(&mut frame, Opcode::Text, &message);
        self.scratch = message;

        let subscribers = mem::take(&mut self.rooms[room as usize]);
        for subscriber in &subscribers {
            self.push(*subscriber as usize, &frame);
        }
        self.rooms[room as usize] = subscribers;
        Some(())
    }

    /// Output for one connection: sent now, or at the end of the turn.
    fn push(&mut self, index: usize, bytes: &[u8]) {
        let Some(connection) = &mut self.connections[index] else { return };
        // Whatever waits already goes first, and is in `dirty` or watched for room.
        if !connection.out.is_empty() {
            connection.out.extend_from_slice(bytes);
            return;
        }
        let sent = match self.delivery {
            Delivery::Bare => connection.stream.write(bytes).unwrap_or(0),
            Delivery::Coalesced => 0,
        };
        if sent < bytes.len() {
            connection.out = self.spare.pop().unwrap_or_default();
            connection.out.extend_from_slice(&bytes[sent..]);
            self.dirty.push(index);
        }
    }

    /// Writes what waits for a connection, and watches for room when the socket is full.
    fn flush(&mut self, index: usize) -> io::Result<()> {
        let Some(Some(connection)) = self.connections.get_mut(index) else { return Ok(()) };
        if connection.out.is_empty() {
            return Ok(());
        }
        let was_blocked = connection.blocked;
        match connection.stream.write(&connection.out) {
            Ok(sent) if sent == connection.out.len() => {
                let mut out = mem::take(&mut connection.out);
                connection.blocked = false;
                if self.spare.len() < SPARE_BUFFERS {
                    out.clear();
                    self.spare.push(out);
                }
            }
            Ok(sent) => {
                connection.out.drain(..sent);
                connection.blocked = true;
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => connection.blocked = true,
            Err(_) => return self.close(index),
        }
        if connection.blocked != was_blocked {
            let interest = if connection.blocked {
                Interest::READABLE | Interest::WRITABLE
            } else {
                Interest::READABLE
            };
            self.poll.registry().reregister(&mut connection.stream, Token(index), interest)?;
        }
        Ok(())
    }

    fn close(&mut self, index: usize) -> io::Result<()> {
        let Some(mut connection) = self.connections[index].take() else { return Ok(()) };
        if let Role::Subscriber { room } = connection.role {
            let room = &mut self.rooms[room as usize];
            if let Some(place) = room.iter().position(|other| *other as usize == index) {
                room.swap_remove(place);
            }
        }
        self.free.push(index);
        self.poll.registry().deregister(&mut connection.stream)
    }
}

/// The text between the end of `mark` and the next quote.
fn quoted_after<'a>(bytes: &'a [u8], mark: &[u8]) -> Option<&'a [u8]> {
    let text = &bytes[wire::find(bytes, mark)? + mark.len()..];
    Some(&text[..text.iter().position(|byte| *byte == b'"')?])
}
