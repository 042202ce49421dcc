// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a data folder is good for.

use std::path::Path;
use std::time::Duration;

use super::receiver::{Nobody, PATIENCE, Receiver};
use super::*;
use crate::webhooks::StoreError;
use crate::webhooks::store::Store;

const SOON: Duration = Duration::from_secs(10);

/// Events that the file holds.
pub(super) fn on_disk(folder: &Path) -> usize {
    Store::open(folder).unwrap().load().unwrap().len()
}

pub(super) async fn until_stored(webhooks: &Webhooks, events: u64) {
    let waiting = async {
        while webhooks.stored() < events {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(PATIENCE, waiting).await.expect("a commit in time");
}

#[tokio::test]
async fn what_waits_survives_a_restart_in_order_and_is_gone_once_delivered() {
    let folder = tempfile::tempdir().unwrap();
    let data_dir = folder.path().join("made").join("when needed");
    let nobody = Nobody::new();
    let options = app(&[nobody.url()]);
    for run in 0..3 {
        let webhooks = start_in(options.clone(), &data_dir);
        send_numbers(&webhooks, run * 100..(run + 1) * 100);
        stop(&webhooks, SOON).await;
        assert_eq!(lost(&webhooks), [0, 0, 0]);
    }
    let mut receiver = nobody.comes_back();
    let webhooks = start_in(options, &data_dir);
    webhooks.send(APP, event(300));
    assert_eq!(receiver.next_channels(301).await, numbers(0..301));
    stop(&webhooks, SOON).await;
    assert!(receiver.come().is_none());
    assert_eq!(on_disk(&data_dir), 0);
}

#[test]
fn a_file_that_was_never_finished_is_no_obstacle() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("webhooks.redb.new"), b"killed in the middle").unwrap();
    assert_eq!(on_disk(folder.path()), 0);
    assert_eq!(on_disk(folder.path()), 0, "and it is there the next time");
}

#[tokio::test]
async fn what_waits_survives_handles_that_are_dropped_without_a_stop() {
    let folder = tempfile::tempdir().unwrap();
    let nobody = Nobody::new();
    let options = app(&[nobody.url()]);
    let webhooks = start_in(options.clone(), folder.path());
    send_numbers(&webhooks, 0..10);
    until(&webhooks, |outcomes| outcomes.waiting() == 10).await;
    drop(webhooks);
    let waiting = async {
        while Store::open(folder.path()).is_err() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(PATIENCE, waiting).await.expect("the thread ends");
    assert_eq!(on_disk(folder.path()), 10);
}

#[tokio::test]
async fn what_is_delivered_at_once_never_touches_the_disk() {
    let folder = tempfile::tempdir().unwrap();
    let mut receiver = Receiver::willing().await;
    let timing = Timing { keep_after: Duration::from_secs(3600), ..short() };
    let apps = vec![app(&[receiver.url()])];
    let webhooks = start_with(apps, Limits::default(), Some(folder.path()), timing).unwrap();
    send_numbers(&webhooks, 0..100);
    assert_eq!(receiver.next_channels(100).await, numbers(0..100));
    stop(&webhooks, SOON).await;
    assert_eq!(webhooks.stored(), 0);
    assert_eq!(on_disk(folder.path()), 0);
}

#[tokio::test]
async fn events_whose_url_or_app_left_the_config_are_dropped() {
    let folder = tempfile::tempdir().unwrap();
    let (stays, leaves) = (Nobody::new(), Nobody::new());
    let urls = [stays.url(), leaves.url()];
    let other = AppOptions { webhooks: app(&urls).webhooks, ..AppOptions::new("4", "k", "s") };
    let webhooks =
        start_with(vec![other, app(&urls)], Limits::default(), Some(folder.path()), short())
            .unwrap();
    webhooks.send(APP, event("of app 4"));
    webhooks.send(AppIndex(1), event("of app 3"));
    stop(&webhooks, SOON).await;
    assert_eq!(on_disk(folder.path()), 4);

    let mut receiver = stays.comes_back();
    let webhooks = start_in(app(&urls[..1]), folder.path());
    assert_eq!(receiver.next().await.channels(), ["of app 3"]);
    stop(&webhooks, SOON).await;
    assert!(receiver.come().is_none());
    assert_eq!(on_disk(folder.path()), 0);
}

#[tokio::test]
async fn what_a_full_queue_loses_leaves_the_disk_too() {
    let folder = tempfile::tempdir().unwrap();
    let limits = Limits { webhook_queue: 10, webhook_batch: 1, ..Limits::default() };
    let nobody = Nobody::new();
    let options = app(&[nobody.url()]);
    let webhooks =
        start_with(vec![options.clone()], limits.clone(), Some(folder.path()), short()).unwrap();
    for number in 0..30 {
        webhooks.send(APP, event(number));
        until(&webhooks, |o| o.waiting() as u64 + o.lost(LostReason::QueueFull) == number + 1)
            .await;
    }
    stop(&webhooks, SOON).await;
    assert_eq!(on_disk(folder.path()) as u64 + lost(&webhooks)[0], 30);

    let less = Limits { webhook_queue: 5, ..limits };
    let webhooks = start_with(vec![options], less, Some(folder.path()), short()).unwrap();
    until(&webhooks, |outcomes| outcomes.waiting() > 0).await;
    stop(&webhooks, SOON).await;
    assert!(on_disk(folder.path()) <= 6);
}

#[test]
fn a_damaged_file_is_an_error_that_says_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("webhooks.redb"), "not what it should be".repeat(1_000))
        .unwrap();
    let refused = start_with(
        vec![app(&["http://localhost/".to_owned()])],
        Limits::default(),
        Some(folder.path()),
        short(),
    );
    let Err(WebhooksError::Store(error @ StoreError::Damaged { .. })) = refused else {
        panic!("{refused:?}")
    };
    assert!(
        error.to_string().contains("webhooks.redb") && error.to_string().contains("move it away"),
        "{error}"
    );
}
