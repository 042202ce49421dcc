// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Trigger`]: an event that the backend publishes, as `POST /events`, `POST /batch_events` or
//! the deprecated form of one channel ask for it.
//!
//! All or nothing: every event of a call is valid, or the whole call is an error.

use std::collections::HashSet;

use serde::Deserialize;
use serde_json::value::RawValue;
use smallvec::SmallVec;

use super::fields::At;
use super::{ApiError, ErrorCode, Info, InfoOf, Query};
use crate::channel::ChannelName;
use crate::json::{compact, object};
use crate::limits::Limits;
use crate::message::RESERVED_PREFIXES;
use crate::socket_id::SocketId;

/// One event for one or more channels. Within the limits; not a reserved name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trigger {
    /// The event's name.
    pub event: String,
    /// Its data: the string that was sent, or the compact text of other JSON.
    pub data: String,
    /// Where it goes, each once, in the order of the call; never empty.
    pub channels: SmallVec<[ChannelName; 1]>,
    /// The connection that shall not hear it.
    pub exclude: Option<SocketId>,
    /// What the answer shall say of each channel.
    pub info: Info,
}

#[derive(Deserialize)]
struct Body<'a> {
    #[serde(borrow)]
    name: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "crate::json::present")]
    data: Option<&'a RawValue>,
    #[serde(borrow)]
    channels: Option<&'a RawValue>,
    #[serde(borrow)]
    channel: Option<&'a RawValue>,
    #[serde(borrow)]
    socket_id: Option<&'a RawValue>,
    #[serde(borrow)]
    info: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct BatchBody<'a> {
    #[serde(borrow)]
    batch: Option<&'a RawValue>,
}

const NAME: &str = "a string, the event's name";
const DATA: &str = "the event's data, a string";
const CHANNEL: &str = "a string, a channel's name";
const CHANNELS: &str = "an array of channel names";
const SOCKET_ID: &str = "a string like \"123.456\"";
const INFO: &str = "a string of attributes with commas between";
const BATCH: &str = "an array of events";

/// How much of a reserved name an error shows.
const SHOWN: usize = 64;

impl Trigger {
    /// Reads the body of `POST /events`.
    pub fn parse(body: &[u8], limits: &Limits) -> Result<Trigger, ApiError> {
        let body: Body<'_> = json_object(utf8(body)?)?;
        let at = At::Body;
        let channels = match (body.channels, body.channel) {
            (Some(_), Some(_)) => {
                let text = "give `channels` or `channel`, not both";
                return Err(ApiError::at(ErrorCode::ChannelCount, "channel", text));
            }
            (Some(list), None) => channels(list, limits)?,
            (None, Some(one)) => SmallVec::from_elem(channel(at, one, limits)?, 1),
            (None, None) => return Err(at.missing("channels", CHANNELS)),
        };
        event(at, &body, channels, limits)
    }

    /// Reads the body of `POST /batch_events`: one event each, in their order.
    pub fn parse_batch(body: &[u8], limits: &Limits) -> Result<Vec<Trigger>, ApiError> {
        let body: BatchBody<'_> = json_object(utf8(body)?)?;
        let list = body.batch.ok_or_else(|| At::Body.missing("batch", BATCH))?;
        let items = At::Body.items("batch", list, BATCH, limits.batch_events)?;
        if items.count > limits.batch_events {
            let text = format!(
                "`batch` holds {} events, at most {} are allowed (limits.batch_events)",
                items.count, limits.batch_events
            );
            return Err(ApiError::at(ErrorCode::BatchTooLong, "batch", text));
        }
        items.kept.iter().enumerate().map(|(item, raw)| batch_item(item, raw, limits)).collect()
    }

    /// Reads the deprecated `POST /channels/CH/events?name=&socket_id=`, whose body is the data.
    pub fn parse_deprecated(
        channel: ChannelName,
        query: &Query<'_>,
        body: &[u8],
        limits: &Limits,
    ) -> Result<Trigger, ApiError> {
        let at = At::Body;
        let name = query.get("name").ok_or_else(|| at.missing("name", NAME))?;
        check_name(at, name, &channel, limits)?;
        let data = utf8(body)?;
        check_data(at, data, limits)?;
        Ok(Trigger {
            event: name.to_owned(),
            data: data.to_owned(),
            channels: SmallVec::from_elem(channel, 1),
            exclude: query.get("socket_id").map(|id| socket_id(at, id)).transpose()?,
            info: Info::default(),
        })
    }
}

fn batch_item(item: usize, raw: &RawValue, limits: &Limits) -> Result<Trigger, ApiError> {
    let at = At::Batch(item);
    let field = format!("batch[{item}]");
    if !raw.get().starts_with('{') {
        let text = format!("`{field}` must be an object with channel, name and data");
        return Err(ApiError::at(ErrorCode::WrongType, field, text));
    }
    let body: Body<'_> = object(raw.get()).map_err(|error| {
        ApiError::at(ErrorCode::BadJson, &*field, format!("`{field}` is not valid: {error}"))
    })?;
    let one = body.channel.ok_or_else(|| at.missing("channel", CHANNEL))?;
    event(at, &body, SmallVec::from_elem(channel(at, one, limits)?, 1), limits)
}

/// Everything but the channels.
fn event(
    at: At,
    body: &Body<'_>,
    channels: SmallVec<[ChannelName; 1]>,
    limits: &Limits,
) -> Result<Trigger, ApiError> {
    let name = body.name.ok_or_else(|| at.missing("name", NAME))?;
    let name = at.string("name", name, NAME)?;
    check_name(at, &name, &channels[0], limits)?;

    let raw = body.data.ok_or_else(|| at.missing("data", DATA))?;
    let data = match raw.get().starts_with('"') {
        true => at.string("data", raw, DATA)?,
        false => compact(raw.get()),
    };
    check_data(at, &data, limits)?;

    let exclude = match body.socket_id {
        None => None,
        Some(raw) => Some(socket_id(at, &at.string("socket_id", raw, SOCKET_ID)?)?),
    };
    let info = match body.info {
        None => Info::default(),
        Some(raw) => Info::parse_at(at, &at.string("info", raw, INFO)?, InfoOf::Counts)?,
    };
    for channel in &channels {
        info.check(at, channel)?;
    }
    Ok(Trigger { event: name.into_owned(), data: data.into_owned(), channels, exclude, info })
}

fn utf8(body: &[u8]) -> Result<&str, ApiError> {
    std::str::from_utf8(body).map_err(|error| {
        let text = format!("the body is not UTF-8 from byte {} on", error.valid_up_to());
        ApiError::new(ErrorCode::BadJson, text)
    })
}

fn json_object<'a, T: Deserialize<'a>>(body: &'a str) -> Result<T, ApiError> {
    object(body).map_err(|error| {
        ApiError::new(ErrorCode::BadJson, format!("the body is not valid JSON: {error}"))
    })
}

fn channel(at: At, raw: &RawValue, limits: &Limits) -> Result<ChannelName, ApiError> {
    named_channel(at, "channel", raw, limits)
}

fn named_channel(
    at: At,
    name: &str,
    raw: &RawValue,
    limits: &Limits,
) -> Result<ChannelName, ApiError> {
    let text = at.string(name, raw, CHANNEL)?;
    ChannelName::parse(&text, limits.channel_name).map_err(|error| {
        let field = at.field(name);
        ApiError::at(ErrorCode::BadChannelName, &*field, format!("`{field}`: {error}"))
    })
}

/// `channels` of `POST /events`: each name once.
fn channels(raw: &RawValue, limits: &Limits) -> Result<SmallVec<[ChannelName; 1]>, ApiError> {
    let list = At::Body.items("channels", raw, CHANNELS, limits.event_channels)?;
    if list.count == 0 || list.count > limits.event_channels {
        let text = format!(
            "`channels` names {} channels, at least 1 and at most {} are allowed \
             (limits.event_channels)",
            list.count, limits.event_channels
        );
        return Err(ApiError::at(ErrorCode::ChannelCount, "channels", text));
    }
    if let [raw] = list.kept[..] {
        let channel = named_channel(At::Body, "channels[0]", raw, limits)?;
        return Ok(SmallVec::from_elem(channel, 1));
    }
    let (mut channels, mut seen) = (SmallVec::new(), HashSet::new());
    for (index, raw) in list.kept.iter().enumerate() {
        let channel = named_channel(At::Body, &format!("channels[{index}]"), raw, limits)?;
        if seen.insert(channel.clone()) {
            channels.push(channel);
        }
    }
    let encrypted = channels.iter().find(|channel: &&ChannelName| channel.kind().encrypted);
    if let Some(encrypted) = encrypted.filter(|_| channels.len() > 1) {
        let text = format!(
            "{encrypted} is encrypted: its data is for that channel alone, so publish it in a \
             call of its own"
        );
        return Err(ApiError::at(ErrorCode::EncryptedChannels, "channels", text));
    }
    Ok(channels)
}

fn check_name(at: At, name: &str, channel: &ChannelName, limits: &Limits) -> Result<(), ApiError> {
    let bad = |code, text: &str| {
        let field = at.field("name");
        let text = format!("`{field}` {text}");
        Err(ApiError::at(code, field, text))
    };
    if name.is_empty() {
        return bad(ErrorCode::BadEventName, "must not be empty");
    }
    // Bytes are at least as many as characters: most names need no counting.
    if name.len() > limits.event_name && name.chars().count() > limits.event_name {
        let (length, limit) = (name.chars().count(), limits.event_name);
        let text =
            format!("has {length} characters, at most {limit} are allowed (limits.event_name)");
        return bad(ErrorCode::BadEventName, &text);
    }
    let Some(prefix) = RESERVED_PREFIXES.iter().find(|prefix| name.starts_with(**prefix)) else {
        return Ok(());
    };
    let shown: String = name.chars().take(SHOWN).collect();
    let text = match *prefix {
        "oyez:" => format!(
            "is {shown:?}, a command for a channel that holds a truth: {channel} holds none on \
             this server"
        ),
        prefix => format!("is {shown:?}: names that begin with {prefix:?} are the protocol's own"),
    };
    bad(ErrorCode::ReservedEventName, &text)
}

fn check_data(at: At, data: &str, limits: &Limits) -> Result<(), ApiError> {
    if data.len() <= limits.event_data_bytes {
        return Ok(());
    }
    let field = at.field("data");
    let text = format!(
        "`{field}` has {} bytes, at most {} are allowed (limits.event_data_bytes)",
        data.len(),
        limits.event_data_bytes
    );
    Err(ApiError::at(ErrorCode::DataTooLarge, field, text))
}

fn socket_id(at: At, id: &str) -> Result<SocketId, ApiError> {
    SocketId::parse(id).map_err(|error| {
        let field = at.field("socket_id");
        ApiError::at(ErrorCode::BadSocketId, &*field, format!("`{field}` {error}"))
    })
}

#[cfg(test)]
mod tests;
