// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Field`]: reads what stands in a message, and says which field is not what it must be.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::json::{Text, object};
use crate::position::Offset;

/// What numbers in messages must be.
const WHOLE_NUMBER: &str = "a whole number from 0 to 9007199254740991";

/// Where a field stands in the data of a message, like `oyez.truth.version`.
#[derive(Clone, Copy)]
pub(super) struct Field<'a> {
    parent: Option<&'a Field<'a>>,
    name: &'a str,
}

impl<'a> Field<'a> {
    /// A field of the data itself.
    pub(super) fn new(name: &'a str) -> Field<'a> {
        Field { parent: None, name }
    }

    /// A field of the object that stands here.
    pub(super) fn of(&'a self, name: &'a str) -> Field<'a> {
        Field { parent: Some(self), name }
    }

    /// That this field is something else, or is not there.
    pub(super) fn must_be(self, what: &str) -> String {
        format!("`{self}` must be {what}")
    }

    /// The object that stands here.
    pub(super) fn object<'j, T: Deserialize<'j>>(self, raw: &'j RawValue) -> Result<T, String> {
        if !raw.get().starts_with('{') {
            return Err(self.must_be("an object"));
        }
        object(raw.get()).map_err(|error| format!("`{self}` is not valid: {error}"))
    }

    /// The number that must stand here.
    pub(super) fn offset(self, raw: Option<&RawValue>) -> Result<Offset, String> {
        let number = raw.and_then(|raw| Offset::parse(raw.get()));
        number.ok_or_else(|| self.must_be(WHOLE_NUMBER))
    }
}

impl fmt::Display for Field<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(parent) = self.parent {
            write!(f, "{parent}.")?;
        }
        f.write_str(self.name)
    }
}

/// The string that may stand there; `null` is nothing.
pub(super) fn string<'j>(
    field: Field<'_>,
    must_be: &str,
    raw: Option<&'j RawValue>,
) -> Result<Option<Cow<'j, str>>, String> {
    let Some(raw) = raw else { return Ok(None) };
    match serde_json::from_str::<Text<'j>>(raw.get()) {
        Ok(text) => Ok(Some(text.0)),
        Err(_) => Err(field.must_be(must_be)),
    }
}
