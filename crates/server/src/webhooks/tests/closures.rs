// SPDX-License-Identifier: MIT OR Apache-2.0
//! Receivers that are functions of the embedding program.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc as std_mpsc};

use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};

use super::persistence::{on_disk, until_stored};
use super::receiver::{PATIENCE, Receiver as Server};
use super::*;
use crate::options::Receiver;
use crate::routes::BoxError;

const LONG: Duration = Duration::from_secs(3600);

/// What a closure was told, and hears of it.
struct Told(mpsc::UnboundedReceiver<WebhookEvent>);

impl Told {
    async fn next(&mut self) -> WebhookEvent {
        timeout(PATIENCE, self.0.recv()).await.expect("it is told in time").expect("it goes on")
    }

    async fn next_channels(&mut self, count: usize) -> Vec<String> {
        let mut channels = Vec::new();
        for _ in 0..count {
            channels.push(self.next().await.channel().to_owned());
        }
        channels
    }

    fn more(&mut self) -> bool {
        self.0.try_recv().is_ok()
    }
}

/// A webhook for everything to a closure that does on that runtime what the script says with its
/// n-th call, from 0, and what that closure is told.
fn closure_on<Answer>(
    runtime: &Handle,
    script: impl Fn(usize) -> Answer + Send + Sync + 'static,
) -> (WebhookOptions, Told)
where
    Answer: Future<Output = Result<(), BoxError>> + Send + 'static,
{
    let (tell, told) = mpsc::unbounded_channel();
    let calls = AtomicUsize::new(0);
    let closure: crate::WebhookClosure = Arc::new(move |event| {
        let _ = tell.send(event);
        Box::pin(script(calls.fetch_add(1, Ordering::SeqCst)))
    });
    let receiver = Receiver::Closure { runtime: runtime.clone(), closure };
    (WebhookOptions { receiver, events: WebhookKind::ALL.to_vec() }, Told(told))
}

/// The same on the runtime of the test.
fn closure<Answer>(
    script: impl Fn(usize) -> Answer + Send + Sync + 'static,
) -> (WebhookOptions, Told)
where
    Answer: Future<Output = Result<(), BoxError>> + Send + 'static,
{
    closure_on(&Handle::current(), script)
}

async fn taken(_: usize) -> Result<(), BoxError> {
    Ok(())
}

fn app_with(webhooks: Vec<WebhookOptions>) -> AppOptions {
    AppOptions { webhooks, ..app(&[]) }
}

#[tokio::test]
async fn a_closure_is_told_every_event_as_it_is_in_order_without_a_window() {
    let (webhook, mut told) = closure(taken);
    let timing = Timing { batch_window: LONG, ..short() };
    let apps = vec![app_with(vec![webhook])];
    let webhooks = start_with(apps, Limits::default(), None, timing).unwrap();
    let event = WebhookEvent::ClientEvent {
        channel: "presence-a".into(),
        event: "client-x".into(),
        data: "{\"emoji\":\"🦀\"}\n".into(),
        socket_id: "123.456".into(),
        user_id: Some("7".into()),
    };
    webhooks.send(APP, event.clone());
    assert_eq!(told.next().await, event);
    send_numbers(&webhooks, 0..1_000);
    assert_eq!(told.next_channels(1_000).await, numbers(0..1_000));
    until(&webhooks, |outcomes| outcomes.delivered() == 1_001 && outcomes.waiting() == 0).await;
    assert_eq!(webhooks.outcomes()[0].url(), "closure");
    assert_eq!(webhooks.outcomes()[0].failed_attempts(), 0);
}

#[tokio::test]
async fn a_closure_that_panics_fails_or_takes_too_long_is_told_again_and_nothing_overtakes() {
    let (webhook, mut told) = closure(|call| async move {
        match call {
            0 => panic!("no table"),
            1 => Err("the database is away".into()),
            2 => {
                sleep(LONG).await;
                Ok(())
            }
            _ => Ok(()),
        }
    });
    let webhooks = start(app_with(vec![webhook]));
    send_numbers(&webhooks, 0..3);
    assert_eq!(told.next_channels(6).await, ["0", "0", "0", "0", "1", "2"]);
    until(&webhooks, |outcomes| outcomes.delivered() == 3).await;
    let outcomes = &webhooks.outcomes()[0];
    assert_eq!((outcomes.failed_attempts(), outcomes.retries()), (3, 3));
    assert_eq!(lost(&webhooks), [0, 0, 0]);
}

#[tokio::test]
async fn an_event_that_a_closure_never_takes_is_lost_in_the_end_and_the_next_has_its_turn() {
    let (webhook, mut told) = closure(|_| async { Err("never".into()) });
    let timing = Timing { retry_for: Duration::from_millis(50), ..short() };
    let apps = vec![app_with(vec![webhook])];
    let webhooks = start_with(apps, Limits::default(), None, timing).unwrap();
    send_numbers(&webhooks, 0..2);
    until(&webhooks, |outcomes| outcomes.lost(LostReason::Expired) == 2).await;
    let mut channels = vec![told.next().await.channel().to_owned()];
    while let Ok(event) = told.0.try_recv() {
        channels.push(event.channel().to_owned());
    }
    channels.dedup();
    assert_eq!(channels, ["0", "1"]);
}

#[tokio::test]
async fn p080_a_closure_that_hangs_delays_no_other_receiver_of_its_app() {
    let (hanging, mut first) = closure(|_| std::future::pending());
    let (other, mut second) = closure(taken);
    let mut server = Server::willing().await;
    let timing = Timing { answer_within: LONG, ..short() };
    let webhooks = vec![hanging, WebhookOptions::url(&server.url(), WebhookKind::ALL), other];
    let apps = vec![app_with(webhooks)];
    let webhooks = start_with(apps, Limits::default(), None, timing).unwrap();
    for number in 0..50 {
        webhooks.send(APP, event(number));
        assert_eq!(server.next().await.channels(), [number.to_string()]);
        assert_eq!(second.next().await.channel(), number.to_string());
    }
    assert_eq!(first.next().await.channel(), "0");
    assert!(!first.more(), "one call at a time");
    assert_eq!(webhooks.outcomes()[0].waiting(), 50);
    let names: Vec<_> = webhooks.outcomes().iter().map(|to| to.url().to_owned()).collect();
    assert_eq!(names, ["closure", &server.url(), "closure (2)"]);
}

#[tokio::test]
async fn a_closure_that_blocks_beyond_its_time_never_runs_twice_at_once() {
    let (go, wait) = std_mpsc::channel::<()>();
    let wait = std::sync::Mutex::new(wait);
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let (webhook, mut told) = closure_on(runtime.handle(), move |call| {
        if call == 0 {
            let _ = wait.lock().unwrap().recv();
        }
        taken(call)
    });
    let (end, ended) = tokio::sync::oneshot::channel::<()>();
    let program = std::thread::spawn(move || runtime.block_on(ended));
    let webhooks = start(app_with(vec![webhook]));
    send_numbers(&webhooks, 0..2);
    // The first attempt took too long, and a second one found the first call running still.
    until(&webhooks, |outcomes| outcomes.failed_attempts() >= 2).await;
    assert_eq!(told.next().await.channel(), "0");
    assert!(!told.more());
    go.send(()).unwrap();
    assert_eq!(told.next_channels(2).await, ["0", "1"], "nobody knew that it had been taken");
    until(&webhooks, |outcomes| outcomes.delivered() == 2).await;
    drop(end);
    let _ = program.join().unwrap();
}

#[tokio::test]
async fn stopping_tells_a_closure_what_waits() {
    let (webhook, mut told) = closure(taken);
    let webhooks = start(app_with(vec![webhook]));
    send_numbers(&webhooks, 0..1_000);
    stop(&webhooks, LONG).await;
    assert_eq!(told.next_channels(1_000).await, numbers(0..1_000));
    assert_eq!(lost(&webhooks), [0, 0, 0]);
}

#[tokio::test]
async fn stopping_waits_for_a_call_that_runs_to_the_deadline_at_most_and_counts_the_rest() {
    let (webhook, mut told) = closure(|_| std::future::pending());
    let timing = Timing { answer_within: LONG, ..short() };
    let apps = vec![app_with(vec![webhook])];
    let webhooks = start_with(apps, Limits::default(), None, timing).unwrap();
    send_numbers(&webhooks, 0..10);
    assert_eq!(told.next().await.channel(), "0");
    stop(&webhooks, Duration::from_millis(50)).await;
    assert_eq!(lost(&webhooks), [0, 0, 10]);
}

#[tokio::test]
async fn with_a_folder_what_a_closure_has_not_taken_is_told_to_it_after_the_restart() {
    let folder = tempfile::tempdir().unwrap();
    let (webhook, mut told) =
        closure(|call| async move { if call < 2 { Ok(()) } else { Err("not now".into()) } });
    let webhooks = start_in(app_with(vec![webhook]), folder.path());
    send_numbers(&webhooks, 0..10);
    until_stored(&webhooks, 8).await;
    stop(&webhooks, LONG).await;
    assert_eq!(told.next_channels(3).await, ["0", "1", "2"]);
    assert_eq!(lost(&webhooks), [0, 0, 0]);
    assert_eq!(on_disk(folder.path()), 8);

    let (webhook, mut told) = closure(taken);
    let webhooks = start_in(app_with(vec![webhook]), folder.path());
    webhooks.send(APP, event(10));
    assert_eq!(told.next_channels(9).await, numbers(2..11));
    stop(&webhooks, LONG).await;
    assert!(!told.more());
    assert_eq!(on_disk(folder.path()), 0);
}

#[tokio::test]
async fn events_of_a_kind_that_a_closure_no_longer_wants_are_dropped_after_the_restart() {
    let folder = tempfile::tempdir().unwrap();
    let (webhook, _told) = closure(|_| async { Err("not now".into()) });
    let webhooks = start_in(app_with(vec![webhook]), folder.path());
    webhooks.send(APP, event("occupied"));
    webhooks.send(APP, WebhookEvent::CacheMiss { channel: "cache-a".into() });
    stop(&webhooks, LONG).await;
    assert_eq!(on_disk(folder.path()), 2);

    let (webhook, mut told) = closure(taken);
    let webhook = WebhookOptions { events: vec![WebhookKind::CacheMiss], ..webhook };
    let webhooks = start_in(app_with(vec![webhook]), folder.path());
    assert_eq!(told.next().await.channel(), "cache-a");
    stop(&webhooks, LONG).await;
    assert!(!told.more());
    assert_eq!(on_disk(folder.path()), 0);
}

#[test]
fn a_closure_whose_runtime_has_ended_keeps_its_events_for_the_next_start() {
    let folder = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let (webhook, _told) = closure_on(runtime.handle(), taken);
    drop(runtime);
    let webhooks = start_in(app_with(vec![webhook]), folder.path());
    send_numbers(&webhooks, 0..3);
    webhooks.stop(LONG);
    assert_eq!(lost(&webhooks), [0, 0, 0]);
    assert_eq!(on_disk(folder.path()), 3);
}
