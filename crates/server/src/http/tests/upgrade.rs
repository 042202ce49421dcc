// SPDX-License-Identifier: MIT OR Apache-2.0
//! A WebSocket's handshake on a connection that carried other requests, as reverse proxies send
//! it: against the whole server, over real sockets.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::harness::{SECRET, get, request};
use crate::options::{AppOptions, Options};
use crate::server::{Handle, Server};

const HANDSHAKE: &str = "GET /rt/app/key-1?protocol=7&client=test HTTP/1.1\r\nHost: test\r\n\
    Connection: keep-alive, Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nOrigin: http://test\r\n\r\n";

/// The answer to that key in RFC 6455 1.3.
const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

/// A whole server with two workers, stopped at the end.
struct Running {
    address: SocketAddr,
    handle: Handle,
    thread: Option<JoinHandle<()>>,
}

impl Running {
    fn start() -> Running {
        let options = Options {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            workers: 2,
            path: "/rt".to_owned(),
            drain: Duration::ZERO,
            apps: vec![AppOptions::new("1", "key-1", SECRET)],
            ..Options::default()
        };
        let server = Server::bind(options).expect("a free port");
        let (address, handle) = (server.address(), server.handle());
        let run = move || server.run().expect("no worker fails");
        Running { address, handle, thread: Some(std::thread::spawn(run)) }
    }

    fn connect(&self) -> Line {
        let stream = TcpStream::connect(self.address).expect("the server listens");
        stream.set_nodelay(true).expect("a socket takes it");
        stream.set_read_timeout(Some(Duration::from_secs(10))).expect("a socket takes it");
        Line { stream, unread: String::new() }
    }

    /// Waits until every worker has read what was sent before. A list is asked of all of them; when
    /// the second one comes, each has done all that it had to do when the first one came.
    fn reads_what_was_sent(&self) {
        let mut line = self.connect();
        (0..2).for_each(|_| {
            line.send(channels());
            line.hear("{\"channels\":{");
            line.hear("}}");
        });
    }

    /// The sum of all samples of a metric.
    fn metric(&self, name: &str) -> f64 {
        let mut line = self.connect();
        line.send(request("GET", "/metrics", "").replace("Host", "Connection: close\r\nHost"));
        let mut page = String::new();
        line.stream.read_to_string(&mut page).expect("text");
        let samples = page.lines().filter(|line| line.split(['{', ' ']).next() == Some(name));
        samples.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.handle.drain();
        let ended = self.thread.take().expect("it runs").join();
        assert!(ended.is_ok() || std::thread::panicking());
    }
}

/// A client's connection.
struct Line {
    stream: TcpStream,
    unread: String,
}

impl Line {
    fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.write_all(bytes.as_ref()).expect("the server reads");
    }

    /// One packet for each byte, as far as the system lets it be.
    fn send_slowly(&mut self, bytes: &str) {
        for byte in bytes.as_bytes().chunks(1) {
            self.send(byte);
            std::thread::yield_now();
        }
    }

    fn say(&mut self, message: &str) {
        self.send(frame(message));
    }

    /// Reads until that comes, and returns what came before.
    fn hear(&mut self, what: &str) -> String {
        loop {
            if let Some(at) = self.unread.find(what) {
                let before = self.unread[..at].to_owned();
                self.unread.drain(..at + what.len());
                return before;
            }
            let mut buffer = [0; 4096];
            let count = self.stream.read(&mut buffer).expect("in time");
            assert!(count > 0, "the end instead of {what}: {}", self.unread);
            self.unread += &String::from_utf8_lossy(&buffer[..count]);
        }
    }

    fn list_channels(&mut self) {
        self.send(channels());
        self.hear("HTTP/1.1 200 OK\r\n");
        self.hear("{\"channels\":{}}");
    }

    fn expect_websocket(&mut self) {
        assert_eq!(self.hear("HTTP/1.1 101 "), "");
        self.hear(ACCEPT);
        self.hear("pusher:connection_established");
    }

    fn subscribe(&mut self, channel: &str) {
        self.say(&subscribe(channel));
        self.hear("pusher_internal:subscription_succeeded");
    }
}

fn channels() -> String {
    get("/rt/apps/1/channels", &[])
}

fn subscribe(channel: &str) -> String {
    format!(r#"{{"event":"pusher:subscribe","data":{{"channel":"{channel}"}}}}"#)
}

/// A short text, masked with nothing.
fn frame(text: &str) -> Vec<u8> {
    assert!(text.len() < 126);
    [&[0x81, 0x80 | text.len() as u8, 0, 0, 0, 0], text.as_bytes()].concat()
}

#[test]
fn p001_a_handshake_may_follow_other_requests_on_its_connection() {
    let server = Running::start();
    let mut line = server.connect();
    for _ in 0..3 {
        line.list_channels();
    }
    line.send(HANDSHAKE);
    line.expect_websocket();
    line.subscribe("room");
    line.say(r#"{"event":"pusher:ping","data":{}}"#);
    line.hear("pusher:pong");

    // It is counted as what it is now; the one HTTP connection is that of the question.
    let until = Instant::now() + Duration::from_secs(10);
    while server.metric("oyez_http_connections") != 1.0 {
        assert!(Instant::now() < until);
    }
    assert_eq!(server.metric("oyez_connections"), 1.0);
    assert_eq!(server.metric("oyez_connections_opened_total"), 1.0);
    drop(line);
    while server.metric("oyez_connections") != 0.0 {
        assert!(Instant::now() < until);
    }
}

#[test]
fn p001_such_a_handshake_may_come_byte_by_byte() {
    let server = Running::start();
    let mut line = server.connect();
    line.list_channels();
    // What begins like a handshake is none.
    line.send_slowly(&channels());
    line.hear("}}");
    line.send_slowly(HANDSHAKE);
    line.expect_websocket();
    for at in [1, 4, 12, HANDSHAKE.len() - 1] {
        let mut line = server.connect();
        line.list_channels();
        let (begin, rest) = HANDSHAKE.split_at(at);
        line.send(begin);
        server.reads_what_was_sent();
        line.send(rest);
        line.expect_websocket();
    }
    line.subscribe("room");
}

#[test]
fn p072_what_is_pipelined_before_and_behind_a_handshake_is_answered_in_order() {
    let server = Running::start();
    let mut line = server.connect();
    let before = channels().repeat(5).into_bytes();
    line.send([&before, HANDSHAKE.as_bytes(), &frame(&subscribe("room"))].concat());
    for _ in 0..5 {
        assert_eq!(line.hear("HTTP/1.1 200 OK\r\n"), "");
        line.hear("}}");
    }
    line.expect_websocket();
    line.hear("pusher_internal:subscription_succeeded");
}

#[test]
fn p002_such_a_handshake_is_refused_as_any_other() {
    let server = Running::start();
    for (from, to, answer) in [
        ("key-1", "nobody", "4001"),
        ("protocol=7", "protocol=4", "4007"),
        ("Version: 13", "Version: 12", "HTTP/1.1 426 "),
        ("Origin: ", "Content-Length: 3\r\nOrigin: ", "HTTP/1.1 400 "),
    ] {
        let mut line = server.connect();
        line.list_channels();
        line.send(HANDSHAKE.replace(from, to));
        line.hear(answer);
    }
}

#[test]
fn what_only_looks_like_a_handshake_stays_what_it_is() {
    let server = Running::start();
    let mut line = server.connect();
    line.list_channels();
    // No upgrade, another prefix.
    for other in [
        HANDSHAKE.replace("Upgrade: websocket\r\n", ""),
        HANDSHAKE.replace("/rt/app/", "/app/"),
        HANDSHAKE.replace("/rt/app/", "/rt/apps/"),
    ] {
        line.send(other);
        line.hear("HTTP/1.1 404 ");
        line.hear("}");
    }
    // Inside of the head and of the body of another request, at the start of a packet.
    line.send("GET /nothing HTTP/1.1\r\nHost: test\r\nX-Text: ");
    server.reads_what_was_sent();
    line.send(HANDSHAKE.replace("Upgrade: websocket\r\n", ""));
    assert_eq!(line.hear("HTTP/1.1 404 "), "");
    line.hear("}");
    line.send(format!(
        "POST /x HTTP/1.1\r\nHost: t\r\nContent-Length: {}\r\n\r\n",
        HANDSHAKE.len()
    ));
    server.reads_what_was_sent();
    line.send(HANDSHAKE);
    assert_eq!(line.hear("HTTP/1.1 404 "), "");
    line.hear("}");
    line.list_channels();
}
