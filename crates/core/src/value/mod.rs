// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Value`]: a JSON value that a truth may be, and what is done with values: [`merge`],
//! [`Patch`], [`Difference`], [`checksum`].
//!
//! A value *is* its compact text: that is what is kept, what the wire carries, and all that an
//! idle truth costs. A tree is built from it when something is asked, borrows from it, and is
//! gone with the answer. Numbers stay the texts they were sent as, so setting a value never
//! changes a digit; two are equal when they are the same decimal number, however written.
//!
//! Nothing in here knows channels, versions or clients.

mod delta;
mod merge;
mod number;
mod patch;
mod pointer;
mod sum;
mod tree;

#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::fmt;

use oyez_protocol::json;
use serde::de::IgnoredAny;

pub use delta::{Delta, Difference};
pub use merge::merge;
pub use patch::{OperationError, Patch, PatchError};
pub use sum::checksum;

use tree::Node;

/// A JSON value, as its compact text.
///
/// What it holds has been checked: it is JSON (RFC 8259), at most [`Value::MAX_DEPTH`] deep, every
/// number is within the range of a double and every string is Unicode, so that any client can
/// hold it. When an object has a key twice, the last one counts, as in every browser; the text
/// keeps both until the value is changed.
#[derive(Clone)]
pub struct Value<'a> {
    text: Cow<'a, str>,
}

/// Why a text is not a value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ValueError {
    /// It is not JSON.
    #[error("not JSON: {0}")]
    Syntax(String),
    /// Arrays and objects stand in one another too deeply.
    #[error("nested deeper than {}", Value::MAX_DEPTH)]
    Depth,
    /// A number beyond what a double can hold, such as `1e400`.
    #[error("the number {0} is beyond the range of a double")]
    Range(String),
    /// A string with half a surrogate pair, such as `"\ud800"`: it is no Unicode text.
    #[error("the string {0} has half a surrogate pair")]
    Surrogate(String),
}

impl<'a> Value<'a> {
    /// How many arrays and objects may stand inside one another.
    pub const MAX_DEPTH: usize = 128;

    /// Reads a value. Costs time in proportion to the text, and no stack.
    pub fn parse(text: &'a str) -> Result<Value<'a>, ValueError> {
        Value::parse_within(text, Value::MAX_DEPTH)
    }

    fn parse_within(text: &'a str, max_depth: usize) -> Result<Value<'a>, ValueError> {
        serde_json::from_str::<IgnoredAny>(text)
            .map_err(|error| ValueError::Syntax(error.to_string()))?;
        let text = json::compact(text);
        tree::check(&text, max_depth)?;
        Ok(Value { text })
    }

    /// The value whose [`text`](Value::text) this is; nothing is checked again.
    ///
    /// With any other text, asking the value for anything may panic.
    pub fn held(text: &'a str) -> Value<'a> {
        debug_assert!(Value::parse(text).is_ok_and(|value| value.text == text), "{text}");
        Value { text: Cow::Borrowed(text) }
    }

    /// `null`: what a merge or a patch starts from when there is no value yet.
    pub const fn null() -> Value<'static> {
        Value { text: Cow::Borrowed("null") }
    }

    /// The compact JSON text: no white space between tokens.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The compact JSON text, to keep.
    pub fn into_text(self) -> String {
        self.text.into_owned()
    }

    /// The value by itself.
    pub fn into_owned(self) -> Value<'static> {
        Value { text: Cow::Owned(self.into_text()) }
    }

    /// Whether both say the same: the order of keys, escapes and the writing of numbers do not
    /// matter (`1.0`, `1` and `10e-1` are one number), the digits of numbers do, also those that
    /// a double would lose.
    pub fn same(&self, other: &Value<'_>) -> bool {
        self.text == other.text || self.tree().same(&other.tree())
    }

    fn tree(&self) -> Node<'_> {
        Node::read(&self.text)
    }

    fn of(tree: &Node<'_>) -> Value<'static> {
        let mut text = Vec::new();
        tree.write(&mut text);
        let text = String::from_utf8(text).expect("JSON is written from strings");
        Value { text: Cow::Owned(text) }
    }
}

impl fmt::Debug for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
