// SPDX-License-Identifier: MIT OR Apache-2.0
//! The backend of a run: one keep-alive HTTP connection per call in flight, each with signed
//! requests, as a rule `POST /apps/{id}/events`, one at a time. It reads answers only so far as to know that
//! they are whole and say success. A server that closes after each answer is connected to anew.

use crate::answer::{Answer, Reading, Then};
use crate::ledger::Stamp;
use crate::signature::{Signer, app};
use crate::subscribers::send;
use crate::traffic::{Call, Traffic};
use crate::trouble::Trouble;
use mio::net::TcpStream;
use mio::{Interest, Registry, Token};
use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::time::{SystemTime, UNIX_EPOCH};

/// The name of every event the bench publishes.
pub(crate) const EVENT_NAME: &str = "bench";

/// How a publish is answered: done, or (202) to be done later.
const SUCCESS: [u16; 2] = [200, 202];

/// No answer to a publish is longer.
const ANSWER_LIMIT: usize = 4096;

#[derive(Default)]
struct Connection {
    /// `None` before the first publish, and after an answer that ended the connection.
    stream: Option<TcpStream>,
    /// The start of an answer whose end has not come.
    rest: Vec<u8>,
    /// Whether an answer is due. Without one a server may close what lies idle.
    asked: bool,
}

/// The publishers of a run. Slot `i` of the ledger publishes over connection `i`, which is kept
/// alive if the server lets it.
pub(crate) struct Publishers {
    connections: Vec<Connection>,
    first_token: usize,
    signer: Signer,
    server: SocketAddr,
    traffic: Traffic,
    path: String,
    body: Vec<u8>,
    request: Vec<u8>,
    scratch: Vec<u8>,
}

impl Publishers {
    /// Publishers for that traffic, whose events carry tokens from `first_token` on.
    pub(crate) fn new(server: SocketAddr, traffic: Traffic, first_token: usize) -> Self {
        let calls = match traffic.call {
            Call::Event => "events",
            Call::Batch(_) => "batch_events",
            Call::Changed => "channels",
        };
        Self {
            connections: (0..traffic.slots).map(|_| Connection::default()).collect(),
            first_token,
            signer: Signer::new(app::KEY, app::SECRET),
            server,
            traffic,
            path: format!("/apps/{}/{calls}", app::ID),
            body: Vec::new(),
            request: Vec::new(),
            scratch: Vec::new(),
        }
    }

    /// Connects those that are not. Blocks until they are, which on loopback waits for nobody.
    pub(crate) fn connect(&mut self, registry: &Registry) -> Result<(), Trouble> {
        for slot in 0..self.connections.len() {
            self.connected(slot, registry)?;
        }
        Ok(())
    }

    fn connected(&mut self, slot: usize, registry: &Registry) -> Result<&mut TcpStream, Trouble> {
        let connect = || -> io::Result<TcpStream> {
            let stream = std::net::TcpStream::connect(self.server)?;
            stream.set_nodelay(true)?;
            stream.set_nonblocking(true)?;
            let mut stream = TcpStream::from_std(stream);
            registry.register(&mut stream, Token(self.first_token + slot), Interest::READABLE)?;
            Ok(stream)
        };
        let place = &mut self.connections[slot].stream;
        match place {
            Some(stream) => Ok(stream),
            None => Ok(place.insert(connect().map_err(Trouble::io("connecting a publisher"))?)),
        }
    }

    /// Sends a publish to `room` over the connection of its slot, which must have none open.
    pub(crate) fn publish(
        &mut self,
        registry: &Registry,
        stamp: Stamp,
        room: u32,
    ) -> Result<(), Trouble> {
        self.write_request(stamp, room);
        let request = std::mem::take(&mut self.request);
        let sent = send(self.connected(usize::from(stamp.slot), registry)?, &request);
        self.request = request;
        self.connections[usize::from(stamp.slot)].asked = true;
        sent
    }

    fn write_request(&mut self, stamp: Stamp, room: u32) {
        const FITS: &str = "a Vec takes every byte";
        let Self { signer, server, traffic, path, body, request, scratch, .. } = self;
        let names = traffic.rooms.names;
        let of_room;
        let path = match traffic.call {
            Call::Changed => {
                of_room = format!("{path}/{}/changed", names.of(room));
                &of_room
            }
            Call::Event | Call::Batch(_) => path,
        };
        body.clear();
        match traffic.call {
            Call::Event => {
                write!(body, r#"{{"name":"{EVENT_NAME}","channels":["{}"],"#, names.of(room))
                    .expect(FITS);
                body.extend_from_slice(br#""data":""#);
                stamp.write(body, traffic.data);
                body.extend_from_slice(br#""}"#);
            }
            Call::Batch(events) => {
                body.extend_from_slice(br#"{"batch":["#);
                for event in 0..events {
                    let comma = if event == 0 { "" } else { "," };
                    let name = names.of((room + event) % traffic.rooms.count);
                    write!(body, r#"{comma}{{"name":"{EVENT_NAME}","channel":"{name}","data":""#)
                        .expect(FITS);
                    stamp.write(body, traffic.data);
                    body.extend_from_slice(br#""}"#);
                }
                body.extend_from_slice(b"]}");
            }
            Call::Changed => body.extend_from_slice(b"{}"),
        }

        let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs());
        request.clear();
        write!(request, "POST {path}?").expect(FITS);
        signer.query(request, scratch, (path, body), seconds);
        write!(
            request,
            " HTTP/1.1\r\nHost: {server}\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\n\r\n",
            body.len()
        )
        .expect(FITS);
        request.extend_from_slice(body);
    }

    /// Reads what came for `slot`; true when the answer to its publish is whole.
    pub(crate) fn read(&mut self, slot: u16) -> Result<bool, Trouble> {
        let Connection { stream: place, rest, asked } = &mut self.connections[usize::from(slot)];
        let Some(stream) = place else { return Ok(false) };
        let mut buffer = [0; ANSWER_LIMIT];
        loop {
            let who = || format!("publisher {slot}");
            let kept = rest.len();
            let count = match stream.read(&mut buffer[kept..]) {
                Ok(0) if !*asked => {
                    *place = None;
                    return Ok(false);
                }
                Ok(0) => return Err(Trouble::Closed { who: who(), detail: "end".to_owned() }),
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => {
                    return Err(Trouble::Closed { who: who(), detail: error.to_string() });
                }
            };
            buffer[..kept].copy_from_slice(rest);
            let answer = &buffer[..kept + count];
            match Answer::read(answer) {
                Reading::Incomplete if answer.len() < ANSWER_LIMIT => {
                    rest.clear();
                    rest.extend_from_slice(answer);
                }
                Reading::Whole(whole)
                    if whole.length == answer.len() && SUCCESS.contains(&whole.status) =>
                {
                    let then = whole.then;
                    rest.clear();
                    *asked = false;
                    if then == Then::Close {
                        *place = None;
                    }
                    return Ok(true);
                }
                _ => return Err(Trouble::unexpected(who(), answer)),
            }
        }
    }
}
