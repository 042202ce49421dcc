// SPDX-License-Identifier: MIT OR Apache-2.0
//! Calls of the program, from any thread, and what they say when they cannot be done.

use std::time::Duration;

use oyez::{App, AuthorizeError, CallError, Channel, Replay, Trigger};
use serde_json::json;

use super::page::Page;
use super::{server, start, wait};

#[test]
fn events_go_to_channels_from_any_thread_in_their_order() {
    let oyez = start(server());
    let mut page = Page::open(oyez.address(), "key");
    page.subscribe("LOBBY_7");
    page.subscribe("LOBBY_8");
    wait(async {
        for number in 0..100 {
            oyez.trigger("LOBBY_7", "N", &number).await.expect("sent");
        }
    });
    for number in 0..100 {
        assert_eq!(page.hear("N"), number);
    }
    let other = oyez.clone();
    let sent = std::thread::spawn(move || wait(other.trigger("LOBBY_8", "TEXT", "hello")));
    sent.join().expect("no panic").expect("sent");
    assert_eq!(page.hear("TEXT"), "hello");
}

#[test]
fn an_event_may_leave_somebody_out_be_sent_once_and_say_where_it_stands() {
    let remembers =
        Channel::matching("LOBBY_*").replay(Replay::Latest).history(100, Duration::from_secs(600));
    let oyez = start(server().channel(remembers));
    let (mut page, mut sender) =
        (Page::open(oyez.address(), "key"), Page::open(oyez.address(), "key"));
    page.subscribe("LOBBY_7");
    sender.subscribe("LOBBY_7");
    let join = || {
        let trigger = Trigger::new("JOIN", &["anna"]).to("LOBBY_7").to("other");
        trigger.except(&*sender.socket_id).idempotency_key("j1").with_positions()
    };
    let (sent, again, position, history) = wait(async {
        let (sent, again) = (oyez.send(join()).await, oyez.send(join()).await);
        let sent = sent.expect("sent");
        let position = sent.positions["LOBBY_7"].clone();
        oyez.trigger("LOBBY_7", "LAST", &()).await.expect("sent");
        (sent, again, position.clone(), oyez.history("LOBBY_7", Some(&position)).await)
    });
    assert_eq!(again.expect("the first answer"), sent);
    assert_eq!((sent.positions.len(), position.offset), (1, 1), "the other has no memory");
    let events = history.expect("it is held").events;
    assert_eq!((events.len(), &*events[0].event, events[0].offset), (1, "LAST", 2));
    assert_eq!(page.hear("JOIN"), json!(["anna"]));
    page.hear("LAST");
    sender.hear("LAST");
    let other = Trigger::new("JOIN", &["ben"]).to("LOBBY_7").idempotency_key("j1");
    let refused = wait(oyez.send(other)).expect_err("another body");
    assert!(matches!(refused, CallError::KeyConflict(_)), "{refused}");
}

#[test]
fn what_cannot_be_is_refused_by_its_kind_and_reason() {
    let oyez = start(server().limit("event_data_bytes", 10));
    let fails = |call: Result<(), CallError>| call.expect_err("refused");
    wait(async {
        let large = fails(oyez.trigger("a", "E", "more than ten bytes").await);
        assert!(matches!(large, CallError::TooLarge(_)), "{large}");
        assert!(large.to_string().contains("limits.event_data_bytes"), "{large}");
        let names =
            [("not a name", "E", "bad_channel_name"), ("a", "pusher:x", "reserved_event_name")];
        for (channel, event, expected) in names {
            match oyez.trigger(channel, event, &1).await {
                Err(CallError::Invalid { code, .. }) => assert_eq!(code, expected),
                other => panic!("{other:?}"),
            }
        }
        let forgetful = oyez.set("a", &1).await.expect_err("no rule");
        assert!(matches!(forgetful, CallError::NoMemory(_)), "{forgetful}");
        let nobody = fails(oyez.changed("a").await);
        assert!(matches!(nobody, CallError::NoMemory(_)), "{nobody}");
        struct Broken;
        impl serde::Serialize for Broken {
            fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
                Err(serde::ser::Error::custom("it cannot be"))
            }
        }
        let broken = fails(oyez.trigger("a", "E", &Broken).await);
        assert!(matches!(broken, CallError::Json(_)), "{broken}");
    });
}

#[test]
fn each_app_has_its_channels() {
    let oyez = start(server().app(App::new("2", "key-2", "another-secret")));
    let second = oyez.app("2").expect("there are two");
    assert!(oyez.app("3").is_none());
    assert_eq!((oyez.id(), second.id(), second.key()), ("1", "2", "key-2"));
    let mut page = Page::open(oyez.address(), "key-2");
    page.subscribe("a");
    wait(async {
        oyez.trigger("a", "OF_THE_FIRST", &1).await.expect("sent");
        second.trigger("a", "OF_THE_SECOND", &2).await.expect("sent");
        assert!(oyez.channels("").await.expect("a list").is_empty());
        let channels = second.channels("").await.expect("a list");
        assert_eq!(channels["a"].subscription_count, Some(1));
        let channel = second.channel("a").await.expect("it is known");
        assert!(channel.occupied && channel.subscription_count == Some(1));
    });
    assert_eq!(page.hear("OF_THE_SECOND"), 2);
}

#[test]
fn members_are_signed_listed_and_terminated() {
    let oyez = start(server());
    let mut page = Page::open(oyez.address(), "key");
    let auth = oyez.authorize_member(&page.socket_id, "presence-a", "u1", &json!({ "n": 1 }));
    let mut subscription = serde_json::to_value(auth.expect("it may")).expect("JSON");
    subscription["channel"] = json!("presence-a");
    page.say("pusher:subscribe", subscription);
    page.hear("pusher_internal:subscription_succeeded");
    assert_eq!(wait(oyez.members("presence-a")).expect("a list"), ["u1"]);
    let user = oyez.sign_in(&page.socket_id, &json!({ "id": "a/b%" })).expect("it may");
    page.say("pusher:signin", serde_json::to_value(user).expect("JSON"));
    page.hear("pusher:signin_success");
    wait(oyez.terminate("a/b%")).expect("terminated");
    assert_eq!(u16::from(page.closed()), 4009);
}

#[test]
fn nothing_is_signed_that_is_not_what_it_must_be() {
    let oyez = start(server());
    let refused = |socket, channel| oyez.authorize(socket, channel).expect_err("refused");
    assert!(matches!(refused("1.2:private-x", "private-a"), AuthorizeError::SocketId(_)));
    assert!(matches!(refused("1.2", "private-a:b"), AuthorizeError::Channel(_)));
    assert!(matches!(refused("1.2", "a"), AuthorizeError::Public(_)));
    assert!(matches!(refused("1.2", "presence-a"), AuthorizeError::NoMember(_)));
    let member = oyez.authorize_member("1.2", "private-a", "u", &());
    assert!(matches!(member, Err(AuthorizeError::NotPresence(_))));
    let nobody = oyez.sign_in("1.2", &json!({}));
    assert!(matches!(nobody, Err(AuthorizeError::User(_))));
}
