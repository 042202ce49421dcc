// SPDX-License-Identifier: MIT OR Apache-2.0
//! Backends that hang, flood, lie or are not there.

use tokio::net::TcpSocket;

use super::backend::{Backend, Reply};
use super::*;

/// Why a backend that replies like this fails.
async fn failure(reply: fn(&str) -> Reply) -> String {
    let backend = Backend::start(reply).await;
    Asking::of(vec![url(backend.url(), LONG)]).failure("a").await
}

#[tokio::test]
async fn a_backend_that_hangs_fails_when_its_time_is_over() {
    let backend = Backend::start(|channel| match channel {
        "stall" => Reply::Stall,
        _ => Reply::Hang,
    })
    .await;
    let mut asking = Asking::of(vec![url(backend.url(), SHORT)]);
    for channel in ["hang", "stall"] {
        let begin = std::time::Instant::now();
        assert_eq!(asking.failure(channel).await, "it did not answer within 200ms");
        assert!(begin.elapsed() >= SHORT);
    }
    assert_eq!(asking.stats[0].failures(FailureKind::NoAnswer), 2);
}

#[tokio::test]
async fn a_slow_answer_within_its_time_counts() {
    let backend = Backend::start(|_| Reply::After(Duration::from_millis(300), "7")).await;
    let mut asking = Asking::of(vec![url(backend.url(), LONG)]);
    assert_eq!(asking.outcome("a").await, truth("7", None));
}

#[tokio::test]
async fn an_answer_that_is_too_long_is_cut_off() {
    let reason = "its answer is longer than 65536 bytes";
    assert_eq!(failure(|_| Reply::Long(10 * 1024 * 1024)).await, reason);
    assert_eq!(failure(|_| Reply::Long(BOUNDS.answer_bytes + 1)).await, reason);
    assert_eq!(failure(|_| Reply::Endless).await, reason);
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let mut elsewhere = Backend::start(|_| Reply::Status(200, "\"stolen\"")).await;
    let to = elsewhere.url();
    let backend = Backend::start(move |channel| {
        let status = channel.parse().expect("a status");
        Reply::With(status, "location", to.clone(), "")
    })
    .await;
    let mut asking = Asking::of(vec![url(backend.url(), LONG)]);
    for status in ["301", "302", "303", "307", "308"] {
        let reason = asking.failure(status).await;
        assert!(reason.starts_with(&format!("it answered {status} ")), "{reason}");
        assert!(reason.contains("redirects are not followed"), "{reason}");
        assert!(!reason.contains("hidden"), "{reason}");
    }
    assert!(elsewhere.come().is_none());
}

#[tokio::test]
async fn other_statuses_fail() {
    let no_content = failure(|_| Reply::Status(204, "")).await;
    assert_eq!(no_content, "it answered 204 No Content: a truth is 200 with JSON, no truth is 404");
    let created = failure(|_| Reply::Status(201, "1")).await;
    assert!(created.starts_with("it answered 201 Created"), "{created}");
    let broken = failure(|_| Reply::Status(500, "secret stack trace")).await;
    assert_eq!(broken, "it answered 500 Internal Server Error");
}

#[tokio::test]
async fn an_answer_that_is_not_json_fails_with_the_place_and_without_the_text() {
    for reply in [
        |_: &str| Reply::Status(200, "<html>private</html>"),
        |_: &str| Reply::Status(200, "{\"private\":"),
        |_: &str| Reply::Status(200, ""),
    ] {
        let reason = failure(reply).await;
        assert!(reason.starts_with("its answer is not JSON: "), "{reason}");
        assert!(reason.contains("line 1 column") && !reason.contains("private"), "{reason}");
    }
    let deep = failure(|_| Reply::Status(200, "[".repeat(50_000).leak())).await;
    assert_eq!(deep, "its answer is nested more than 127 levels deep");
}

#[tokio::test]
async fn a_version_that_is_no_number_fails() {
    for version in ["", "v7", "-1", "1.5", "99999999999999999999"] {
        let backend =
            Backend::start(move |_| Reply::With(200, "Oyez-Version", version.into(), "1")).await;
        let reason = Asking::of(vec![url(backend.url(), LONG)]).failure("a").await;
        assert_eq!(reason, "its header Oyez-Version is not a whole number");
    }
}

#[tokio::test]
async fn a_backend_that_is_not_there_or_breaks_off_fails() {
    let nobody = TcpSocket::new_v4().unwrap();
    nobody.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let nobody_there = format!("http://{}/?token=hidden", nobody.local_addr().unwrap());
    let reason = Asking::of(vec![url(nobody_there, LONG)]).failure("a").await;
    assert!(reason.contains("refused") && !reason.contains("hidden"), "{reason}");

    failure(|_| Reply::Break).await;
    for garbage in [&b"SSH-2.0-OpenSSH_9.2\r\n"[..], b"\x16\x03\x01\x00", b""] {
        let backend = Backend::garbage(garbage).await;
        let mut asking = Asking::of(vec![url(backend.url(), LONG)]);
        asking.failure("a").await;
        assert_eq!(asking.stats[0].failures(FailureKind::Connection), 1);
    }
}
