// SPDX-License-Identifier: MIT OR Apache-2.0
//! What depends on the order of things within one turn, which no client can choose.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use oyez_protocol::close::CloseCode;
use oyez_protocol::websocket::frame;

use oyez_core::Recovered;

use super::*;
use crate::apps::Apps;
use crate::options::AppOptions;
use crate::shared::Equipment;
use crate::startup::{Clock, homes};
use crate::webhooks::Webhooks;

/// A worker that takes no turn of its own, and a client that holds its only WebSocket.
struct Pair {
    worker: Worker,
    client: TcpStream,
    slot: u32,
    _poll: mio::Poll,
}

impl Pair {
    fn open() -> Pair {
        let apps = vec![AppOptions::new("1", "key", "secret")];
        // So much that a socket is blocked long before it is too slow.
        let limits = Limits { output_bytes: usize::MAX, ..Limits::default() };
        let options = Options { workers: 1, apps: apps.clone(), limits, ..Options::default() };
        let apps = Arc::new(Apps::new(apps).expect("one app"));
        let webhooks = Webhooks::start(&apps, &options.limits, None).expect("there are none");
        let keys = oyez_core::KeySpace::new(1);
        let clock = Clock::now();
        let recovered = Recovered { terms: vec![clock.term], ..Recovered::default() };
        let home = homes(&options, 1, recovered, &keys, &clock).0.remove(0);
        let equipment = Equipment::bare(&apps, webhooks);
        let shared = Arc::new(Shared::new(options, apps, equipment, 1));
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        listener.set_nonblocking(true).expect("a listener does that");
        let address = listener.local_addr().expect("an address");
        let poll = mio::Poll::new().expect("a poll");
        let mail = mail::mailboxes(1, &shared.backlog).remove(0);
        let listener = TcpListener::from_std(listener);
        let mut worker = Worker::new(shared, mail, listener, &poll, home).expect("a worker");

        let mut client = TcpStream::connect(address).expect("it listens");
        client.set_read_timeout(Some(Duration::from_secs(10))).expect("a socket does that");
        let head = "GET /app/key?protocol=7 HTTP/1.1\r\nHost: test\r\nUpgrade: websocket\r\n\
                    Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
                    Sec-WebSocket-Version: 13\r\n\r\n";
        client.write_all(head.as_bytes()).expect("it reads");
        // On loopback, what was sent is there.
        worker.accept();
        worker.readable(0);
        worker.flush();
        assert_eq!(worker.seats.open(), 1);
        Pair { worker, client, slot: 0, _poll: poll }
    }

    fn is_blocked(&mut self) -> bool {
        self.worker.seats.connection(self.slot).is_some_and(|c| c.backlog.is_some())
    }

    /// Says so much that the socket takes no more.
    fn block(&mut self) {
        while !self.is_blocked() {
            self.worker.say_bytes(self.slot, &frame::pong(&[b'x'; 125]).repeat(100));
            self.worker.flush();
        }
    }

    /// The client reads all that its socket holds.
    fn read_on(&mut self) {
        let sent = self.worker.stats().bytes_out.get() as usize;
        self.client.read_exact(&mut vec![0; sent]).expect("it was sent");
    }

    /// The client reads until the end.
    fn read_to_end(&mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.client.read_to_end(&mut bytes).expect("an end");
        bytes
    }
}

#[test]
fn a_goodbye_reaches_a_socket_that_can_be_written_again_in_the_same_turn() {
    let mut pair = Pair::open();
    pair.block();
    pair.read_on();
    let reason = "there is a reason";
    pair.worker.close_with(pair.slot, CloseCode::Unauthorized, reason);
    // The goodbye waits for the end of the turn; the socket takes what waited before it.
    pair.worker.writable(pair.slot);
    assert!(!pair.is_blocked(), "the client has made room");
    pair.worker.flush();
    let goodbye = frame::close(CloseCode::Unauthorized.code(), reason);
    assert!(pair.read_to_end().ends_with(&goodbye));
}

#[test]
fn a_goodbye_reaches_a_socket_that_can_be_written_again_only_later() {
    let mut pair = Pair::open();
    pair.block();
    let reason = "there is a reason";
    pair.worker.close_with(pair.slot, CloseCode::Unauthorized, reason);
    pair.worker.flush();
    assert!(pair.is_blocked());
    pair.read_on();
    pair.worker.writable(pair.slot);
    let goodbye = frame::close(CloseCode::Unauthorized.code(), reason);
    assert!(pair.read_to_end().ends_with(&goodbye));
}
