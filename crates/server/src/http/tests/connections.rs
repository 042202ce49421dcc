// SPDX-License-Identifier: MIT OR Apache-2.0
//! How requests follow each other on a connection, and how they may arrive.

use std::rc::Rc;

use oyez_protocol::limits::Limits;
use tokio::io::AsyncWriteExt;
use tokio::sync::Notify;

use super::harness::{get, publish, request, signed, with_server, with_usual};

#[test]
fn p072_ten_pipelined_calls_are_answered_and_done_in_order() {
    with_usual(|server| async move {
        let mut client = server.connect().await;
        let mut all = String::new();
        for n in 0..10 {
            all += &publish(&n.to_string());
            all += &get(&format!("/apps/1/channels/c{n}"), &[]);
        }
        client.send(all).await;
        for _ in 0..10 {
            assert_eq!(client.reply().await.body, "{}");
            assert_eq!(client.reply().await.body, "{\"occupied\":true}");
        }
        let expected: Vec<_> =
            (0..10).flat_map(|n| [format!("1 room e={n}"), format!("1 inspect c{n}")]).collect();
        assert_eq!(server.notes(), expected);
    });
}

#[test]
fn p072_a_connection_carries_call_after_call() {
    with_usual(|server| async move {
        let mut client = server.connect().await;
        for n in 0..100 {
            client.send(publish(&n.to_string())).await;
            let reply = client.reply().await;
            assert!(reply.status == 200 && !reply.says_close());
        }
        assert_eq!(server.notes().len(), 100);
        // Refused calls, too, as long as their bodies are small.
        for _ in 0..3 {
            client.send(request("POST", "/apps/1/events?x", &"y".repeat(10_000))).await;
            assert_eq!(client.reply().await.status, 401);
        }
        let bye = publish("bye").replace("Host: test", "Host: test\r\nConnection: close");
        client.send(bye).await;
        assert!(client.reply().await.says_close());
        client.expect_end().await;
    });
}

#[test]
fn p072_a_request_may_arrive_byte_by_byte_and_in_chunks() {
    with_usual(|server| async move {
        let mut client = server.connect().await;
        for byte in publish("slowly").as_bytes().chunks(1) {
            client.send(byte).await;
            tokio::task::yield_now().await;
        }
        assert_eq!(client.reply().await.status, 200);

        let body = r#"{"name":"e","channel":"room","data":"in chunks"}"#;
        let target = signed("POST", "/apps/1/events", &[], body);
        client
            .send(format!(
                "POST {target} HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n"
            ))
            .await;
        for piece in body.as_bytes().chunks(7) {
            client.send(format!("{:x};x=y\r\n", piece.len())).await;
            client.send(piece).await;
            client.send("\r\n").await;
            tokio::task::yield_now().await;
        }
        client.send("0\r\nSome-Trailer: 1\r\n\r\n").await;
        assert_eq!(client.reply().await.status, 200);
        assert_eq!(server.notes(), ["1 room e=slowly", "1 room e=in chunks"]);
    });
}

#[test]
fn p072_a_client_that_asks_first_is_told_to_go_on_or_not_to() {
    with_usual(|server| async move {
        let asking = |whole: String| {
            let whole = whole.replace("Host: test", "Host: test\r\nExpect: 100-continue");
            let (head, body) = whole.split_once("\r\n\r\n").expect("a head");
            (format!("{head}\r\n\r\n"), body.to_owned())
        };
        let mut client = server.connect().await;
        let (head, body) = asking(publish("asked"));
        client.send(head).await;
        assert_eq!(client.head().await.as_deref(), Some("HTTP/1.1 100 Continue\r\n\r\n"));
        client.send(body).await;
        assert_eq!(client.reply().await.status, 200);
        assert_eq!(server.notes(), ["1 room e=asked"]);

        // Whoever is refused by the head alone is not asked for the body.
        let (head, _) = asking(request("POST", "/apps/1/events", "never sent"));
        client.send(head).await;
        let reply = client.reply().await;
        assert_eq!((reply.status, reply.says_close()), (401, true));
        client.expect_end().await;
    });
}

#[test]
fn p075_a_hundred_concurrent_calls_are_each_done_once() {
    with_usual(|server| async move {
        let mut clients = Vec::new();
        for n in 0..100 {
            let mut client = server.connect().await;
            client.send(publish(&n.to_string())).await;
            clients.push(client);
        }
        for mut client in clients {
            assert_eq!(client.reply().await.status, 200);
        }
        let mut done = server.notes();
        done.sort();
        let mut expected: Vec<_> = (0..100).map(|n| format!("1 room e={n}")).collect();
        expected.sort();
        assert_eq!(done, expected);
    });
}

#[test]
fn a_client_that_ends_its_side_still_gets_its_answer() {
    with_usual(|server| async move {
        let hold = Rc::<Notify>::default();
        server.notes.hold.replace(Some(Rc::clone(&hold)));
        let mut client = server.connect().await;
        client.send(publish("last words")).await;
        client.stream.shutdown().await.expect("a socket takes it");
        // By the time that others were served, the server knows.
        for _ in 0..5 {
            assert_eq!(server.ask(get("/apps/1/channels", &[])).await.status, 200);
        }
        hold.notify_one();
        assert_eq!(client.reply().await.status, 200);
        client.expect_end().await;
    });
}

#[test]
fn http_1_0_is_answered_and_closed() {
    with_usual(|server| async move {
        let mut client = server.connect().await;
        client.send("GET /up HTTP/1.0\r\n\r\n").await;
        assert_eq!(client.reply().await.status, 200);
        client.expect_end().await;
    });
}

#[test]
fn an_idle_connection_is_closed_after_its_time() {
    let limits = Limits { keep_alive_seconds: 1, ..Limits::default() };
    with_server(limits, "", |server| async move {
        let mut client = server.connect().await;
        client.send(publish("1")).await;
        assert_eq!(client.reply().await.status, 200);
        client.expect_end().await;
    });
}
