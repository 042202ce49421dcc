// SPDX-License-Identifier: MIT OR Apache-2.0
//! The end of a sender.

use std::time::{Duration, Instant};

use super::receiver::{Nobody, Receiver, Reply};
use super::*;

const LONG: Duration = Duration::from_secs(3600);

#[tokio::test]
async fn stopping_sends_what_waits_at_once() {
    let mut receiver = Receiver::willing().await;
    let timing = Timing { batch_window: LONG, ..short() };
    let webhooks =
        start_with(vec![app(&[receiver.url()])], Limits::default(), None, timing).unwrap();
    send_numbers(&webhooks, 0..5_000);
    stop(&webhooks, LONG).await;
    assert_eq!(receiver.next_channels(5_000).await, numbers(0..5_000));
    assert_eq!(lost(&webhooks), [0, 0, 0]);
}

#[tokio::test]
async fn without_a_folder_stopping_tries_until_the_deadline_and_counts_what_is_lost() {
    let nobody = Nobody::new();
    let webhooks = start(app(&[nobody.url()]));
    send_numbers(&webhooks, 0..10);
    let begin = Instant::now();
    stop(&webhooks, Duration::from_millis(200)).await;
    assert!(begin.elapsed() >= Duration::from_millis(200));
    assert_eq!(lost(&webhooks), [0, 0, 10]);
    webhooks.send(APP, event("too late"));
    assert_eq!(lost(&webhooks), [0, 0, 11]);
    stop(&webhooks, LONG).await;
}

#[tokio::test]
async fn without_a_folder_a_receiver_that_comes_back_before_the_deadline_gets_everything() {
    let mut receiver = Receiver::start(|n| Reply::Status(if n < 5 { 503 } else { 200 })).await;
    let webhooks = start(app(&[receiver.url()]));
    send_numbers(&webhooks, 0..10);
    let first = receiver.next().await;
    stop(&webhooks, LONG).await;
    assert_eq!(webhooks.outcomes()[0].delivered(), 10);
    assert_eq!(first.channels().first().map(String::as_str), Some("0"));
}

#[tokio::test]
async fn with_a_folder_stopping_does_not_wait_for_a_receiver_that_is_down() {
    let folder = tempfile::tempdir().unwrap();
    let timing = Timing { backoff_first: LONG, backoff_longest: LONG, ..short() };
    let nobody = Nobody::new();
    let apps = vec![app(&[nobody.url()])];
    let webhooks = start_with(apps, Limits::default(), Some(folder.path()), timing).unwrap();
    send_numbers(&webhooks, 0..10);
    stop(&webhooks, LONG).await;
    assert_eq!(lost(&webhooks), [0, 0, 0]);
}

#[tokio::test]
async fn a_receiver_that_hangs_holds_up_the_end_to_the_deadline_at_most() {
    let mut receiver = Receiver::start(|_| Reply::Hang).await;
    let timing = Timing { answer_within: LONG, ..short() };
    let webhooks =
        start_with(vec![app(&[receiver.url()])], Limits::default(), None, timing).unwrap();
    webhooks.send(APP, event("a"));
    receiver.next().await;
    stop(&webhooks, Duration::from_millis(50)).await;
    assert_eq!(lost(&webhooks), [0, 0, 1]);
}
