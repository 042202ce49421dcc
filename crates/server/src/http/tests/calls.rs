// SPDX-License-Identifier: MIT OR Apache-2.0
//! What each call does and answers.

use oyez_protocol::limits::Limits;
use serde_json::json;

use super::super::stats::{RouteKind, StatusClass};
use super::harness::{get, post, publish, request, signed, signed_as, with_server, with_usual};

#[test]
fn a_publish_goes_to_each_channel_and_is_answered_with_an_empty_object() {
    with_usual(|server| async move {
        let body = json!({"name":"e","channels":["a","b","a"],"data":"d","socket_id":"1.2"});
        let reply = server.ask(post("/apps/1/events", &body.to_string())).await;
        assert_eq!((reply.status, reply.json()), (200, json!({})));
        assert!(reply.head.contains("\r\ndate: "), "{reply:?}");
        assert_eq!(server.notes(), ["1 a e=d but 1.2", "1 b e=d but 1.2"]);
    });
}

#[test]
fn p069_a_batch_keeps_its_order_and_each_exclusion() {
    with_usual(|server| async move {
        let body = json!({"batch":[
            {"channel":"b","name":"e","data":"1","socket_id":"1.2"},
            {"channel":"a","name":"f","data":{"x": 1}},
        ]});
        let reply = server.ask(post("/apps/1/batch_events", &body.to_string())).await;
        assert_eq!((reply.status, reply.json()), (200, json!({})));
        assert_eq!(server.notes(), ["1 b e=1 but 1.2", "1 a f={\"x\":1}"]);
        let empty = server.ask(post("/apps/1/batch_events", r#"{"batch":[]}"#)).await;
        assert_eq!((empty.status, empty.json()), (200, json!({})));
    });
}

#[test]
fn p070_answers_hold_the_attributes_that_were_asked_for() {
    with_usual(|server| async move {
        let both = "user_count,subscription_count";
        let body = json!({"name":"e","channels":["presence-a","presence-b"],"data":"","info":both});
        let reply = server.ask(post("/apps/1/events", &body.to_string())).await;
        let one = json!({"user_count":2,"subscription_count":3});
        assert_eq!(reply.json(), json!({"channels":{"presence-a":one,"presence-b":one}}));

        let body = json!({"batch":[
            {"channel":"a","name":"e","data":"","info":"subscription_count"},
            {"channel":"a","name":"e","data":""},
        ]});
        let reply = server.ask(post("/apps/1/batch_events", &body.to_string())).await;
        assert_eq!(reply.json(), json!({"batch":[{"subscription_count":3},{}]}));

        let query = [("filter_by_prefix", "presence-"), ("info", both)];
        let reply = server.ask(get("/apps/1/channels", &query)).await;
        assert_eq!(reply.json(), json!({"channels":{"presence-a":one,"presence-b":one}}));
        let reply = server.ask(get("/apps/1/channels", &[])).await;
        assert_eq!(reply.json(), json!({"channels":{"presence-a":{},"presence-b":{}}}));

        let all = [("info", "user_count,subscription_count,cache")];
        let reply = server.ask(get("/apps/1/channels/presence-cache-a", &all)).await;
        let cache = json!({"data":"\"last\"","ttl":61});
        let expected = json!({"occupied":true,"user_count":2,"subscription_count":3,"cache":cache});
        assert_eq!(reply.json(), expected);
        let reply = server.ask(get("/apps/1/channels/a", &[])).await;
        assert_eq!(reply.json(), json!({"occupied":true}));
        let reply = server.ask(get("/apps/1/channels/a", &[("info", "user_count")])).await;
        assert_eq!(reply.error(), (400, "bad_info".into(), Some("info".into())));
    });
}

#[test]
fn p071_only_presence_channels_have_users() {
    with_usual(|server| async move {
        let reply = server.ask(get("/apps/1/channels/presence-a/users", &[])).await;
        assert_eq!(reply.json(), json!({"users":[{"id":"1"},{"id":"a\"b"}]}));
        for channel in ["a", "private-a", "cache-a", "%23server-to-user-1"] {
            let reply = server.ask(get(&format!("/apps/1/channels/{channel}/users"), &[])).await;
            assert_eq!(reply.error(), (400, "not_presence".into(), Some("channel".into())));
        }
        assert_eq!(server.notes(), ["1 members presence-a"]);
    });
}

#[test]
fn p057_terminate_reaches_the_user_of_the_path() {
    with_usual(|server| async move {
        let reply = server.ask(post("/apps/1/users/7/terminate_connections", "{}")).await;
        assert_eq!((reply.status, reply.json()), (200, json!({})));
        // The Python library signs the path before its HTTP client encodes it.
        let sent = "/apps/1/users/auth0%7C1%20%C3%A9/terminate_connections";
        let meant = "/apps/1/users/auth0|1 é/terminate_connections";
        let target = signed_as("key-1", "POST", meant, sent, &[], "{}");
        assert_eq!(server.ask(request("POST", &target, "{}")).await.status, 200);
        assert_eq!(server.notes(), ["1 terminate 7", "1 terminate auth0|1 é"]);
    });
}

#[test]
fn p076_deprecated_forms_answer_as_they_did() {
    with_usual(|server| async move {
        let path = "/apps/1/channels/presence-a/events";
        let more = [("name", "my event"), ("socket_id", "1.2")];
        let target = signed("POST", path, &more, "{\"a\": 1}");
        let reply = server.ask(request("POST", &target, "{\"a\": 1}")).await;
        assert_eq!((reply.status, reply.json()), (202, json!({})));
        assert_eq!(server.notes(), ["1 presence-a my event={\"a\": 1} but 1.2"]);

        let reply = server.ask(get("/apps/1/channels/presence-a/stats", &[])).await;
        assert_eq!(reply.json(), json!({"occupied":true,"user_count":2,"connection_count":3}));
        let reply = server.ask(get("/apps/1/channels/a/stats", &[])).await;
        assert_eq!(reply.json(), json!({"occupied":true,"connection_count":3}));
    });
}

#[test]
fn p009_the_api_answers_behind_its_prefix_however_it_was_signed() {
    with_server(Limits::default(), "/rt", |server| async move {
        let (sent, bare) = ("/rt/apps/1/channels", "/apps/1/channels");
        for signed_path in [sent, bare] {
            let target = signed_as("key-1", "GET", signed_path, sent, &[], "");
            assert_eq!(server.ask(request("GET", &target, "")).await.status, 200);
        }
        assert_eq!(server.ask(get(bare, &[])).await.error().1, "not_found");
    });
}

#[test]
fn health_and_metrics() {
    with_usual(|server| async move {
        let reply = server.ask(request("GET", "/up", "")).await;
        assert_eq!((reply.status, reply.body.as_str()), (200, "OK"));
        let mut client = server.connect().await;
        client.send(request("HEAD", "/up", "")).await;
        client.send(request("GET", "/metrics", "")).await;
        let head = client.head().await.expect("an answer");
        assert!(head.starts_with("HTTP/1.1 200 ") && head.contains("content-length: 2"), "{head}");
        let reply = client.reply().await;
        assert_eq!((reply.status, reply.body.as_str()), (200, "# Classic\n"));
        let classic = "\r\ncontent-type: text/plain; version=0.0.4; charset=utf-8\r\n";
        assert!(reply.head.contains(classic), "{reply:?}");
    });
}

#[test]
fn metrics_are_open_metrics_for_those_who_name_it() {
    with_usual(|server| async move {
        for (accept, format) in [
            ("*/*", "Classic"),
            ("text/plain;version=0.0.4", "Classic"),
            ("text/html, application/openmetrics-textual", "Classic"),
            ("application/openmetrics-text", "OpenMetrics"),
            // As Prometheus sends it.
            (
                "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3",
                "OpenMetrics",
            ),
            ("text/plain\r\nAccept: */*, Application/OpenMetrics-Text ;q=1", "OpenMetrics"),
        ] {
            let head = format!("GET /metrics HTTP/1.1\r\nHost: t\r\nAccept: {accept}\r\n\r\n");
            let reply = server.ask(head).await;
            assert_eq!(reply.body, format!("# {format}\n"), "{accept}");
            let is_open = reply.head.contains("\r\ncontent-type: application/openmetrics-text;");
            assert_eq!(is_open, format == "OpenMetrics", "{reply:?}");
        }
    });
}

#[test]
fn pages_are_found_by_path_and_host() {
    with_usual(|server| async move {
        let reply = server.ask(request("GET", "/?x=1", "")).await;
        assert_eq!((reply.status, reply.body.as_str()), (200, "the page for test"));
    });
}

#[test]
fn what_happens_is_counted() {
    with_usual(|server| async move {
        for data in ["1", "2"] {
            assert_eq!(server.ask(publish(data)).await.status, 200);
        }
        server.ask(post("/apps/1/events", "nonsense")).await;
        server.ask(request("GET", "/nothing", "")).await;
        let counted: Vec<_> = server.stats.requests().filter(|(_, _, n)| *n > 0).collect();
        assert_eq!(
            counted,
            [
                (RouteKind::Events, StatusClass::Success, 2),
                (RouteKind::Events, StatusClass::ClientError, 1),
                (RouteKind::Other, StatusClass::ClientError, 1),
            ]
        );
        let publishes: Vec<_> = server.stats.publishes().collect();
        assert_eq!(publishes, [(200, "ok", 2), (400, "bad_json", 1)]);
        assert!(server.stats.body_bytes.get() > 0);
    });
}
