// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a receiver gets when all is well.

use std::time::{Duration, SystemTime};

use hmac::{Hmac, KeyInit, Mac};
use oyez_protocol::limits::Limits;
use sha2::Sha256;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::receiver::{Receiver, Reply};
use super::*;

/// The signature by the definition of RFC 2104, not by the code under test.
fn signature(secret: &str, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(body);
    mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn the_check_of_these_tests_agrees_with_another_implementation() {
    // Made with Python's hmac module.
    let body = br#"{"time_ms":1327078148132,"events":[{"name":"channel_occupied","channel":"a"}]}"#;
    assert_eq!(
        signature(SECRET, body),
        "02796d1ea4710e9aadef67a96c7c3a8ec5afecc01bc92918527de4df85607e00"
    );
}

#[tokio::test]
async fn p077_a_request_is_a_signed_json_post_with_every_kind_of_event() {
    let mut receiver = Receiver::willing().await;
    let webhooks = start(app(&[receiver.url()]));
    let before = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_millis();
    let (channel, user_id) = ("presence-a".to_owned(), "7".to_owned());
    for event in [
        WebhookEvent::ChannelOccupied { channel: channel.clone() },
        WebhookEvent::MemberAdded { channel: channel.clone(), user_id: user_id.clone() },
        WebhookEvent::SubscriptionCount { channel: "a".into(), subscription_count: 2 },
        WebhookEvent::ClientEvent {
            channel: channel.clone(),
            event: "client-x".into(),
            data: "{\"emoji\":\"🦀\"}\n".into(),
            socket_id: "123.456".into(),
            user_id: Some(user_id.clone()),
        },
        WebhookEvent::CacheMiss { channel: "cache-a".into() },
        WebhookEvent::MemberRemoved { channel: channel.clone(), user_id },
        WebhookEvent::ChannelVacated { channel },
    ] {
        webhooks.send(APP, event);
    }
    let mut events = Vec::new();
    while events.len() < 7 {
        let request = receiver.next().await;
        assert_eq!((request.method.as_str(), request.path.as_str()), ("POST", "/hook"));
        assert_eq!(request.header("content-type"), "application/json");
        assert_eq!(request.header("x-pusher-key"), KEY);
        assert_eq!(request.header("x-pusher-signature"), signature(SECRET, &request.body));
        assert_eq!(request.header("user-agent"), concat!("oyez/", env!("CARGO_PKG_VERSION")));
        let body: serde_json::Value = serde_json::from_slice(&request.body).unwrap();
        let time = u128::from(body["time_ms"].as_u64().unwrap());
        assert!((before..before + 60_000).contains(&time), "{time} is not the time since {before}");
        events.extend(request.events());
    }
    let expected = serde_json::json!([
        {"name": "channel_occupied", "channel": "presence-a"},
        {"name": "member_added", "channel": "presence-a", "user_id": "7"},
        {"name": "subscription_count", "channel": "a", "subscription_count": 2},
        {"name": "client_event", "channel": "presence-a", "event": "client-x",
         "data": "{\"emoji\":\"🦀\"}\n", "socket_id": "123.456", "user_id": "7"},
        {"name": "cache_miss", "channel": "cache-a"},
        {"name": "member_removed", "channel": "presence-a", "user_id": "7"},
        {"name": "channel_vacated", "channel": "presence-a"},
    ]);
    assert_eq!(serde_json::Value::from(events), expected);
    until(&webhooks, |outcomes| outcomes.delivered() == 7 && outcomes.waiting() == 0).await;
}

#[tokio::test]
async fn p077_header_names_are_written_as_the_documentation_writes_them() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let webhooks = start(app(&[format!("http://{}/hook?token=x", listener.local_addr().unwrap())]));
    webhooks.send(APP, event("a"));
    let (mut stream, _) = listener.accept().await.unwrap();
    let mut request = Vec::new();
    while !request.ends_with(b"]}") {
        assert!(stream.read_buf(&mut request).await.unwrap() > 0);
    }
    stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await.unwrap();
    let request = String::from_utf8(request).unwrap();
    assert!(request.starts_with("POST /hook?token=x HTTP/1.1\r\n"), "{request}");
    for name in ["Content-Type", "Content-Length", "Host", "X-Pusher-Key", "X-Pusher-Signature"] {
        assert!(request.contains(&format!("\r\n{name}: ")), "{request}");
    }
    until(&webhooks, |outcomes| outcomes.delivered() == 1).await;
    assert!(!webhooks.outcomes()[0].url().contains("token"));
}

#[tokio::test]
async fn p077_each_app_and_url_gets_what_it_wants_signed_with_its_own_secret() {
    let (mut a, mut b, mut c) =
        (Receiver::willing().await, Receiver::willing().await, Receiver::willing().await);
    let only = |url: String, kind| WebhookOptions::url(&url, [kind]);
    let first = AppOptions {
        webhooks: vec![
            only(a.url(), WebhookKind::ChannelOccupied),
            only(b.url(), WebhookKind::CacheMiss),
        ],
        ..AppOptions::new("1", "key-1", "secret-1")
    };
    let second = AppOptions {
        webhooks: vec![only(c.url(), WebhookKind::ChannelOccupied)],
        ..AppOptions::new("2", "key-2", "secret-2")
    };
    let webhooks = start_with(vec![first, second], Limits::default(), None, short()).unwrap();
    assert!(webhooks.wants(APP, WebhookKind::CacheMiss));
    assert!(!webhooks.wants(APP, WebhookKind::MemberAdded));
    assert!(!webhooks.wants(AppIndex(1), WebhookKind::CacheMiss));

    webhooks.send(APP, event("first"));
    webhooks.send(APP, WebhookEvent::CacheMiss { channel: "cache-first".into() });
    webhooks.send(APP, WebhookEvent::ChannelVacated { channel: "nobody wants it".into() });
    webhooks.send(AppIndex(1), event("second"));
    for (receiver, key, secret, channel) in [
        (&mut a, "key-1", "secret-1", "first"),
        (&mut b, "key-1", "secret-1", "cache-first"),
        (&mut c, "key-2", "secret-2", "second"),
    ] {
        let request = receiver.next().await;
        assert_eq!(request.channels(), [channel]);
        assert_eq!(request.header("x-pusher-key"), key);
        assert_eq!(request.header("x-pusher-signature"), signature(secret, &request.body));
    }
    stop(&webhooks, Duration::from_secs(5)).await;
    assert!(a.come().is_none() && b.come().is_none() && c.come().is_none());
}

#[tokio::test]
async fn p077_events_of_one_window_share_a_request_up_to_the_limit() {
    let mut receiver = Receiver::willing().await;
    let limits = Limits { webhook_batch: 10, ..Limits::default() };
    let timing = Timing { batch_window: Duration::from_secs(3600), ..short() };
    let webhooks = start_with(vec![app(&[receiver.url()])], limits, None, timing).unwrap();
    send_numbers(&webhooks, 0..25);
    // Full batches do not wait for the window, the rest does.
    assert_eq!(receiver.next().await.channels(), numbers(0..10));
    assert_eq!(receiver.next().await.channels(), numbers(10..20));
    until(&webhooks, |outcomes| outcomes.delivered() == 20).await;
    assert_eq!(webhooks.outcomes()[0].waiting(), 5);
    stop(&webhooks, Duration::from_secs(5)).await;
    assert_eq!(receiver.next().await.channels(), numbers(20..25));
}

#[tokio::test]
async fn p077_one_request_at_a_time_is_in_flight_and_all_are_in_order() {
    let mut receiver = Receiver::start(|_| Reply::After(Duration::from_millis(2))).await;
    let limits = Limits { webhook_batch: 7, ..Limits::default() };
    let webhooks = start_with(vec![app(&[receiver.url()])], limits, None, short()).unwrap();
    send_numbers(&webhooks, 0..100);
    let mut channels = Vec::new();
    while channels.len() < 100 {
        let request = receiver.next().await;
        assert_eq!(request.at_once, 1);
        channels.extend(request.channels());
    }
    assert_eq!(channels, numbers(0..100));
}

#[tokio::test]
async fn an_answer_without_end_is_an_answer_and_costs_only_its_connection() {
    let mut receiver = Receiver::start(|_| Reply::Endless).await;
    let webhooks = start(app(&[receiver.url()]));
    webhooks.send(APP, event("a"));
    assert_eq!(receiver.next().await.channels(), ["a"]);
    webhooks.send(APP, event("b"));
    assert_eq!(receiver.next().await.channels(), ["b"]);
    until(&webhooks, |outcomes| outcomes.delivered() == 2).await;
    assert_eq!(webhooks.outcomes()[0].failed_attempts(), 0);
}

#[tokio::test]
async fn a_server_without_webhooks_starts_nothing_and_opens_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let apps = vec![AppOptions::new("3", KEY, SECRET)];
    let webhooks = start_with(apps, Limits::default(), Some(folder.path()), short()).unwrap();
    assert!(webhooks.running.is_none());
    assert!(!webhooks.wants(APP, WebhookKind::ChannelOccupied));
    webhooks.send(APP, event("a"));
    webhooks.stop(Duration::from_secs(3600));
    assert!(webhooks.outcomes().is_empty());
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn a_url_that_cannot_be_used_stops_the_start_and_names_the_app() {
    let refused = start_with(vec![app(&["ftp://x/".to_owned()])], Limits::default(), None, short());
    let error = refused.unwrap_err().to_string();
    assert!(error.contains("app `3`") && error.contains("http://"), "{error}");
}
