// SPDX-License-Identifier: MIT OR Apache-2.0
//! The fields of a body, read one by one, so that every error names the field it is about.
//!
//! Fields are raw JSON until they are asked for; arrays are read up to their limit and only
//! counted beyond it.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, SeqAccess, Visitor};
use serde_json::value::RawValue;
use smallvec::SmallVec;

use super::{ApiError, ErrorCode};
use crate::json::{Text, object};
use crate::limits::Limits;
use crate::position::Offset;

/// Where the fields stand that are being read: in the body, or in an item of its batch.
#[derive(Clone, Copy, Debug)]
pub(super) enum At {
    /// In the body itself, or in the query.
    Body,
    /// In `batch[N]`.
    Batch(usize),
    /// In the `data` of a command, in the body.
    Command,
    /// In the `data` of a command, in `batch[N]`.
    BatchCommand(usize),
}

/// What an idempotency key must be.
const KEY: &str = "a string, new for each thing to be done";

/// What offsets and versions must be.
const OFFSET: &str = "a whole number from 0 to 9007199254740991";

/// The body as text.
pub(super) fn utf8(body: &[u8]) -> Result<&str, ApiError> {
    std::str::from_utf8(body).map_err(|error| {
        let text = format!("the body is not UTF-8 from byte {} on", error.valid_up_to());
        ApiError::new(ErrorCode::BadJson, text)
    })
}

/// The body as a JSON object.
pub(super) fn json_object<'a, T: Deserialize<'a>>(body: &'a str) -> Result<T, ApiError> {
    object(body).map_err(|error| {
        ApiError::new(ErrorCode::BadJson, format!("the body is not valid JSON: {error}"))
    })
}

impl At {
    /// The whole name of a field.
    pub(super) fn field(self, name: &str) -> String {
        match self {
            At::Body => name.to_owned(),
            At::Batch(item) => format!("batch[{item}].{name}"),
            At::Command => format!("data.{name}"),
            At::BatchCommand(item) => format!("batch[{item}].data.{name}"),
        }
    }

    /// The fields of a command whose `data` stands here.
    pub(super) fn command(self) -> At {
        match self {
            At::Body | At::Command => At::Command,
            At::Batch(item) | At::BatchCommand(item) => At::BatchCommand(item),
        }
    }

    /// An error about the value of a field.
    pub(super) fn bad(self, name: &str, code: ErrorCode, text: impl fmt::Display) -> ApiError {
        let field = self.field(name);
        let text = format!("`{field}` {text}");
        ApiError::at(code, field, text)
    }

    /// A field that is an offset or a version.
    pub(super) fn offset(self, name: &str, raw: &RawValue) -> Result<Offset, ApiError> {
        self.is_number(name, raw, OFFSET)?;
        self.written_offset(name, raw.get())
    }

    /// The same in a query.
    pub(super) fn written_offset(self, name: &str, text: &str) -> Result<Offset, ApiError> {
        let must_be = || self.bad(name, ErrorCode::BadNumber, format!("must be {OFFSET}"));
        Offset::parse(text).ok_or_else(must_be)
    }

    /// Whether a field is a number at all.
    pub(super) fn is_number(
        self,
        name: &str,
        raw: &RawValue,
        must_be: &str,
    ) -> Result<(), ApiError> {
        match raw.get().as_bytes()[0] {
            b'-' | b'0'..=b'9' => Ok(()),
            _ => Err(self.wrong_type(name, raw, must_be)),
        }
    }

    /// `idempotency_key`.
    pub(super) fn idempotency_key(
        self,
        raw: &RawValue,
        limits: &Limits,
    ) -> Result<String, ApiError> {
        let name = "idempotency_key";
        let key = self.string(name, raw, KEY)?;
        let (length, limit) = (key.chars().count(), limits.idempotency_key);
        if length == 0 {
            return Err(self.bad(name, ErrorCode::BadIdempotencyKey, "must not be empty"));
        }
        if length > limit {
            let text = format!(
                "has {length} characters, at most {limit} are allowed (limits.idempotency_key)"
            );
            return Err(self.bad(name, ErrorCode::BadIdempotencyKey, text));
        }
        Ok(key.into_owned())
    }

    /// An error about a field that is not there.
    pub(super) fn missing(self, name: &str, must_be: &str) -> ApiError {
        let field = self.field(name);
        let text = format!("`{field}` is missing: it must be {must_be}");
        ApiError::at(ErrorCode::MissingField, field, text)
    }

    /// An error about a field of another type.
    pub(super) fn wrong_type(self, name: &str, raw: &RawValue, must_be: &str) -> ApiError {
        let field = self.field(name);
        let text = format!("`{field}` must be {must_be}, not {}", kind_of(raw));
        ApiError::at(ErrorCode::WrongType, field, text)
    }

    /// A string field.
    pub(super) fn string<'a>(
        self,
        name: &str,
        raw: &'a RawValue,
        must_be: &str,
    ) -> Result<Cow<'a, str>, ApiError> {
        if !raw.get().starts_with('"') {
            return Err(self.wrong_type(name, raw, must_be));
        }
        let text: Text<'a> = serde_json::from_str(raw.get()).map_err(|error| {
            let field = self.field(name);
            let text = format!("`{field}` is not a valid string: {error}");
            ApiError::at(ErrorCode::BadJson, field, text)
        })?;
        Ok(text.0)
    }

    /// An array field, of which `limit` items are kept.
    pub(super) fn items<'a>(
        self,
        name: &str,
        raw: &'a RawValue,
        must_be: &str,
        limit: usize,
    ) -> Result<Items<'a>, ApiError> {
        if !raw.get().starts_with('[') {
            return Err(self.wrong_type(name, raw, must_be));
        }
        let mut json = serde_json::Deserializer::from_str(raw.get());
        UpTo(limit).deserialize(&mut json).map_err(|error| {
            let field = self.field(name);
            let text = format!("`{field}` is not a valid array: {error}");
            ApiError::at(ErrorCode::BadJson, field, text)
        })
    }
}

/// What a JSON value is, in words.
fn kind_of(raw: &RawValue) -> &'static str {
    match raw.get().as_bytes()[0] {
        b'"' => "a string",
        b'{' => "an object",
        b'[' => "an array",
        b'n' => "null",
        b't' | b'f' => "true or false",
        _ => "a number",
    }
}

/// The items of an array.
#[derive(Debug, Default)]
pub(super) struct Items<'a> {
    /// The first ones, up to the limit.
    pub(super) kept: SmallVec<[&'a RawValue; 2]>,
    /// How many there are.
    pub(super) count: usize,
}

/// Reads [`Items`].
struct UpTo(usize);

impl<'de> DeserializeSeed<'de> for UpTo {
    type Value = Items<'de>;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Items<'de>, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for UpTo {
    type Value = Items<'de>;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Items<'de>, A::Error> {
        let mut items = Items::default();
        while items.kept.len() < self.0 {
            let Some(item) = seq.next_element()? else { break };
            items.kept.push(item);
        }
        items.count = items.kept.len();
        while seq.next_element::<IgnoredAny>()?.is_some() {
            items.count += 1;
        }
        Ok(items)
    }
}
