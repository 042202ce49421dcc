// SPDX-License-Identifier: MIT OR Apache-2.0
//! The opening handshake: what is read from it, what is refused, what is answered.

use crate::websocket::handshake::{HeadLimits, Refusal, Request, WebSocketKey, parse_head};

const LIMITS: HeadLimits = HeadLimits { bytes: 2000, headers: 20 };

/// The example of RFC 6455 1.2, with what a browser and a proxy add.
const GOOD: &str = "GET /app/key?protocol=7&client=js HTTP/1.1\r\n\
    Host: server.example.com\r\n\
    Upgrade: websocket\r\n\
    Connection: Upgrade\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
    Origin: https://example.com\r\n\
    Sec-WebSocket-Protocol: chat, superchat\r\n\
    Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n\
    Sec-WebSocket-Version: 13\r\n\
    X-Forwarded-For: 203.0.113.7, 198.51.100.2\r\n\
    X-Forwarded-Proto: https\r\n\r\n";

fn complete(head: &str) -> Request<'_> {
    parse_head(head.as_bytes(), 0, LIMITS).expect("a good head").expect("a complete head")
}

/// The good handshake with one thing changed.
fn refused(from: &str, to: &str) -> Refusal {
    assert!(GOOD.contains(from), "{from}");
    complete(&GOOD.replace(from, to)).upgrade().expect_err("this is no handshake")
}

fn accepted(from: &str, to: &str) {
    assert!(GOOD.contains(from), "{from}");
    complete(&GOOD.replace(from, to)).upgrade().expect("this is a handshake");
}

#[test]
fn the_head_is_read_where_it_lies() {
    let request = complete(GOOD);
    assert_eq!(request.len, GOOD.len());
    assert_eq!(request.method, "GET");
    assert_eq!(request.path, "/app/key");
    assert_eq!(request.query, Some("protocol=7&client=js"));
    assert_eq!(request.host, Some("server.example.com"));
    assert_eq!(request.origin, Some("https://example.com"));
    assert_eq!(request.forwarded_for, Some("203.0.113.7, 198.51.100.2"));
    assert_eq!(request.forwarded_proto, Some("https"));
    assert!(request.wants_websocket());
    assert!(GOOD.as_bytes().as_ptr_range().contains(&request.path.as_ptr()));
}

#[test]
fn p007_frames_may_follow_the_head_in_the_same_packet() {
    let packet = [GOOD.as_bytes(), &[0x81, 0x80, 1, 2, 3, 4]].concat();
    let request = parse_head(&packet, 0, LIMITS).expect("good").expect("complete");
    assert_eq!(packet.len() - request.len, 6);
}

#[test]
fn p007_a_head_may_come_byte_by_byte() {
    for head in [GOOD.to_owned(), format!("\r\n\r\n{GOOD}"), GOOD.replace("\r\n", "\n")] {
        for have in 0..head.len() {
            let seen = have.saturating_sub(1);
            let read = parse_head(&head.as_bytes()[..have], seen, LIMITS);
            assert!(matches!(read, Ok(None)), "{have}");
        }
        let read = parse_head(head.as_bytes(), head.len() - 1, LIMITS);
        assert!(read.is_ok_and(|head| head.is_some()));
        for seen in 0..head.len() {
            let read = parse_head(head.as_bytes(), seen, LIMITS);
            assert!(read.is_ok_and(|head| head.is_some()), "{seen}");
        }
    }
}

#[test]
fn the_answer_is_that_of_the_rfc() {
    let key = complete(GOOD).upgrade().expect("a good handshake");
    assert_eq!(&key.accept(), b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    assert_eq!(
        str::from_utf8(&key.response_101()),
        Ok("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
            Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n")
    );
}

#[test]
fn headers_are_found_in_any_case_and_in_lists() {
    accepted("Upgrade: websocket", "UPGRADE: h2c , WebSocket");
    accepted("Connection: Upgrade", "connection: keep-alive,upgrade");
    accepted("Connection: Upgrade", "Connection: keep-alive\r\nConnection:   UPGRADE  ");
    accepted("Sec-WebSocket-Key", "sec-websocket-key");
    accepted("\r\n\r\n", "\r\nContent-Length: 0\r\n\r\n");
}

#[test]
fn what_is_no_handshake_is_refused_with_its_status() {
    assert_eq!(refused("GET", "POST"), Refusal::MethodNotAllowed);
    assert_eq!(refused("Upgrade: websocket", "Upgrade: h2c"), Refusal::UpgradeRequired);
    assert_eq!(refused("Upgrade: websocket\r\n", ""), Refusal::UpgradeRequired);
    assert_eq!(refused("Version: 13", "Version: 8"), Refusal::VersionNotSupported);
    assert_eq!(refused("Sec-WebSocket-Version: 13\r\n", ""), Refusal::VersionNotSupported);
    for (from, to) in [
        ("HTTP/1.1", "HTTP/1.0"),
        ("Connection: Upgrade", "Connection: keep-alive"),
        ("Host: server.example.com\r\n", ""),
        ("Host: server.example.com", "Host: a\r\nHost: b"),
        ("Origin: https://example.com", "Origin: https://a\r\nOrigin: https://b"),
        ("Origin: https://example.com", "Origin: \u{80}"),
        ("dGhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZSBub25jZQ"),
        ("dGhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZSBub25jZQAA"),
        ("dGhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZSBub25j!Q=="),
        ("dGhlIHNhbXBsZSBub25jZQ==", ""),
        ("Sec-WebSocket-Version: 13", "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Version: 8"),
        ("\r\n\r\n", "\r\nContent-Length: 5\r\n\r\n"),
        ("\r\n\r\n", "\r\nTransfer-Encoding: chunked\r\n\r\n"),
    ] {
        // U+0080 stands for a byte that is not UTF-8.
        let head: Vec<u8> = GOOD
            .replacen(from, to, 1)
            .chars()
            .map(|c| u8::try_from(c).expect("a character of one byte"))
            .collect();
        let request = parse_head(&head, 0, LIMITS).expect("a good head").expect("a complete head");
        assert!(matches!(request.upgrade(), Err(Refusal::BadRequest(_))), "{from} → {to}");
    }
}

#[test]
fn other_requests_are_read_for_others_to_answer() {
    let head = "POST /apps/1/events?auth_key=k?x HTTP/1.0\r\nContent-Length: 9\r\n\r\nrest";
    let request = complete(head);
    assert!(!request.wants_websocket());
    assert_eq!((request.path, request.query), ("/apps/1/events", Some("auth_key=k?x")));
    assert_eq!(head.len() - request.len, 4);
}

#[test]
fn targets_may_be_whole_urls() {
    for (target, path, query) in [
        ("http://host:80/app/k?a=http://b", "/app/k", Some("a=http://b")),
        ("http://host", "/", None),
        ("http://host?x", "/", Some("x")),
        ("/app/k?", "/app/k", Some("")),
        ("/a://b", "/a://b", None),
        ("*", "*", None),
    ] {
        let head = format!("OPTIONS {target} HTTP/1.1\r\n\r\n");
        let request = complete(&head);
        assert_eq!((request.path, request.query), (path, query), "{target}");
    }
}

#[test]
fn p073_heads_are_bounded_in_bytes_and_lines() {
    let limits = |bytes, headers| HeadLimits { bytes, headers };
    let read = |bytes: &[u8], limits| parse_head(bytes, 0, limits).map(|head| head.is_some());
    let head = GOOD.as_bytes();
    assert_eq!(read(head, limits(head.len(), 10)), Ok(true));
    assert_eq!(read(head, limits(head.len() - 1, 10)), Err(Refusal::HeadTooLarge));
    assert_eq!(read(head, limits(head.len(), 9)), Err(Refusal::HeadTooLarge));
    // Without its end, as soon as the end cannot come in time.
    assert_eq!(read(&head[..100], limits(101, 10)), Ok(false));
    assert_eq!(read(&head[..100], limits(100, 10)), Err(Refusal::HeadTooLarge));
    assert!(matches!(parse_head(&head[..100], 99, limits(100, 10)), Err(Refusal::HeadTooLarge)));
    // A limit above what there is room for is cut to it.
    let lines = |count| format!("GET / HTTP/1.1\r\n{}\r\n", "A: b\r\n".repeat(count));
    assert_eq!(read(lines(256).as_bytes(), limits(4000, 1000)), Ok(true));
    assert_eq!(read(lines(257).as_bytes(), limits(4000, 1000)), Err(Refusal::HeadTooLarge));
}

#[test]
fn p074_what_is_not_http_is_refused_at_once() {
    let hello = [0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00];
    for garbage in [&hello[..], b"\0", b"GET / HTTP/3.0\r\n", b"\xff\xff", b"GET / HTTP/1.1\r\n: x"]
    {
        let read = parse_head(garbage, 0, LIMITS);
        assert!(matches!(read, Err(Refusal::BadRequest(_))), "{garbage:?}");
    }
}

#[test]
fn refusals_are_complete_answers() {
    for (refusal, status, header) in [
        (Refusal::BadRequest("why"), 400, "Connection: close\r\n"),
        (Refusal::NotFound, 404, "Connection: close\r\n"),
        (Refusal::MethodNotAllowed, 405, "Allow: GET\r\n"),
        (Refusal::UpgradeRequired, 426, "Upgrade: websocket\r\n"),
        (Refusal::VersionNotSupported, 426, "Sec-WebSocket-Version: 13\r\n"),
        (Refusal::HeadTooLarge, 431, "Connection: close\r\n"),
    ] {
        assert_eq!(refusal.status(), status);
        let answer = String::from_utf8(refusal.response()).expect("text");
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
        assert!(answer.contains(header), "{answer}");
        let (head, body) = answer.split_once("\r\n\r\n").expect("a head and a body");
        assert!(head.ends_with(&format!("Content-Length: {}", body.len())), "{answer}");
        assert!(!refusal.to_string().contains(['"', '\\']), "the text needs no escape in JSON");
        assert!(body.starts_with(&format!("{{\"error\":\"{refusal}\",")), "{answer}");
    }
}

#[test]
fn keys_have_16_bytes() {
    assert!(WebSocketKey::parse(b"AAAAAAAAAAAAAAAAAAAAAA==").is_some());
    // Surplus bits in the last character: seen in clients that draw characters at random.
    assert!(WebSocketKey::parse(b"AAAAAAAAAAAAAAAAAAAAAB==").is_some());
    for bad in [&b"AAAAAAAAAAAAAAAAAAAAAAA="[..], b"AAAAAAAAAAAAAAAAAAAAAAAA", b"", b"AA=="] {
        assert_eq!(WebSocketKey::parse(bad), None);
    }
}
