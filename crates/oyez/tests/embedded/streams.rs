// SPDX-License-Identifier: MIT OR Apache-2.0
//! Bodies that come and go piece by piece, and clients that go away or stand still.

use std::convert::Infallible;
use std::io::{ErrorKind, Write};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::DefaultBodyLimit;
use axum::http::StatusCode;
use axum::routing::{get, post};
use oyez::Body as HttpBody;

use super::page::{PATIENCE, Page};
use super::web::Web;
use super::{server, start};

/// Says that it was dropped.
#[derive(Clone)]
struct Dropped(mpsc::Sender<()>);

impl Drop for Dropped {
    fn drop(&mut self) {
        let _ = self.0.send(());
    }
}

const MIB: usize = 1 << 20;

#[test]
fn a_large_body_arrives_and_comes_back_whole() {
    let router = Router::new()
        .route("/echo", post(|body: Body| async { body }))
        .route("/all", post(|body: Bytes| async move { body }).layer(DefaultBodyLimit::disable()));
    let oyez = start(server().router(router));
    let body: Vec<_> = (0..8 * MIB).map(|at| (at % 251) as u8).collect();
    for (path, coding) in [("/echo", "chunked"), ("/all", "length")] {
        let mut web = Web::open(oyez.address());
        let (mut upload, sent) = (web.stream.try_clone().expect("a second handle"), body.clone());
        let head = format!("POST {path} HTTP/1.1\r\nhost: h\r\n");
        let sender = std::thread::spawn(move || {
            upload.write_all(head.as_bytes()).expect("it takes it");
            if coding == "length" {
                let length = format!("content-length: {}\r\n\r\n", sent.len());
                upload.write_all(length.as_bytes()).expect("it takes it");
                return upload.write_all(&sent).expect("it takes it");
            }
            upload.write_all(b"transfer-encoding: chunked\r\n\r\n").expect("it takes it");
            for piece in sent.chunks(100_000) {
                let head = format!("{:x}\r\n", piece.len());
                let chunk = [head.as_bytes(), piece, b"\r\n"].concat();
                upload.write_all(&chunk).expect("it takes it");
            }
            upload.write_all(b"0\r\n\r\n").expect("it takes it");
        });
        let answer = web.answer();
        sender.join().expect("no panic");
        assert!(answer.status == 200 && answer.body == body, "{path}: {}", answer.body.len());
        assert_eq!(web.get("/up").text(), "OK");
    }
}

#[test]
fn a_body_that_nobody_reads_is_not_kept_by_the_server() {
    let (go, wait) = tokio::sync::oneshot::channel::<()>();
    let wait = Arc::new(std::sync::Mutex::new(Some(wait)));
    let router = Router::new().route(
        "/slow",
        post(move |body: Body| async move {
            let wait = wait.lock().expect("no panic").take().expect("it is called once");
            wait.await.expect("it is told");
            to_bytes(body, usize::MAX).await.expect("all of it").len().to_string()
        }),
    );
    let oyez = start(server().router(router));
    let mut web = Web::open(oyez.address());
    let length = 64 * MIB;
    web.send(&format!("POST /slow HTTP/1.1\r\nhost: h\r\ncontent-length: {length}\r\n\r\n"), b"");
    // The kernel's own buffers take a few megabytes, and then nobody takes any more.
    web.stream.set_write_timeout(Some(Duration::from_millis(500))).expect("it takes it");
    let (piece, mut sent) = (vec![b'x'; 64 * 1024], 0);
    loop {
        match web.stream.write(&piece) {
            Ok(count) => sent += count,
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                break;
            }
            Err(error) => panic!("{error}"),
        }
        assert!(sent < length / 2, "somebody keeps it all");
    }
    go.send(()).expect("the handler waits");
    web.stream.set_write_timeout(Some(PATIENCE)).expect("it takes it");
    while sent < length {
        sent += web.stream.write(&piece[..piece.len().min(length - sent)]).expect("it is read");
    }
    assert_eq!(web.answer().text(), length.to_string());
}

/// A body without an end.
struct Endless(Arc<AtomicUsize>, #[allow(dead_code)] Dropped);

impl HttpBody for Endless {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Bytes>, Infallible>>> {
        self.0.fetch_add(MIB, Ordering::SeqCst);
        Poll::Ready(Some(Ok(http_body::Frame::data(Bytes::from(vec![0; MIB])))))
    }
}

#[test]
fn an_answer_is_made_no_faster_than_it_is_taken_and_ends_with_its_client() {
    let made = Arc::new(AtomicUsize::new(0));
    let (tell, dropped) = mpsc::channel();
    let router = Router::new().route("/endless", {
        let made = Arc::clone(&made);
        get(move || async move { Body::new(Endless(made, Dropped(tell))) })
    });
    let oyez = start(server().router(router));
    let mut web = Web::open(oyez.address());
    web.send("GET /endless HTTP/1.1\r\nhost: h\r\n\r\n", b"");
    assert_eq!(web.head().status, 200);
    let mut body = Vec::new();
    while body.len() < 16 * MIB {
        assert!(web.chunk(&mut body));
    }
    // Whatever is beyond fits the kernel's buffers and a few pieces.
    let mut page = Page::open(oyez.address(), "key");
    for _ in 0..100 {
        page.ping();
    }
    let ahead = made.load(Ordering::SeqCst) - body.len();
    assert!(ahead < 32 * MIB, "{ahead} bytes ahead of the client");
    web.close();
    dropped.recv_timeout(PATIENCE).expect("the body is dropped");
}

#[test]
fn a_client_that_goes_away_takes_its_handler_along() {
    let (enter, entered) = mpsc::channel();
    let (tell, dropped) = mpsc::channel();
    let handler = move || {
        let guard = Dropped(tell.clone());
        let _ = enter.send(());
        async move {
            let _guard = guard;
            std::future::pending::<()>().await;
        }
    };
    let oyez = start(server().router(Router::new().route("/forever", get(handler))));
    let mut web = Web::open(oyez.address());
    web.send("GET /forever HTTP/1.1\r\nhost: h\r\n\r\n", b"");
    entered.recv_timeout(PATIENCE).expect("it is called");
    while dropped.try_recv().is_ok() {}
    web.close();
    dropped.recv_timeout(PATIENCE).expect("its future is dropped");
}

#[test]
fn a_client_that_sends_nothing_of_an_awaited_body_is_cut_off() {
    let (tell, dropped) = mpsc::channel();
    let router = Router::new().route(
        "/read",
        post(move |body: Body| async move {
            let _guard = Dropped(tell.clone());
            let _ = to_bytes(body, usize::MAX).await;
        }),
    );
    let oyez = start(server().limit("request_seconds", 1).router(router));
    let mut web = Web::open(oyez.address());
    web.send("POST /read HTTP/1.1\r\nhost: h\r\ncontent-length: 9\r\n\r\nhalf", b"");
    assert!(web.is_closed());
    dropped.recv_timeout(PATIENCE).expect("its handler has ended");
}

#[test]
fn a_program_that_takes_its_time_with_a_body_or_an_answer_is_not_cut_off() {
    let router = Router::new().route(
        "/slow",
        post(|body: Body| async move {
            // Longer than three looks at the connection.
            tokio::time::sleep(Duration::from_millis(3500)).await;
            to_bytes(body, usize::MAX).await.expect("all of it").len().to_string()
        }),
    );
    let builder = server().limit("request_seconds", 1).limit("keep_alive_seconds", 1);
    let oyez = start(builder.router(router));
    let mut web = Web::open(oyez.address());
    web.send("POST /slow HTTP/1.1\r\nhost: h\r\ncontent-length: 8\r\n\r\nhalf", b"");
    let mut late = web.stream.try_clone().expect("a second handle");
    let sender = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(3600));
        late.write_all(b"more")
    });
    assert_eq!(web.answer().text(), "8");
    sender.join().expect("no panic").expect("it takes it");
}

#[test]
fn an_answer_may_come_before_its_request_is_read() {
    let router = Router::new().route("/refuse", post(|| async { StatusCode::PAYLOAD_TOO_LARGE }));
    let oyez = start(server().router(router));
    let mut web = Web::open(oyez.address());
    web.send("POST /refuse HTTP/1.1\r\nhost: h\r\ncontent-length: 1000000\r\n\r\nsome", b"");
    assert_eq!(web.answer().status, 413);
}

#[test]
fn a_body_that_breaks_off_does_not_look_whole() {
    struct Broken(usize);
    impl HttpBody for Broken {
        type Data = Bytes;
        type Error = std::io::Error;
        fn poll_frame(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<http_body::Frame<Bytes>, std::io::Error>>> {
            self.0 += 1;
            let data = http_body::Frame::data(Bytes::from_static(b"some"));
            match self.0 {
                1 => Poll::Ready(Some(Ok(data))),
                2 => Poll::Ready(Some(Err(std::io::Error::other("the disk is gone")))),
                _ => panic!("it is not asked again"),
            }
        }
    }
    let router = Router::new().route("/broken", get(|| async { Body::new(Broken(0)) }));
    let oyez = start(server().router(router));
    let mut web = Web::open(oyez.address());
    web.send("GET /broken HTTP/1.1\r\nhost: h\r\n\r\n", b"");
    use std::io::Read;
    let mut all = Vec::new();
    let _ = web.stream.read_to_end(&mut all);
    assert!(!all.ends_with(b"0\r\n\r\n"), "{}", String::from_utf8_lossy(&all));
}
