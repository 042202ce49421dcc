// SPDX-License-Identifier: MIT OR Apache-2.0
//! Receivers that are down, slow or wrong.

use std::time::{Duration, Instant};

use super::receiver::{Nobody, Receiver, Reply};
use super::*;
use crate::webhooks::backoff::Backoff;

#[tokio::test]
async fn p079_a_failed_batch_comes_again_byte_for_byte_and_before_later_events() {
    let mut receiver = Receiver::start(|n| Reply::Status(if n < 4 { 500 } else { 200 })).await;
    let webhooks = start(app(&[receiver.url()]));
    send_numbers(&webhooks, 0..3);
    let first = receiver.next().await;
    send_numbers(&webhooks, 3..6);
    for _ in 1..5 {
        let again = receiver.next().await;
        assert_eq!(again.body, first.body);
        assert_eq!(again.header("x-pusher-signature"), first.header("x-pusher-signature"));
    }
    let rest = receiver.next_channels(6 - first.events().len()).await;
    assert_eq!([first.channels(), rest].concat(), numbers(0..6));
    until(&webhooks, |outcomes| outcomes.delivered() == 6).await;
    let outcomes = &webhooks.outcomes()[0];
    assert_eq!((outcomes.failed_attempts(), outcomes.retries()), (4, 4));
    assert_eq!(lost(&webhooks), [0, 0, 0]);
}

#[tokio::test]
async fn p079_a_receiver_that_was_down_gets_everything_in_order_once_it_is_back() {
    let nobody = Nobody::new();
    let limits = Limits { webhook_batch: 10, ..Limits::default() };
    let apps = vec![app(&[nobody.url()])];
    let webhooks = start_with(apps, limits, None, short()).unwrap();
    send_numbers(&webhooks, 0..50);
    until(&webhooks, |outcomes| outcomes.failed_attempts() >= 5).await;
    send_numbers(&webhooks, 50..100);
    let mut receiver = nobody.comes_back();
    assert_eq!(receiver.next_channels(100).await, numbers(0..100));
    until(&webhooks, |outcomes| outcomes.delivered() == 100).await;
}

#[test]
fn p079_after_a_minute_of_failures_the_next_attempt_is_ten_seconds_away_at_most() {
    let timing = Timing::default();
    let mut backoff = Backoff::new(&timing);
    let (mut at, mut waits) = (Duration::ZERO, Vec::new());
    while at < timing.retry_for {
        waits.push(backoff.next_wait(1.0));
        at += waits[waits.len() - 1];
    }
    assert!(waits.iter().all(|wait| *wait <= Duration::from_secs(10)), "{waits:?}");
    assert!(waits.len() < 40, "a receiver that is down is not flooded: {}", waits.len());
}

#[tokio::test]
async fn p079_no_answer_in_time_counts_as_a_failure() {
    let mut receiver =
        Receiver::start(|n| if n == 0 { Reply::Hang } else { Reply::Status(204) }).await;
    let webhooks = start(app(&[receiver.url()]));
    webhooks.send(APP, event("a"));
    let first = receiver.next().await;
    assert_eq!(receiver.next().await.body, first.body);
    until(&webhooks, |outcomes| outcomes.delivered() == 1).await;
    assert_eq!(webhooks.outcomes()[0].failed_attempts(), 1);
}

#[tokio::test]
async fn p079_a_broken_connection_counts_as_a_failure() {
    let mut receiver =
        Receiver::start(|n| if n == 0 { Reply::Break } else { Reply::Status(200) }).await;
    let webhooks = start(app(&[receiver.url()]));
    webhooks.send(APP, event("a"));
    let first = receiver.next().await;
    assert_eq!(receiver.next().await.body, first.body);
    until(&webhooks, |outcomes| outcomes.delivered() == 1).await;
}

#[tokio::test]
async fn every_status_but_2xx_is_a_failure() {
    let statuses = [301, 304, 400, 401, 404, 410, 413, 429, 500, 503];
    let mut receiver =
        Receiver::start(move |n| Reply::Status(statuses.get(n).copied().unwrap_or(299))).await;
    let webhooks = start(app(&[receiver.url()]));
    webhooks.send(APP, event("a"));
    for _ in 0..=statuses.len() {
        assert_eq!(receiver.next().await.channels(), ["a"]);
    }
    until(&webhooks, |outcomes| outcomes.delivered() == 1).await;
    assert_eq!(webhooks.outcomes()[0].failed_attempts(), statuses.len() as u64);
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let mut elsewhere = Receiver::willing().await;
    let target = elsewhere.url();
    let mut receiver =
        Receiver::start(
            move |n| if n == 0 { Reply::Redirect(target.clone()) } else { Reply::Status(200) },
        )
        .await;
    let webhooks = start(app(&[receiver.url()]));
    webhooks.send(APP, event("a"));
    let first = receiver.next().await;
    assert_eq!(receiver.next().await.body, first.body);
    stop(&webhooks, Duration::from_secs(5)).await;
    assert!(elsewhere.come().is_none());
}

#[tokio::test]
async fn a_batch_that_nobody_takes_is_lost_in_the_end_and_the_next_one_has_its_turn() {
    let mut receiver = Receiver::start(|_| Reply::Status(500)).await;
    let timing = Timing { retry_for: Duration::from_millis(100), ..short() };
    let limits = Limits { webhook_batch: 2, ..Limits::default() };
    let webhooks = start_with(vec![app(&[receiver.url()])], limits, None, timing).unwrap();
    let begin = Instant::now();
    send_numbers(&webhooks, 0..4);
    until(&webhooks, |outcomes| outcomes.lost(LostReason::Expired) == 4).await;
    assert!(begin.elapsed() >= Duration::from_millis(200), "each batch has its own time");
    assert_eq!(webhooks.outcomes()[0].waiting(), 0);
    let mut bodies: Vec<_> =
        std::iter::from_fn(|| receiver.come()).map(|request| request.channels()).collect();
    bodies.dedup();
    assert_eq!(bodies, [numbers(0..2), numbers(2..4)]);
}

#[tokio::test]
async fn p080_a_receiver_that_hangs_delays_nobody_else() {
    let mut hanging = Receiver::start(|_| Reply::Hang).await;
    let mut willing = Receiver::willing().await;
    let timing = Timing { answer_within: Duration::from_secs(3600), ..short() };
    // The same app, and another one.
    let other =
        AppOptions { webhooks: app(&[willing.url()]).webhooks, ..AppOptions::new("4", "k", "s") };
    let apps = vec![app(&[hanging.url(), willing.url()]), other];
    let webhooks = start_with(apps, Limits::default(), None, timing).unwrap();
    webhooks.send(APP, event("first"));
    assert_eq!(hanging.next().await.channels(), ["first"]);
    assert_eq!(willing.next().await.channels(), ["first"]);
    for number in 0..50 {
        webhooks.send(APP, event(number));
        assert_eq!(willing.next().await.channels(), [number.to_string()]);
        webhooks.send(AppIndex(1), event("other"));
        assert_eq!(willing.next().await.channels(), ["other"]);
    }
    assert!(hanging.come().is_none(), "one request in flight");
    assert_eq!(webhooks.outcomes()[0].waiting(), 51);
}

#[tokio::test]
async fn p080_a_receiver_that_reads_nothing_delays_nobody_else() {
    // The kernel takes the connection, and that is all.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let silent = format!("http://{}/", listener.local_addr().unwrap());
    let mut willing = Receiver::willing().await;
    let webhooks = start(app(&[silent, willing.url()]));
    for number in 0..20 {
        webhooks.send(APP, event(number));
        assert_eq!(willing.next().await.channels(), [number.to_string()]);
    }
    until(&webhooks, |outcomes| outcomes.failed_attempts() > 0).await;
}
