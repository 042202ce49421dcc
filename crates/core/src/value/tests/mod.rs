// SPDX-License-Identifier: MIT OR Apache-2.0
//! What values promise (T-027).

mod edits;
mod made;
mod merges;
mod patches;
mod sums;
mod values;

use super::*;

fn value(text: &str) -> Value<'_> {
    Value::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}
