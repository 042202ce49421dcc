// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Page`]: what a page with `pusher-js` sends and hears, over a real socket.

use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::{Value, json};
use tungstenite::protocol::frame::coding::CloseCode;
use tungstenite::{Message, WebSocket};

/// Nothing that is awaited comes later, unless something is broken.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// A connection to the server.
pub(crate) struct Page {
    socket: WebSocket<TcpStream>,
    pub(crate) socket_id: String,
}

impl Page {
    /// Connects with that key.
    pub(crate) fn open(address: SocketAddr, key: &str) -> Page {
        let stream = TcpStream::connect(address).expect("it listens");
        stream.set_read_timeout(Some(PATIENCE)).expect("a socket takes it");
        stream.set_nodelay(true).expect("a socket takes it");
        let url = format!("ws://{address}/app/{key}?protocol=7");
        let (socket, _) = tungstenite::client(url, stream).expect("a WebSocket");
        let mut page = Page { socket, socket_id: String::new() };
        let established = page.hear("pusher:connection_established");
        page.socket_id = established["socket_id"].as_str().expect("a socket id").to_owned();
        page
    }

    pub(crate) fn say(&mut self, event: &str, data: Value) {
        let text = json!({ "event": event, "data": data }).to_string();
        self.socket.send(Message::text(text)).expect("it is open");
    }

    /// Subscribes to a public channel.
    pub(crate) fn subscribe(&mut self, channel: &str) {
        self.say("pusher:subscribe", json!({ "channel": channel }));
        self.hear("pusher_internal:subscription_succeeded");
    }

    /// The data of the next event, which must be that one. Numbers of subscriptions do not count.
    pub(crate) fn hear(&mut self, event: &str) -> Value {
        let mut frame = self.frame();
        while frame["event"] == "pusher_internal:subscription_count" {
            frame = self.frame();
        }
        assert_eq!(frame["event"], event, "{frame}");
        match frame["data"].as_str() {
            Some(text) => serde_json::from_str(text).expect("data is JSON"),
            None => frame["data"].clone(),
        }
    }

    fn frame(&mut self) -> Value {
        let message = self.socket.read().expect("a frame in time");
        serde_json::from_str(message.to_text().expect("text")).expect("a frame is JSON")
    }

    /// Asks for a pong and gets it.
    pub(crate) fn ping(&mut self) {
        self.say("pusher:ping", json!({}));
        self.hear("pusher:pong");
    }

    /// The names of all events until the server closes the connection, and with which code.
    pub(crate) fn rest(&mut self) -> (Vec<String>, u16) {
        let mut events = Vec::new();
        loop {
            match self.socket.read().expect("a close in time") {
                Message::Close(frame) => return (events, frame.expect("a code").code.into()),
                message => {
                    let text = message.to_text().expect("text");
                    let frame: Value = serde_json::from_str(text).expect("a frame is JSON");
                    events.push(frame["event"].as_str().expect("a name").to_owned());
                }
            }
        }
    }

    /// With which code the server closes the connection, whatever comes before.
    pub(crate) fn closed(&mut self) -> CloseCode {
        loop {
            match self.socket.read().expect("a close in time") {
                Message::Close(frame) => return frame.expect("a code").code,
                _ => continue,
            }
        }
    }
}
