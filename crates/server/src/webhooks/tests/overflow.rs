// SPDX-License-Identifier: MIT OR Apache-2.0
//! More events than may wait.

use std::time::Duration;

use super::receiver::{Receiver, Reply};
use super::*;

#[tokio::test]
async fn the_oldest_events_of_a_full_queue_are_lost_and_counted() {
    let mut receiver =
        Receiver::start(|n| if n == 0 { Reply::Hang } else { Reply::Status(200) }).await;
    let limits = Limits { webhook_queue: 10, webhook_batch: 5, ..Limits::default() };
    let webhooks = start_with(vec![app(&[receiver.url()])], limits, None, short()).unwrap();
    webhooks.send(APP, event("on its way"));
    assert_eq!(receiver.next().await.channels(), ["on its way"]);
    for number in 0..30 {
        webhooks.send(APP, event(number));
        // The queue is what is full here, not the way to it.
        let (waiting, lost) = ((number + 2).min(11), (number + 1_usize).saturating_sub(10));
        until(&webhooks, |o| {
            o.waiting() == waiting && o.lost(LostReason::QueueFull) == lost as u64
        })
        .await;
    }
    assert_eq!(receiver.next().await.channels(), ["on its way"]);
    assert_eq!(receiver.next_channels(10).await, numbers(20..30));
    until(&webhooks, |outcomes| outcomes.delivered() == 11).await;
    assert_eq!(lost(&webhooks), [20, 0, 0]);
}

#[tokio::test]
async fn a_burst_that_overflows_is_accounted_for_to_the_last_event() {
    let mut receiver =
        Receiver::start(|n| if n == 0 { Reply::Hang } else { Reply::Status(200) }).await;
    let limits = Limits { webhook_queue: 100, ..Limits::default() };
    let webhooks = start_with(vec![app(&[receiver.url()])], limits, None, short()).unwrap();
    webhooks.send(APP, event("on its way"));
    receiver.next().await;
    const SENT: u64 = 4 * 5_000;
    let senders: Vec<_> = (0..4)
        .map(|_| {
            let webhooks = webhooks.clone();
            std::thread::spawn(move || send_numbers(&webhooks, 0..5_000))
        })
        .collect();
    senders.into_iter().for_each(|sender| sender.join().unwrap());
    until(&webhooks, |outcomes| {
        outcomes.waiting() == 0
            && outcomes.delivered() + outcomes.lost(LostReason::QueueFull) == SENT + 1
    })
    .await;
    assert!(webhooks.outcomes()[0].lost(LostReason::QueueFull) > 0);
    stop(&webhooks, Duration::from_secs(5)).await;
}
