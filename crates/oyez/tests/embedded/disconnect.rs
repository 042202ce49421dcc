// SPDX-License-Identifier: MIT OR Apache-2.0
//! A connection that the program ends by its socket id.

use std::sync::atomic::{AtomicBool, Ordering};

use oyez::{App, CallError};
use serde_json::json;

use super::page::Page;
use super::{server, start, wait};

/// The page asks for a channel, and does not wait for the answer.
fn ask_for(page: &mut Page, channel: &str) {
    page.say("pusher:subscribe", json!({ "channel": channel }));
}

#[test]
fn a_disconnected_page_is_told_to_come_back_and_hears_nothing_that_is_triggered_then() {
    let oyez = start(server().workers(4));
    let mut pages: Vec<Page> = (0..8).map(|_| Page::open(oyez.address(), oyez.key())).collect();
    for page in &mut pages {
        let auth = oyez.authorize(&page.socket_id, "private-a").expect("it may");
        let mut subscription = serde_json::to_value(auth).expect("JSON");
        subscription["channel"] = json!("private-a");
        page.say("pusher:subscribe", subscription);
        page.hear("pusher_internal:subscription_succeeded");
    }
    let mut gone = pages.swap_remove(3);
    wait(async {
        oyez.trigger("private-a", "BEFORE", &1).await.expect("sent");
        oyez.disconnect(&gone.socket_id).await.expect("it is over");
        oyez.trigger("private-a", "AFTER", &2).await.expect("sent");
        oyez.disconnect(&gone.socket_id).await.expect("it was over already");
    });
    let (events, code) = gone.rest();
    assert_eq!(code, 4200);
    let sent: Vec<_> = events.iter().filter(|event| !event.contains("count")).collect();
    assert_eq!(sent, ["BEFORE", "pusher:error"]);
    for page in &mut pages {
        assert_eq!((page.hear("BEFORE"), page.hear("AFTER")), (json!(1), json!(2)));
        page.ping();
    }
    let channel = wait(oyez.channel("private-a")).expect("it is known");
    assert_eq!(channel.subscription_count, Some(7));
}

#[test]
fn an_app_ends_its_own_connections_only() {
    let oyez = start(server().app(App::new("2", "key-2", "another-secret")));
    let second = oyez.app("2").expect("there are two");
    let mut page = Page::open(oyez.address(), "key-2");
    page.subscribe("a");
    wait(async {
        oyez.disconnect(&page.socket_id).await.expect("it has none of that id");
        second.trigger("a", "STILL", &1).await.expect("sent");
    });
    page.hear("STILL");
    page.ping();
    wait(second.disconnect(&page.socket_id)).expect("it has");
    assert_eq!(page.rest().1, 4200);
}

#[test]
fn what_is_no_socket_id_is_refused_and_one_of_nobody_is_fine() {
    let oyez = start(server());
    let mut page = Page::open(oyez.address(), "key");
    wait(async {
        for none in ["", "1", "1.2:private-a", "1.2.3", "a.b", " 1.2"] {
            match oyez.disconnect(none).await {
                Err(CallError::Invalid { code, text }) => {
                    assert_eq!(code, "bad_socket_id");
                    assert!(text.starts_with("the socket id must be "), "{text}");
                }
                other => panic!("{none:?}: {other:?}"),
            }
        }
        for nobody in ["1.2", "0.0", "99999999999999999999999.1"] {
            oyez.disconnect(nobody).await.expect("there is nobody");
        }
    });
    page.ping();
}

#[test]
fn a_page_that_may_be_moving_with_its_first_subscription_does_not_slip_through() {
    let oyez = start(server().workers(4));
    for round in 0..200 {
        let channel = format!("room-{round}");
        let mut page = Page::open(oyez.address(), "key");
        ask_for(&mut page, &channel);
        wait(async {
            oyez.disconnect(&page.socket_id).await.expect("it is over");
            oyez.trigger(&channel, "AFTER", &1).await.expect("sent");
        });
        let (events, code) = page.rest();
        assert_eq!(code, 4200, "round {round}");
        assert!(!events.contains(&"AFTER".to_owned()), "round {round}: {events:?}");
    }
    assert!(wait(oyez.channels("room-")).expect("a list").is_empty(), "nobody is left anywhere");
}

#[test]
fn a_page_that_moves_on_and_on_is_caught() {
    let oyez = start(server().workers(4));
    for round in 0..20 {
        let mut page = Page::open(oyez.address(), "key");
        let over = AtomicBool::new(false);
        let socket_id = page.socket_id.clone();
        let begun = std::sync::Barrier::new(2);
        std::thread::scope(|threads| {
            threads.spawn(|| {
                // Each is the first again, in a home of its own; no more than a page may say.
                for number in 0..1000 {
                    let channel = format!("room-{round}-{}", number % 16);
                    if number == 16 {
                        begun.wait();
                    }
                    if over.load(Ordering::Acquire) {
                        break;
                    }
                    ask_for(&mut page, &channel);
                    page.say("pusher:unsubscribe", json!({ "channel": channel }));
                }
                let (events, code) = page.rest();
                assert_eq!(code, 4200, "round {round}");
                assert!(!events.contains(&"AFTER".to_owned()), "round {round}: {events:?}");
            });
            begun.wait();
            wait(async {
                oyez.disconnect(&socket_id).await.expect("it is over");
                for number in 0..16 {
                    let channel = format!("room-{round}-{number}");
                    oyez.trigger(&channel, "AFTER", &1).await.expect("sent");
                }
            });
            over.store(true, Ordering::Release);
        });
    }
}

#[test]
fn many_may_end_at_once_and_the_same_more_than_once() {
    let oyez = start(server().workers(4));
    let mut pages: Vec<Page> = (0..40).map(|_| Page::open(oyez.address(), "key")).collect();
    let staying = pages.split_off(20);
    for page in &mut pages {
        ask_for(page, "a");
    }
    wait(async {
        let ids = pages.iter().chain(&pages).map(|page| page.socket_id.clone());
        let calls = ids.map(|id| {
            let oyez = oyez.clone();
            async move { oyez.disconnect(&id).await }
        });
        let mut calls: tokio::task::JoinSet<_> = calls.collect();
        while let Some(call) = calls.join_next().await {
            call.expect("no panic").expect("it is over");
        }
    });
    for page in &mut pages {
        assert_eq!(page.rest().1, 4200);
    }
    for mut page in staying {
        page.ping();
    }
}
