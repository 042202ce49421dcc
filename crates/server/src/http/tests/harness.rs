// SPDX-License-Identifier: MIT OR Apache-2.0
//! A server with a backend that takes notes, and a client that says exactly what it is told to.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::future::poll_fn;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use md5::{Digest, Md5};
use oyez_core::{Answer, Cached, ChannelInfo, Refused, Wanted};
use oyez_protocol::api::ReadHistory;
use oyez_protocol::channel::ChannelName;
use oyez_protocol::limits::Limits;
use oyez_protocol::position::Offset;
use oyez_protocol::secret::Secret;
use oyez_protocol::user::UserId;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::LocalSet;

use super::super::{Backend, HttpContext, HttpStats, Pace, serve};
use crate::apps::{App, Apps};
use crate::door::{Composed, Idempotency, Once, Order, Unable, What};
use crate::options::{AppOptions, Switches};

pub(super) const SECRET: &str = "test-secret";

/// Takes notes of what it is asked to do.
#[derive(Default)]
pub(super) struct Notes {
    pub(super) lines: RefCell<Vec<String>>,
    pub(super) unable: RefCell<Option<Unable>>,
    /// Publishes wait for this.
    pub(super) hold: RefCell<Option<Rc<Notify>>>,
}

impl Notes {
    fn note(&self, app: &App, line: String) {
        self.lines.borrow_mut().push(format!("{} {line}", app.options.id));
    }
}

fn info(wanted: Wanted) -> ChannelInfo {
    let cached = Cached { data: "\"last\"".to_owned(), ttl: Duration::from_millis(61_900) };
    ChannelInfo {
        occupied: true,
        user_count: wanted.user_count.then_some(2),
        subscription_count: wanted.subscription_count.then_some(3),
        cache: wanted.cache.then_some(Some(cached)),
        position: None,
    }
}

impl Backend for Rc<Notes> {
    async fn carry_out(&self, app: &Arc<App>, orders: Vec<Order>) -> Result<Vec<Answer>, Unable> {
        if let Some(reason) = &*self.unable.borrow() {
            return Err(reason.clone());
        }
        // An answer takes a turn, as that of another thread would.
        tokio::task::yield_now().await;
        let hold = self.hold.borrow().clone();
        if let Some(hold) = hold {
            hold.notified().await;
        }
        let one = |order: Order| {
            let exclude = order.exclude.map(|id| format!(" but {id}")).unwrap_or_default();
            let what = match order.what {
                What::Event(event, data) => format!("{event}={data}"),
                other => format!("{other:?}"),
            };
            self.note(app, format!("{} {what}{exclude}", order.channel));
            Answer::Channel(info(order.wanted))
        };
        Ok(orders.into_iter().map(one).collect())
    }

    async fn once(
        &self,
        app: &Arc<App>,
        idempotency: Idempotency,
        orders: Vec<Order>,
        compose: impl FnOnce(Result<Vec<Answer>, Unable>) -> Composed + 'static,
    ) -> Once {
        self.note(app, format!("once {}", idempotency.key));
        Once::Answer(compose(self.carry_out(app, orders).await))
    }

    async fn truth(
        &self,
        app: &Arc<App>,
        channel: ChannelName,
        at_least: Option<Offset>,
        _: std::time::Duration,
    ) -> Answer {
        self.note(app, format!("truth {channel} {at_least:?}"));
        Answer::Refused(Refused::NoTruth)
    }

    async fn history(&self, app: &Arc<App>, channel: ChannelName, of: ReadHistory) -> Answer {
        self.note(app, format!("history {channel} {:?}", of.since));
        Answer::Refused(Refused::NoMemory)
    }

    async fn inspect(&self, app: &Arc<App>, channel: ChannelName, wanted: Wanted) -> ChannelInfo {
        self.note(app, format!("inspect {channel}"));
        info(wanted)
    }

    async fn list(
        &self,
        app: &Arc<App>,
        prefix: String,
        wanted: Wanted,
    ) -> BTreeMap<ChannelName, ChannelInfo> {
        self.note(app, format!("list {prefix}"));
        let name = |name| ChannelName::parse(name, 164).expect("a name");
        BTreeMap::from(["presence-a", "presence-b"].map(|text| (name(text), info(wanted))))
    }

    async fn members(&self, app: &Arc<App>, channel: ChannelName) -> Vec<UserId> {
        self.note(app, format!("members {channel}"));
        vec![UserId::of("1"), UserId::of("a\"b")]
    }

    async fn terminate(&self, app: &Arc<App>, user: UserId) {
        self.note(app, format!("terminate {user}"));
    }
}

/// A running server.
pub(super) struct Server {
    pub(super) notes: Rc<Notes>,
    pub(super) stats: Arc<HttpStats>,
    pub(super) draining: Arc<AtomicBool>,
    context: Rc<HttpContext<Rc<Notes>>>,
    address: std::net::SocketAddr,
}

/// Runs a test against a server with the apps `1`, `2` and `off`, behind the prefix `path`.
pub(super) fn with_server<F: Future<Output = ()>>(
    limits: Limits,
    path: &str,
    test: impl FnOnce(Server) -> F,
) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    LocalSet::new().block_on(&runtime.expect("a runtime"), async {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let off = Switches { enabled: false, ..Switches::default() };
        let apps = vec![
            AppOptions::new("1", "key-1", SECRET),
            AppOptions::new("2", "key-2", SECRET),
            AppOptions { switches: off, ..AppOptions::new("off", "key-off", SECRET) },
        ];
        let context = HttpContext {
            apps: Arc::new(Apps::new(apps).expect("three different apps")),
            backend: Rc::<Notes>::default(),
            limits,
            path: path.to_owned(),
            draining: Arc::default(),
            stopping: Notify::new(),
            pace: Pace::default(),
            stats: Arc::default(),
            metrics: Box::new(|format| format!("# {format:?}\n")),
            pages: Box::new(|path, host| {
                let page = format!("the page for {}", host.unwrap_or("nobody"));
                (path == "/").then(|| super::super::Answer::new(Bytes::from(page).into()))
            }),
            routes: None,
        };
        let context = Rc::new(context);
        let server = Server {
            notes: Rc::clone(&context.backend),
            stats: Arc::clone(&context.stats),
            draining: Arc::clone(&context.draining),
            context: Rc::clone(&context),
            address,
        };
        let turns = Rc::clone(&context);
        tokio::task::spawn_local(async move {
            loop {
                poll_fn(|cx| turns.pace.poll_turn(cx)).await;
                turns.pace.turned();
            }
        });
        tokio::task::spawn_local(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let context = Rc::clone(&context);
                tokio::task::spawn_local(async move {
                    // Somebody has read the first bytes already, as the worker does.
                    let mut first = [0; 7];
                    let count = stream.read(&mut first).await.unwrap_or(0);
                    serve(stream, Bytes::copy_from_slice(&first[..count]), context).await;
                });
            }
        });
        tokio::time::timeout(Duration::from_secs(30), test(server)).await.expect("no hang");
    });
}

/// Runs a test against a server with the usual limits.
pub(super) fn with_usual<F: Future<Output = ()>>(test: impl FnOnce(Server) -> F) {
    with_server(Limits::default(), "", test);
}

impl Server {
    pub(super) async fn connect(&self) -> Client {
        let stream = TcpStream::connect(self.address).await.expect("the server listens");
        stream.set_nodelay(true).expect("a socket takes it");
        Client { stream, unread: Vec::new() }
    }

    /// One request on a connection of its own.
    pub(super) async fn ask(&self, request: impl AsRef<[u8]>) -> Reply {
        let mut client = self.connect().await;
        client.send(request).await;
        client.reply().await
    }

    pub(super) fn notes(&self) -> Vec<String> {
        self.notes.lines.take()
    }

    pub(super) fn drain(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }

    /// Tells the open connections, as a worker does once it drains.
    pub(super) fn stop(&self) {
        self.context.stopping.notify_waiters();
    }
}

/// A client's connection.
pub(super) struct Client {
    pub(super) stream: TcpStream,
    unread: Vec<u8>,
}

/// What came back.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) head: String,
    pub(super) body: String,
}

impl Reply {
    pub(super) fn json(&self) -> Value {
        assert!(self.head.contains("\r\ncontent-type: application/json\r\n"), "{self:?}");
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// Status, `code` and `field` of an error.
    pub(super) fn error(&self) -> (u16, String, Option<String>) {
        let json = self.json();
        assert!(json["error"].as_str().is_some_and(|text| text.len() > 10), "{self:?}");
        let code = json["code"].as_str().unwrap_or_else(|| panic!("{self:?}"));
        (self.status, code.to_owned(), json["field"].as_str().map(str::to_owned))
    }

    pub(super) fn says_close(&self) -> bool {
        self.head.contains("\r\nconnection: close\r\n")
    }
}

impl Client {
    pub(super) async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.write_all(bytes.as_ref()).await.expect("the server reads");
    }

    /// The next answer to a request that is no `HEAD`.
    pub(super) async fn reply(&mut self) -> Reply {
        let head = self.head().await.expect("an answer");
        let length = head.split("\r\n").find_map(|line| line.strip_prefix("content-length: "));
        let length = length.map_or(0, |text| text.parse().expect("a number"));
        while self.unread.len() < length {
            assert!(self.read().await, "the whole body");
        }
        let body: Vec<u8> = self.unread.drain(..length).collect();
        let status = head.get(9..12).and_then(|s| s.parse().ok()).expect("a status");
        Reply { status, head, body: String::from_utf8(body).expect("UTF-8") }
    }

    /// The next head, with the empty line at its end; `None` when the connection ends instead.
    pub(super) async fn head(&mut self) -> Option<String> {
        loop {
            if let Some(end) = self.unread.windows(4).position(|w| w == b"\r\n\r\n") {
                let head: Vec<u8> = self.unread.drain(..end + 4).collect();
                return Some(String::from_utf8(head).expect("ASCII"));
            }
            if !self.read().await {
                return None;
            }
        }
    }

    /// Waits until the server ends the connection, and nothing came before.
    pub(super) async fn expect_end(&mut self) {
        assert!(!self.read().await && self.unread.is_empty(), "{:?}", self.unread);
    }

    async fn read(&mut self) -> bool {
        let mut buffer = [0; 4096];
        // A connection that was reset has ended, too.
        let count = self.stream.read(&mut buffer).await.unwrap_or(0);
        self.unread.extend_from_slice(&buffer[..count]);
        count > 0
    }
}

/// The path and query of a signed request to the app `1`.
pub(super) fn signed(method: &str, path: &str, more: &[(&str, &str)], body: &str) -> String {
    signed_as("key-1", method, path, path, more, body)
}

/// The same of any app, where the signed path may differ from the sent one.
pub(super) fn signed_as(
    key: &str,
    method: &str,
    signed_path: &str,
    sent_path: &str,
    more: &[(&str, &str)],
    body: &str,
) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs();
    let now = now.to_string();
    let md5: String = Md5::digest(body).iter().map(|b| format!("{b:02x}")).collect();
    let mut all = vec![("auth_key", key), ("auth_timestamp", &now), ("auth_version", "1.0")];
    if !body.is_empty() {
        all.push(("body_md5", &md5));
    }
    all.extend(more);
    all.sort_unstable();
    let pairs: Vec<_> = all.iter().map(|(k, v)| format!("{k}={v}")).collect();
    let query = pairs.join("&");
    let string = format!("{method}\n{signed_path}\n{query}");
    let signature = Secret::new(SECRET).sign_text(&[string.as_bytes()]);
    let query = query.replace(' ', "%20");
    format!("{sent_path}?{query}&auth_signature={signature}")
}

/// A whole request.
pub(super) fn request(method: &str, target: &str, body: &str) -> String {
    let length = body.len();
    format!("{method} {target} HTTP/1.1\r\nHost: test\r\nContent-Length: {length}\r\n\r\n{body}")
}

pub(super) fn post(path: &str, body: &str) -> String {
    request("POST", &signed("POST", path, &[], body), body)
}

pub(super) fn get(path: &str, more: &[(&str, &str)]) -> String {
    request("GET", &signed("GET", path, more, ""), "")
}

/// A publish of that data to the channel `room`.
pub(super) fn publish(data: &str) -> String {
    let body = serde_json::json!({"name": "e", "channels": ["room"], "data": data});
    post("/apps/1/events", &body.to_string())
}
