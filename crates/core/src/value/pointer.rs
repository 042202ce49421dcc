// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Pointer`]: where in a value (RFC 6901).

/// The keys and indexes that lead to a part of a value; none of them is the whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pointer(pub(super) Vec<String>);

/// A text that is no pointer.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NotAPointer;

impl Pointer {
    pub(super) fn parse(text: &str) -> Result<Pointer, NotAPointer> {
        if text.is_empty() {
            return Ok(Pointer(Vec::new()));
        }
        let steps = text.strip_prefix('/').ok_or(NotAPointer)?.split('/');
        steps.map(unescape).collect::<Result<_, _>>().map(Pointer)
    }

    /// Whether the other one leads to something inside of what this one leads to.
    pub(super) fn is_above(&self, other: &Pointer) -> bool {
        self.0.len() < other.0.len() && other.0.starts_with(&self.0)
    }
}

fn unescape(step: &str) -> Result<String, NotAPointer> {
    let mut parts = step.split('~');
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (character, rest) = match part.as_bytes().first() {
            Some(b'0') => ('~', &part[1..]),
            Some(b'1') => ('/', &part[1..]),
            _ => return Err(NotAPointer),
        };
        out.push(character);
        out.push_str(rest);
    }
    Ok(out)
}

/// Appends one step, escaped.
pub(super) fn push(pointer: &mut String, step: &str) {
    pointer.push('/');
    for character in step.chars() {
        match character {
            '~' => pointer.push_str("~0"),
            '/' => pointer.push_str("~1"),
            other => pointer.push(other),
        }
    }
}

/// The index that a step names in an array: digits without a zero in front.
pub(super) fn index(step: &str) -> Option<usize> {
    let plain = step.bytes().all(|byte| byte.is_ascii_digit());
    if !plain || (step.len() > 1 && step.starts_with('0')) {
        return None;
    }
    step.parse().ok()
}
