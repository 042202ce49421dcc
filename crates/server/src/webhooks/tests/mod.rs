// SPDX-License-Identifier: MIT OR Apache-2.0
//! Webhooks end to end: real sockets, a real file, the production code with shorter intervals.

mod closures;
mod delivery;
mod overflow;
mod persistence;
mod process;
mod receiver;
mod retry;
mod stop;
mod tls;

use std::path::Path;
use std::time::Duration;

use oyez_core::AppIndex;
use oyez_protocol::limits::Limits;
use oyez_protocol::webhook::{WebhookEvent, WebhookKind};

use super::queue::Bounds;
use super::timing::Timing;
use super::{DestinationOutcomes, LostReason, Trust, Webhooks, WebhooksError};
use crate::apps::Apps;
use crate::options::{AppOptions, WebhookOptions};

const APP: AppIndex = AppIndex(0);
const KEY: &str = "278d425bdf160c739803";
const SECRET: &str = "7ad3773142a6692b25b8";

/// Production with waits that tests can afford.
fn short() -> Timing {
    Timing {
        batch_window: Duration::from_millis(5),
        answer_within: Duration::from_millis(300),
        backoff_first: Duration::from_millis(5),
        backoff_longest: Duration::from_millis(40),
        keep_after: Duration::from_millis(10),
        keep_along: Duration::from_millis(5),
        ..Timing::default()
    }
}

/// The options of app `3` with a webhook for everything at each URL.
fn app(urls: &[String]) -> AppOptions {
    let webhook = |url: &String| WebhookOptions::url(url, WebhookKind::ALL);
    AppOptions { webhooks: urls.iter().map(webhook).collect(), ..AppOptions::new("3", KEY, SECRET) }
}

fn start(app: AppOptions) -> Webhooks {
    start_with(vec![app], Limits::default(), None, short()).expect("webhooks start")
}

fn start_in(app: AppOptions, data_dir: &Path) -> Webhooks {
    start_with(vec![app], Limits::default(), Some(data_dir), short()).expect("webhooks start")
}

fn start_with(
    apps: Vec<AppOptions>,
    limits: Limits,
    data_dir: Option<&Path>,
    timing: Timing,
) -> Result<Webhooks, WebhooksError> {
    let apps = Apps::new(apps).expect("good apps");
    Webhooks::start_with(&apps, Bounds::new(&limits), data_dir, timing, Trust::System)
}

/// An event that is told apart by its channel.
fn event(channel: impl ToString) -> WebhookEvent {
    WebhookEvent::ChannelOccupied { channel: channel.to_string() }
}

fn numbers(range: std::ops::Range<usize>) -> Vec<String> {
    range.map(|number| number.to_string()).collect()
}

fn send_numbers(webhooks: &Webhooks, range: std::ops::Range<usize>) {
    range.for_each(|number| webhooks.send(APP, event(number)));
}

/// Stops without keeping the receivers of the test from answering.
async fn stop(webhooks: &Webhooks, deadline: Duration) {
    let webhooks = webhooks.clone();
    tokio::task::spawn_blocking(move || webhooks.stop(deadline))
        .await
        .expect("stop does not panic");
}

/// Waits until the counters of the first destination are as they should be.
async fn until(webhooks: &Webhooks, done: impl Fn(&DestinationOutcomes) -> bool) {
    let waiting = async {
        while !done(&webhooks.outcomes()[0]) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    if tokio::time::timeout(receiver::PATIENCE, waiting).await.is_err() {
        panic!("{:?}", webhooks.outcomes());
    }
}

fn lost(webhooks: &Webhooks) -> [u64; 3] {
    LostReason::ALL.map(|reason| webhooks.outcomes()[0].lost(reason))
}
