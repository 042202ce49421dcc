// SPDX-License-Identifier: MIT OR Apache-2.0
//! Target `trigger`: the bodies of `POST /events`, `POST /batch_events` and the deprecated form of
//! one channel ask for what a plain reading of protocol section 6 finds in them.
//!
//! Input: two bytes of settings (which form, limits), then the body. The deprecated form has its
//! query before the first line break.

use oyez_protocol::api::{Action, Batch, ChannelCommand, Condition, Info, Query, Trigger};
use oyez_protocol::channel::{Access, ChannelName};
use oyez_protocol::limits::Limits;
use oyez_protocol::socket_id::SocketId;

use crate::json::{self, Fields, Json, Kind, Refused};
use crate::truth::{command, condition, key};
use crate::{Settings, assert_is_refusal, tight_limits};

/// The channel in the path of the deprecated form.
const PATH_CHANNEL: &str = "presence-room";

pub(crate) fn run(data: &[u8]) {
    let mut settings = Settings::new(data);
    let form = settings.pick(&[Form::Events, Form::Batch, Form::Deprecated]);
    let limits = if settings.byte() == 0 { Limits::default() } else { tight_limits() };
    let body = settings.rest;
    let alone = |trigger| Batch { triggers: vec![trigger], idempotency_key: None };
    let (actual, expected) = match form {
        Form::Events => {
            (Trigger::parse(body, &limits).map(alone), events(body, &limits).map(alone))
        }
        Form::Batch => (Batch::parse(body, &limits), batch(body, &limits)),
        Form::Deprecated => {
            let end = body.iter().position(|b| *b == b'\n').unwrap_or(body.len());
            let (query, rest) = body.split_at(end);
            let body = rest.get(1..).unwrap_or_default();
            let Some(query) = std::str::from_utf8(query).ok() else { return };
            let Ok(query) = Query::parse(query) else { return };
            let channel = ChannelName::parse(PATH_CHANNEL, PATH_CHANNEL.len()).expect("a name");
            let actual = Trigger::parse_deprecated(channel, &query, body, &limits);
            (actual.map(alone), deprecated(&query, body, &limits).map(alone))
        }
    };
    match (actual, expected) {
        (Ok(actual), Ok(expected)) => assert_eq!(actual, expected),
        (Err(error), Err(Refused)) => assert_is_refusal(&error),
        (actual, expected) => panic!("{actual:?} is not {expected:?}"),
    }
}

#[derive(Clone, Copy)]
enum Form {
    Events,
    Batch,
    Deprecated,
}

const FIELDS: [&str; 9] = [
    "name",
    "data",
    "channels",
    "channel",
    "socket_id",
    "info",
    "idempotency_key",
    "if_version",
    "if_epoch",
];

fn events(body: &[u8], limits: &Limits) -> Result<Trigger, Refused> {
    let body = json::read(std::str::from_utf8(body).map_err(|_| Refused)?)?;
    let fields = body.fields(&FIELDS)?;
    let mut channels = Vec::new();
    match (fields.get("channels"), fields.string("channel")?) {
        (None, Some(one)) => channels.push(channel(&one, limits)?),
        (Some(Json { kind: Kind::Array(list), .. }), None) => {
            if list.is_empty() || list.len() > limits.event_channels {
                return Err(Refused);
            }
            for one in list {
                let one = channel(&one.string()?, limits)?;
                if !channels.contains(&one) {
                    channels.push(one);
                }
            }
        }
        _ => return Err(Refused),
    }
    if channels.len() > 1 && channels.iter().any(|channel| channel.kind().encrypted) {
        return Err(Refused);
    }
    event(&fields, channels, limits)
}

fn batch(body: &[u8], limits: &Limits) -> Result<Batch, Refused> {
    let body = json::read(std::str::from_utf8(body).map_err(|_| Refused)?)?;
    let fields = body.fields(&["batch", "idempotency_key"])?;
    let Some(Json { kind: Kind::Array(items), .. }) = fields.get("batch") else {
        return Err(Refused);
    };
    if items.len() > limits.batch_events {
        return Err(Refused);
    }
    let item = |item: &Json<'_>| {
        let fields = item.fields(&FIELDS)?;
        let one = fields.string("channel")?.ok_or(Refused)?;
        let trigger = event(&fields, vec![channel(&one, limits)?], limits)?;
        if trigger.idempotency_key.is_some() { Err(Refused) } else { Ok(trigger) }
    };
    let triggers = items.iter().map(item).collect::<Result<_, _>>()?;
    Ok(Batch { triggers, idempotency_key: key(&fields, limits)? })
}

fn deprecated(query: &Query<'_>, body: &[u8], limits: &Limits) -> Result<Trigger, Refused> {
    let data = std::str::from_utf8(body).map_err(|_| Refused)?.to_owned();
    let name = query.get("name").ok_or(Refused)?;
    let (action, idempotency_key) = action(name, data, limits)?;
    let exclude = query.get("socket_id").map(socket_id).transpose()?;
    let channels = [channel(PATH_CHANNEL, &Limits::default())?].into_iter().collect();
    let (info, condition) = (Info::default(), Condition::default());
    Ok(Trigger { action, channels, exclude, info, condition, idempotency_key })
}

/// What a trigger does, and the idempotency key that stands in its data.
fn action(name: &str, data: String, limits: &Limits) -> Result<(Action, Option<String>), Refused> {
    if name.starts_with("oyez:") {
        let (command, key) = command(name, &data, limits)?;
        return Ok((Action::Command(command), key));
    }
    if !is_event_name(name, limits) || data.len() > limits.event_data_bytes {
        return Err(Refused);
    }
    Ok((Action::Event { name: name.to_owned(), data }, None))
}

fn event(
    fields: &Fields<'_, '_>,
    channels: Vec<ChannelName>,
    limits: &Limits,
) -> Result<Trigger, Refused> {
    let name = fields.string("name")?.ok_or(Refused)?;
    let data = match fields.even_null("data").ok_or(Refused)? {
        text @ Json { kind: Kind::String(_), .. } => text.string()?,
        other => other.compact(),
    };
    let (action, inner_key) = action(&name, data, limits)?;
    let key = key(fields, limits)?;
    if key.is_some() && inner_key.is_some() {
        return Err(Refused);
    }
    let condition = condition(fields)?;
    let conditional = match &action {
        Action::Command(_) if condition != Condition::default() => return Err(Refused),
        Action::Command(ChannelCommand::Truth(change)) => change.condition,
        _ => condition,
    };
    if conditional != Condition::default() && channels.len() > 1 {
        return Err(Refused);
    }
    let exclude = fields.string("socket_id")?.map(|id| socket_id(&id)).transpose()?;
    let info = info(&fields.string("info")?.unwrap_or_default())?;
    if info.user_count && channels.iter().any(|c| c.kind().access != Access::Presence) {
        return Err(Refused);
    }
    let (channels, idempotency_key) = (channels.into_iter().collect(), key.or(inner_key));
    Ok(Trigger { action, channels, exclude, info, condition, idempotency_key })
}

fn channel(name: &str, limits: &Limits) -> Result<ChannelName, Refused> {
    ChannelName::parse(name, limits.channel_name).map_err(|_| Refused)
}

/// A name that an event may have.
pub(crate) fn is_event_name(name: &str, limits: &Limits) -> bool {
    let reserved = ["pusher:", "pusher_internal:", "oyez:"];
    let length = name.chars().count();
    length >= 1
        && length <= limits.event_name
        && !reserved.iter().any(|prefix| name.starts_with(prefix))
}

/// `^\d+\.\d+$`, with digits of ASCII.
fn socket_id(text: &str) -> Result<SocketId, Refused> {
    let parts: Vec<&str> = text.split('.').collect();
    let are_digits = |part: &&str| !part.is_empty() && part.chars().all(|c| c.is_ascii_digit());
    if parts.len() != 2 || !parts.iter().all(are_digits) {
        return Err(Refused);
    }
    let id = SocketId::parse(text).expect("of the right form");
    // What the server could not have given out is nobody's id: half of it is 0.
    let written = id.to_string();
    assert!(written == text || written.split('.').any(|half| half == "0"), "{text} is {written}");
    Ok(id)
}

fn info(list: &str) -> Result<Info, Refused> {
    let mut info = Info::default();
    for attribute in list.split(',') {
        match attribute.trim() {
            "" => {}
            "user_count" => info.user_count = true,
            "subscription_count" => info.subscription_count = true,
            "position" => info.position = true,
            _ => return Err(Refused),
        }
    }
    Ok(info)
}
