// SPDX-License-Identifier: MIT OR Apache-2.0
//! The little that Oyez does to JSON itself: borrow its strings, and squeeze out white space.
//! Everything else is serde_json's.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, Visitor};
use serde_json::value::RawValue;

/// A JSON string, borrowed from the input when it holds no escapes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text<'a>(pub Cow<'a, str>);

impl Text<'_> {
    /// The string itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextVisitor;
        impl<'de> Visitor<'de> for TextVisitor {
            type Value = Text<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }
            fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Text(Cow::Borrowed(text)))
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
            fn visit_string<E: Error>(self, text: String) -> Result<Self::Value, E> {
                Ok(Text(Cow::Owned(text)))
            }
        }
        deserializer.deserialize_str(TextVisitor)
    }
}

/// Parses a JSON object. (serde alone would take an array of the fields as well.)
pub fn object<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, serde_json::Error> {
    if !text.trim_ascii_start().starts_with('{') {
        return Err(serde_json::Error::custom("it must be a JSON object"));
    }
    serde_json::from_str(text)
}

/// Keeps `null` apart from nothing, for `deserialize_with`.
pub(crate) fn present<'de, D: Deserializer<'de>>(
    data: D,
) -> Result<Option<&'de RawValue>, D::Error> {
    <&RawValue>::deserialize(data).map(Some)
}

/// Valid JSON without the white space between its tokens. Numbers, the order of keys and escapes
/// stay as they were written; the depth does not matter.
pub fn compact(json: &str) -> Cow<'_, str> {
    let blank = |b: u8| matches!(b, b' ' | b'\t' | b'\n' | b'\r');
    if !json.bytes().any(blank) {
        return Cow::Borrowed(json);
    }
    let mut out = String::with_capacity(json.len());
    let (mut kept_from, mut in_string, mut escaped) = (0, false, false);
    for (at, byte) in json.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            _ if !in_string && blank(byte) => {
                out.push_str(&json[kept_from..at]);
                kept_from = at + 1;
            }
            _ => {}
        }
    }
    out.push_str(&json[kept_from..]);
    Cow::Owned(out)
}

/// Appends a text as a JSON string.
pub fn write_string(out: &mut Vec<u8>, text: &str) {
    serde_json::to_writer(out, text).expect("writing a string to memory cannot fail");
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn white_space_in_strings_stays() {
        assert_eq!(compact("{ \"a b\" : [ 1 , \"\\\" x\" ] }"), r#"{"a b":[1,"\" x"]}"#);
        assert_eq!(compact("1e400"), "1e400");
    }

    proptest! {
        #[test]
        fn compact_json_means_the_same(text in ".*", other in ".*") {
            let value = serde_json::json!({ &text: [1, null, { "x": other }], "y": text });
            let pretty = serde_json::to_string_pretty(&value).expect("valid JSON");
            prop_assert_eq!(compact(&pretty).into_owned(), value.to_string());
        }
    }
}
