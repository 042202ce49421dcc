// SPDX-License-Identifier: MIT OR Apache-2.0
//! Target `truth`: the bodies of the calls about a channel's truth and memory ask for what a plain
//! reading of the contract finds in them, and so does the data of a command.
//!
//! Input: two bytes of settings (which call, limits), then the body.

use std::time::Duration;

use oyez_protocol::api::{
    Changed, ChannelCommand, Condition, Expected, Forget, TruthCall, TruthChange, TruthOperation,
};
use oyez_protocol::limits::Limits;
use oyez_protocol::position::Offset;

use crate::json::{self, Fields, Json, Kind, Refused};
use crate::message::{is_name, number};
use crate::trigger::is_event_name;
use crate::{Settings, assert_is_refusal, tight_limits};

const FIELDS: [&str; 9] = [
    "data",
    "merge",
    "patch",
    "delete",
    "event",
    "if_version",
    "if_epoch",
    "idempotency_key",
    "ttl",
];

#[derive(Clone, Copy)]
enum Call {
    Truth,
    Changed,
    Forget,
}

pub(crate) fn run(data: &[u8]) {
    let mut settings = Settings::new(data);
    let call = settings.pick(&[Call::Truth, Call::Changed, Call::Forget]);
    let limits = if settings.byte() == 0 { Limits::default() } else { tight_limits() };
    let body = settings.rest;
    let text = std::str::from_utf8(body).map_err(|_| Refused);
    match call {
        Call::Truth => agree(
            TruthCall::parse(body, &limits),
            text.and_then(|text| {
                let (change, idempotency_key) = truth(text, None, &limits)?;
                Ok(TruthCall { change, idempotency_key })
            }),
        ),
        Call::Changed => agree(Changed::parse(body), text.and_then(changed)),
        Call::Forget => {
            agree(Forget::parse(body, &limits), text.and_then(|text| forget(text, &limits)));
        }
    }
}

fn agree<T: PartialEq + std::fmt::Debug>(
    actual: Result<T, oyez_protocol::api::ApiError>,
    expected: Result<T, Refused>,
) {
    match (actual, expected) {
        (Ok(actual), Ok(expected)) => assert_eq!(actual, expected),
        (Err(error), Err(Refused)) => assert_is_refusal(&error),
        (actual, expected) => panic!("{actual:?} is not {expected:?}"),
    }
}

/// The command of that name with that data, and its idempotency key.
pub(crate) fn command(
    name: &str,
    data: &str,
    limits: &Limits,
) -> Result<(ChannelCommand, Option<String>), Refused> {
    let blank = ["", "null"].contains(&data.trim_ascii());
    let or_nothing = if blank { "{}" } else { data };
    let verb = match name {
        "oyez:set" => "data",
        "oyez:merge" => "merge",
        "oyez:patch" => "patch",
        "oyez:delete" => "delete",
        "oyez:changed" => return Ok((ChannelCommand::Changed(changed(or_nothing)?), None)),
        "oyez:forget" => return Ok((ChannelCommand::Forget(forget(data, limits)?), None)),
        _ => return Err(Refused),
    };
    let data = if verb == "delete" { or_nothing } else { data };
    let (change, key) = truth(data, Some(verb), limits)?;
    Ok((ChannelCommand::Truth(change), key))
}

fn truth(
    body: &str,
    named: Option<&str>,
    limits: &Limits,
) -> Result<(TruthChange, Option<String>), Refused> {
    let body = json::read(body)?;
    let fields = body.fields(&FIELDS)?;
    let given: Vec<_> = ["data", "merge", "patch", "delete"]
        .into_iter()
        .filter_map(|verb| match verb {
            "data" => Some((verb, fields.even_null(verb)?)),
            _ => Some((verb, fields.get(verb)?)),
        })
        .collect();
    let operation = match given[..] {
        [] if named == Some("delete") => TruthOperation::Delete,
        [(verb, value)] if named.is_none_or(|named| named == verb) => {
            operation(verb, value, limits)?
        }
        _ => return Err(Refused),
    };
    let event = fields.string("event")?;
    if event.as_ref().is_some_and(|event| !is_event_name(event, limits)) {
        return Err(Refused);
    }
    let ttl = fields.get("ttl").map(ttl).transpose()?;
    if ttl.is_some() && operation == TruthOperation::Delete {
        return Err(Refused);
    }
    let condition = condition(&fields)?;
    Ok((TruthChange { operation, event, condition, ttl }, key(&fields, limits)?))
}

fn operation(verb: &str, value: &Json<'_>, limits: &Limits) -> Result<TruthOperation, Refused> {
    let text = value.compact();
    if text.len() > limits.truth_bytes {
        return Err(Refused);
    }
    match (verb, &value.kind) {
        ("data", _) => Ok(TruthOperation::Set(text)),
        ("merge", Kind::Object(_)) => Ok(TruthOperation::Merge(text)),
        ("patch", Kind::Array(list)) if list.len() <= limits.patch_operations => {
            Ok(TruthOperation::Patch(text))
        }
        ("delete", Kind::Bool(true)) => Ok(TruthOperation::Delete),
        _ => Err(Refused),
    }
}

/// `if_version` and `if_epoch`.
pub(crate) fn condition(fields: &Fields<'_, '_>) -> Result<Condition, Refused> {
    let version: Option<Offset> = match fields.get("if_version") {
        None => None,
        some => Some(number(some)?),
    };
    let epoch = match fields.string("if_epoch")? {
        None => Expected::Any,
        Some(name) if is_name(&name) => Expected::epoch(&name),
        Some(_) => Expected::Foreign,
    };
    Ok(Condition { version, epoch })
}

/// `idempotency_key`.
pub(crate) fn key(fields: &Fields<'_, '_>, limits: &Limits) -> Result<Option<String>, Refused> {
    let key = fields.string("idempotency_key")?;
    match key.as_ref().map_or(1, |key| key.chars().count()) {
        length if (1..=limits.idempotency_key).contains(&length) => Ok(key),
        _ => Err(Refused),
    }
}

fn ttl(json: &Json<'_>) -> Result<Duration, Refused> {
    let seconds: f64 = match &json.kind {
        Kind::Number => json.text.parse().map_err(|_| Refused)?,
        Kind::String(Some(text)) => {
            let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
            let (number, unit) = text.split_at(end);
            let number: f64 = number.parse().map_err(|_| Refused)?;
            let unit = match unit.trim_start() {
                "" if unit.is_empty() => 1.0,
                "ms" => 0.001,
                "s" => 1.0,
                "m" => 60.0,
                "h" => 3600.0,
                "d" => 86_400.0,
                _ => return Err(Refused),
            };
            number * unit
        }
        _ => return Err(Refused),
    };
    let ten_years = 10.0 * 366.0 * 86_400.0;
    let ttl = Duration::try_from_secs_f64(seconds).map_err(|_| Refused)?;
    if ttl < Duration::from_millis(1) || ttl > Duration::from_secs_f64(ten_years) {
        return Err(Refused);
    }
    Ok(ttl)
}

fn changed(body: &str) -> Result<Changed, Refused> {
    if body.trim_ascii().is_empty() {
        return Ok(Changed { min_version: None });
    }
    let body = json::read(body)?;
    let fields = body.fields(&["min_version"])?;
    let version = fields.get("min_version").map(|json| match json.kind {
        Kind::Number => json.text.parse().map_err(|_| Refused),
        _ => Err(Refused),
    });
    Ok(Changed { min_version: version.transpose()? })
}

fn forget(body: &str, limits: &Limits) -> Result<Forget, Refused> {
    let body = json::read(body)?;
    let event = body.fields(&["event"])?.string("event")?.ok_or(Refused)?;
    if is_event_name(&event, limits) { Ok(Forget { event }) } else { Err(Refused) }
}
