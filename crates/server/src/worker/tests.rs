// SPDX-License-Identifier: MIT OR Apache-2.0
//! What depends on the order of things within one turn, which no client can choose.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use oyez_protocol::channel::ChannelName;
use oyez_protocol::close::CloseCode;
use oyez_protocol::websocket::frame;

use oyez_core::{ChannelKey, Listener, Recovered};

use super::disconnect::{Disconnect, Name};
use super::relocate::{Admitted, Move, Wish};
use super::*;
use crate::apps::Apps;
use crate::options::AppOptions;
use crate::shared::Equipment;
use crate::startup::{Clock, homes, rules};
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
        let home = homes(&rules(&options, 1), 1, recovered, &keys, &clock).0.remove(0);
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

    /// The client says that, in a frame whose mask changes nothing.
    fn say(&mut self, text: &str) {
        let length = u8::try_from(text.len()).expect("a short text");
        assert!(length < 126);
        let mut frame = vec![0x81, 0x80 | length, 0, 0, 0, 0];
        frame.extend_from_slice(text.as_bytes());
        self.client.write_all(&frame).expect("it reads");
        self.worker.readable(self.slot);
        self.worker.settle();
        self.worker.flush();
    }

    /// The client subscribes to a public channel.
    fn subscribe(&mut self, channel: &str) -> ChannelKey {
        self.say(&format!(
            "{{\"event\":\"pusher:subscribe\",\"data\":{{\"channel\":\"{channel}\"}}}}"
        ));
        let name = ChannelName::parse(channel, usize::MAX).expect("a name");
        let key = self.worker.shared.keys.key(oyez_core::AppIndex(0), name);
        let local = self.worker.channels.find(&key).expect("it is held");
        assert_eq!(self.worker.channels.subscribers(local).len(), 1);
        key
    }

    /// What its backlog costs.
    fn waiting(&mut self) -> usize {
        let connection = self.worker.seats.connection(self.slot).expect("it is open");
        connection.backlog.as_ref().map_or(0, |backlog| backlog.cost())
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

#[test]
fn a_blocked_reader_is_told_only_the_newest_number_of_each_channel_and_is_never_too_slow_for_it() {
    let mut pair = Pair::open();
    let (a, b, left) = (pair.subscribe("a"), pair.subscribe("b"), pair.subscribe("left"));
    pair.block();
    let waiting = pair.waiting();
    for number in 10..10_000 {
        for key in [&a, &b, &left] {
            pair.worker.deliver_count(key, &Frame::subscription_count(key.name(), number));
        }
        pair.worker.flush();
    }
    assert_eq!(pair.waiting(), waiting, "nothing was added to what waits");
    pair.say("{\"event\":\"pusher:unsubscribe\",\"data\":{\"channel\":\"left\"}}");
    assert_eq!(pair.worker.counts.len(), 2, "who leaves is told nothing more");
    pair.read_on();
    pair.worker.writable(pair.slot);
    assert!(!pair.is_blocked(), "the client has made room");
    assert!(pair.worker.counts.is_empty());
    pair.worker.deliver_count(&a, &Frame::subscription_count(a.name(), 10_000));
    pair.worker.close_with(pair.slot, CloseCode::Unauthorized, "the test is over");
    pair.worker.flush();
    let told = String::from_utf8_lossy(&pair.read_to_end()).into_owned();
    let number = |key: &ChannelKey, number| {
        let frame = Frame::subscription_count(key.name(), number);
        let text = String::from_utf8_lossy(frame.bytes()).into_owned();
        told.matches(text.split_once('{').expect("JSON").1).count()
    };
    assert_eq!((number(&a, 9_999), number(&b, 9_999), number(&a, 10_000)), (1, 1, 1));
    assert_eq!(told.matches("subscription_count\"").count(), 3, "and no other");
}

#[test]
fn a_connection_that_shall_end_while_it_moves_is_closed_where_it_arrives() {
    let mut pair = Pair::open();
    let connection = pair.worker.seats.connection(pair.slot).expect("it is open");
    let name = Name { app: connection.app, socket_id: connection.socket_id };
    let channel = ChannelName::parse("a", usize::MAX).expect("a name");
    let key = pair.worker.shared.keys.key(name.app, channel);
    let wish = Wish { member: None, listener: Listener::default() };
    let subscribe = Admitted { key: key.clone(), wish };
    // It moves to where it is: all that counts is that it is in the mail.
    let moving = Move { slot: pair.slot, to: WorkerId(0), subscribe };
    let unheard = b"bytes that were not heard before it moved";
    pair.worker.depart_for(moving, unheard);
    assert_eq!((pair.worker.seats.open(), pair.worker.mail.waiting()), (0, 0));

    // Two workers must take the wish; this one is the first.
    let (disconnect, done) = Disconnect::new(name, 2);
    pair.worker.disconnects.take(Arc::clone(&disconnect));
    pair.worker.disconnect();
    assert_eq!(pair.worker.mail.waiting(), 1, "what moved is in its queue before anybody hears");
    pair.worker.take_mail(1);
    pair.worker.settle();
    assert!(pair.worker.channels.find(&key).is_none(), "it has subscribed to nothing");
    pair.worker.flush();
    let goodbye = "The app has ended this connection: reconnect";
    assert!(pair.read_to_end().ends_with(&frame::close(4200, goodbye)));

    // And the last.
    pair.worker.disconnects.take(disconnect);
    pair.worker.disconnect();
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    assert!(runtime.block_on(done.wait()));
    // This worker has taken it twice, and is told once.
    pair.worker.take_mail(1);
    assert!(!pair.worker.disconnects.is_empty());
    pair.worker.disconnects.forget(name);
    assert!(pair.worker.disconnects.is_empty());
}

#[test]
fn what_a_home_has_to_do_soon_wakes_its_worker_then_and_not_at_the_next_tick() {
    let mut pair = Pair::open();
    pair.subscribe("a");
    pair.worker.set_alarm();
    assert_eq!(pair.worker.alarm.at(), None, "there is nothing to do");
    // A channel that all have left is looked at once more after a while.
    pair.say("{\"event\":\"pusher:unsubscribe\",\"data\":{\"channel\":\"a\"}}");
    let due = pair.worker.home.next_tick().expect("it waits for whoever comes back");
    let before = |millis: u64| Millis(due.0 - millis);
    for (now, rings) in [(before(500), None), (before(40), Some(due)), (before(1), Some(due))] {
        pair.worker.now = now;
        pair.worker.look();
        pair.worker.set_alarm();
        assert_eq!(pair.worker.alarm.at(), rings, "{now:?}");
    }
    assert_eq!(pair.worker.home.next_tick(), Some(due), "nothing is done too early");
    pair.worker.now = due;
    pair.worker.look();
    assert_eq!(pair.worker.home.next_tick(), None);
}
