// SPDX-License-Identifier: MIT OR Apache-2.0
//! The end of a resolver.

use std::time::Instant;

use super::backend::{Backend, Reply};
use super::*;

#[tokio::test]
async fn stopping_drops_what_is_in_flight_and_what_waits_at_once() {
    let mut backend = Backend::start(|_| Reply::Hang).await;
    let mut asking = Asking::with(vec![url(backend.url(), LONG)], Bounds { calls: 2, ..BOUNDS });
    for channel in ["a", "b", "c"] {
        asking.ask(0, channel);
    }
    backend.next().await;
    let begin = Instant::now();
    asking.resolver.stop();
    assert!(begin.elapsed() < LONGEST_STOP);
    asking.ask(0, "too-late");
    // The callback went with the thread, and nothing had come.
    assert_eq!(asking.outcomes.recv().await, None);
    asking.resolver.stop();
    assert!(backend.come().is_none());
}

#[tokio::test]
async fn it_ends_with_the_last_handle() {
    let backend = Backend::start(|_| Reply::Hang).await;
    let Asking { resolver, mut outcomes, .. } = Asking::of(vec![url(backend.url(), LONG)]);
    let other = resolver.clone();
    drop(resolver);
    drop(other);
    let ended = tokio::time::timeout(PATIENCE, outcomes.recv()).await;
    assert_eq!(ended.expect("it ends in time"), None);
}

#[tokio::test]
async fn without_sources_nothing_is_started() {
    let mut asking = Asking::of(Vec::new());
    assert!(asking.resolver.running.is_none());
    assert_eq!(asking.outcomes.recv().await, None);
    asking.resolver.stop();
}
