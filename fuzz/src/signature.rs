// SPDX-License-Identifier: MIT OR Apache-2.0
//! Target `signature`: a query is decoded and sorted as protocol section 6 says, and a call is let
//! in exactly when the string that follows from it was signed with the secret, in time, over this
//! body.
//!
//! Input: four bytes of settings (what is put right in the query, what is signed, the clock, the
//! method), then three lines: path, query, body.

use md5::{Digest, Md5};
use oyez_protocol::api::{CLOCK_TOLERANCE, Query, SignedRequest, decode_segment};
use oyez_protocol::auth::Credentials;
use oyez_protocol::secret::Secret;

use crate::{Settings, assert_is_refusal};

const KEY: &str = "key";
const PREFIX: &str = "/prefix";
const NOW: u64 = 1_700_000_000;

/// What signs.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Signer {
    /// The secret, over what arrived.
    Right,
    /// The secret, over the path as it is once decoded, or without the prefix.
    Decoded,
    Bare,
    /// The secret, over another string.
    Other,
    /// Another secret.
    Stranger,
    /// Right, but in capitals.
    Capitals,
    /// Nothing is signed.
    Nobody,
    /// The secret, over the keys in the case in which they came.
    AsSent,
}

pub(crate) fn run(data: &[u8]) {
    use Signer::{AsSent, Bare, Capitals, Decoded, Nobody, Other, Right, Stranger};
    let mut settings = Settings::new(data);
    let put_right = settings.byte();
    let signer = settings.pick(&[Right, Decoded, Bare, Other, Stranger, Capitals, Nobody, AsSent]);
    let clock = settings.byte();
    let method = settings.pick(&["POST", "GET"]);
    let mut lines = settings.rest.splitn(3, |byte| *byte == b'\n');
    let mut line = || lines.next().unwrap_or_default();
    let (path, query, body) = (line(), line(), line());
    let (Ok(path), Ok(query)) = (std::str::from_utf8(path), std::str::from_utf8(query)) else {
        return;
    };
    let prefix = if put_right & 32 == 0 { "" } else { PREFIX };

    // The fuzzer need not guess what a library would add.
    let seconds = NOW + u64::from(clock) * 10 - 1_280;
    let mut query = query.to_owned();
    for (bit, parameter) in [
        (1, format!("&auth_key={KEY}")),
        (2, format!("&auth_timestamp={seconds}")),
        (4, "&auth_version=1.0".to_owned()),
        (8, format!("&body_md5={}", md5_of(body))),
        (16, format!("&body_md5={}", md5_of(body).to_uppercase())),
    ] {
        if put_right & bit != 0 {
            query += &parameter;
        }
    }
    check_path(path);
    let Some(unsigned) = parameters(&query) else {
        assert!(Query::parse(&query).is_err(), "{query:?}");
        return;
    };
    let secret = Secret::new("secret");
    let unsigned_as_sent = as_sent(&query).expect("it was well encoded a moment ago");
    let sign_with = |secret: &Secret, path: &str, parameters: &[(String, String)]| {
        secret.sign_text(&[to_sign(method, path, parameters).as_bytes()])
    };
    let sign = |secret: &Secret, path: &str| sign_with(secret, path, &unsigned);
    let sign_as_sent = |path: &str| sign_with(&secret, path, &unsigned_as_sent);
    let signature = match signer {
        Right => Some(sign(&secret, path)),
        Capitals => Some(sign(&secret, path).to_uppercase()),
        Decoded => decoded(path, Plus::Itself).map(|path| sign(&secret, &path)),
        Bare => path.strip_prefix(PREFIX).map(|path| sign(&secret, path)),
        Other => Some(sign(&secret, &format!("{path}/other"))),
        Stranger => Some(sign(&Secret::new("stranger"), path)),
        Nobody => None,
        AsSent => Some(sign_as_sent(path)),
    };
    if let Some(signature) = &signature {
        query += &format!("&auth_signature={signature}");
    }

    let parsed = Query::parse(&query).expect("what was added is well encoded");
    let parameters = parameters(&query).expect("what was added is well encoded");
    let all: Vec<_> = parsed.iter().map(|(k, v)| (k.to_owned(), v.to_owned())).collect();
    assert_eq!(all, parameters);

    let request = SignedRequest { method, path, prefix, query: &parsed };
    let checked = request.check(Credentials { key: KEY, secret: &secret }, NOW);
    let expected = is_in_order(&parameters) && {
        let claimed = value(&parameters, "auth_signature").unwrap_or_default();
        let is_signed =
            |path: &String| claimed == sign(&secret, path) || claimed == sign_as_sent(path);
        readings(path, prefix).iter().any(is_signed)
    };
    assert_eq!(checked.is_ok(), expected, "{checked:?}: {path:?} {query:?}");
    let body_checked = request.check_body(body);
    let claimed = value(&parameters, "body_md5").map(str::to_ascii_lowercase);
    let is_body = claimed.map_or(body.is_empty(), |claimed| claimed == md5_of(body));
    assert_eq!(body_checked.is_ok(), is_body, "{body_checked:?}");

    for error in [checked.err(), body_checked.err()].into_iter().flatten() {
        // Nothing that is refused learns what would have been right.
        let right = sign(&secret, path);
        let sent = signer == Right || query.contains(&right) || path.contains(&right);
        assert!(sent || !error.to_string().contains(&right));
        assert_is_refusal(&error.into());
    }
}

/// Everything but the signature itself.
fn is_in_order(parameters: &[(String, String)]) -> bool {
    let timestamp = value(parameters, "auth_timestamp").unwrap_or_default();
    let is_number = !timestamp.is_empty() && timestamp.chars().all(|c| c.is_ascii_digit());
    // More digits than these are far from now, whatever they are.
    let digits = timestamp.trim_start_matches('0');
    let seconds = if digits.len() > 18 { i64::MAX } else { digits.parse().unwrap_or(0) };
    value(parameters, "auth_key") == Some(KEY)
        && value(parameters, "auth_version") == Some("1.0")
        && is_number
        && seconds.abs_diff(NOW as i64) <= CLOCK_TOLERANCE
}

fn value<'p>(parameters: &'p [(String, String)], key: &str) -> Option<&'p str> {
    parameters.iter().find(|(k, _)| k == key).map(|(_, value)| value.as_str())
}

/// Sorted by lower-cased key, which is in lower case; of equal keys, as they came.
fn parameters(query: &str) -> Option<Vec<(String, String)>> {
    let lower = |(key, value): (String, String)| (key.to_ascii_lowercase(), value);
    Some(as_sent(query)?.into_iter().map(lower).collect())
}

/// The same with the keys in the case in which they came.
fn as_sent(query: &str) -> Option<Vec<(String, String)>> {
    let mut parameters: Vec<(String, String)> = Vec::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let equals = pair.find('=');
        let key = decoded(&pair[..equals.unwrap_or(pair.len())], Plus::Space)?;
        let value = equals.map_or("", |at| &pair[at + 1..]);
        let value = decoded(value, Plus::Space)?;
        let lower = key.to_ascii_lowercase();
        let after = parameters.iter().filter(|(k, _)| k.to_ascii_lowercase() <= lower).count();
        parameters.insert(after, (key, value));
    }
    Some(parameters)
}

fn to_sign(method: &str, path: &str, parameters: &[(String, String)]) -> String {
    let pairs = parameters.iter().filter(|(key, _)| !key.eq_ignore_ascii_case("auth_signature"));
    let pairs: Vec<_> = pairs.map(|(key, value)| format!("{key}={value}")).collect();
    format!("{method}\n{path}\n{}", pairs.join("&"))
}

/// The paths that a library may have signed.
fn readings(path: &str, prefix: &str) -> Vec<String> {
    let mut readings = vec![path.to_owned()];
    if !prefix.is_empty() {
        readings.extend(path.strip_prefix(prefix).map(str::to_owned));
    }
    let decoded = readings.iter().filter_map(|path| decoded(path, Plus::Itself)).collect();
    [readings, decoded].concat()
}

/// What a plus sign stands for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Plus {
    Space,
    Itself,
}

/// Percent-decoded, if that is UTF-8. A percent sign without two digits stays.
fn decoded(text: &str, plus: Plus) -> Option<String> {
    let bytes = text.as_bytes();
    let digit = |at: usize| bytes.get(at).and_then(|b| char::from(*b).to_digit(16));
    let (mut out, mut at) = (Vec::new(), 0);
    while at < bytes.len() {
        match (bytes[at], digit(at + 1), digit(at + 2)) {
            (b'%', Some(high), Some(low)) => {
                out.push((high * 16 + low) as u8);
                at += 2;
            }
            (b'+', ..) if plus == Plus::Space => out.push(b' '),
            (byte, ..) => out.push(byte),
        }
        at += 1;
    }
    String::from_utf8(out).ok()
}

/// A segment of a path must be well formed.
fn check_path(segment: &str) {
    let bytes = segment.as_bytes();
    let is_digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_hexdigit);
    let signs = (0..bytes.len()).filter(|at| bytes[*at] == b'%');
    let is_well_formed = signs.into_iter().all(|at| is_digit(at + 1) && is_digit(at + 2));
    let expected = decoded(segment, Plus::Itself).filter(|_| is_well_formed);
    match (decode_segment(segment, "channel"), expected) {
        (Ok(text), Some(expected)) => assert_eq!(text, expected),
        (Err(error), None) => assert_is_refusal(&error),
        (actual, expected) => panic!("{actual:?} is not {expected:?}"),
    }
}

fn md5_of(body: &[u8]) -> String {
    Md5::digest(body).iter().map(|byte| format!("{byte:02x}")).collect()
}
