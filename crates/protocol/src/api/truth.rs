// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`TruthChange`]: what shall become of a channel's truth. [`TruthCall`] is one as the body of
//! `PUT` or `POST /channels/CH/truth`, [`ReadTruth`] the query of `GET`.
//!
//! Values, merges and patches stay JSON texts, without the white space between their tokens: what
//! they mean is not this crate's business.

mod answer;

use std::time::Duration;

pub use answer::{ChangeOutcome, Freshness, TruthChanged, TruthView, VersionMismatch};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::expected::Condition;
use super::fields::{At, json_object, utf8};
use super::{ApiError, ErrorCode, Query, event_name};
use crate::json::compact;
use crate::limits::Limits;
use crate::position::Offset;

/// What shall become of a channel's truth.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TruthChange {
    /// What to do.
    pub operation: TruthOperation,
    /// Under which name subscribers hear of it; the rule's when it is not said.
    pub event: Option<String>,
    /// When to do it.
    pub condition: Condition,
    /// How long the truth holds if nobody changes it; for ever when it is not said.
    pub ttl: Option<Duration>,
}

/// How a truth is changed. The texts are valid compact JSON, at most `limits.truth_bytes` long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TruthOperation {
    /// This is the truth now.
    Set(String),
    /// A merge patch (RFC 7396), an object.
    Merge(String),
    /// A JSON Patch (RFC 6902), an array of at most `limits.patch_operations` operations.
    Patch(String),
    /// There is none any more.
    Delete,
}

/// `PUT` or `POST /channels/CH/truth`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TruthCall {
    /// What to do.
    pub change: TruthChange,
    /// The caller's name for this call, to be able to say it twice and have it done once.
    pub idempotency_key: Option<String>,
}

/// `GET /channels/CH/truth`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReadTruth {
    /// Answer when the truth has this version, or a later one.
    pub wait_version: Option<Offset>,
}

/// What a body asks to do, by the names of its fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verb {
    Set,
    Merge,
    Patch,
    Delete,
}

#[derive(Deserialize)]
pub(super) struct Body<'a> {
    #[serde(borrow, default, deserialize_with = "crate::json::present")]
    data: Option<&'a RawValue>,
    #[serde(borrow)]
    merge: Option<&'a RawValue>,
    #[serde(borrow)]
    patch: Option<&'a RawValue>,
    #[serde(borrow)]
    delete: Option<&'a RawValue>,
    #[serde(borrow)]
    event: Option<&'a RawValue>,
    #[serde(borrow)]
    if_version: Option<&'a RawValue>,
    #[serde(borrow)]
    if_epoch: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) idempotency_key: Option<&'a RawValue>,
    #[serde(borrow)]
    ttl: Option<&'a RawValue>,
}

const MERGE: &str = "an object (RFC 7396)";
const PATCH: &str = "an array of operations (RFC 6902)";
const EVENT: &str = "a string, the event's name";
const TTL: &str = "a number of seconds or a time like \"30s\"";

/// The longest time that a truth may hold without a change; beyond it a unit was mistaken.
const TTL_MAX: Duration = Duration::from_secs(10 * 366 * 24 * 3600);
/// The shortest.
const TTL_MIN: Duration = Duration::from_millis(1);
/// Units of times, the longest suffix first.
const UNITS: [(&str, f64); 5] =
    [("ms", 0.001), ("s", 1.0), ("m", 60.0), ("h", 3600.0), ("d", 86_400.0)];

impl TruthCall {
    /// Reads the body.
    pub fn parse(body: &[u8], limits: &Limits) -> Result<TruthCall, ApiError> {
        let body: Body<'_> = json_object(utf8(body)?)?;
        let at = At::Body;
        let change = body.change(at, None, limits)?;
        let key = body.idempotency_key.map(|raw| at.idempotency_key(raw, limits)).transpose()?;
        Ok(TruthCall { change, idempotency_key: key })
    }
}

impl ReadTruth {
    /// Reads `wait_version`.
    pub fn parse(query: &Query<'_>) -> Result<ReadTruth, ApiError> {
        let version = query.get("wait_version");
        let version = version.map(|text| At::Body.written_offset("wait_version", text));
        Ok(ReadTruth { wait_version: version.transpose()? })
    }
}

impl Body<'_> {
    /// Reads everything but the idempotency key. A command has told by its name what it does.
    pub(super) fn change(
        &self,
        at: At,
        named: Option<Verb>,
        limits: &Limits,
    ) -> Result<TruthChange, ApiError> {
        let operation = self.operation(at, named, limits)?;
        let event = match self.event {
            None => None,
            Some(raw) => {
                let name = at.string("event", raw, EVENT)?;
                event_name::check(at, "event", &name, limits)?;
                Some(name.into_owned())
            }
        };
        let ttl = self.ttl.map(|raw| ttl(at, raw)).transpose()?;
        if ttl.is_some() && operation == TruthOperation::Delete {
            return Err(at.bad("ttl", ErrorCode::BadTtl, "says how long nothing shall hold"));
        }
        let condition = Condition::read(at, self.if_version, self.if_epoch)?;
        Ok(TruthChange { operation, event, condition, ttl })
    }

    fn operation(
        &self,
        at: At,
        named: Option<Verb>,
        limits: &Limits,
    ) -> Result<TruthOperation, ApiError> {
        let mut given = Verb::ALL.into_iter().filter_map(|verb| Some((verb, self.field(verb)?)));
        let (verb, raw) = match (given.next(), named) {
            (Some(first), _) => first,
            (None, Some(Verb::Delete)) => return Ok(TruthOperation::Delete),
            (None, Some(verb)) => return Err(at.missing(verb.field(), verb.must_be())),
            (None, None) => {
                let text = "the body says nothing: give `data`, `merge`, `patch` or `delete`";
                return Err(ApiError::new(ErrorCode::BadChange, text));
            }
        };
        let refused = match (named, given.next()) {
            (Some(named), _) if named != verb => Some((verb, named)),
            (_, Some((second, _))) => Some((second, verb)),
            _ => None,
        };
        if let Some((extra, verb)) = refused {
            let text = format!("cannot stand here: this call is a {}", verb.noun());
            return Err(at.bad(extra.field(), ErrorCode::BadChange, text));
        }
        let opens = |bracket| raw.get().starts_with(bracket);
        match verb {
            Verb::Set => bounded(at, verb, raw, limits).map(TruthOperation::Set),
            Verb::Merge if opens('{') => bounded(at, verb, raw, limits).map(TruthOperation::Merge),
            Verb::Patch if opens('[') => {
                let count = at.items(verb.field(), raw, PATCH, 0)?.count;
                let limit = limits.patch_operations;
                if count > limit {
                    let text = format!(
                        "holds {count} operations, at most {limit} are allowed \
                         (limits.patch_operations)"
                    );
                    return Err(at.bad(verb.field(), ErrorCode::PatchTooLong, text));
                }
                bounded(at, verb, raw, limits).map(TruthOperation::Patch)
            }
            Verb::Delete if raw.get() == "true" => Ok(TruthOperation::Delete),
            Verb::Delete => Err(at.bad(verb.field(), ErrorCode::WrongType, "must be true")),
            Verb::Merge | Verb::Patch => Err(at.wrong_type(verb.field(), raw, verb.must_be())),
        }
    }

    fn field(&self, verb: Verb) -> Option<&RawValue> {
        match verb {
            Verb::Set => self.data,
            Verb::Merge => self.merge,
            Verb::Patch => self.patch,
            Verb::Delete => self.delete,
        }
    }
}

impl Verb {
    const ALL: [Verb; 4] = [Verb::Set, Verb::Merge, Verb::Patch, Verb::Delete];

    /// The field that says it.
    const fn field(self) -> &'static str {
        match self {
            Verb::Set => "data",
            Verb::Merge => "merge",
            Verb::Patch => "patch",
            Verb::Delete => "delete",
        }
    }

    const fn noun(self) -> &'static str {
        match self {
            Verb::Set => "set",
            Verb::Merge => "merge",
            Verb::Patch => "patch",
            Verb::Delete => "delete",
        }
    }

    const fn must_be(self) -> &'static str {
        match self {
            Verb::Set => "the truth, a JSON value",
            Verb::Merge => MERGE,
            Verb::Patch => PATCH,
            Verb::Delete => "true",
        }
    }
}

/// A JSON text without its white space, within the limit.
fn bounded(at: At, verb: Verb, raw: &RawValue, limits: &Limits) -> Result<String, ApiError> {
    let (text, limit) = (compact(raw.get()), limits.truth_bytes);
    if text.len() <= limit {
        return Ok(text.into_owned());
    }
    let text =
        format!("has {} bytes, at most {limit} are allowed (limits.truth_bytes)", text.len());
    Err(at.bad(verb.field(), ErrorCode::TruthTooLarge, text))
}

fn ttl(at: At, raw: &RawValue) -> Result<Duration, ApiError> {
    let bad = || {
        let text = format!("must be {TTL}, more than nothing and at most ten years");
        at.bad("ttl", ErrorCode::BadTtl, text)
    };
    let seconds = if raw.get().starts_with('"') {
        written_seconds(&at.string("ttl", raw, TTL)?).ok_or_else(bad)?
    } else {
        at.is_number("ttl", raw, TTL)?;
        raw.get().parse().map_err(|_| bad())?
    };
    let ttl = Duration::try_from_secs_f64(seconds).map_err(|_| bad())?;
    if (TTL_MIN..=TTL_MAX).contains(&ttl) { Ok(ttl) } else { Err(bad()) }
}

/// The seconds of a time like `30s`, as in the config.
fn written_seconds(text: &str) -> Option<f64> {
    let (number, unit) = UNITS
        .iter()
        .find_map(|(suffix, unit)| Some((text.strip_suffix(suffix)?.trim_end(), *unit)))
        .unwrap_or((text, 1.0));
    let is_plain = number.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    number.parse::<f64>().ok().filter(|_| is_plain).map(|number| number * unit)
}

#[cfg(test)]
mod tests;
