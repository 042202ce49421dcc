// SPDX-License-Identifier: MIT OR Apache-2.0
//! Closures that are told what happens.

use std::future::{Ready, ready};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use oyez::{App, Builder, Oyez, Server, WebhookEvent, WebhookKind};
use serde_json::json;

use super::page::{PATIENCE, Page};
use super::web::Web;
use super::{ANYWHERE, server, start, wait};

const MEMBERS: [WebhookKind; 2] = [WebhookKind::MemberAdded, WebhookKind::MemberRemoved];
const CHANNEL: &str = "presence-GAME_7";

/// Says goodbye at once.
fn at_once(builder: Builder) -> Builder {
    builder.configure(|options| options.webhook_delay = Duration::ZERO)
}

/// A page of that user on the game's channel.
fn join(oyez: &Oyez, user: &str) -> Page {
    let mut page = Page::open(oyez.address(), oyez.key());
    let auth = oyez.authorize_member(&page.socket_id, CHANNEL, user, &()).expect("it may");
    let data = json!({ "channel": CHANNEL, "auth": auth.auth, "channel_data": auth.channel_data });
    page.say("pusher:subscribe", data);
    page.hear("pusher_internal:subscription_succeeded");
    page
}

fn added(user: &str) -> WebhookEvent {
    WebhookEvent::MemberAdded { channel: CHANNEL.to_owned(), user_id: user.to_owned() }
}

fn removed(user: &str) -> WebhookEvent {
    WebhookEvent::MemberRemoved { channel: CHANNEL.to_owned(), user_id: user.to_owned() }
}

fn next(told: &mpsc::Receiver<WebhookEvent>) -> WebhookEvent {
    told.recv_timeout(PATIENCE).expect("it is told in time")
}

#[test]
fn a_closure_is_told_who_comes_and_goes_in_order_also_of_an_app_that_oyez_made() {
    let made = Server::builder().listen(ANYWHERE);
    for builder in [made, server()] {
        let (tell, told) = mpsc::channel();
        let oyez = start(at_once(builder).webhook_with(MEMBERS, move |event| {
            let _ = tell.send(event);
            async {}
        }));
        let first = join(&oyez, "anna");
        assert_eq!(next(&told), added("anna"));
        let second = join(&oyez, "ben");
        assert_eq!(next(&told), added("ben"));
        drop(first);
        assert_eq!(next(&told), removed("anna"));
        drop(second);
        let last = next(&told);
        assert_eq!(last, removed("ben"));
        let about = (last.kind(), last.channel(), last.user_id());
        assert_eq!(about, (WebhookKind::MemberRemoved, CHANNEL, Some("ben")));
    }
}

#[test]
fn a_user_who_comes_back_within_the_delay_never_left() {
    let (tell, told) = mpsc::channel();
    let app = App::new("1", "key", "a-secret-for-tests").webhook_with(MEMBERS, move |event| {
        let _ = tell.send(event);
        async {}
    });
    let builder = Server::builder().listen(ANYWHERE).app(app);
    let oyez = start(builder.configure(|options| options.webhook_delay = PATIENCE * 3));
    let first = join(&oyez, "anna");
    let mut witness = join(&oyez, "ben");
    drop(first);
    witness.hear("pusher_internal:member_removed");
    let _again = join(&oyez, "anna");
    let _last = join(&oyez, "eva");
    assert_eq!([next(&told), next(&told), next(&told)], ["anna", "ben", "eva"].map(added));
}

#[test]
fn a_closure_that_panics_or_fails_is_told_again() {
    for fails in [|| panic!("no table"), || Err("the database is away")] {
        let (tell, told) = mpsc::channel();
        let calls = AtomicUsize::new(0);
        let oyez = start(at_once(server()).webhook_with(MEMBERS, move |event| {
            let _ = tell.send(event);
            let call = calls.fetch_add(1, Ordering::SeqCst);
            async move { if call == 0 { fails() } else { Ok(()) } }
        }));
        drop(join(&oyez, "anna"));
        assert_eq!([next(&told), next(&told)], [added("anna"), added("anna")]);
        assert_eq!(next(&told), removed("anna"));
    }
}

#[test]
fn a_closure_that_hangs_delays_no_delivery_and_no_other_webhook_and_metrics_name_both() {
    let (tell, told) = mpsc::channel();
    let oyez =
        start(server().webhook_with(MEMBERS, |_| std::future::pending::<()>()).webhook_with(
            [WebhookKind::ChannelOccupied],
            move |event| {
                let _ = tell.send(event);
                async {}
            },
        ));
    let mut page = join(&oyez, "anna");
    assert_eq!(next(&told), WebhookEvent::ChannelOccupied { channel: CHANNEL.to_owned() });
    wait(oyez.trigger(CHANNEL, "E", &1)).expect("sent");
    assert_eq!(page.hear("E"), 1);
    page.subscribe("a");
    assert_eq!(next(&told), WebhookEvent::ChannelOccupied { channel: "a".to_owned() });
    let metrics = Web::open(oyez.address()).get("/metrics");
    for line in [
        "oyez_webhook_waiting{app=\"1\",url=\"closure\"} 1",
        "oyez_webhook_waiting{app=\"1\",url=\"closure (2)\"}",
    ] {
        assert!(metrics.text().contains(line), "{line} in {}", metrics.text());
    }
}

/// Tells the test, and takes the event or not.
fn tells(
    takes: bool,
) -> (impl Fn(WebhookEvent) -> Ready<Result<(), &'static str>>, mpsc::Receiver<WebhookEvent>) {
    let (tell, told) = mpsc::channel();
    let hear = move |event| {
        let _ = tell.send(event);
        ready(if takes { Ok(()) } else { Err("away") })
    };
    (hear, told)
}

#[test]
fn what_was_not_taken_before_a_drain_is_told_after_the_next_start() {
    let folder = tempfile::tempdir().expect("a folder");
    let builder = || {
        let builder = at_once(server()).data_dir(folder.path());
        builder.configure(|options| options.drain = Duration::ZERO)
    };
    let (away, _) = tells(false);
    let (witness, seen) = tells(true);
    let oyez = builder().webhook_with(MEMBERS, away).webhook_with(MEMBERS, witness).start();
    let oyez = oyez.expect("it starts");
    drop(join(&oyez, "anna"));
    assert_eq!([next(&seen), next(&seen)], [added("anna"), removed("anna")]);
    wait(oyez.drain()).expect("it ended well");

    let (hear, told) = tells(true);
    let oyez = builder().webhook_with(MEMBERS, hear).start().expect("it starts");
    assert_eq!([next(&told), next(&told)], [added("anna"), removed("anna")]);
    wait(oyez.drain()).expect("it ended well");

    let (hear, told) = tells(true);
    let oyez = builder().webhook_with(MEMBERS, hear).start().expect("it starts");
    wait(oyez.drain()).expect("it ended well");
    assert!(told.try_recv().is_err(), "it was taken");
}

#[test]
fn a_drain_tells_what_waits_and_waits_for_the_closure() {
    let taken = Arc::new(AtomicUsize::new(0));
    let (enter, entered) = mpsc::channel();
    let oyez = start(server().webhook_with(MEMBERS, {
        let taken = Arc::clone(&taken);
        move |_| {
            let _ = enter.send(());
            let taken = Arc::clone(&taken);
            async move {
                tokio::time::sleep(Duration::from_millis(50)).await;
                taken.fetch_add(1, Ordering::SeqCst);
            }
        }
    }));
    let _pages = ["anna", "ben", "eva"].map(|user| join(&oyez, user));
    entered.recv_timeout(PATIENCE).expect("it is told");
    wait(oyez.drain()).expect("it ended well");
    assert_eq!(taken.load(Ordering::SeqCst), 3);
}
