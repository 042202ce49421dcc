// SPDX-License-Identifier: MIT OR Apache-2.0
//! Backends that answer as they should.

use oyez_protocol::secret::Secret;

use super::backend::{Backend, Reply};
use super::*;

#[tokio::test]
async fn a_backend_is_asked_with_a_signed_post_of_app_and_channel() {
    let mut backend = Backend::start(|_| Reply::Status(200, " {\"players\" : [ 1, 2 ]}\n")).await;
    let mut asking = Asking::of(vec![url(backend.url(), LONG)]);
    let outcome = asking.outcome("private-GAME_7").await;
    assert_eq!(outcome, truth(r#"{"players":[1,2]}"#, None));

    let request = backend.next().await;
    assert_eq!((request.method.as_str(), request.path.as_str()), ("POST", "/truth?token=hidden"));
    assert_eq!(request.body, r#"{"app_id":"3","channel":"private-GAME_7"}"#);
    assert_eq!(request.header("content-type"), "application/json");
    assert_eq!(request.header("accept"), "application/json");
    assert_eq!(request.header("x-pusher-key"), KEY);
    let signature = request.header("x-pusher-signature").as_bytes();
    assert!(Secret::new(SECRET).verifies(&[&request.body], signature));
}

#[tokio::test]
async fn each_app_signs_with_its_own_secret() {
    let mut backend = Backend::start(|_| Reply::Status(200, "1")).await;
    let mut asking = Asking::of(vec![url(backend.url(), LONG)]);
    asking.ask_as(AppIndex(1), 0, "a");
    let request = backend.next().await;
    assert_eq!(request.body, r#"{"app_id":"4","channel":"a"}"#);
    assert_eq!(request.header("x-pusher-key"), "other");
    let signature = request.header("x-pusher-signature").as_bytes();
    assert!(Secret::new("secret of the other").verifies(&[&request.body], signature));
}

#[tokio::test]
async fn a_404_means_no_truth() {
    let backend = Backend::start(|_| Reply::Status(404, "no such game")).await;
    let mut asking = Asking::of(vec![url(backend.url(), LONG)]);
    assert_eq!(asking.outcome("a").await, Outcome::None);
}

#[tokio::test]
async fn the_version_is_the_header_or_else_the_field() {
    let backend = Backend::start(|channel| match channel {
        "header" => Reply::With(200, "Oyez-Version", "41".into(), r#"{"version":7}"#),
        "field" => Reply::Status(200, r#"{"version":7}"#),
        _ => Reply::Status(200, r#"{"version":"1.0"}"#),
    })
    .await;
    let mut asking = Asking::of(vec![url(backend.url(), LONG)]);
    assert_eq!(asking.outcome("header").await, truth(r#"{"version":7}"#, Some(41)));
    assert_eq!(asking.outcome("field").await, truth(r#"{"version":7}"#, Some(7)));
    assert_eq!(asking.outcome("neither").await, truth(r#"{"version":"1.0"}"#, None));
}

#[tokio::test]
async fn connections_are_kept_for_the_next_question_whatever_the_status() {
    let page: &'static str = "nothing here ".repeat(1_200).leak();
    let mut backend = Backend::start(move |channel| match channel {
        "none" => Reply::Status(404, page),
        "failed" => Reply::Status(500, "sorry"),
        _ => Reply::Status(200, "1"),
    })
    .await;
    let mut asking = Asking::of(vec![url(backend.url(), LONG)]);
    for channel in ["a", "none", "failed", "b"] {
        asking.outcome(channel).await;
        let request = backend.next().await;
        assert_eq!((request.connection, request.channel().as_str()), (0, channel));
    }
}

#[tokio::test]
async fn an_answer_may_be_exactly_as_long_as_the_limit() {
    const BYTES: usize = BOUNDS.answer_bytes;
    let text: &'static str = format!("\"{}\"", "x".repeat(BYTES - 2)).leak();
    let backend = Backend::start(move |_| Reply::Status(200, text)).await;
    let mut asking = Asking::of(vec![url(backend.url(), LONG)]);
    assert_eq!(asking.outcome("a").await, truth(text, None));
}

#[tokio::test]
async fn what_comes_of_questions_is_counted_by_source() {
    let backend = Backend::start(|channel| match channel {
        "none" => Reply::Status(404, ""),
        "failed" => Reply::Status(503, ""),
        "slow" => Reply::After(Duration::from_millis(30), "1"),
        "hang" => Reply::Hang,
        _ => Reply::Status(200, "1"),
    })
    .await;
    let mut asking = Asking::of(vec![url(backend.url(), LONG), url(backend.url(), LONG)]);
    for channel in ["a", "b", "none", "failed", "slow"] {
        asking.outcome(channel).await;
    }
    asking.ask(0, "hang");
    asking.until(0, |stats| stats.in_flight() == 1).await;
    let stats = &asking.stats[0];
    assert_eq!((stats.truths(), stats.nones(), stats.failures(FailureKind::Status)), (3, 1, 1));
    assert_eq!(FailureKind::ALL.map(|kind| stats.failures(kind)).iter().sum::<u64>(), 1);
    assert_eq!(stats.calls().sum::<u64>(), 5);
    assert!(stats.call_micros() >= 30_000);
    let over_25_ms = CALL_BUCKETS.iter().position(|bound| *bound == 25_000).unwrap() + 1;
    assert!(stats.calls().skip(over_25_ms).sum::<u64>() >= 1);
    assert_eq!(asking.stats[1].calls().sum::<u64>(), 0);
    assert!(!asking.stats[0].name().contains("hidden"));
    assert_eq!(asking.stats[1].name(), format!("{} (2)", asking.stats[0].name()));
}
