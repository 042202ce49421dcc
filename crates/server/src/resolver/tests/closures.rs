// SPDX-License-Identifier: MIT OR Apache-2.0
//! Sources that are functions of the embedding program.

use std::thread::JoinHandle;
use std::time::Instant;

use serde_json::{Value, json};
use tokio::runtime::Handle;
use tokio::sync::oneshot;

use super::backend::{Backend, Reply};
use super::*;

type Answer = Result<Option<Value>, Box<dyn std::error::Error + Send + Sync>>;

fn closure<F: Future<Output = Answer> + Send + 'static>(
    runtime: &Handle,
    timeout: Duration,
    function: impl Fn(String) -> F + Send + Sync + 'static,
) -> SourceOptions {
    SourceOptions {
        timeout,
        kind: SourceKind::Closure {
            name: "private-GAME_*".to_owned(),
            runtime: runtime.clone(),
            closure: Arc::new(move |channel| Box::pin(function(channel.to_owned()))),
        },
    }
}

/// A runtime of the embedding program with one thread, as poor as can be.
struct Embedder {
    handle: Handle,
    end: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Embedder {
    fn start() -> Embedder {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        let runtime = builder.enable_all().build().expect("a runtime");
        let handle = runtime.handle().clone();
        let (end, ended) = oneshot::channel();
        let run = move || drop(runtime.block_on(ended));
        let thread = std::thread::Builder::new().name("embedder".to_owned()).spawn(run);
        Embedder { handle, end: Some(end), thread: Some(thread.expect("a thread")) }
    }
}

impl Drop for Embedder {
    fn drop(&mut self) {
        drop(self.end.take());
        self.thread.take().expect("it was started").join().expect("it does not panic");
    }
}

#[tokio::test]
async fn a_closure_says_what_is_true_or_that_nothing_is() {
    let mut asking = Asking::of(vec![closure(&Handle::current(), LONG, |channel| async move {
        Ok((channel != "none").then(|| json!({ "channel": channel, "version": 3 })))
    })]);
    assert_eq!(asking.outcome("a").await, truth(r#"{"channel":"a","version":3}"#, Some(3)));
    assert_eq!(asking.outcome("none").await, Outcome::None);
    assert_eq!(asking.stats[0].name(), "private-GAME_*");
}

#[tokio::test]
async fn a_closures_error_is_a_failure_with_its_text_in_one_line() {
    let mut asking = Asking::of(vec![closure(&Handle::current(), LONG, |_| async {
        Err("no row\n for this game".into())
    })]);
    assert_eq!(asking.failure("a").await, "the closure failed: no row for this game");
    assert_eq!(asking.stats[0].failures(FailureKind::Closure), 1);
}

#[tokio::test]
async fn a_closure_that_panics_is_a_failure_and_no_more() {
    let panics_in_the_future = |channel: String| async move {
        assert!(channel == "good", "no such {channel}");
        Ok(Some(json!(1)))
    };
    let panics_at_once = |_| -> std::future::Ready<Answer> { panic!("at once") };
    let mut asking = Asking::of(vec![
        closure(&Handle::current(), LONG, panics_in_the_future),
        closure(&Handle::current(), LONG, panics_at_once),
    ]);
    assert_eq!(asking.failure("game").await, "the closure panicked: no such game");
    assert_eq!(asking.outcome("good").await, truth("1", None));
    let number = asking.ask(1, "a");
    let failed = Outcome::Failed("the closure panicked: at once".to_owned());
    assert_eq!(asking.next().await, (number, failed));
}

#[tokio::test]
async fn a_closure_that_blocks_its_runtime_for_a_second_delays_no_other_source() {
    let embedder = Embedder::start();
    let backend = Backend::start(|_| Reply::Status(200, "1")).await;
    let blocks = |_| async {
        std::thread::sleep(Duration::from_secs(1));
        Ok(Some(json!("late")))
    };
    let mut asking =
        Asking::of(vec![closure(&embedder.handle, LONG, blocks), url(backend.url(), LONG)]);
    let begin = Instant::now();
    let slow = asking.ask(0, "slow");
    for _ in 0..20 {
        let number = asking.ask(1, "a");
        assert_eq!(asking.next().await, (number, truth("1", None)));
    }
    assert!(begin.elapsed() < Duration::from_secs(1));
    assert_eq!(asking.next().await, (slow, truth("\"late\"", None)));
}

#[tokio::test]
async fn closures_run_on_the_runtime_of_the_embedding_program_alone() {
    let embedder = Embedder::start();
    let mut asking = Asking::of(vec![closure(&embedder.handle, LONG, |_| {
        let called_on = std::thread::current().name().map(str::to_owned);
        async move {
            tokio::time::sleep(Duration::from_millis(1)).await;
            let went_on = std::thread::current().name().map(str::to_owned);
            Ok(Some(json!([called_on, went_on])))
        }
    })]);
    assert_eq!(asking.outcome("a").await, truth(r#"["embedder","embedder"]"#, None));
}

#[tokio::test]
async fn a_closure_that_never_returns_fails_when_its_time_is_over_and_is_dropped() {
    let held = Arc::new(());
    let holds = held.clone();
    let mut asking = Asking::of(vec![closure(&Handle::current(), SHORT, move |_| {
        let holds = holds.clone();
        async move {
            std::future::pending::<()>().await;
            drop(holds);
            Ok(None)
        }
    })]);
    assert_eq!(asking.failure("a").await, "it did not answer within 200ms");
    // One here, one of the closure, none of its future.
    let dropped = async {
        while Arc::strong_count(&held) > 2 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, dropped).await.expect("the future is dropped");
}

#[tokio::test]
async fn a_closure_that_blocks_for_good_gets_a_bounded_number_of_tasks() {
    let embedder = Embedder::start();
    let (unblock, blocked) = std::sync::mpsc::channel::<()>();
    let blocked = Arc::new(std::sync::Mutex::new(blocked));
    let blocks = move |_| {
        let blocked = blocked.clone();
        async move {
            // It ends when the test does.
            let _ = blocked.lock().expect("nobody panics").recv();
            Ok(None)
        }
    };
    let source = closure(&embedder.handle, SHORT, blocks);
    let mut asking = Asking::with(vec![source], Bounds { calls: 4, ..BOUNDS });
    for _ in 0..4 {
        assert_eq!(asking.failure("a").await, "it did not answer within 200ms");
    }
    let reason = asking.failure("a").await;
    assert_eq!(reason, "4 calls of the closure have not returned: does it block its runtime?");
    drop(unblock);
    asking.until(0, |stats| stats.in_flight() == 0).await;
    // The runtime comes to the tasks that wait, and drops them.
    let answers = async { while asking.outcome("a").await != Outcome::None {} };
    tokio::time::timeout(PATIENCE, answers).await.expect("it answers again");
}

#[tokio::test]
async fn a_closure_whose_runtime_has_ended_fails() {
    let embedder = Embedder::start();
    let handle = embedder.handle.clone();
    drop(embedder);
    let mut asking = Asking::of(vec![closure(&handle, LONG, |_| async { Ok(None) })]);
    assert_eq!(asking.failure("a").await, "the runtime of the embedding program has ended");
}

#[tokio::test]
async fn a_value_that_is_too_long_is_a_failure() {
    let mut asking = Asking::of(vec![closure(&Handle::current(), LONG, |_| async {
        Ok(Some(json!("x".repeat(BOUNDS.answer_bytes))))
    })]);
    assert_eq!(asking.failure("a").await, "its answer is longer than 65536 bytes");
}
