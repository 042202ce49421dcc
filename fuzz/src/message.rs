// SPDX-License-Identifier: MIT OR Apache-2.0
//! Target `message`: a client's message means what a plain reading of protocol section 2 says, an
//! accepted one reads back, and a refusal is short.
//!
//! Input: a byte that picks the limits, then the text.

use std::borrow::Cow;

use oyez_protocol::channel::ChannelName;
use oyez_protocol::delta::{DeltaKind, Deltas};
use oyez_protocol::limits::Limits;
use oyez_protocol::message::{Aware, ClientMessage, Resume, Subscribe, resume_in_channel_data};
use oyez_protocol::position::{Epoch, Offset, Term};
use oyez_protocol::socket_id::SocketId;
use serde_json::{Value, json};

use crate::json::{self, Fields, Json, Kind, Refused};
use crate::{REFUSAL_BYTES, Settings, tight_limits};

pub(crate) fn run(data: &[u8]) {
    let mut settings = Settings::new(data);
    let limits = if settings.byte() == 0 { Limits::default() } else { tight_limits() };
    let Ok(text) = std::str::from_utf8(settings.rest) else { return };
    let expected = expected(text, &limits);
    signed(text);
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
            let known = ["channel", "auth", "channel_data", "resume", "oyez"];
            let data = data.ok_or(Refused)?.fields(&known)?;
            let (auth, channel_data) = (data.string("auth")?, data.string("channel_data")?);
            Ok(ClientMessage::Subscribe(Subscribe {
                channel: name(data.string("channel")?)?,
                auth: auth.filter(|auth| !auth.is_empty()).map(Cow::Owned),
                channel_data: channel_data.map(Cow::Owned),
                resume: data.get("resume").map(resume).transpose()?,
                aware: data.get("oyez").map(aware).transpose()?,
            }))
        }
        "oyez:resync" => {
            let data = data.ok_or(Refused)?.fields(&["channel", "have"])?;
            let have = data.get("have").map(resume).transpose()?;
            Ok(ClientMessage::Resync { channel: name(data.string("channel")?)?, have })
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

/// A whole number below 2^53, which must be there.
pub(crate) fn number(json: Option<&Json<'_>>) -> Result<Offset, Refused> {
    let text = json.ok_or(Refused)?.text;
    let number: u128 = if text.len() < 20 { text.parse().map_err(|_| Refused)? } else { 1 << 53 };
    if number >= 1 << 53 {
        return Err(Refused);
    }
    Ok(Offset::new(number as u64).expect("below 2^53"))
}

/// Eight letters and digits are a name of ours.
pub(crate) fn is_name(text: &str) -> bool {
    text.len() == 8 && text.chars().all(|c| c.is_ascii_alphanumeric())
}

fn resume(json: &Json<'_>) -> Result<Resume, Refused> {
    let fields = json.fields(&["epoch", "term", "offset", "socket"])?;
    let name = |key| Ok(Some(fields.string(key)?.ok_or(Refused)?).filter(|text| is_name(text)));
    let (epoch, term) = (name("epoch")?, name("term")?);
    let socket = fields.string("socket")?;
    Ok(Resume {
        epoch: epoch.map(|text| Epoch::parse(&text).expect("of our form")),
        term: term.map(|text| Term::parse(&text).expect("of our form")),
        offset: number(fields.get("offset"))?,
        socket: socket.map(|id| SocketId::parse(&id)).transpose().map_err(|_| Refused)?,
    })
}

fn aware(json: &Json<'_>) -> Result<Aware, Refused> {
    let fields = json.fields(&["v", "gen", "delta", "truth"])?;
    if fields.get("v").is_none_or(|version| version.text != "1") {
        return Err(Refused);
    }
    let mut deltas = Deltas::NONE;
    match fields.get("delta") {
        None => {}
        Some(Json { kind: Kind::Array(names), .. }) => {
            for name in names {
                match name.string()?.as_str() {
                    "merge" => deltas = deltas.with(DeltaKind::Merge),
                    "patch" => deltas = deltas.with(DeltaKind::Patch),
                    _ => {}
                }
            }
        }
        Some(_) => return Err(Refused),
    }
    let version = |truth: &Json<'_>| {
        let fields: Fields<'_, '_> = truth.fields(&["version"])?;
        number(fields.get("version"))
    };
    Ok(Aware {
        generation: fields.get("gen").map(|json| number(Some(json))).transpose()?.map(Offset::get),
        deltas,
        version: fields.get("truth").map(version).transpose()?,
    })
}

/// The text as signed `channel_data`.
fn signed(text: &str) {
    let position = |data: &Json<'_>| {
        let fields = data.fields(&["oyez"])?;
        let Some(oyez) = fields.get("oyez") else { return Ok(None) };
        let fields = oyez.fields(&["resume"])?;
        fields.get("resume").map(resume).transpose()
    };
    let expected = match json::read(text) {
        Ok(data @ Json { kind: Kind::Object(_), .. }) => position(&data),
        _ => Ok(None),
    };
    let actual = resume_in_channel_data(text);
    if let Err(error) = &actual {
        assert!(error.to_string().len() <= REFUSAL_BYTES);
    }
    assert_eq!(actual.map_err(|_| Refused), expected);
}

fn write_resume(resume: &Resume) -> Value {
    let Resume { epoch, term, offset, socket } = resume;
    json!({
        "epoch": epoch.as_ref().map_or("", Epoch::as_str),
        "term": term.as_ref().map_or("", Term::as_str),
        "offset": offset.get(),
        "socket": socket.map(|id| id.to_string()),
    })
}

fn write_aware(aware: &Aware) -> Value {
    let kinds = DeltaKind::ALL.into_iter().filter(|kind| aware.deltas.has(*kind));
    json!({
        "v": 1,
        "gen": aware.generation,
        "delta": kinds.map(DeltaKind::name).collect::<Vec<_>>(),
        "truth": aware.version.map(|version| json!({"version": version.get()})),
    })
}

/// A message as a client would send it.
fn write(message: &ClientMessage<'_>) -> String {
    let value = match message {
        ClientMessage::Ping => json!({"event": "pusher:ping", "data": {}}),
        ClientMessage::Pong => json!({"event": "pusher:pong", "data": {}}),
        ClientMessage::Subscribe(Subscribe { channel, auth, channel_data, resume, aware }) => {
            json!({
                "event": "pusher:subscribe",
                "data": {
                    "channel": channel.as_str(),
                    "auth": auth,
                    "channel_data": channel_data,
                    "resume": resume.as_ref().map(write_resume),
                    "oyez": aware.as_ref().map(write_aware),
                },
            })
        }
        ClientMessage::Resync { channel, have } => json!({
            "event": "oyez:resync",
            "data": {"channel": channel.as_str(), "have": have.as_ref().map(write_resume)},
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
