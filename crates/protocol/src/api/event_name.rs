// SPDX-License-Identifier: MIT OR Apache-2.0
//! What an event may be called in a call of the HTTP API.

use super::fields::At;
use super::{ApiError, ErrorCode};
use crate::limits::Limits;
use crate::message::RESERVED_PREFIXES;

/// How much of a reserved name an error shows.
const SHOWN: usize = 64;

/// Refuses a name that is empty, too long or the protocol's own.
pub(super) fn check(at: At, key: &str, name: &str, limits: &Limits) -> Result<(), ApiError> {
    let bad = |code, text: &str| {
        let field = at.field(key);
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
    match RESERVED_PREFIXES.iter().find(|prefix| name.starts_with(**prefix)) {
        None => Ok(()),
        Some(prefix) => {
            let shown = shown(name);
            let text =
                format!("is {shown:?}: names that begin with {prefix:?} are the protocol's own");
            bad(ErrorCode::ReservedEventName, &text)
        }
    }
}

/// As much of a name as an error shows.
pub(super) fn shown(name: &str) -> String {
    name.chars().take(SHOWN).collect()
}
