// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`ClientMessage`]: what a client says over its WebSocket (protocol section 2), parsed once.
//!
//! Parsing neither recurses nor copies what it need not: JSON nested as deep as the message limit
//! allows is text like any other.

mod error;
mod fields;
mod resume;
mod subscribe;

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

pub use error::{FailedSubscription, MessageError};
pub use resume::{Resume, ResumeError, resume_in_channel_data};
pub use subscribe::{AWARE_VERSION, Aware, Subscribe};

use self::fields::Field;
use crate::channel::ChannelName;
use crate::close::CloseCode;
use crate::json::{Text, compact, object};
use crate::limits::Limits;

/// A valid message of a client. Names and sizes are within the limits; signatures are not
/// checked yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClientMessage<'a> {
    /// `pusher:ping`: answer with a pong.
    Ping,
    /// `pusher:pong`: an answer to ours.
    Pong,
    /// `pusher:subscribe`.
    Subscribe(Subscribe<'a>),
    /// `pusher:unsubscribe`.
    Unsubscribe(ChannelName),
    /// `pusher:signin`.
    SignIn {
        /// `KEY:SIGNATURE`.
        auth: Cow<'a, str>,
        /// The signed text.
        user_data: Cow<'a, str>,
    },
    /// `oyez:resync`: the client has noticed that what it shows is not the channel's.
    Resync {
        /// A channel it is subscribed to.
        channel: ChannelName,
        /// Where it is, when it is anywhere.
        have: Option<Resume>,
    },
    /// `client-…` on a channel.
    ClientEvent {
        /// Where it goes.
        channel: ChannelName,
        /// The whole name, `client-` included.
        event: Cow<'a, str>,
        /// A string as it is, other JSON as its compact text.
        data: Cow<'a, str>,
    },
}

/// Event names that nobody but the server may use.
pub const RESERVED_PREFIXES: [&str; 3] = ["pusher:", "pusher_internal:", "oyez:"];

/// The prefix of events that clients may send.
pub const CLIENT_PREFIX: &str = "client-";

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow)]
    event: Option<Text<'a>>,
    #[serde(borrow)]
    channel: Option<Text<'a>>,
    #[serde(borrow, default, deserialize_with = "crate::json::present")]
    data: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct UnsubscribeData<'a> {
    #[serde(borrow)]
    channel: Option<Text<'a>>,
}

#[derive(Deserialize)]
struct ResyncData<'a> {
    #[serde(borrow)]
    channel: Option<Text<'a>>,
    #[serde(borrow)]
    have: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct SignInData<'a> {
    #[serde(borrow)]
    auth: Option<Text<'a>>,
    #[serde(borrow)]
    user_data: Option<Text<'a>>,
}

impl<'a> ClientMessage<'a> {
    /// Reads one text message.
    pub fn parse(text: &'a str, limits: &Limits) -> Result<ClientMessage<'a>, MessageError> {
        let envelope: Envelope<'a> = object(text)
            .map_err(|e| MessageError::new(format!("the message is not valid: {e}")))?;
        let event =
            envelope.event.ok_or_else(|| MessageError::new("the message has no `event`"))?.0;
        match event.as_ref() {
            "pusher:ping" => Ok(ClientMessage::Ping),
            "pusher:pong" => Ok(ClientMessage::Pong),
            "pusher:subscribe" => {
                Subscribe::read(envelope.data, limits).map(ClientMessage::Subscribe)
            }
            "pusher:unsubscribe" => {
                let data: UnsubscribeData<'a> = data_of("pusher:unsubscribe", envelope.data)?;
                Ok(ClientMessage::Unsubscribe(channel(data.channel, limits)?))
            }
            "oyez:resync" => resync(envelope.data, limits),
            "pusher:signin" => sign_in(envelope.data)
                .map_err(|error| MessageError { code: Some(CloseCode::Unauthorized), ..error }),
            name if name.starts_with(CLIENT_PREFIX) => {
                let length = name.chars().count();
                if length > limits.event_name {
                    return Err(MessageError::new(format!(
                        "the event name has {length} characters, at most {} are allowed (limits.event_name)",
                        limits.event_name
                    )));
                }
                let data = event_data(envelope.data)?;
                if data.len() > limits.event_data_bytes {
                    return Err(MessageError::new(format!(
                        "the data of {name} has {} bytes, at most {} are allowed (limits.event_data_bytes)",
                        data.len(),
                        limits.event_data_bytes
                    )));
                }
                Ok(ClientMessage::ClientEvent {
                    channel: channel(envelope.channel, limits)?,
                    event,
                    data,
                })
            }
            name => Err(MessageError::new(unknown_event(name))),
        }
    }
}

fn resync<'a>(
    data: Option<&'a RawValue>,
    limits: &Limits,
) -> Result<ClientMessage<'a>, MessageError> {
    let data: ResyncData<'a> = data_of("oyez:resync", data)?;
    let channel = channel(data.channel, limits)?;
    let have = data.have.map(|raw| Resume::read(Field::new("have"), raw));
    let have = have.transpose().map_err(MessageError::new)?;
    Ok(ClientMessage::Resync { channel, have })
}

fn sign_in(data: Option<&RawValue>) -> Result<ClientMessage<'_>, MessageError> {
    let data: SignInData<'_> = data_of("pusher:signin", data)?;
    let needed =
        |key: &str| MessageError::new(format!("pusher:signin needs `{key}` in its data, a string"));
    Ok(ClientMessage::SignIn {
        auth: data.auth.ok_or_else(|| needed("auth"))?.0,
        user_data: data.user_data.ok_or_else(|| needed("user_data"))?.0,
    })
}

fn data_of<'a, T: Deserialize<'a>>(
    event: &str,
    data: Option<&'a RawValue>,
) -> Result<T, MessageError> {
    let data = data.map_or("null", RawValue::get);
    object(data).map_err(|e| MessageError::new(format!("the data of {event} is not valid: {e}")))
}

fn channel(name: Option<Text<'_>>, limits: &Limits) -> Result<ChannelName, MessageError> {
    let name = name.ok_or_else(|| MessageError::new("the message has no `channel`"))?;
    ChannelName::parse(name.as_str(), limits.channel_name)
        .map_err(|e| MessageError::new(e.to_string()))
}

fn event_data(data: Option<&RawValue>) -> Result<Cow<'_, str>, MessageError> {
    let Some(raw) = data else { return Ok(Cow::Borrowed("")) };
    if !raw.get().starts_with('"') {
        return Ok(compact(raw.get()));
    }
    let text: Text<'_> = serde_json::from_str(raw.get())
        .map_err(|e| MessageError::new(format!("the data of the event is not valid: {e}")))?;
    Ok(text.0)
}

fn unknown_event(name: &str) -> String {
    let shown: String = name.chars().take(64).collect();
    if RESERVED_PREFIXES.iter().any(|prefix| name.starts_with(prefix)) {
        format!("{shown:?} is not an event that a client may send to the server")
    } else {
        format!("clients may only send events whose name begins with \"client-\", not {shown:?}")
    }
}

#[cfg(test)]
mod tests;
