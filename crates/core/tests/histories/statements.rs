// SPDX-License-Identifier: MIT OR Apache-2.0
//! Named interleavings and the edges of every span of time, played by hand.

use std::collections::BTreeMap;
use std::time::Duration;

use oyez_core::IDENTITY_AGE;
use oyez_core::UserPresence::{Offline, Online};
use oyez_protocol::webhook::WebhookEvent;

use crate::heard::{Cut, Heard};
use crate::stage::{Line, Stage, WEBHOOK_DELAY, event, replayed, socket};

const MILLI: Duration = Duration::from_millis(1);
const CACHE_AGE: Duration = Duration::from_secs(30 * 60);
const GRACE: Duration = Duration::from_secs(3);
const COUNT_INTERVAL: Duration = Duration::from_secs(5);

/// The frames with which the subscription of a slot begins.
fn begin(lines: &[Line]) -> &[Heard] {
    let begins = lines.iter().find_map(|line| match line {
        Line::Begins(_, frames) => Some(frames),
        _ => None,
    });
    begins.expect("a subscription begins")
}

fn cut(lines: &[Line]) -> Cut {
    match &begin(lines)[0] {
        Heard::Succeeded { cut: Some(cut), .. } => cut.clone(),
        other => panic!("no cut: {other:?}"),
    }
}

fn webhooks(lines: &[Line]) -> Vec<&'static str> {
    let names = lines.iter().filter_map(|line| match line {
        Line::Webhook(event) => Some(event.kind().name()),
        _ => None,
    });
    names.collect()
}

/// What the subscribers of a worker hear.
fn heard(lines: &[Line], on: u16) -> Vec<&Heard> {
    let heard = lines.iter().filter_map(|line| match line {
        Line::All(worker, heard, _) if *worker == on => Some(heard),
        _ => None,
    });
    heard.collect()
}

#[test]
fn p029_p030_p031_members_hear_of_first_and_last_connections_but_not_of_their_own() {
    let mut stage = Stage::new();
    stage.subscribe("presence-a", 0, Some((1, Some(7))));
    let second = stage.subscribe("presence-a", 1, Some((2, None)));
    let added = Heard::Added { user: 2, info: None };
    assert_eq!((heard(&second, 0), heard(&second, 1)), (vec![&added], vec![]));
    let members = Some(BTreeMap::from([(1, Some(7)), (2, None)]));
    assert_eq!(begin(&second), [Heard::Succeeded { cut: None, members: members.clone() }]);

    // P-030: another description by a later connection changes nothing.
    let again = stage.subscribe("presence-a", 3, Some((1, Some(8))));
    assert_eq!((heard(&again, 0), heard(&again, 1)), (vec![], vec![]));
    assert_eq!(begin(&again), [Heard::Succeeded { cut: None, members }]);

    assert_eq!(stage.unsubscribe("presence-a", 0, Some(1)), []);
    let removed = Heard::Removed { user: 1 };
    assert_eq!(stage.unsubscribe("presence-a", 3, Some(1)), [Line::All(1, removed, None)]);
}

#[test]
fn t029_a_member_who_joins_and_leaves_around_a_newcomer_is_in_the_snapshot_or_told() {
    let mut stage = Stage::new();
    stage.subscribe("presence-a", 0, Some((1, None)));
    stage.subscribe("presence-a", 2, Some((2, None)));
    let newcomer = stage.subscribe("presence-a", 4, Some((3, None)));
    let Heard::Succeeded { members: Some(members), .. } = &begin(&newcomer)[0] else { panic!() };
    assert_eq!(members.keys().copied().collect::<Vec<_>>(), [1, 2, 3]);
    // Its own arrival stands in the queue before its snapshot, the others' leaving after it.
    let own = Line::All(0, Heard::Added { user: 3, info: None }, None);
    let place = |lines: &[Line], wanted: &dyn Fn(&Line) -> bool| lines.iter().position(wanted);
    assert!(
        place(&newcomer, &|line| *line == own)
            < place(&newcomer, &|line| matches!(line, Line::Begins(4, _)))
    );
    let left = stage.unsubscribe("presence-a", 2, Some(2));
    assert_eq!(left, [Line::All(0, Heard::Removed { user: 2 }, None)]);
}

#[test]
fn p035_member_101_is_refused_and_leaves_nothing() {
    let mut stage = Stage::new();
    for user in 0..100 {
        stage.subscribe("presence-a", user, Some((user, None)));
    }
    let refused = [Line::Refused(100, Heard::Error { status: 403 })];
    assert_eq!(stage.subscribe("presence-a", 100, Some((100, None))), refused);
    // Another connection of a member is no other member.
    assert_eq!(begin(&stage.subscribe("presence-a", 101, Some((99, None)))).len(), 1);
    stage.unsubscribe("presence-a", 0, Some(0));
    assert_eq!(begin(&stage.subscribe("presence-a", 102, Some((100, None)))).len(), 1);
    assert_eq!(
        stage.subscribe("presence-a", 103, Some((0, None))),
        [Line::Refused(103, Heard::Error { status: 403 })]
    );
}

#[test]
fn t006_the_replay_is_the_frame_that_every_live_subscriber_got_last() {
    let mut stage = Stage::new();
    stage.subscribe("cache-a", 0, None);
    let mut last = Vec::new();
    for data in ["A", "B", "A", "B", "B", "A"] {
        last = stage.publish("cache-a", data, None);
    }
    assert_eq!(last, [Line::All(0, event("A", Some(6)), None)]);
    let later = stage.subscribe("cache-a", 1, None);
    assert_eq!(begin(&later)[1..], [replayed("A", 6)]);
    assert_eq!((cut(&later).offset, cut(&later).replay), (6, 1));
}

#[test]
fn t007_p047_a_thousand_first_subscribers_miss_with_one_webhook_and_then_hear_the_event() {
    let mut stage = Stage::new();
    let mut misses = 0;
    for slot in 0..1_000 {
        let lines = stage.subscribe("cache-a", slot, None);
        assert_eq!(begin(&lines)[1..], [Heard::CacheMiss]);
        misses += webhooks(&lines).iter().filter(|name| **name == "cache_miss").count();
    }
    assert_eq!(misses, 1);
    let event = event("v1", Some(1));
    let lines = stage.publish("cache-a", "v1", None);
    assert_eq!(lines, [Line::All(0, event.clone(), None), Line::All(1, event, None)]);

    // A new empty period is told of anew.
    stage.wait(CACHE_AGE);
    assert_eq!(webhooks(&stage.subscribe("cache-a", 1_000, None)), ["cache_miss"]);
    assert_eq!(webhooks(&stage.subscribe("cache-a", 1_001, None)), [] as [&str; 0]);
}

#[test]
fn p046_p048_p049_an_event_is_kept_for_half_an_hour_whether_anybody_is_there_or_not() {
    let mut stage = Stage::new();
    assert_eq!(stage.publish("cache-a", "v1", None), [Line::Opened]);
    stage.wait(CACHE_AGE - MILLI);
    let cached = stage.cached("cache-a").expect("still kept");
    assert_eq!((cached.data.as_str(), cached.ttl), ("v1", MILLI));
    let first = stage.subscribe("cache-a", 0, None);
    assert_eq!(begin(&first)[1..], [replayed("v1", 1)]);

    stage.wait(MILLI);
    assert_eq!(stage.cached("cache-a"), None);
    let second = stage.subscribe("cache-a", 1, None);
    assert_eq!(begin(&second)[1..], [Heard::CacheMiss]);
    // The event is gone, its place in the log is not.
    assert_eq!(cut(&second), Cut { replay: 0, ..cut(&first) });
    assert_eq!(cut(&second).offset, 1);
}

#[test]
fn a_numbering_is_forgotten_thirty_days_after_the_last_touch() {
    let mut stage = Stage::new();
    stage.publish("cache-a", "v1", None);
    stage.wait(IDENTITY_AGE / 2);
    let first = cut(&stage.subscribe("cache-a", 0, None));
    stage.unsubscribe("cache-a", 0, None);
    let lines = stage.wait(IDENTITY_AGE - MILLI);
    assert_eq!(webhooks(&lines), ["channel_vacated"]);
    assert!(!lines.contains(&Line::Closed));
    assert_eq!(cut(&stage.subscribe("cache-a", 0, None)).epoch, first.epoch);
    stage.unsubscribe("cache-a", 0, None);
    assert!(stage.wait(2 * IDENTITY_AGE).contains(&Line::Closed));
    let anew = cut(&stage.subscribe("cache-a", 0, None));
    assert_eq!((anew.offset, anew.term), (0, first.term));
    assert_ne!(anew.epoch, first.epoch);
}

#[test]
fn p050_client_events_are_not_kept() {
    let mut stage = Stage::new();
    stage.subscribe("private-cache-a", 0, None);
    stage.publish("private-cache-a", "v1", None);
    let lines = stage.client_event("private-cache-a", "chat", 0);
    let (name, data) = ("client-news".to_owned(), "chat".to_owned());
    let chat = Heard::Event { name, data, user: None, offset: None, replayed: false };
    assert_eq!(lines[0], Line::All(0, chat, Some(socket(0))));
    let later = stage.subscribe("private-cache-a", 1, None);
    assert_eq!(begin(&later)[1..], [replayed("v1", 1)]);
    assert_eq!(cut(&later).offset, 1);
}

#[test]
fn t021_after_leaving_and_coming_back_in_one_tick_the_view_is_exact() {
    let mut stage = Stage::new();
    stage.subscribe("cache-a", 0, None);
    stage.publish("cache-a", "v1", None);
    stage.unsubscribe("cache-a", 0, None);
    assert_eq!(stage.publish("cache-a", "v2", None), []);
    let back = stage.subscribe("cache-a", 0, None);
    assert_eq!(begin(&back)[1..], [replayed("v2", 2)]);
    assert_eq!(cut(&back).offset, 2);
    let live = stage.publish("cache-a", "v3", None);
    assert_eq!(live, [Line::All(0, event("v3", Some(3)), None)]);
}

#[test]
fn t022_the_sender_is_named_in_the_item_and_its_event_takes_an_offset() {
    let mut stage = Stage::new();
    stage.subscribe("cache-a", 0, None);
    let lines = stage.publish("cache-a", "v1", Some(socket(0)));
    assert_eq!(lines, [Line::All(0, event("v1", Some(1)), Some(socket(0)))]);
    // Who comes later is shown it, whoever sent it.
    assert_eq!(begin(&stage.subscribe("cache-a", 1, None))[1..], [replayed("v1", 1)]);
}

#[test]
fn p053_counts_are_eager_up_to_a_hundred_and_every_five_seconds_above() {
    let mut stage = Stage::new();
    let count = |lines: &[Line]| match heard(lines, 0)[..] {
        [] => None,
        [Heard::Count(count)] => Some(*count),
        ref other => panic!("{other:?}"),
    };
    for slot in 0..100 {
        let lines = stage.subscribe("room", slot, None);
        assert_eq!(count(&lines), Some(slot as usize + 1));
    }
    assert_eq!(count(&stage.subscribe("room", 100, None)), None);
    assert_eq!(count(&stage.subscribe("room", 101, None)), None);
    assert_eq!(count(&stage.wait(COUNT_INTERVAL - MILLI)), None);
    let lines = stage.wait(MILLI);
    assert_eq!(count(&lines), Some(102));
    assert_eq!(webhooks(&lines), ["subscription_count"]);
    // One comes while another goes: the newcomer is told, the webhook is not called.
    stage.unsubscribe("room", 0, None);
    stage.subscribe("room", 102, None);
    let lines = stage.wait(COUNT_INTERVAL);
    assert_eq!((count(&lines), webhooks(&lines)), (Some(102), vec![]));
    assert_eq!(stage.wait(COUNT_INTERVAL), []);
}

#[test]
fn p057_all_connections_of_a_user_are_closed_and_nobody_elses() {
    let mut stage = Stage::new();
    for (user, slot) in [(1, 0), (2, 1), (1, 3)] {
        stage.sign_in(user, slot);
    }
    let mut lines = stage.terminate(1);
    lines.sort_by_key(|line| format!("{line:?}"));
    assert_eq!(lines, [Line::Close(0), Line::Close(3)]);
    stage.sign_out(1, 0);
    assert_eq!(stage.terminate(1), [Line::Close(3)]);
}

#[test]
fn p058_offline_comes_after_the_grace_and_a_page_change_is_silent() {
    let mut stage = Stage::new();
    assert_eq!(stage.watch(1, 0), [Line::Word(0, Offline)]);
    assert_eq!(stage.sign_in(1, 1), [Line::Word(0, Online)]);
    assert_eq!(stage.sign_in(1, 3), []);
    assert_eq!(stage.sign_out(1, 1), []);
    assert_eq!(stage.wait(2 * GRACE), []);
    // A page change.
    stage.sign_out(1, 3);
    assert_eq!(stage.wait(GRACE - MILLI), []);
    assert_eq!(stage.sign_in(1, 5), []);
    assert_eq!(stage.wait(2 * GRACE), []);
    // Gone for good; who asks meanwhile hears what the others believe.
    stage.sign_out(1, 5);
    assert_eq!(stage.wait(GRACE - MILLI), []);
    assert_eq!(stage.watch(1, 2), [Line::Word(2, Online)]);
    let mut words = stage.wait(MILLI);
    words.sort_by_key(|line| format!("{line:?}"));
    assert_eq!(words, [Line::Word(0, Offline), Line::Word(2, Offline)]);
}

#[test]
fn p078_a_quick_page_change_sends_no_webhook() {
    let mut stage = Stage::new();
    let came = stage.subscribe("presence-a", 0, Some((1, None)));
    assert_eq!(webhooks(&came), ["channel_occupied", "member_added"]);
    stage.unsubscribe("presence-a", 0, Some(1));
    assert_eq!(stage.wait(WEBHOOK_DELAY - MILLI), []);
    let back = stage.subscribe("presence-a", 1, Some((1, None)));
    assert_eq!(webhooks(&back), [] as [&str; 0]);
    assert_eq!(stage.wait(2 * WEBHOOK_DELAY), []);

    stage.unsubscribe("presence-a", 1, Some(1));
    let (channel, user_id) = ("presence-a".to_owned(), "u1".to_owned());
    assert_eq!(
        stage.wait(WEBHOOK_DELAY),
        [
            Line::Webhook(WebhookEvent::MemberRemoved { channel: channel.clone(), user_id }),
            Line::Webhook(WebhookEvent::ChannelVacated { channel }),
            Line::Closed,
        ]
    );
}
