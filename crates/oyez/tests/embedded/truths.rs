// SPDX-License-Identifier: MIT OR Apache-2.0
//! Truths that closures know.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use oyez::TruthRule;
use serde_json::{Value, json};

use super::page::{PATIENCE, Page};
use super::{server, start, wait};

#[test]
fn a_closure_is_asked_at_the_first_subscription_and_after_changed_and_not_otherwise() {
    let (calls, score) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(3)));
    let oyez = start({
        let (calls, score) = (Arc::clone(&calls), Arc::clone(&score));
        let rule = TruthRule::event("GAME_STATE").settle(Duration::ZERO);
        server().truth_with("private-GAME_*", rule, move |channel| {
            calls.fetch_add(1, Ordering::SeqCst);
            let score = score.load(Ordering::SeqCst);
            async move { Some(json!({ "channel": channel, "score": score })) }
        })
    });
    let subscribe = || {
        let mut page = Page::open(oyez.address(), "key");
        let auth = oyez.authorize(&page.socket_id, "private-GAME_7").expect("it may").auth;
        page.say("pusher:subscribe", json!({ "channel": "private-GAME_7", "auth": auth }));
        page.hear("pusher_internal:subscription_succeeded");
        page
    };
    let state = |score: usize| json!({ "channel": "private-GAME_7", "score": score });

    let mut first = subscribe();
    assert_eq!(first.hear("GAME_STATE"), state(3));
    let mut second = subscribe();
    assert_eq!(second.hear("GAME_STATE"), state(3));
    assert_eq!(calls.load(Ordering::SeqCst), 1);

    score.store(4, Ordering::SeqCst);
    wait(oyez.changed("private-GAME_7")).expect("it is asked");
    assert_eq!((first.hear("GAME_STATE"), second.hear("GAME_STATE")), (state(4), state(4)));
    assert_eq!(calls.load(Ordering::SeqCst), 2);

    let truth = wait(oyez.truth::<Value>("private-GAME_7")).expect("it is read");
    let truth = truth.expect("there is one");
    assert_eq!((truth.data, &*truth.event, truth.stale), (state(4), "GAME_STATE", false));
}

#[test]
fn where_each_subscription_is_confirmed_it_is_shown_what_nobody_has_called_changed_yet() {
    let score = Arc::new(AtomicUsize::new(3));
    let oyez = start({
        let score = Arc::clone(&score);
        let rule = TruthRule::event("SCORE").confirm().wait(PATIENCE).settle(Duration::ZERO);
        server().truth_with("GAME_*", rule, move |_| {
            let score = score.load(Ordering::SeqCst);
            async move { Some(score) }
        })
    });
    for expected in 3..6 {
        score.store(expected, Ordering::SeqCst);
        let mut page = Page::open(oyez.address(), "key");
        page.subscribe("GAME_7");
        assert_eq!(page.hear("SCORE"), expected);
    }
}

#[test]
fn the_shortest_form_takes_a_pattern_and_a_closure() {
    let oyez = start(server().truth("GAME_*", |channel| async move { Some(channel) }));
    let mut page = Page::open(oyez.address(), "key");
    page.subscribe("GAME_7");
    assert_eq!(page.hear("truth"), "GAME_7");
}

#[test]
fn none_is_no_truth() {
    let oyez = start(server().truth("GAME_*", |_| async { None::<u8> }));
    let mut page = Page::open(oyez.address(), "key");
    page.subscribe("GAME_7");
    page.ping();
    assert_eq!(wait(oyez.truth::<u8>("GAME_7")).expect("it is read"), None);
}

#[test]
fn a_closure_that_panics_or_fails_hurts_nobody_and_is_asked_again() {
    for fails in [|| panic!("no table"), || Err("the database is away")] {
        let calls = Arc::new(AtomicUsize::new(0));
        let asked = Arc::clone(&calls);
        let oyez = start(server().truth("GAME_*", move |_| {
            let call = asked.fetch_add(1, Ordering::SeqCst);
            async move { if call == 0 { fails() } else { Ok(call) } }
        }));
        let mut page = Page::open(oyez.address(), "key");
        page.subscribe("GAME_7");
        assert_eq!(page.hear("truth"), 1, "after a pause");
    }
}

#[test]
fn what_a_program_pushes_is_compared_merged_patched_and_deleted() {
    use oyez::{CallError, Change, Channel};
    let oyez = start(server().channel(Channel::matching("GAME_*").pushed_truth("STATE")));
    let mut page = Page::open(oyez.address(), "key");
    page.subscribe("GAME_7");
    wait(async {
        let set = oyez.set("GAME_7", &json!({ "a": 1 })).await.expect("set");
        assert!(set.changed);
        assert!(!oyez.set("GAME_7", &json!({ "a": 1 })).await.expect("set").changed);
        oyez.merge("GAME_7", &json!({ "b": 2 })).await.expect("merged");
        let patch = json!([{ "op": "remove", "path": "/a" }]);
        let patched = oyez.patch("GAME_7", &patch).await.expect("patched");
        let again = oyez.patch("GAME_7", &patch).await.expect_err("there is no a any more");
        assert!(matches!(again, CallError::DoesNotApply(_)), "{again}");

        let late = Change::set(&0).if_version(set.version).if_epoch(&*set.epoch);
        match oyez.change("GAME_7", late).await {
            Err(CallError::Mismatch(found)) => {
                assert_eq!((found.version, found.data), (patched.version, Some(json!({ "b": 2 }))));
            }
            other => panic!("{other:?}"),
        }
        let keyed = || Change::set(&[1]).event("OTHER").idempotency_key("k");
        let once = oyez.change("GAME_7", keyed()).await.expect("set");
        assert_eq!(oyez.change("GAME_7", keyed()).await.expect("the same answer"), once);
        oyez.delete("GAME_7").await.expect("deleted");
        assert_eq!(oyez.truth::<Value>("GAME_7").await.expect("it is read"), None);
    });
    for (event, state) in [
        ("STATE", json!({ "a": 1 })),
        ("STATE", json!({ "a": 1, "b": 2 })),
        ("STATE", json!({ "b": 2 })),
        ("OTHER", json!([1])),
    ] {
        assert_eq!(page.hear(event), state);
    }
}

#[test]
fn a_burst_of_a_thousand_changed_costs_two_calls_and_ends_with_what_is_true() {
    let (calls, score) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (go, answer) = tokio::sync::watch::channel(true);
    let oyez = start({
        let (calls, score) = (Arc::clone(&calls), Arc::clone(&score));
        let rule = TruthRule::event("STATE").settle(Duration::ZERO).timeout(PATIENCE);
        server().truth_with("GAME_*", rule, move |_| {
            calls.fetch_add(1, Ordering::SeqCst);
            let (score, mut answer) = (Arc::clone(&score), answer.clone());
            async move {
                let score = score.load(Ordering::SeqCst);
                answer.wait_for(|go| *go).await.expect("the test goes on");
                Some(score)
            }
        })
    });
    let mut page = Page::open(oyez.address(), "key");
    page.subscribe("GAME_7");
    assert_eq!(page.hear("STATE"), 0);
    // Whoever is asked during the burst answers after it.
    go.send_replace(false);
    wait(async {
        for number in 1..=1000 {
            score.store(number, Ordering::SeqCst);
            oyez.changed("GAME_7").await.expect("it is asked");
        }
    });
    go.send_replace(true);
    while page.hear("STATE") != 1000 {}
    let calls = calls.load(Ordering::SeqCst);
    assert!(calls <= 3, "{calls}: the first, and at most two for the burst");
}
