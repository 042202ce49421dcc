// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Trigger`]: an event that the backend publishes, as `POST /events`, `POST /batch_events` or
//! the deprecated form of one channel ask for it.
//!
//! A trigger publishes an event, or is a command in an event's clothes.
//!
//! All or nothing: every event of a call is valid, or the whole call is an error.

use std::borrow::Cow;
use std::collections::HashSet;

use serde::Deserialize;
use serde_json::value::RawValue;
use smallvec::SmallVec;

use super::command::CommandName;
use super::fields::{At, json_object, utf8};
use super::{ApiError, ChannelCommand, Condition, ErrorCode, Info, InfoOf, Query, event_name};
use crate::channel::ChannelName;
use crate::json::{compact, object};
use crate::limits::Limits;
use crate::socket_id::SocketId;

/// One thing to do with one or more channels. Within the limits; not a reserved name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trigger {
    /// What to do with each.
    pub action: Action,
    /// Where, each once, in the order of the call; never empty.
    pub channels: SmallVec<[ChannelName; 1]>,
    /// The connection that shall not hear it.
    pub exclude: Option<SocketId>,
    /// What the answer shall say of each channel.
    pub info: Info,
    /// What must be true of the channel's truth before the event, when it is one channel alone.
    /// A command carries its own.
    pub condition: Condition,
    /// The caller's name for this call, to be able to say it twice and have it done once.
    pub idempotency_key: Option<String>,
}

/// What a trigger does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Publish an event.
    Event {
        /// Its name.
        name: String,
        /// Its data: the string that was sent, or the compact text of other JSON.
        data: String,
    },
    /// A command (`oyez:set` and its kin): never broadcast under that name.
    Command(ChannelCommand),
}

/// The body of `POST /batch_events`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// One thing to do with one channel each, in the order of the call. None has an idempotency
    /// key of its own.
    pub triggers: Vec<Trigger>,
    /// The key of the call as a whole.
    pub idempotency_key: Option<String>,
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
    #[serde(borrow)]
    idempotency_key: Option<&'a RawValue>,
    #[serde(borrow)]
    if_version: Option<&'a RawValue>,
    #[serde(borrow)]
    if_epoch: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct BatchBody<'a> {
    #[serde(borrow)]
    batch: Option<&'a RawValue>,
    #[serde(borrow)]
    idempotency_key: Option<&'a RawValue>,
}

const NAME: &str = "a string, the event's name";
const DATA: &str = "the event's data, a string";
const CHANNEL: &str = "a string, a channel's name";
const CHANNELS: &str = "an array of channel names";
const SOCKET_ID: &str = "a string like \"123.456\"";
const INFO: &str = "a string of attributes with commas between";
const BATCH: &str = "an array of events";

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

    /// Reads the deprecated `POST /channels/CH/events?name=&socket_id=`, whose body is the data.
    pub fn parse_deprecated(
        channel: ChannelName,
        query: &Query<'_>,
        body: &[u8],
        limits: &Limits,
    ) -> Result<Trigger, ApiError> {
        let at = At::Body;
        let name = query.get("name").ok_or_else(|| at.missing("name", NAME))?;
        let (action, idempotency_key) = action(at, name, Cow::Borrowed(utf8(body)?), limits)?;
        Ok(Trigger {
            action,
            channels: SmallVec::from_elem(channel, 1),
            exclude: query.get("socket_id").map(|id| socket_id(at, id)).transpose()?,
            info: Info::default(),
            condition: Condition::default(),
            idempotency_key,
        })
    }
}

impl Batch {
    /// Reads the body.
    pub fn parse(body: &[u8], limits: &Limits) -> Result<Batch, ApiError> {
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
        let item = |(item, raw): (usize, &&RawValue)| batch_item(item, raw, limits);
        let triggers = items.kept.iter().enumerate().map(item).collect::<Result<_, _>>()?;
        let key = body.idempotency_key.map(|raw| At::Body.idempotency_key(raw, limits));
        Ok(Batch { triggers, idempotency_key: key.transpose()? })
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
    let trigger = event(at, &body, SmallVec::from_elem(channel(at, one, limits)?, 1), limits)?;
    if trigger.idempotency_key.is_some() {
        let text = "cannot be that of one event of many: give it beside `batch`";
        return Err(at.bad("idempotency_key", ErrorCode::BadIdempotencyKey, text));
    }
    Ok(trigger)
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
    let raw = body.data.ok_or_else(|| at.missing("data", DATA))?;
    let data = match raw.get().starts_with('"') {
        true => at.string("data", raw, DATA)?,
        false => compact(raw.get()),
    };
    let (action, inner_key) = action(at, &name, data, limits)?;
    let condition = condition(at, body, &action, &channels)?;
    let key = body.idempotency_key.map(|raw| at.idempotency_key(raw, limits)).transpose()?;
    if key.is_some() && inner_key.is_some() {
        let text = "is given twice: once is enough, here or in `data`";
        return Err(at.bad("idempotency_key", ErrorCode::BadIdempotencyKey, text));
    }

    let exclude = match body.socket_id {
        None => None,
        Some(raw) => Some(socket_id(at, &at.string("socket_id", raw, SOCKET_ID)?)?),
    };
    let info = match body.info {
        None => Info::default(),
        Some(raw) => Info::parse_at(at, &at.string("info", raw, INFO)?, InfoOf::Publish)?,
    };
    for channel in &channels {
        info.check(at, channel)?;
    }
    let idempotency_key = key.or(inner_key);
    Ok(Trigger { action, channels, exclude, info, condition, idempotency_key })
}

/// What a trigger of that name does, and the idempotency key that stood in its data.
fn action(
    at: At,
    name: &str,
    data: Cow<'_, str>,
    limits: &Limits,
) -> Result<(Action, Option<String>), ApiError> {
    if let Some(command) = CommandName::of(at, name)? {
        let (command, key) = command.read(at, &data, limits)?;
        return Ok((Action::Command(command), key));
    }
    event_name::check(at, "name", name, limits)?;
    check_data(at, &data, limits)?;
    Ok((Action::Event { name: name.to_owned(), data: data.into_owned() }, None))
}

/// `if_version` and `if_epoch`, which speak of one channel's truth: a command has them in its
/// data.
fn condition(
    at: At,
    body: &Body<'_>,
    action: &Action,
    channels: &[ChannelName],
) -> Result<Condition, ApiError> {
    let outer = Condition::read(at, body.if_version, body.if_epoch)?;
    let (at, condition) = match action {
        Action::Command(_) if !outer.is_none() => {
            let text = "belongs into `data`, to the rest of the command";
            return Err(at.bad(outer.field(), ErrorCode::BadChange, text));
        }
        Action::Command(ChannelCommand::Truth(change)) => (at.command(), change.condition),
        Action::Command(_) | Action::Event { .. } => (at, outer),
    };
    if !condition.is_none() && channels.len() > 1 {
        let text = format!(
            "speaks of one channel, and this call is for {}: make one call for each",
            channels.len()
        );
        return Err(at.bad(condition.field(), ErrorCode::ChannelCount, text));
    }
    Ok(outer)
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
