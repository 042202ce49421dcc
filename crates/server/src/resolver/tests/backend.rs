// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Backend`]: an app's own server: a real HTTP server on a loopback port that answers by a
//! script and shows what it got.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::{Frame, Incoming};
use hyper::header::HeaderMap;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::PATIENCE;

/// What a backend does with a request, after it has read all of it.
pub(super) enum Reply {
    /// Answers with that status and body.
    Status(u16, &'static str),
    /// The same, with one more header.
    With(u16, &'static str, String, &'static str),
    /// Answers 200 with a value after a while.
    After(Duration, &'static str),
    /// Answers 200 with so many bytes, and says so beforehand.
    Long(usize),
    /// Answers 200 with a body that has no end.
    Endless,
    /// Answers 200 with one byte of a body, and nothing after it.
    Stall,
    /// Never answers.
    Hang,
    /// Closes the connection.
    Break,
}

/// A request as it came.
#[derive(Debug)]
pub(super) struct Received {
    pub(super) method: String,
    pub(super) path: String,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    /// Its connection, by the order in which they came.
    pub(super) connection: usize,
}

impl Received {
    /// A header that must be there.
    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.get(name).unwrap_or_else(|| panic!("no {name}")).to_str().expect("text")
    }

    /// The channel that it asks for.
    pub(super) fn channel(&self) -> String {
        channel(&self.body)
    }
}

fn channel(body: &[u8]) -> String {
    let body: serde_json::Value = serde_json::from_slice(body).expect("a body of JSON");
    body["channel"].as_str().expect("a channel").to_owned()
}

/// A server and what it got.
pub(super) struct Backend {
    address: SocketAddr,
    requests: mpsc::UnboundedReceiver<Received>,
    accepting: JoinHandle<()>,
}

type Script = Arc<dyn Fn(&str) -> Reply + Send + Sync>;

impl Backend {
    /// A backend that answers a channel as the script says.
    pub(super) async fn start(script: impl Fn(&str) -> Reply + Send + Sync + 'static) -> Backend {
        let script: Script = Arc::new(script);
        let connections = AtomicUsize::new(0);
        Backend::serve(move |stream, tell| {
            let connection = connections.fetch_add(1, Ordering::Relaxed);
            serve(stream, tell, script.clone(), connection)
        })
        .await
    }

    /// One that says `bytes` to whoever connects, which need not be HTTP.
    pub(super) async fn garbage(bytes: &'static [u8]) -> Backend {
        Backend::serve(move |mut stream, _| async move {
            // An error is a client that went.
            let _ = stream.write_all(bytes).await;
        })
        .await
    }

    async fn serve<F: Future<Output = ()> + Send + 'static>(
        serve: impl Fn(TcpStream, mpsc::UnboundedSender<Received>) -> F + Send + 'static,
    ) -> Backend {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a loopback port");
        let address = listener.local_addr().expect("it is bound");
        let (tell, requests) = mpsc::unbounded_channel();
        let accepting = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, tell.clone()));
            }
        });
        Backend { address, requests, accepting }
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}/truth?token=hidden", self.address)
    }

    /// The next request.
    pub(super) async fn next(&mut self) -> Received {
        let next = tokio::time::timeout(PATIENCE, self.requests.recv()).await;
        next.expect("a request in time").expect("the backend lives")
    }

    /// A request that has come already.
    pub(super) fn come(&mut self) -> Option<Received> {
        self.requests.try_recv().ok()
    }
}

impl Drop for Backend {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn serve(
    stream: TcpStream,
    tell: mpsc::UnboundedSender<Received>,
    script: Script,
    connection: usize,
) {
    let service = service_fn(|request| answer(request, tell.clone(), script.clone(), connection));
    // An error is a client that went, or a reply that breaks the connection.
    let _ = hyper::server::conn::http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

type Answer = Response<UnsyncBoxBody<Bytes, Infallible>>;

fn full(bytes: impl Into<Bytes>) -> UnsyncBoxBody<Bytes, Infallible> {
    Full::new(bytes.into()).boxed_unsync()
}

async fn answer(
    request: Request<Incoming>,
    tell: mpsc::UnboundedSender<Received>,
    script: Script,
    connection: usize,
) -> Result<Answer, &'static str> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map_err(|_| "a broken request")?.to_bytes();
    let reply = script(&channel(&body));
    let received = Received {
        method: head.method.to_string(),
        path: head.uri.to_string(),
        headers: head.headers,
        body,
        connection,
    };
    let _ = tell.send(received);
    let plain = |status: u16| Response::builder().status(status);
    let answer = match reply {
        Reply::Status(status, body) => plain(status).body(full(body)),
        Reply::With(status, name, value, body) => {
            plain(status).header(name, value).body(full(body))
        }
        Reply::After(duration, body) => {
            tokio::time::sleep(duration).await;
            plain(200).body(full(body))
        }
        Reply::Long(bytes) => plain(200).body(full(vec![b'1'; bytes])),
        Reply::Endless => plain(200).body(endless(usize::MAX)),
        Reply::Stall => plain(200).body(endless(1)),
        Reply::Hang => std::future::pending().await,
        Reply::Break => return Err("by the script"),
    };
    Ok(answer.expect("a valid answer"))
}

/// A body that never ends, and of which so many pieces come.
fn endless(pieces: usize) -> UnsyncBoxBody<Bytes, Infallible> {
    let (sender, receiver) = mpsc::channel::<Bytes>(1);
    tokio::spawn(async move {
        for _ in 0..pieces {
            if sender.send(Bytes::from_static(&[b'1'; 4096])).await.is_err() {
                return;
            }
        }
        sender.closed().await;
    });
    Pieces(receiver).boxed_unsync()
}

struct Pieces(mpsc::Receiver<Bytes>);

impl hyper::body::Body for Pieces {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>,
        context: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.0.poll_recv(context).map(|piece| piece.map(|bytes| Ok(Frame::data(bytes))))
    }
}
