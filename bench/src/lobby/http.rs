// SPDX-License-Identifier: MIT OR Apache-2.0
//! What browsers ask over HTTP: requests with cookies, over keep-alive connections that the pages
//! share. Each request goes out at once, over an idle connection or a new one, so that a slow
//! answer holds up nobody else; only beyond [`MOST`] open connections it waits, and what waited is
//! counted.

use super::moment::Moment;
use crate::answer::{Answer, Reading, Then};
use crate::subscribers::send;
use crate::trouble::Trouble;
use mio::net::TcpStream;
use mio::{Interest, Registry, Token};
use std::collections::VecDeque;
use std::io::{self, Read};
use std::net::SocketAddr;
use std::time::Duration;

/// Connections at once.
const MOST: usize = 512;

/// An idle connection that is older is not used again: the server may be about to close it.
const FRESH: Duration = Duration::from_secs(30);

/// One read takes at most this.
const READ_BYTES: usize = 16 * 1024;

/// No answer is longer.
const ANSWER_LIMIT: usize = 1024 * 1024;

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Method<'a> {
    /// A page.
    Get,
    /// What a form sends, already encoded, by a browser that goes from page to page.
    Form(&'a str),
    /// The same by a script, which wants JSON.
    Fetch(&'a str),
}

/// An answer, kept for whoever asked.
#[derive(Debug)]
pub(crate) struct Answered {
    pub(crate) status: u16,
    pub(crate) location: Option<String>,
    /// `name=value` of the cookie that it sets.
    pub(crate) cookie: Option<String>,
    pub(crate) body: Vec<u8>,
}

struct Connection<T> {
    stream: TcpStream,
    /// What the answer is for; without it the connection is idle.
    asked: Option<T>,
    rest: Vec<u8>,
    idle_since: Moment,
}

/// All connections. Connection `i` is the event source with token `first_token + i`.
pub(crate) struct Http<T> {
    server: SocketAddr,
    first_token: usize,
    connections: Vec<Option<Connection<T>>>,
    idle: Vec<usize>,
    /// Places of connections that are gone.
    free: Vec<usize>,
    waiting: VecDeque<(T, Vec<u8>)>,
    /// How many requests had to wait.
    pub(crate) waited: u64,
}

impl<T> Http<T> {
    /// No connection yet.
    pub(crate) fn new(server: SocketAddr, first_token: usize) -> Self {
        Self {
            server,
            first_token,
            connections: Vec::new(),
            idle: Vec::new(),
            free: Vec::new(),
            waiting: VecDeque::new(),
            waited: 0,
        }
    }

    /// Sends a request; its answer will come with `what`.
    pub(crate) fn ask(
        &mut self,
        registry: &Registry,
        (method, path, cookie): (Method<'_>, &str, &str),
        what: T,
    ) -> Result<(), Trouble> {
        let request = request(self.server, method, path, cookie);
        match self.place(registry)? {
            Some(place) => self.send(place, &request, what),
            None => {
                self.waited += 1;
                self.waiting.push_back((what, request));
                Ok(())
            }
        }
    }

    fn send(&mut self, place: usize, request: &[u8], what: T) -> Result<(), Trouble> {
        let connection = self.connections[place].as_mut().expect("a place that is in use");
        connection.asked = Some(what);
        send(&mut connection.stream, request)
    }

    /// A connection that is free, if there may be one more.
    fn place(&mut self, registry: &Registry) -> Result<Option<usize>, Trouble> {
        let now = Moment::now();
        while let Some(place) = self.idle.pop() {
            // One of the idle may have been closed meanwhile.
            let Some(connection) = &self.connections[place] else { continue };
            if now <= connection.idle_since.after(FRESH) {
                return Ok(Some(place));
            }
            self.connections[place] = None;
            self.free.push(place);
        }
        if self.free.is_empty() && self.connections.len() >= MOST {
            return Ok(None);
        }
        let place = self.free.pop().unwrap_or_else(|| {
            self.connections.push(None);
            self.connections.len() - 1
        });
        let connect = || -> io::Result<TcpStream> {
            let stream = std::net::TcpStream::connect(self.server)?;
            stream.set_nodelay(true)?;
            stream.set_nonblocking(true)?;
            let mut stream = TcpStream::from_std(stream);
            registry.register(&mut stream, Token(self.first_token + place), Interest::READABLE)?;
            Ok(stream)
        };
        let stream = connect().map_err(Trouble::io("connecting a browser"))?;
        self.connections[place] =
            Some(Connection { stream, asked: None, rest: Vec::new(), idle_since: now });
        Ok(Some(place))
    }

    /// Reads what came for a token: an answer when one is whole. There is never a second one, as
    /// nothing is asked before the answer.
    pub(crate) fn ready(
        &mut self,
        registry: &Registry,
        token: usize,
    ) -> Result<Option<(T, Answered)>, Trouble> {
        let place = token - self.first_token;
        let Some(connection) = self.connections.get_mut(place).and_then(Option::as_mut) else {
            return Ok(None);
        };
        let closed = |detail: String| Trouble::Closed { who: "a browser's request".into(), detail };
        loop {
            let kept = connection.rest.len();
            connection.rest.resize(kept + READ_BYTES, 0);
            let read = connection.stream.read(&mut connection.rest[kept..]);
            connection.rest.truncate(kept + read.as_ref().copied().unwrap_or(0));
            match read {
                Ok(0) if connection.asked.is_none() => {
                    self.connections[place] = None;
                    self.idle.retain(|other| *other != place);
                    self.free.push(place);
                    return Ok(None);
                }
                Ok(0) => return Err(closed("end".to_owned())),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(None),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(closed(error.to_string())),
            }
            let answer = match Answer::read(&connection.rest) {
                Reading::Incomplete if connection.rest.len() < ANSWER_LIMIT => continue,
                Reading::Whole(answer) if answer.length == connection.rest.len() => answer,
                _ => return Err(Trouble::unexpected("a browser", &connection.rest)),
            };
            let (then, answered) = (answer.then, Answered::of(&answer));
            let asked = connection.asked.take();
            connection.rest.clear();
            connection.idle_since = Moment::now();
            match then {
                Then::KeepAlive => self.idle.push(place),
                Then::Close => {
                    self.connections[place] = None;
                    self.free.push(place);
                }
            }
            if !self.waiting.is_empty()
                && let Some(place) = self.place(registry)?
                && let Some((what, request)) = self.waiting.pop_front()
            {
                self.send(place, &request, what)?;
            }
            let what = asked.ok_or_else(|| Trouble::unexpected("nobody", &answered.body))?;
            return Ok(Some((what, answered)));
        }
    }
}

impl Answered {
    fn of(answer: &Answer<'_>) -> Self {
        let cookie = answer.set_cookie.and_then(|cookie| cookie.split(';').next());
        Self {
            status: answer.status,
            location: answer.location.map(str::to_owned),
            cookie: cookie.map(str::to_owned),
            body: answer.body.to_vec(),
        }
    }

    /// Trouble unless it has that status.
    pub(crate) fn expect(&self, status: u16, who: &str) -> Result<(), Trouble> {
        if self.status == status {
            return Ok(());
        }
        let text = String::from_utf8_lossy(&self.body);
        // Of a page its title is enough.
        let title = text.split_once("<title>").and_then(|(_, rest)| rest.split_once("</title>"));
        let text = title.map_or(&*text, |(title, _)| title);
        let answer = format!("{} instead of {status}: {text}", self.status);
        Err(Trouble::unexpected(who, answer.as_bytes()))
    }
}

fn request(server: SocketAddr, method: Method<'_>, path: &str, cookie: &str) -> Vec<u8> {
    let (verb, accept, body) = match method {
        Method::Get => ("GET", "text/html", None),
        Method::Form(body) => ("POST", "text/html", Some(body)),
        Method::Fetch(body) => ("POST", "application/json", Some(body)),
    };
    let mut text = format!("{verb} {path} HTTP/1.1\r\nHost: {server}\r\nAccept: {accept}\r\n");
    if !cookie.is_empty() {
        text += &format!("Cookie: {cookie}\r\n");
    }
    if let Some(body) = body {
        text += &format!(
            "Origin: http://{server}\r\nSec-Fetch-Site: same-origin\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
    } else {
        text += "\r\n";
    }
    text.into_bytes()
}

/// A value of a form, as browsers encode it.
pub(crate) fn form_value(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'*' => {
                out.push(char::from(byte));
            }
            b' ' => out.push('+'),
            _ => out += &format!("%{byte:02X}"),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_those_of_a_browser() {
        let server = SocketAddr::from(([127, 0, 0, 1], 3000));
        let text = |method| String::from_utf8(request(server, method, "/a", "lobby=x")).unwrap();
        let get = text(Method::Get);
        assert!(get.starts_with("GET /a HTTP/1.1\r\nHost: 127.0.0.1:3000\r\n"), "{get}");
        assert!(get.ends_with("Cookie: lobby=x\r\n\r\n"), "{get}");
        let post = text(Method::Fetch("text=hi"));
        assert!(post.contains("\r\nAccept: application/json\r\n"), "{post}");
        assert!(post.contains("\r\nOrigin: http://127.0.0.1:3000\r\n"), "{post}");
        assert!(post.ends_with("Content-Length: 7\r\n\r\ntext=hi"), "{post}");
    }

    #[test]
    fn values_of_forms_are_escaped() {
        assert_eq!(form_value("a b&c=“1”"), "a+b%26c%3D%E2%80%9C1%E2%80%9D");
    }
}
