// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Web`]: an HTTP client that shows every byte: one connection, one request after the other.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};

use super::page::PATIENCE;

/// One connection.
pub(crate) struct Web {
    pub(crate) stream: TcpStream,
    reader: BufReader<TcpStream>,
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// Lines of its head, in lower case.
    pub(crate) head: Vec<String>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("text")
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.iter().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }
}

impl Web {
    pub(crate) fn open(address: SocketAddr) -> Web {
        let stream = TcpStream::connect(address).expect("it listens");
        stream.set_read_timeout(Some(PATIENCE)).expect("a socket takes it");
        stream.set_nodelay(true).expect("a socket takes it");
        let reader = BufReader::new(stream.try_clone().expect("a second handle"));
        Web { stream, reader }
    }

    /// Sends a request without a body and reads its answer.
    pub(crate) fn get(&mut self, path: &str) -> Answer {
        self.send(&format!("GET {path} HTTP/1.1\r\nhost: h\r\n\r\n"), b"");
        self.answer()
    }

    /// Sends a request with a body and reads its answer.
    pub(crate) fn post(&mut self, path: &str, body: &[u8]) -> Answer {
        let length = body.len();
        let head = format!("POST {path} HTTP/1.1\r\nhost: h\r\ncontent-length: {length}\r\n\r\n");
        self.send(&head, body);
        self.answer()
    }

    pub(crate) fn send(&mut self, head: &str, body: &[u8]) {
        self.stream.write_all(head.as_bytes()).expect("it takes a head");
        self.stream.write_all(body).expect("it takes a body");
    }

    /// The next answer, whole.
    pub(crate) fn answer(&mut self) -> Answer {
        let mut answer = self.head();
        match (answer.header("content-length"), answer.header("transfer-encoding")) {
            (Some(length), _) => {
                answer.body = vec![0; length.parse().expect("a number")];
                self.reader.read_exact(&mut answer.body).expect("a body");
            }
            (None, Some(_)) => while self.chunk(&mut answer.body) {},
            (None, None) => {}
        }
        answer
    }

    /// The head of the next answer.
    pub(crate) fn head(&mut self) -> Answer {
        let mut head = Vec::new();
        loop {
            let mut line = String::new();
            self.reader.read_line(&mut line).expect("a head in time");
            assert!(!line.is_empty(), "the connection was closed after {head:?}");
            match line.trim_end() {
                "" => break,
                line => head.push(line.to_ascii_lowercase()),
            }
        }
        let status = head[0].split(' ').nth(1).and_then(|code| code.parse().ok());
        Answer { status: status.expect("a status"), head, body: Vec::new() }
    }

    /// One chunk of a body; whether it was not the last.
    pub(crate) fn chunk(&mut self, body: &mut Vec<u8>) -> bool {
        let mut line = String::new();
        self.reader.read_line(&mut line).expect("a chunk in time");
        let length = usize::from_str_radix(line.trim_end(), 16).expect("a chunk's length");
        let from = body.len();
        body.resize(from + length, 0);
        self.reader.read_exact(&mut body[from..]).expect("a chunk");
        let mut end = [0; 2];
        self.reader.read_exact(&mut end).expect("its end");
        length > 0
    }

    /// Whether the server closes the connection, whatever it sends before.
    pub(crate) fn is_closed(&mut self) -> bool {
        let mut rest = Vec::new();
        match self.reader.read_to_end(&mut rest) {
            Ok(_) => true,
            Err(error) => error.kind() == std::io::ErrorKind::ConnectionReset,
        }
    }

    pub(crate) fn close(self) {
        let _ = self.stream.shutdown(Shutdown::Both);
    }
}
