// SPDX-License-Identifier: MIT OR Apache-2.0
//! Target `message`: a client's message means what a plain reading of protocol section 2 says, an
//! accepted one reads back, and a refusal is short.
//!
//! Input: a byte that picks the limits, then the text.

use std::borrow::Cow;

use oyez_protocol::channel::ChannelName;
use oyez_protocol::limits::Limits;
use oyez_protocol::message::{ClientMessage, Subscribe};
use serde_json::json;

use crate::json::{self, Kind, Refused};
use crate::{REFUSAL_BYTES, Settings, tight_limits};

pub(crate) fn run(data: &[u8]) {
    let mut settings = Settings::new(data);
    let limits = if settings.byte() == 0 { Limits::default() } else { tight_limits() };
    let Ok(text) = std::str::from_utf8(settings.rest) else { return };
    let expected = expected(text, &limits);
    match (ClientMessage::parse(text, &limits), expected) {
        (Ok(message), Ok(expected)) => {
            assert_eq!(message, expected);
            let written = write(&message);
            assert_eq!(ClientMessage::parse(&written, &limits), Ok(message));
        }
        (Err(error), Err(Refused)) => {
            assert!(error.message.len() <= REFUSAL_BYTES, "{} bytes", error.message.len());
        }
        (actual, expected) => panic!("{actual:?} is not {expected:?}"),
    }
}

fn expected(text: &str, limits: &Limits) -> Result<ClientMessage<'static>, Refused> {
    let message = json::read(text)?;
    let fields = message.fields(&["event", "channel", "data"])?;
    let (event, channel) = (fields.string("event")?, fields.string("channel")?);
    let data = fields.even_null("data");
    let name = |name: Option<String>| {
        ChannelName::parse(&name.ok_or(Refused)?, limits.channel_name).map_err(|_| Refused)
    };
    let event = event.ok_or(Refused)?;
    match event.as_str() {
        "pusher:ping" => Ok(ClientMessage::Ping),
        "pusher:pong" => Ok(ClientMessage::Pong),
        "pusher:subscribe" => {
            let data = data.ok_or(Refused)?.fields(&["channel", "auth", "channel_data"])?;
            let (auth, channel_data) = (data.string("auth")?, data.string("channel_data")?);
            Ok(ClientMessage::Subscribe(Subscribe {
                channel: name(data.string("channel")?)?,
                auth: auth.filter(|auth| !auth.is_empty()).map(Cow::Owned),
                channel_data: channel_data.map(Cow::Owned),
            }))
        }
        "pusher:unsubscribe" => {
            let data = data.ok_or(Refused)?.fields(&["channel"])?;
            Ok(ClientMessage::Unsubscribe(name(data.string("channel")?)?))
        }
        "pusher:signin" => {
            let data = data.ok_or(Refused)?.fields(&["auth", "user_data"])?;
            let (auth, user_data) = (data.string("auth")?, data.string("user_data")?);
            Ok(ClientMessage::SignIn {
                auth: auth.ok_or(Refused)?.into(),
                user_data: user_data.ok_or(Refused)?.into(),
            })
        }
        client if client.starts_with("client-") => {
            let data = match data {
                None => String::new(),
                Some(json) if matches!(json.kind, Kind::String(_)) => json.string()?,
                Some(json) => json.compact(),
            };
            if client.chars().count() > limits.event_name || data.len() > limits.event_data_bytes {
                return Err(Refused);
            }
            let channel = name(channel)?;
            Ok(ClientMessage::ClientEvent { channel, event: event.into(), data: data.into() })
        }
        _ => Err(Refused),
    }
}

/// A message as a client would send it.
fn write(message: &ClientMessage<'_>) -> String {
    let value = match message {
        ClientMessage::Ping => json!({"event": "pusher:ping", "data": {}}),
        ClientMessage::Pong => json!({"event": "pusher:pong", "data": {}}),
        ClientMessage::Subscribe(Subscribe { channel, auth, channel_data }) => json!({
            "event": "pusher:subscribe",
            "data": {"channel": channel.as_str(), "auth": auth, "channel_data": channel_data},
        }),
        ClientMessage::Unsubscribe(channel) => {
            json!({"event": "pusher:unsubscribe", "data": {"channel": channel.as_str()}})
        }
        ClientMessage::SignIn { auth, user_data } => {
            json!({"event": "pusher:signin", "data": {"auth": auth, "user_data": user_data}})
        }
        ClientMessage::ClientEvent { channel, event, data } => {
            json!({"event": event, "channel": channel.as_str(), "data": data})
        }
    };
    value.to_string()
}
