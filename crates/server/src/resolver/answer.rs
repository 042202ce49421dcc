// SPDX-License-Identifier: MIT OR Apache-2.0
//! Whether an answer is a truth: JSON that everybody who gets it can read.
//!
//! The text of the backend is what counts: it is checked by parsing it, but never written anew, so
//! that long numbers and the order of keys arrive as they were sent.

use oyez_protocol::json;
use serde_json::Value;

use super::failure::Failure;
use super::{DEPTH, Outcome};

/// Reads the body of a 200.
pub(super) fn of_body(body: Vec<u8>, header_version: Option<u64>) -> Result<Outcome, Failure> {
    let text = String::from_utf8(body).map_err(|_| Failure::Encoding)?;
    // First, because a parser that gives up early cannot tell why from anything else.
    if is_deep(&text) {
        return Err(Failure::TooDeep);
    }
    let value: Value = serde_json::from_str(&text).map_err(Failure::Json)?;
    let version = header_version.or_else(|| own_version(&value));
    drop(value);
    let data = match json::compact(&text) {
        std::borrow::Cow::Borrowed(_) => text,
        std::borrow::Cow::Owned(compact) => compact,
    };
    Ok(Outcome::Truth { data, version })
}

/// Takes the value of a closure.
pub(super) fn of_value(value: Option<Value>, most_bytes: usize) -> Result<Outcome, Failure> {
    let Some(value) = value else { return Ok(Outcome::None) };
    if is_deep_value(&value) {
        return Err(Failure::TooDeep);
    }
    let data = value.to_string();
    if data.len() > most_bytes {
        return Err(Failure::TooLong(most_bytes));
    }
    Ok(Outcome::Truth { data, version: own_version(&value) })
}

/// The field `version` of an object, where it is a whole number. An object may well have a field
/// of that name that means something else: then it has no version.
fn own_version(value: &Value) -> Option<u64> {
    value.as_object()?.get("version")?.as_u64()
}

/// Whether JSON is nested more than [`DEPTH`] levels deep. What is not JSON may count as deep or
/// not.
fn is_deep(text: &str) -> bool {
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    for byte in text.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'[' | b'{' if !in_string => {
                depth += 1;
                if depth > DEPTH {
                    return true;
                }
            }
            b']' | b'}' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    false
}

/// The same of a value, without recursion.
fn is_deep_value(value: &Value) -> bool {
    let mut rest = vec![(value, 0_usize)];
    while let Some((value, above)) = rest.pop() {
        if matches!(value, Value::Array(_) | Value::Object(_)) && above == DEPTH {
            return true;
        }
        match value {
            Value::Array(items) => rest.extend(items.iter().map(|item| (item, above + 1))),
            Value::Object(fields) => rest.extend(fields.values().map(|item| (item, above + 1))),
            _ => {}
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn truth(data: &str, version: Option<u64>) -> Outcome {
        Outcome::Truth { data: data.to_owned(), version }
    }

    fn read(body: &str) -> Result<Outcome, Failure> {
        of_body(body.as_bytes().to_vec(), None)
    }

    fn nested(levels: usize) -> String {
        "[".repeat(levels) + &"]".repeat(levels)
    }

    #[test]
    fn the_text_of_the_backend_is_kept_but_for_white_space() {
        for (body, data) in [
            (" { \"b\" : 1.0, \"a\" : [ 1 , 2 ] }\n", r#"{"b":1.0,"a":[1,2]}"#),
            ("123456789012345678901234567890", "123456789012345678901234567890"),
            (r#""\u00e4 x""#, r#""\u00e4 x""#),
            ("null", "null"),
        ] {
            assert_eq!(read(body).unwrap(), truth(data, None));
        }
    }

    #[test]
    fn a_version_is_the_headers_or_else_the_fields() {
        let read = |body: &str, header| of_body(body.as_bytes().to_vec(), header).unwrap();
        assert_eq!(read(r#"{"version":7}"#, None), truth(r#"{"version":7}"#, Some(7)));
        assert_eq!(read(r#"{"version":7}"#, Some(9)), truth(r#"{"version":7}"#, Some(9)));
        assert_eq!(read("1", Some(9)), truth("1", Some(9)));
        for none in [
            r#"{"version":"7"}"#,
            r#"{"version":-7}"#,
            r#"{"version":7.5}"#,
            r#"[{"version":7}]"#,
            r#"{"data":{"version":7}}"#,
        ] {
            assert_eq!(read(none, None), truth(none, None));
        }
        let of_closure = of_value(Some(json!({ "version": 7 })), 100).unwrap();
        assert_eq!(of_closure, truth(r#"{"version":7}"#, Some(7)));
    }

    #[test]
    fn what_is_not_json_is_refused() {
        for bad in ["", "<html>", "{", "[1,]", "1 2", "NaN", "'a'", "\u{feff}1", "1e999"] {
            assert!(matches!(read(bad), Err(Failure::Json(_))), "{bad}");
        }
        assert!(matches!(of_body(vec![b'"', 0xff, b'"'], None), Err(Failure::Encoding)));
    }

    #[test]
    fn depth_is_bounded_at_127_for_both_kinds_of_sources() {
        assert_eq!(read(&nested(DEPTH)).unwrap(), truth(&nested(DEPTH), None));
        assert!(matches!(read(&nested(DEPTH + 1)), Err(Failure::TooDeep)));
        assert!(matches!(read(&"[".repeat(1 << 20)), Err(Failure::TooDeep)));
        let brackets = format!("\"{}\"", "[".repeat(1_000));
        assert_eq!(read(&brackets).unwrap(), truth(&brackets, None));

        let value = |levels| (1..levels).fold(json!([]), |inner, _| json!([inner]));
        assert_eq!(of_value(Some(value(DEPTH)), 1_000).unwrap(), truth(&nested(DEPTH), None));
        assert!(matches!(of_value(Some(value(DEPTH + 1)), 1_000), Err(Failure::TooDeep)));
    }

    #[test]
    fn a_closures_value_may_be_as_long_as_an_answer() {
        assert_eq!(of_value(Some(json!("ab")), 4).unwrap(), truth("\"ab\"", None));
        assert!(matches!(of_value(Some(json!("abc")), 4), Err(Failure::TooLong(4))));
        assert_eq!(of_value(None, 4).unwrap(), Outcome::None);
    }
}
