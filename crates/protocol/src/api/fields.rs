// SPDX-License-Identifier: MIT OR Apache-2.0
//! The fields of a body, read one by one, so that every error names the field it is about.
//!
//! Fields are raw JSON until they are asked for; arrays are read up to their limit and only
//! counted beyond it.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, SeqAccess, Visitor};
use serde_json::value::RawValue;
use smallvec::SmallVec;

use super::{ApiError, ErrorCode};
use crate::json::Text;

/// Where the fields stand that are being read: in the body, or in an item of its batch.
#[derive(Clone, Copy, Debug)]
pub(super) enum At {
    /// In the body itself, or in the query.
    Body,
    /// In `batch[N]`.
    Batch(usize),
}

impl At {
    /// The whole name of a field.
    pub(super) fn field(self, name: &str) -> String {
        match self {
            At::Body => name.to_owned(),
            At::Batch(item) => format!("batch[{item}].{name}"),
        }
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
