// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`ClientMessage`]: what a client says over its WebSocket (protocol section 2), parsed once.
//!
//! Parsing neither recurses nor copies what it need not: JSON nested as deep as the message limit
//! allows is text like any other.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

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

/// The data of `pusher:subscribe`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscribe<'a> {
    /// Which channel.
    pub channel: ChannelName,
    /// `KEY:SIGNATURE`; empty counts as absent.
    pub auth: Option<Cow<'a, str>>,
    /// The signed text about the member, when the auth endpoint gave one.
    pub channel_data: Option<Cow<'a, str>>,
}

/// Why a message was refused. The connection lives.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct MessageError {
    /// The code of the `pusher:error`, where the protocol has one.
    pub code: Option<CloseCode>,
    /// What was wrong and what to do.
    pub message: String,
    /// The subscription that fails by it: the page's handler on that channel shall hear it.
    pub subscription: Option<FailedSubscription>,
}

/// What `pusher:subscription_error` says beside its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailedSubscription {
    /// Which channel.
    pub channel: ChannelName,
    /// `type`.
    pub kind: &'static str,
    /// `status`.
    pub status: u16,
}

impl MessageError {
    /// An error for which the protocol has no code.
    pub fn new(message: impl Into<String>) -> MessageError {
        MessageError { code: None, message: message.into(), subscription: None }
    }

    /// An error with its code.
    pub fn with_code(code: CloseCode, message: impl Into<String>) -> MessageError {
        MessageError { code: Some(code), ..MessageError::new(message) }
    }
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
struct SubscribeData<'a> {
    #[serde(borrow)]
    channel: Option<Text<'a>>,
    #[serde(borrow)]
    auth: Option<&'a RawValue>,
    #[serde(borrow)]
    channel_data: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct UnsubscribeData<'a> {
    #[serde(borrow)]
    channel: Option<Text<'a>>,
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
                let data: SubscribeData<'a> = data_of("pusher:subscribe", envelope.data)?;
                let channel = channel(data.channel, limits)?;
                let failed = |kind, status, error| MessageError {
                    subscription: Some(FailedSubscription {
                        channel: channel.clone(),
                        kind,
                        status,
                    }),
                    ..MessageError::new(error)
                };
                let auth = string("auth", data.auth).map_err(|e| failed("AuthError", 401, e))?;
                let channel_data = string("channel_data", data.channel_data)
                    .map_err(|e| failed("InvalidData", 400, e))?;
                let auth = auth.filter(|auth| !auth.is_empty());
                Ok(ClientMessage::Subscribe(Subscribe { channel, auth, channel_data }))
            }
            "pusher:unsubscribe" => {
                let data: UnsubscribeData<'a> = data_of("pusher:unsubscribe", envelope.data)?;
                Ok(ClientMessage::Unsubscribe(channel(data.channel, limits)?))
            }
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

fn sign_in(data: Option<&RawValue>) -> Result<ClientMessage<'_>, MessageError> {
    let data: SignInData<'_> = data_of("pusher:signin", data)?;
    let needed =
        |key: &str| MessageError::new(format!("pusher:signin needs `{key}` in its data, a string"));
    Ok(ClientMessage::SignIn {
        auth: data.auth.ok_or_else(|| needed("auth"))?.0,
        user_data: data.user_data.ok_or_else(|| needed("user_data"))?.0,
    })
}

/// A field that must be a string when it is there; `null` is not.
fn string<'a>(field: &str, raw: Option<&'a RawValue>) -> Result<Option<Cow<'a, str>>, String> {
    let Some(raw) = raw else { return Ok(None) };
    match serde_json::from_str::<Text<'a>>(raw.get()) {
        Ok(text) => Ok(Some(text.0)),
        Err(_) => Err(format!("`{field}` of pusher:subscribe must be a string")),
    }
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
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<ClientMessage<'_>, MessageError> {
        ClientMessage::parse(text, &Limits::default())
    }

    #[test]
    fn subscribe_as_pusher_js_sends_it() {
        let text = r#"{"event":"pusher:subscribe","data":{"auth":"","channel":"LOBBY_7"}}"#;
        let Ok(ClientMessage::Subscribe(subscribe)) = parse(text) else { panic!("a subscribe") };
        assert_eq!((subscribe.channel.as_str(), subscribe.auth), ("LOBBY_7", None));
    }

    #[test]
    fn p012_wrong_types_are_errors_that_say_where() {
        for (text, word) in [
            ("", "valid"),
            ("7", "object"),
            ("[]", "object"),
            (r#"["pusher:ping"]"#, "object"),
            ("{}", "event"),
            (r#"{"event":5}"#, "string"),
            (r#"{"event":"pusher:subscribe"}"#, "object"),
            (r#"{"event":"pusher:subscribe","data":"LOBBY_7"}"#, "object"),
            (r#"{"event":"pusher:subscribe","data":{}}"#, "channel"),
            (r#"{"event":"pusher:subscribe","data":{"channel":[]}}"#, "string"),
            (r#"{"event":"pusher:subscribe","data":{"channel":"a","auth":{}}}"#, "`auth`"),
            (
                r#"{"event":"pusher:subscribe","data":{"channel":"a","channel_data":[]}}"#,
                "`channel_data`",
            ),
            (r#"{"event":"pusher:unsubscribe","data":7}"#, "object"),
            (r#"{"event":"pusher:signin","data":{"auth":"x"}}"#, "user_data"),
            (r#"{"event":"client-x","data":"y"}"#, "channel"),
            (r#"{"event":"pusher:nonsense"}"#, "may send"),
            (r#"{"event":"oyez:set","channel":"a"}"#, "may send"),
            (r#"{"event":"hello","channel":"a"}"#, "client-"),
            ("{\"event\":\"pusher:ping\"}\u{0}", "valid"),
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.message.contains(word), "{text}: {error}");
        }
    }

    #[test]
    fn p024_auth_of_a_wrong_type_fails_the_subscription_and_not_just_the_message() {
        let error =
            parse(r#"{"event":"pusher:subscribe","data":{"channel":"private-a","auth":7}}"#);
        let failed = error.unwrap_err().subscription.expect("of that channel");
        assert_eq!(
            (failed.channel.as_str(), failed.kind, failed.status),
            ("private-a", "AuthError", 401)
        );
    }

    #[test]
    fn p055_whatever_is_wrong_with_a_sign_in_has_its_code() {
        for data in
            ["null", "{}", "7", r#"{"auth":1,"user_data":"{}"}"#, r#"{"auth":"a","user_data":{}}"#]
        {
            let text = format!(r#"{{"event":"pusher:signin","data":{data}}}"#);
            assert_eq!(parse(&text).unwrap_err().code, Some(CloseCode::Unauthorized), "{data}");
        }
    }

    #[test]
    fn p013_deep_json_is_text() {
        let deep = format!("{}{}", "[".repeat(30_000), "]".repeat(30_000));
        let limits = Limits { event_data_bytes: 100_000, ..Limits::default() };
        let text = format!(r#"{{"event":"client-x","channel":"private-a","data":{deep}}}"#);
        let Ok(ClientMessage::ClientEvent { data, .. }) = ClientMessage::parse(&text, &limits)
        else {
            panic!("a client event")
        };
        assert_eq!(data, deep);
        assert!(parse(&deep).is_err());
        assert!(parse(&format!(r#"{{"event":{deep}}}"#)).is_err());
        assert!(
            parse(&format!(r#"{{"event":"pusher:subscribe","data":{{"channel":{deep}}}}}"#))
                .is_err()
        );
    }

    #[test]
    fn p045_string_data_stays_and_object_data_becomes_its_compact_text() {
        for (sent, delivered) in [
            (r#""plain""#, "plain"),
            (r#""{\"a\": 1}""#, r#"{"a": 1}"#),
            (r#"{ "a" : 1.50 }"#, r#"{"a":1.50}"#),
            ("null", "null"),
        ] {
            let text = format!(r#"{{"event":"client-x","channel":"private-a","data":{sent}}}"#);
            let Ok(ClientMessage::ClientEvent { data, .. }) = parse(&text) else {
                panic!("{sent}")
            };
            assert_eq!(data, delivered);
        }
    }
}
