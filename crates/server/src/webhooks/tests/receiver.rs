// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Receiver`]: an app's own server: a real HTTP server on a loopback port that answers by a
//! script and shows what it got.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Frame, Incoming};
use hyper::header::{HeaderMap, LOCATION};
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

/// Whatever a test waits for comes well within this time, or the test fails.
pub(super) const PATIENCE: Duration = Duration::from_secs(20);

/// What a receiver does with a request, after it has read all of it.
pub(super) enum Reply {
    /// Answers with that status.
    Status(u16),
    /// Answers 302 with that location.
    Redirect(String),
    /// Answers 200 after a while.
    After(Duration),
    /// Never answers.
    Hang,
    /// Closes the connection.
    Break,
    /// Answers 200 with a body that has no end.
    Endless,
}

/// A request as it came.
#[derive(Debug)]
pub(super) struct Received {
    pub(super) method: String,
    pub(super) path: String,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    /// Requests that were being answered when it came, itself included.
    pub(super) at_once: usize,
}

impl Received {
    /// The channels of the body's events.
    pub(super) fn channels(&self) -> Vec<String> {
        self.events()
            .iter()
            .map(|event| event["channel"].as_str().expect("a channel").to_owned())
            .collect()
    }

    /// The body's events.
    pub(super) fn events(&self) -> Vec<serde_json::Value> {
        let body: serde_json::Value = serde_json::from_slice(&self.body).expect("a body of JSON");
        body["events"].as_array().expect("an array of events").clone()
    }

    /// A header that must be there.
    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.get(name).unwrap_or_else(|| panic!("no {name}")).to_str().expect("text")
    }
}

type Script = Arc<Mutex<dyn FnMut(usize) -> Reply + Send>>;

/// A loopback port where nobody listens: connections are refused, and nobody else can have it.
pub(super) struct Nobody {
    socket: TcpSocket,
}

impl Nobody {
    pub(super) fn new() -> Nobody {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.bind(SocketAddr::from(([127, 0, 0, 1], 0))).expect("a loopback port");
        Nobody { socket }
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}/hook", self.socket.local_addr().expect("it is bound"))
    }

    /// From now on a receiver that takes everything listens there.
    pub(super) fn comes_back(self) -> Receiver {
        let listener = self.socket.listen(BACKLOG).expect("the port is ours");
        Receiver::serve(listener, None, |_| Reply::Status(200))
    }
}

const BACKLOG: u32 = 128;

/// A server and what it got.
pub(super) struct Receiver {
    address: SocketAddr,
    requests: mpsc::UnboundedReceiver<Received>,
    accepting: JoinHandle<()>,
}

struct State {
    script: Script,
    tell: mpsc::UnboundedSender<Received>,
    count: AtomicUsize,
    at_once: AtomicUsize,
}

impl Receiver {
    /// A receiver that answers its n-th request, from 0, as the script says.
    pub(super) async fn start(script: impl FnMut(usize) -> Reply + Send + 'static) -> Receiver {
        Receiver::serve(loopback().await, None, script)
    }

    /// One that takes everything.
    pub(super) async fn willing() -> Receiver {
        Receiver::start(|_| Reply::Status(200)).await
    }

    /// One behind TLS, that takes everything.
    pub(super) async fn with_tls(tls: TlsAcceptor) -> Receiver {
        Receiver::serve(loopback().await, Some(tls), |_| Reply::Status(200))
    }

    fn serve(
        listener: TcpListener,
        tls: Option<TlsAcceptor>,
        script: impl FnMut(usize) -> Reply + Send + 'static,
    ) -> Receiver {
        let address = listener.local_addr().expect("it is bound");
        let (tell, requests) = mpsc::unbounded_channel();
        let state = Arc::new(State {
            script: Arc::new(Mutex::new(script)),
            tell,
            count: AtomicUsize::new(0),
            at_once: AtomicUsize::new(0),
        });
        let accepting = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (state, tls) = (state.clone(), tls.clone());
                tokio::spawn(async move {
                    match tls {
                        None => serve(stream, state).await,
                        Some(tls) => {
                            if let Ok(stream) = tls.accept(stream).await {
                                serve(stream, state).await;
                            }
                        }
                    }
                });
            }
        });
        Receiver { address, requests, accepting }
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}/hook", self.address)
    }

    /// The next request.
    pub(super) async fn next(&mut self) -> Received {
        let next = tokio::time::timeout(PATIENCE, self.requests.recv()).await;
        next.expect("a request in time").expect("the receiver lives")
    }

    /// The channels of the next events, however they are batched.
    pub(super) async fn next_channels(&mut self, count: usize) -> Vec<String> {
        let mut channels = Vec::new();
        while channels.len() < count {
            channels.extend(self.next().await.channels());
        }
        channels
    }

    /// A request that has come already.
    pub(super) fn come(&mut self) -> Option<Received> {
        self.requests.try_recv().ok()
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn loopback() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").await.expect("a loopback port")
}

async fn serve(stream: impl AsyncRead + AsyncWrite + Unpin + 'static, state: Arc<State>) {
    let service = service_fn(|request| answer(request, state.clone()));
    // An error is a client that went, or a reply that breaks the connection.
    let _ = hyper::server::conn::http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

type Answer = Response<UnsyncBoxBody<Bytes, Infallible>>;

async fn answer(request: Request<Incoming>, state: Arc<State>) -> Result<Answer, &'static str> {
    let at_once = state.at_once.fetch_add(1, Ordering::SeqCst) + 1;
    let (head, body) = request.into_parts();
    let body = body.collect().await.map_err(|_| "a broken request")?.to_bytes();
    let number = state.count.fetch_add(1, Ordering::SeqCst);
    let reply = (state.script.lock().expect("scripts do not panic"))(number);
    let received = Received {
        method: head.method.to_string(),
        path: head.uri.to_string(),
        headers: head.headers,
        body,
        at_once,
    };
    let _ = state.tell.send(received);
    let mut answer = Response::new(Full::new(Bytes::from_static(b"ok")).boxed_unsync());
    match reply {
        Reply::Status(status) => {
            *answer.status_mut() = StatusCode::from_u16(status).expect("a status")
        }
        Reply::Redirect(to) => {
            *answer.status_mut() = StatusCode::FOUND;
            answer.headers_mut().insert(LOCATION, to.parse().expect("a location"));
        }
        Reply::After(duration) => tokio::time::sleep(duration).await,
        Reply::Hang => std::future::pending::<()>().await,
        Reply::Break => return Err("by the script"),
        Reply::Endless => *answer.body_mut() = Endless.boxed_unsync(),
    }
    state.at_once.fetch_sub(1, Ordering::SeqCst);
    Ok(answer)
}

/// A body of full frames.
struct Endless;

impl Body for Endless {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(&[b'x'; 4096])))))
    }
}
