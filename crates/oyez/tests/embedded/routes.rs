// SPDX-License-Identifier: MIT OR Apache-2.0
//! Routes of the program on Oyez' port.

use std::net::SocketAddr;
use std::sync::{Arc, Condvar, Mutex, mpsc};

use axum::extract::ConnectInfo;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{any, get, post};
use axum::{Extension, Router};
use oyez::{Oyez, Server};

use super::page::{PATIENCE, Page};
use super::web::Web;
use super::{ANYWHERE, server, start, wait};

fn router() -> Router {
    Router::new()
        .route("/hello", get(|| async { "hello" }))
        .route("/echo", post(|body: axum::body::Bytes| async move { body }))
        .route("/key", get(|Extension(oyez): Extension<Oyez>| async move { oyez.key().to_owned() }))
        .route(
            "/who",
            get(|ConnectInfo(from): ConnectInfo<SocketAddr>| async move { from.to_string() }),
        )
        .route("/panic", get(|| async { panic!("a bug in a handler") as StatusCode }))
        .route("/other", any(|headers: HeaderMap| async move { headers.len().to_string() }))
        .fallback(|| async { (StatusCode::NOT_FOUND, "the program has nothing there") })
}

#[test]
fn requests_for_both_go_over_one_connection_and_a_websocket_may_follow() {
    let oyez = start(server().router(router()));
    let mut web = Web::open(oyez.address());
    for _ in 0..2 {
        assert_eq!(web.get("/hello").text(), "hello");
        assert_eq!(web.get("/up").text(), "OK");
        assert_eq!(web.post("/echo", b"a body").text(), "a body");
        let refused = web.post("/apps/1/events", b"{}");
        assert_eq!(
            (refused.status, refused.header("content-type")),
            (401, Some("application/json"))
        );
        assert_eq!(web.get("/key").text(), "key");
        assert_eq!(
            web.get("/who").text(),
            web.stream.local_addr().expect("it has one").to_string()
        );
        let nothing = web.get("/nothing");
        assert_eq!((nothing.status, nothing.text()), (404, "the program has nothing there"));
        assert!(web.get("/apps/1/nothing").text().contains("the HTTP API"));
        assert!(web.get("/metrics").text().contains("oyez_"));
        assert_eq!(web.get("/oyez.js").status, 200);
    }
    let url = format!("ws://{}/app/key?protocol=7", oyez.address());
    let (mut socket, _) = tungstenite::client(url, web.stream).expect("a WebSocket");
    let first = socket.read().expect("it speaks");
    assert!(first.to_text().expect("text").contains("connection_established"));
}

#[test]
fn requests_that_come_together_are_answered_in_their_order() {
    let oyez = start(server().router(router()));
    let mut web = Web::open(oyez.address());
    let get = |path| format!("GET {path} HTTP/1.1\r\nhost: h\r\n\r\n");
    web.send(&[get("/hello"), get("/up"), get("/key"), get("/up")].concat(), b"");
    let answers: Vec<_> = (0..4).map(|_| web.answer()).collect();
    let texts: Vec<_> = answers.iter().map(super::web::Answer::text).collect();
    assert_eq!(texts, ["hello", "OK", "key", "OK"]);
}

#[test]
fn a_head_request_gets_the_length_and_no_body() {
    let oyez = start(server().router(router()));
    let mut web = Web::open(oyez.address());
    web.send("HEAD /hello HTTP/1.1\r\nhost: h\r\n\r\n", b"");
    assert_eq!(web.head().header("content-length"), Some("5"));
    assert_eq!(web.get("/hello").text(), "hello", "the next answer begins right behind");
}

#[test]
fn a_body_that_waits_to_be_asked_for_is_asked_for() {
    let oyez = start(server().router(router()));
    let mut web = Web::open(oyez.address());
    let head =
        "POST /echo HTTP/1.1\r\nhost: h\r\ncontent-length: 4\r\nexpect: 100-continue\r\n\r\n";
    web.send(head, b"");
    assert_eq!(web.head().status, 100);
    web.send("body", b"");
    assert_eq!(web.answer().text(), "body");
}

#[test]
fn a_handler_that_panics_is_a_500_and_hurts_nobody() {
    let oyez = start(server().router(router()));
    let mut page = Page::open(oyez.address(), "key");
    for _ in 0..3 {
        assert_eq!(Web::open(oyez.address()).get("/panic").status, 500);
    }
    page.ping();
    assert_eq!(Web::open(oyez.address()).get("/hello").text(), "hello");
}

#[test]
fn any_function_serves_without_a_router() {
    let oyez = start(server().routes(|request: http::Request<oyez::Upload>| async move {
        http::Response::new(request.uri().path().to_owned())
    }));
    assert_eq!(Web::open(oyez.address()).get("/some/path").text(), "/some/path");
}

/// A gate that blocks threads until it is opened.
#[derive(Default)]
struct Gate(Mutex<bool>, Condvar);

impl Gate {
    fn pass(&self) {
        let open = self.0.lock().expect("no panic");
        drop(self.1.wait_while(open, |open| !*open).expect("no panic"));
    }

    fn open(&self) {
        *self.0.lock().expect("no panic") = true;
        self.1.notify_all();
    }
}

/// Opens the gate whatever happens, so that a test that fails also ends.
struct Opens(Arc<Gate>);

impl Drop for Opens {
    fn drop(&mut self) {
        self.0.open();
    }
}

/// Handlers and closures that block their threads at the same time.
const BLOCKED: usize = 50;

#[test]
fn handlers_and_closures_that_block_delay_no_delivery() {
    let gate = Arc::new(Gate::default());
    let (tell, entered) = mpsc::channel();
    // One thread for each of them: all are inside at once, if they are where they belong.
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(BLOCKED).build();
    let runtime = runtime.expect("a runtime");
    let block = {
        let gate = Arc::clone(&gate);
        move || {
            let _ = tell.send(std::thread::current().name().unwrap_or_default().to_owned());
            gate.pass();
        }
    };
    let (in_closure, in_handler) = (block.clone(), block);
    let handler = move || {
        let block = in_handler.clone();
        async move {
            block();
            "at last"
        }
    };
    let builder = Server::builder().listen(ANYWHERE).workers(2).runtime(runtime.handle().clone());
    let oyez = start(
        builder
            .app(oyez::App::new("1", "key", "a-secret-for-tests"))
            .truth("GAME_*", move |_| {
                in_closure();
                async { Some(1) }
            })
            .router(Router::new().route("/block", get(handler))),
    );
    // Before the runtime ends, which waits for those inside.
    let _opens = Opens(Arc::clone(&gate));
    let mut games: Vec<_> = (0..BLOCKED / 2).map(|_| Page::open(oyez.address(), "key")).collect();
    for (at, page) in games.iter_mut().enumerate() {
        page.say("pusher:subscribe", serde_json::json!({ "channel": format!("GAME_{at}") }));
    }
    let mut blocked: Vec<_> =
        (0..BLOCKED - games.len()).map(|_| Web::open(oyez.address())).collect();
    for web in &mut blocked {
        web.send("GET /block HTTP/1.1\r\nhost: h\r\n\r\n", b"");
    }
    for _ in 0..BLOCKED {
        let thread =
            entered.recv_timeout(PATIENCE).expect("all are inside, none waits for another");
        assert!(!thread.starts_with("worker-"), "{thread} is the server's");
    }
    // Every thread of the program is blocked now. Both workers serve as ever.
    let mut pages: Vec<_> = (0..8).map(|_| Page::open(oyez.address(), "key")).collect();
    for (at, page) in pages.iter_mut().enumerate() {
        page.subscribe("all");
        page.subscribe(&format!("own-{at}"));
    }
    for number in 0..100 {
        wait(oyez.trigger("all", "N", &number)).expect("sent");
        for page in &mut pages {
            assert_eq!(page.hear("N"), number);
            page.ping();
        }
    }
    assert_eq!(Web::open(oyez.address()).get("/up").text(), "OK");
    gate.open();
    for web in &mut blocked {
        assert_eq!(web.answer().text(), "at last");
    }
}
