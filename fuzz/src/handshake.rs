// SPDX-License-Identifier: MIT OR Apache-2.0
//! Target `handshake`: a head is read the same however it is cut, within its limits, and becomes a
//! WebSocket exactly when a plain reading of RFC 6455 4.2.1 says so.
//!
//! Input: two bytes of settings (limits, cuts), then what a client sends.

use oyez_protocol::websocket::handshake::{HeadLimits, Refusal, Request, parse_head};

use crate::{Settings, piece_lengths};

const LIMITS: [HeadLimits; 3] = [
    HeadLimits { bytes: 16 * 1024, headers: 100 },
    HeadLimits { bytes: 300, headers: 100 },
    HeadLimits { bytes: 16 * 1024, headers: 3 },
];

pub(crate) fn run(data: &[u8]) {
    let mut settings = Settings::new(data);
    let limits = settings.pick(&LIMITS);
    let cuts = settings.byte();
    let stream = settings.rest;

    let whole = parse_head(stream, 0, limits);
    let in_pieces = parse_in_pieces(stream, cuts, limits);
    match &whole {
        Ok(Some(request)) => {
            let other = in_pieces.expect("no fault in pieces").expect("complete in pieces");
            assert_eq!(format!("{request:?}"), format!("{other:?}"));
            judge(request, stream, limits);
        }
        // What is bad may be found later, but never becomes good.
        Ok(None) => assert!(matches!(in_pieces, Ok(None)), "{in_pieces:?}"),
        Err(refusal) => {
            assert!(!matches!(in_pieces, Ok(Some(_))), "{in_pieces:?}");
            assert_is_answer(*refusal);
        }
    }
}

/// Reads the head as it comes, until it is complete or refused.
fn parse_in_pieces(
    stream: &[u8],
    cuts: u8,
    limits: HeadLimits,
) -> Result<Option<Request<'_>>, Refusal> {
    let mut seen = 0;
    for length in piece_lengths(cuts) {
        let have = (seen + length).min(stream.len());
        match parse_head(&stream[..have], seen, limits) {
            Ok(None) if have < stream.len() => seen = have,
            done => return done,
        }
    }
    unreachable!("there is always a next piece")
}

fn judge(request: &Request<'_>, stream: &[u8], limits: HeadLimits) {
    assert!(request.len <= stream.len() && request.len <= limits.bytes);
    let head = &stream[..request.len];
    match request.upgrade() {
        Ok(key) => {
            assert!(is_handshake(head), "accepted: {}", head.escape_ascii());
            let answer = key.response_101();
            assert!(answer.starts_with(b"HTTP/1.1 101 ") && answer.ends_with(b"=\r\n\r\n"));
        }
        Err(refusal) => {
            assert!(!is_handshake(head), "{refusal}: {}", head.escape_ascii());
            assert_is_answer(refusal);
        }
    }
}

/// A plain reading of a head that is known to be HTTP.
fn is_handshake(head: &[u8]) -> bool {
    let mut lines = head
        .split(|&byte| byte == b'\n')
        .map(|line| line.strip_suffix(b"\r").unwrap_or(line))
        .filter(|line| !line.is_empty());
    let Some(request_line) = lines.next() else { return false };
    let headers: Vec<(Vec<u8>, &[u8])> = lines
        .filter_map(|line| {
            let colon = line.iter().position(|&byte| byte == b':')?;
            Some((line[..colon].to_ascii_lowercase(), line[colon + 1..].trim_ascii()))
        })
        .collect();
    let all = |name: &str| -> Vec<&[u8]> {
        headers.iter().filter(|(n, _)| n == name.as_bytes()).map(|(_, value)| *value).collect()
    };
    let lists = |name: &str, token: &[u8]| {
        all(name).iter().any(|value| {
            value.split(|&byte| byte == b',').any(|t| t.trim_ascii().eq_ignore_ascii_case(token))
        })
    };
    let is_text = |name: &str| all(name).iter().all(|value| std::str::from_utf8(value).is_ok());
    let is_key = |value: &[u8]| {
        value.len() == 24
            && value.ends_with(b"==")
            && value[..22].iter().all(|&b| b.is_ascii_alphanumeric() || b == b'+' || b == b'/')
    };

    request_line.starts_with(b"GET ")
        && request_line.trim_ascii_end().ends_with(b"HTTP/1.1")
        && lists("upgrade", b"websocket")
        && lists("connection", b"upgrade")
        && all("host").len() == 1
        && all("origin").len() <= 1
        && ["host", "origin", "x-forwarded-for", "x-forwarded-proto"].into_iter().all(is_text)
        && all("sec-websocket-version") == [b"13"]
        && matches!(all("sec-websocket-key")[..], [key] if is_key(key))
        && all("transfer-encoding").is_empty()
        && all("content-length").iter().all(|length| *length == b"0")
}

fn assert_is_answer(refusal: Refusal) {
    let answer = refusal.response();
    assert!(answer.starts_with(format!("HTTP/1.1 {} ", refusal.status()).as_bytes()));
    assert!((400..500).contains(&refusal.status()));
}
