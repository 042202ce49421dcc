// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is refused, with which status, and that nothing of it was done.

use oyez_protocol::limits::Limits;
use serde_json::json;

use super::harness::{get, post, publish, request, signed, signed_as, with_server, with_usual};
use crate::door::Unable;

#[test]
fn p062_the_signature_is_checked_before_anything_else_is_told() {
    with_usual(|server| async move {
        let path = "/apps/1/events";
        let good = signed("POST", path, &[], "nonsense");
        let with = |target: &str| request("POST", target, "nonsense");
        let other_key = signed_as("key-2", "POST", path, path, &[], "nonsense");
        let other_method = signed("GET", path, &[], "nonsense");
        let off = "/apps/off/events";
        for (target, code) in [
            (path.to_owned(), "missing_auth"),
            (good.replace("auth_signature", "x"), "missing_auth"),
            (other_key, "unknown_key"),
            (other_method, "bad_signature"),
            (good.replace("auth_version=1.0", "auth_version=2.0"), "bad_auth_version"),
            (good.replace("auth_timestamp=1", "auth_timestamp=2"), "clock_skew"),
            (format!("{good}0"), "bad_signature"),
            (signed("POST", path, &[], ""), "body_md5"),
            (signed("POST", path, &[], "another"), "body_md5"),
            (signed_as("key-off", "POST", "/other", off, &[], "nonsense"), "bad_signature"),
        ] {
            let reply = server.ask(with(&target)).await;
            assert_eq!((reply.error().0, reply.error().1.as_str()), (401, code), "{target}");
            assert!(!reply.body.contains(super::harness::SECRET));
        }
        // Well signed, the same body is bad JSON, and the app is off.
        assert_eq!(server.ask(with(&good)).await.error().1, "bad_json");
        let target = signed_as("key-off", "POST", off, off, &[], "nonsense");
        assert_eq!(server.ask(with(&target)).await.error(), (403, "app_disabled".into(), None));
        assert_eq!(server.notes(), Vec::<String>::new());
    });
}

#[test]
fn p062_a_wrong_signature_is_told_the_string_that_was_signed() {
    with_usual(|server| async move {
        let target = signed("GET", "/apps/1/channels", &[("info", "subscription_count")], "");
        let target = format!("{}0", target.replace("subscription_count", "subscription%5Fcount"));
        let reply = server.ask(request("GET", &target, "")).await;
        let json = reply.json();
        let text = json["error"].as_str().expect("a text");
        assert!(
            text.contains(":\nGET\n/apps/1/channels\nauth_key=key-1&auth_timestamp="),
            "{text}"
        );
        assert!(text.ends_with("&auth_version=1.0&info=subscription_count"), "{text}");
    });
}

#[test]
fn unknown_apps_and_paths_are_404_and_wrong_methods_405() {
    with_usual(|server| async move {
        let no_app = request("GET", "/apps/nobody/channels", "");
        assert_eq!(server.ask(no_app).await.error(), (404, "unknown_app".into(), None));
        for path in ["/nothing", "/apps", "/apps/1", "/apps/1/eventz", "/app/key-1", "*"] {
            let reply = server.ask(request("GET", path, "")).await;
            assert_eq!(reply.error(), (404, "not_found".into(), None), "{path}");
        }
        for (method, path, allowed) in [
            ("GET", "/apps/1/events", "POST"),
            ("OPTIONS", "/apps/1/events", "POST"),
            ("PUT", "/apps/1/batch_events", "POST"),
            ("POST", "/apps/1/channels", "GET"),
            ("DELETE", "/apps/1/channels/a", "GET"),
            ("OPTIONS", "/apps/1/channels/a/users", "GET"),
            ("GET", "/apps/1/users/7/terminate_connections", "POST"),
            ("POST", "/up", "GET, HEAD"),
            ("BREW", "/metrics", "GET, HEAD"),
        ] {
            let reply = server.ask(request(method, path, "{}")).await;
            assert_eq!(reply.error(), (405, "method_not_allowed".into(), None), "{method} {path}");
            assert!(reply.head.contains(&format!("\r\nallow: {allowed}\r\n")), "{reply:?}");
            assert!(!reply.says_close(), "a small body is taken: {reply:?}");
        }
    });
}

#[test]
fn a_websocket_on_another_path_is_404() {
    with_usual(|server| async move {
        for path in ["/", "/app", "/apps/1/channels", "/up"] {
            let upgrade = format!(
                "GET {path} HTTP/1.1\r\nHost: test\r\nConnection: Upgrade\r\nUpgrade: WebSocket\r\n\
                 Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
            );
            assert_eq!(server.ask(upgrade).await.error(), (404, "not_found".into(), None));
        }
    });
}

#[test]
fn p066_names_in_the_path_are_checked() {
    with_usual(|server| async move {
        for (path, code, field) in [
            ("/apps/1/channels/a%20b", "bad_channel_name", "channel"),
            ("/apps/1/channels/%zz", "bad_url", "channel"),
            ("/apps/1/channels/%ff", "bad_url", "channel"),
            ("/apps/1/channels//users", "bad_channel_name", "channel"),
        ] {
            let reply = server.ask(get(path, &[])).await;
            assert_eq!(reply.error(), (400, code.into(), Some(field.into())), "{path}");
        }
        let long = format!("/apps/1/channels/{}", "a".repeat(165));
        assert_eq!(server.ask(get(&long, &[])).await.error().1, "bad_channel_name");
        for path in
            ["/apps/1/users//terminate_connections", "/apps/1/users/%f/terminate_connections"]
        {
            assert_eq!(server.ask(post(path, "{}")).await.status, 400, "{path}");
        }
        let bad_query = request("GET", "/apps/1/channels?a=%ff", "");
        assert_eq!(server.ask(bad_query).await.error().1, "bad_url");
    });
}

#[test]
fn p068_what_is_refused_publishes_nothing() {
    with_usual(|server| async move {
        let mut batch = vec![json!({"channel":"a","name":"e","data":"d"}); 10];
        batch[9]["data"] = json!("x".repeat(10_241));
        let reply =
            server.ask(post("/apps/1/batch_events", &json!({"batch": batch}).to_string())).await;
        assert_eq!(reply.error(), (413, "data_too_large".into(), Some("batch[9].data".into())));
        let body = json!({"name":"e","data":"d","channels":["a","b","c d"]});
        let reply = server.ask(post("/apps/1/events", &body.to_string())).await;
        assert_eq!(reply.error(), (400, "bad_channel_name".into(), Some("channels[2]".into())));
        *server.notes.unable.borrow_mut() = Some(Unable::Channels);
        assert_eq!(server.ask(publish("1")).await.error(), (503, "too_many_channels".into(), None));
        assert_eq!(server.notes(), Vec::<String>::new());
    });
}

#[test]
fn a_draining_server_takes_no_more_calls_and_ends_its_connections() {
    with_usual(|server| async move {
        let mut client = server.connect().await;
        client.send(publish("before")).await;
        assert_eq!(client.reply().await.status, 200);
        server.drain();
        client.send(publish("after")).await;
        let reply = client.reply().await;
        assert_eq!(reply.error(), (503, "draining".into(), None));
        assert!(reply.says_close());
        client.expect_end().await;
        let up = server.ask(request("GET", "/up", "")).await;
        assert_eq!((up.status, up.says_close()), (503, true));
        assert_eq!(server.ask(get("/apps/1/channels", &[])).await.status, 200);
        assert_eq!(server.notes(), ["1 room e=before", "1 list "]);
    });
}

#[test]
fn a_stopping_server_lets_go_of_idle_connections_and_answers_the_others() {
    with_usual(|server| async move {
        let mut idle = server.connect().await;
        idle.send(publish("before")).await;
        assert_eq!(idle.reply().await.status, 200);
        let mut busy = server.connect().await;
        let whole = publish("during");
        let (head, rest) = whole.split_at(whole.len() / 2);
        busy.send(head).await;
        // Answered only when what was sent before it has been read.
        assert_eq!(server.ask(request("GET", "/up", "")).await.status, 200);
        server.stop();
        idle.expect_end().await;
        busy.send(rest).await;
        assert_eq!(busy.reply().await.status, 200);
        busy.expect_end().await;
        assert_eq!(server.notes(), ["1 room e=before", "1 room e=during"]);
    });
}

#[test]
fn calls_beyond_the_rate_are_429_with_a_time_to_wait() {
    let limits = Limits { requests_per_second: 3, ..Limits::default() };
    with_server(limits, "", |server| async move {
        // Strangers use nothing up.
        for _ in 0..5 {
            assert_eq!(server.ask(request("GET", "/apps/1/channels", "")).await.status, 401);
        }
        let mut client = server.connect().await;
        let mut refused = None;
        for _ in 0..50 {
            client.send(get("/apps/1/channels", &[])).await;
            let reply = client.reply().await;
            if reply.status != 200 {
                refused = Some(reply);
                break;
            }
        }
        let refused = refused.expect("fifty calls are faster than three per second");
        assert_eq!(refused.error(), (429, "rate_limited".into(), None));
        assert!(refused.head.contains("\r\nretry-after: 1\r\n"), "{refused:?}");
        let path = "/apps/2/channels";
        let other = request("GET", &signed_as("key-2", "GET", path, path, &[], ""), "");
        assert_eq!(server.ask(other).await.status, 200);
    });
}
