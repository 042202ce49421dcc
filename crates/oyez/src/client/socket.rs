// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Socket`]: one WebSocket connection of `tail`, as far as the Pusher protocol goes (sections
//! 1 and 2): it connects, keeps itself alive and gives out messages. What is subscribed, and what
//! happens when it ends, is its user's.

use std::io;
use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

use serde_json::{Value, json};
use tungstenite::client::IntoClientRequest;
use tungstenite::handshake::{HandshakeError, HandshakeRole};
use tungstenite::protocol::WebSocketConfig;
use tungstenite::stream::MaybeTlsStream;
use tungstenite::{Message, WebSocket};

use super::target::{Target, Transport};
use super::tls;

/// How long connecting and the first message may take.
const PATIENCE: Duration = Duration::from_secs(15);

/// How long an answer to a ping may take.
const PONG: Duration = Duration::from_secs(30);

/// Silence before a ping, if the server names none.
const ACTIVITY: Duration = Duration::from_secs(120);

/// Bytes of the longest message: more than any server sends.
const MESSAGE: usize = 16 * 1024 * 1024;

/// An established connection.
pub(crate) struct Socket {
    stream: WebSocket<MaybeTlsStream<TcpStream>>,
    /// Its name on the server, which signatures are made for.
    pub(crate) id: String,
    activity: Duration,
    pinged: bool,
}

/// Why a connection ended, or did not begin.
#[derive(Debug)]
pub(crate) enum End {
    /// Nobody answers there.
    Unreachable(String),
    /// The server closed it.
    Closed {
        /// Says whether to come back: see [`End::comes_back`].
        code: u16,
        /// In the server's words.
        reason: String,
    },
    /// It was cut off.
    Lost(String),
    /// What is there does not speak the protocol.
    Foreign(String),
}

/// One message of the server.
#[derive(Debug)]
pub(crate) struct Incoming {
    pub(crate) event: String,
    pub(crate) channel: Option<String>,
    /// A string as it is, anything else as JSON; empty when there was none.
    pub(crate) data: String,
    /// The sender of a client event, where the server knows it.
    pub(crate) user_id: Option<String>,
    /// Its place in the channel's log, where there is one.
    pub(crate) offset: Option<u64>,
    /// Whether it was there before the subscription.
    pub(crate) replayed: bool,
}

/// What a client does after a close (protocol section 1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Return {
    /// It gives up: coming back would change nothing.
    Never,
    /// At once.
    AtOnce,
    /// After a growing wait.
    Later,
}

impl End {
    /// Whether and when to come back.
    pub(crate) fn comes_back(&self) -> Return {
        match self {
            End::Closed { code: 4000..=4099, .. } | End::Foreign(_) => Return::Never,
            End::Closed { code: 4200..=4299, .. } => Return::AtOnce,
            End::Closed { .. } | End::Lost(_) | End::Unreachable(_) => Return::Later,
        }
    }

    /// What happened, in words.
    pub(crate) fn text(&self) -> String {
        match self {
            End::Unreachable(why) => format!("cannot be reached: {why}"),
            End::Closed { code, reason } => format!("closed the connection: {reason} ({code})"),
            End::Lost(why) => format!("the connection was lost: {why}"),
            End::Foreign(why) => format!("does not answer as a Pusher Channels server does: {why}"),
        }
    }
}

impl Socket {
    /// Connects and waits for the server's first message.
    pub(crate) fn connect(target: &Target) -> Result<Socket, End> {
        if target.transport == Transport::Tls {
            tls::choose_cryptography();
        }
        let stream = dial(target)?;
        let foreign = |error: tungstenite::Error| End::Foreign(error.to_string());
        let request = target.socket_url().into_client_request().map_err(foreign)?;
        let config = WebSocketConfig::default().max_message_size(Some(MESSAGE));
        let (stream, _) = tungstenite::client_tls_with_config(request, stream, Some(config), None)
            .map_err(refused)?;
        let mut socket = Socket { stream, id: String::new(), activity: PATIENCE, pinged: true };
        let first = socket.next()?;
        if first.event != "pusher:connection_established" {
            // A refusal is an error message and then a close, which has the code.
            return Err(match (first.event.as_str(), socket.next()) {
                ("pusher:error", Err(end)) => end,
                (event, _) => End::Foreign(format!("its first message is {event:?}")),
            });
        }
        let data: Value = serde_json::from_str(&first.data).unwrap_or_default();
        socket.id = data["socket_id"].as_str().unwrap_or_default().to_owned();
        socket.activity = data["activity_timeout"].as_u64().map_or(ACTIVITY, Duration::from_secs);
        socket.pinged = false;
        Ok(socket)
    }

    /// Sends a message of that event.
    pub(crate) fn send(&mut self, event: &str, data: &Value) -> Result<(), End> {
        let text = json!({"event": event, "data": data}).to_string();
        self.stream.send(Message::text(text)).map_err(ended)
    }

    /// The next message. Pings and pongs are dealt with here.
    pub(crate) fn next(&mut self) -> Result<Incoming, End> {
        loop {
            let wait = match (self.id.is_empty(), self.pinged) {
                (true, _) => PATIENCE,
                (false, true) => PONG,
                (false, false) => self.activity,
            };
            tcp(&self.stream).set_read_timeout(Some(wait)).map_err(|e| End::Lost(e.to_string()))?;
            let message = match self.stream.read() {
                Ok(message) => message,
                Err(tungstenite::Error::Io(error)) if timed_out(&error) => {
                    if self.pinged {
                        return Err(End::Lost("the server fell silent".to_owned()));
                    }
                    self.pinged = true;
                    self.send("pusher:ping", &json!({}))?;
                    continue;
                }
                Err(error) => return Err(ended(error)),
            };
            if !self.id.is_empty() {
                self.pinged = false;
            }
            let text = match message {
                Message::Text(text) => text,
                Message::Close(Some(frame)) => {
                    let reason = frame.reason.to_string();
                    return Err(End::Closed { code: frame.code.into(), reason });
                }
                _ => continue,
            };
            let incoming = Incoming::parse(&text)
                .ok_or_else(|| End::Foreign("a message is not JSON with an event".to_owned()))?;
            match incoming.event.as_str() {
                "pusher:ping" => self.send("pusher:pong", &json!({}))?,
                "pusher:pong" => {}
                _ => return Ok(incoming),
            }
        }
    }
}

impl Incoming {
    fn parse(text: &str) -> Option<Incoming> {
        let mut value: Value = serde_json::from_str(text).ok()?;
        let data = match value.get_mut("data").map(Value::take) {
            Some(Value::String(data)) => data,
            None | Some(Value::Null) => String::new(),
            Some(other) => other.to_string(),
        };
        let text = |name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
        Some(Incoming {
            event: text("event")?,
            channel: text("channel"),
            user_id: text("user_id"),
            offset: value.get("offset").and_then(Value::as_u64),
            replayed: value.get("replayed").and_then(Value::as_bool) == Some(true),
            data,
        })
    }
}

fn dial(target: &Target) -> Result<TcpStream, End> {
    let (host, port) = target.host_and_port();
    let unreachable = |error: io::Error| End::Unreachable(error.to_string());
    let mut last = io::Error::new(io::ErrorKind::NotFound, "there is no such host");
    for address in (host.as_str(), port).to_socket_addrs().map_err(unreachable)? {
        match TcpStream::connect_timeout(&address, PATIENCE) {
            Ok(stream) => {
                stream.set_nodelay(true).map_err(unreachable)?;
                stream.set_read_timeout(Some(PATIENCE)).map_err(unreachable)?;
                stream.set_write_timeout(Some(PONG)).map_err(unreachable)?;
                return Ok(stream);
            }
            Err(error) => last = error,
        }
    }
    Err(unreachable(last))
}

fn tcp(stream: &WebSocket<MaybeTlsStream<TcpStream>>) -> &TcpStream {
    match stream.get_ref() {
        MaybeTlsStream::Rustls(stream) => stream.get_ref(),
        MaybeTlsStream::Plain(stream) => stream,
        _ => unreachable!("no other transport is built in"),
    }
}

fn timed_out(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut)
}

fn ended(error: tungstenite::Error) -> End {
    End::Lost(error.to_string())
}

/// What a handshake that failed says of who is there.
fn refused<Role: HandshakeRole>(error: HandshakeError<Role>) -> End {
    match error {
        HandshakeError::Interrupted(_) => {
            End::Unreachable("no answer to the WebSocket handshake".to_owned())
        }
        HandshakeError::Failure(
            error @ (tungstenite::Error::Io(_) | tungstenite::Error::Tls(_)),
        ) => End::Unreachable(error.to_string()),
        HandshakeError::Failure(error) => End::Foreign(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn close_codes_decide_about_coming_back() {
        let closed = |code| End::Closed { code, reason: String::new() }.comes_back();
        for (code, expected) in [
            (4001, Return::Never),
            (4009, Return::Never),
            (4100, Return::Later),
            (4200, Return::AtOnce),
            (4201, Return::AtOnce),
            (1006, Return::Later),
            (1001, Return::Later),
        ] {
            assert_eq!(closed(code), expected, "{code}");
        }
        assert_eq!(End::Lost(String::new()).comes_back(), Return::Later);
        assert_eq!(End::Foreign(String::new()).comes_back(), Return::Never);
    }

    #[test]
    fn data_is_text_as_it_is_or_json() {
        let data = |text| Incoming::parse(text).expect("a message").data;
        assert_eq!(data(r#"{"event":"e","data":"a\u0000b"}"#), "a\0b");
        assert_eq!(data(r#"{"event":"e","data":{"a":1}}"#), r#"{"a":1}"#);
        assert_eq!(data(r#"{"event":"e"}"#), "");
        assert!(Incoming::parse("[]").is_none());
        assert!(Incoming::parse(r#"{"event":1}"#).is_none());
    }
}
