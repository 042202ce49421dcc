// SPDX-License-Identifier: MIT OR Apache-2.0
//! The segments of a path: channel names and user ids stand there percent-encoded.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

use super::{ApiError, ErrorCode};

/// How much of a bad segment an error shows.
const SHOWN: usize = 64;

/// Decodes one segment of a path, which must be UTF-8 with every `%` followed by two hex digits.
/// `what` names it in the error.
pub fn decode_segment<'a>(segment: &'a str, what: &str) -> Result<Cow<'a, str>, ApiError> {
    let bad = || {
        let shown: String = segment.chars().take(SHOWN).collect();
        let text = format!(
            "the {what} in the path, {shown:?}, is not properly percent-encoded UTF-8: \
             write each byte that is not allowed in a URL as % and two hex digits"
        );
        ApiError::at(ErrorCode::BadUrl, what, text)
    };
    let well_formed = segment
        .split('%')
        .skip(1)
        .all(|rest| rest.len() >= 2 && rest.as_bytes()[..2].iter().all(u8::is_ascii_hexdigit));
    if !well_formed {
        return Err(bad());
    }
    percent_decode_str(segment).decode_utf8().map_err(|_| bad())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p066_badly_encoded_segments_are_refused_by_name() {
        for bad in ["%", "a%2", "%zz", "%ff", "a%", "%é0", "%2é"] {
            let error = decode_segment(bad, "channel").expect_err("refused");
            assert_eq!((error.code, error.field.as_deref()), (ErrorCode::BadUrl, Some("channel")));
        }
        for (segment, text) in
            [("a", "a"), ("a%2Cb", "a,b"), ("%23x", "#x"), ("a+b", "a+b"), ("%c3%A9", "é")]
        {
            assert_eq!(decode_segment(segment, "channel").expect("well formed"), text);
        }
    }
}
