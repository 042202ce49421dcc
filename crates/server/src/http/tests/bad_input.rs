// SPDX-License-Identifier: MIT OR Apache-2.0
//! Slow, huge and hostile requests: answered or closed, in bounded time and memory.

use std::time::Duration;

use oyez_protocol::limits::Limits;
use tokio::io::AsyncWriteExt;
use tokio::time::timeout;

use super::harness::{Client, Server, publish, request, signed, with_server, with_usual};

/// From one byte of a trickle to the next.
const TRICKLE: Duration = Duration::from_millis(20);

fn quick() -> Limits {
    Limits { request_seconds: 1, ..Limits::default() }
}

/// Sends as much as the server takes.
async fn send_all(client: &mut Client, bytes: &[u8]) {
    let _ = client.stream.write_all(bytes).await;
}

async fn still_serves(server: &Server) {
    assert_eq!(server.ask(publish("alive")).await.status, 200);
}

#[test]
fn p073_a_slow_body_is_408() {
    with_server(quick(), "", |server| async move {
        let mut client = server.connect().await;
        let whole = publish("never");
        client.send(&whole.as_bytes()[..whole.len() - 3]).await;
        let reply = client.reply().await;
        assert_eq!(reply.error(), (408, "request_timeout".into(), None));
        assert!(reply.says_close());
        client.expect_end().await;

        // One that trickles has no more time than one that stalls; a stranger neither.
        for target in [signed("POST", "/apps/1/events", &[], "xxxxxxxxxx"), "/apps/1/events".into()]
        {
            let mut client = server.connect().await;
            let whole = request("POST", &target, &"x".repeat(1000));
            let (head, body) = whole.split_at(whole.len() - 1000);
            client.send(head).await;
            for byte in body.as_bytes().chunks(1) {
                if client.stream.write_all(byte).await.is_err() {
                    break;
                }
                // A trickle: the next byte comes a moment later, or never once there is an answer.
                let mut probe = [0];
                let answered = timeout(TRICKLE, client.stream.peek(&mut probe)).await;
                if answered.is_ok() {
                    break;
                }
            }
            let status = client.reply().await.status;
            assert_eq!(status, if target.contains('?') { 408 } else { 401 });
        }
        still_serves(&server).await;
        assert_eq!(server.notes(), ["1 room e=alive"]);
    });
}

#[test]
fn p073_a_slow_head_is_closed() {
    with_server(quick(), "", |server| async move {
        let mut client = server.connect().await;
        client.send("GET /up HTTP/1.1\r\nHost: t\r\n").await;
        client.expect_end().await;
        // Also the second one of a connection.
        let mut client = server.connect().await;
        client.send(publish("first")).await;
        assert_eq!(client.reply().await.status, 200);
        client.send("GET /up").await;
        client.expect_end().await;
    });
}

#[test]
fn p073_huge_heads_are_431() {
    with_usual(|server| async move {
        for huge in [
            format!("GET /up HTTP/1.1\r\nX: {}\r\n\r\n", "x".repeat(1_000_000)),
            format!("GET /up HTTP/1.1\r\n{}\r\n", "X: y\r\n".repeat(160_000)),
            format!("GET /{} HTTP/1.1\r\n\r\n", "x".repeat(200_000)),
            format!("GET /up HTTP/1.1\r\n{}\r\n", "X: y\r\n".repeat(101)),
        ] {
            let mut client = server.connect().await;
            send_all(&mut client, huge.as_bytes()).await;
            let reply = client.reply().await;
            assert!(matches!(reply.status, 414 | 431), "{reply:?}");
            client.expect_end().await;
        }
        still_serves(&server).await;
    });
}

#[test]
fn p073_a_body_over_its_limit_is_413_and_the_client_gets_to_read_that() {
    let limits = Limits { body_bytes: 2_100_000, ..Limits::default() };
    with_server(limits, "", |server| async move {
        let body = "x".repeat(2_100_001);
        let target = signed("POST", "/apps/1/events", &[], &body);
        // By its declared length alone.
        let head = format!("POST {target} HTTP/1.1\r\nHost: t\r\nContent-Length: 2100001\r\n\r\n");
        let mut client = server.connect().await;
        client.send(&head).await;
        let reply = client.reply().await;
        assert_eq!(reply.error(), (413, "body_too_large".into(), None));
        assert!(reply.says_close());

        // With the body on its way.
        let reply = server.ask(format!("{head}{body}")).await;
        assert_eq!(reply.error(), (413, "body_too_large".into(), None));

        // With more on its way than lies between us: the client finishes before it reads.
        let mut client = server.connect().await;
        let length = 8_000_000;
        client.send(head.replace("2100001", &length.to_string())).await;
        client.send("x".repeat(length)).await;
        assert_eq!(client.reply().await.status, 413);
        client.expect_end().await;

        // Without a declared length.
        let mut client = server.connect().await;
        client
            .send(format!(
                "POST {target} HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n"
            ))
            .await;
        client.send(format!("{:x}\r\n{body}\r\n", body.len())).await;
        assert_eq!(client.reply().await.error().0, 413);

        // At the limit.
        let body = &body[1..];
        let target = signed("POST", "/apps/1/events", &[], body);
        assert_eq!(server.ask(request("POST", &target, body)).await.error().1, "bad_json");
        assert_eq!(server.notes(), Vec::<String>::new());
    });
}

#[test]
fn p074_garbage_is_400_or_closed_and_never_5xx() {
    with_usual(|server| async move {
        let tls_hello: Vec<u8> =
            [&[0x16, 3, 1, 0, 0xc8, 1, 0, 0, 0xc4, 3, 3][..], &[0x5a; 189]].concat();
        let garbage: [&[u8]; 9] = [
            &tls_hello,
            b"\0\0\0\0\0\0\0\0\r\n\r\n",
            b"\r\n\r\n\r\nnonsense\r\n\r\n",
            b"GET\r\n\r\n",
            b"GET / HTTP/9.9\r\n\r\n",
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
            b"GET /\xff\xfe HTTP/1.1\r\n\r\n",
            b"POST /up HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
            b"POST /up HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        ];
        for bytes in garbage {
            let mut client = server.connect().await;
            send_all(&mut client, bytes).await;
            let _ = client.stream.shutdown().await;
            if let Some(head) = client.head().await {
                assert!(head.starts_with("HTTP/1.1 4"), "{head}");
            }
        }
        // A chunked body that is none.
        let target = signed("POST", "/apps/1/events", &[], "x");
        let bad = format!(
            "POST {target} HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"
        );
        assert_eq!(server.ask(bad).await.error(), (400, "bad_body".into(), None));
        still_serves(&server).await;
    });
}

#[test]
fn a_client_that_goes_in_the_middle_of_a_call_harms_nobody() {
    with_usual(|server| async move {
        for cut in (10..250).step_by(30) {
            let mut client = server.connect().await;
            client.send(&publish("half").as_bytes()[..cut]).await;
        }
        still_serves(&server).await;
        assert_eq!(server.notes(), ["1 room e=alive"]);
    });
}
