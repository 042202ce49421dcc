// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Options`]: everything a server needs to know before it starts. The `oyez` crate makes it from
//! a config file, an embedding program by hand.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use oyez_core::{Durability, Pattern, Replay, WrittenHistory};
use oyez_protocol::limits::Limits;
use oyez_protocol::secret::Secret;
use oyez_protocol::webhook::WebhookKind;
use tokio::runtime::Handle;

use crate::outgoing::url::without_query;
use crate::resolver::TruthClosure;
use crate::routes::Routes;
use crate::webhooks::WebhookClosure;

/// A server's settings. `Default` is a server on 127.0.0.1:6001 with no app yet.
#[derive(Clone, Debug)]
pub struct Options {
    /// Address of the one port. Port 0 takes a free one.
    pub listen: SocketAddr,
    /// Folder for what must survive; `None` keeps nothing.
    pub data_dir: Option<PathBuf>,
    /// Worker threads; 0 is one per core.
    pub workers: usize,
    /// Prefix before `/app` and `/apps`: empty, or `/something` without a slash at its end.
    pub path: String,
    /// Seconds of silence after which clients ping; told to them in the first frame.
    pub activity_timeout: u64,
    /// Silence before the server pings.
    pub ping_after: Duration,
    /// Further silence before it closes with 4201.
    pub pong_timeout: Duration,
    /// Time over which a stopping server closes its connections.
    pub drain: Duration,
    /// Wait before the webhooks `channel_vacated` and `member_removed`.
    pub webhook_delay: Duration,
    /// Every limit.
    pub limits: Limits,
    /// The apps.
    pub apps: Vec<AppOptions>,
    /// Whether `/` shows the development page with the first app's credentials.
    pub console: Console,
    /// What an embedding program serves at all paths that are not Oyez's.
    pub routes: Option<Routes>,
}

/// What `/` shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Console {
    /// Nothing: 404.
    Off,
    /// The page of development mode, to requests for a loopback host only.
    Development,
}

/// One `[[apps]]` block.
#[derive(Clone, Debug)]
pub struct AppOptions {
    /// In the path of the HTTP API.
    pub id: String,
    /// In the path of the WebSocket, and in every signature.
    pub key: String,
    /// Signs.
    pub secret: Secret,
    /// What the app may do.
    pub switches: Switches,
    /// Connections of this app; 0 sets no limit of its own.
    pub max_connections: usize,
    /// Origins that browsers may connect from; `*` alone allows all.
    pub allowed_origins: Vec<String>,
    /// Where webhooks go.
    pub webhooks: Vec<WebhookOptions>,
    /// What channels remember: the first rule that matches decides.
    pub channels: Vec<ChannelOptions>,
}

/// An app's on and off settings, by their config keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Switches {
    /// `client_events`: clients may send `client-` events.
    pub client_events: bool,
    /// `subscription_count`: channels tell their subscribers how many they are.
    pub subscription_count: bool,
    /// `watchlist`: signed-in users hear who of their list comes and goes.
    pub watchlist: bool,
    /// `enabled`: when false, connections are closed with 4003 and calls answered 403.
    pub enabled: bool,
    /// `tls_only`: plain connections are closed with 4000. TLS is a proxy's work: it says so in
    /// `X-Forwarded-Proto: https`.
    pub tls_only: bool,
}

/// One `[[apps.webhooks]]` block.
#[derive(Clone, Debug)]
pub struct WebhookOptions {
    /// Who is told.
    pub receiver: Receiver,
    /// The kinds of events that it wants.
    pub events: Vec<WebhookKind>,
}

/// Who is told what happens in an app.
#[derive(Clone)]
pub enum Receiver {
    /// The backend at this URL, http or https.
    Url(String),
    /// A function of the embedding program.
    Closure {
        /// Where it runs; no thread of the server does that.
        runtime: Handle,
        /// The function.
        closure: WebhookClosure,
    },
}

/// One `[[apps.channels]]` block.
#[derive(Clone, Debug, PartialEq)]
pub struct ChannelOptions {
    /// `match`: which channels.
    pub pattern: Pattern,
    /// What a new subscriber is shown of the past.
    pub replay: Replay,
    /// What is kept for whoever resumes.
    pub history: Option<WrittenHistory>,
    /// Whether it survives; `true` when it does not say.
    pub durability: Option<Durability>,
    /// The channel's truth.
    pub truth: Option<TruthOptions>,
}

/// Where a channel's truth comes from and how it is sent.
#[derive(Clone, Debug, PartialEq)]
pub struct TruthOptions {
    /// The event that carries it.
    pub event: String,
    /// Who knows it.
    pub source: Source,
    /// A question that takes longer has no answer.
    pub timeout: Duration,
    /// How long a subscription waits for an answer.
    pub wait: Duration,
    /// Whether each subscription is confirmed: it waits for the answer to a question that began
    /// after it came.
    pub confirm: bool,
    /// When the confirming question follows the last `changed`; zero asks none.
    pub settle: Duration,
    /// How often to ask again while somebody is subscribed; `None` never.
    pub refresh: Option<Duration>,
}

/// Who knows a channel's truth.
#[derive(Clone)]
pub enum Source {
    /// Whoever sets it by a call.
    Pushed,
    /// A plain trigger of the event sets it, too.
    Trigger,
    /// The backend at this URL.
    Url(String),
    /// A function of the embedding program.
    Closure {
        /// Where it runs; no thread of the server does that.
        runtime: Handle,
        /// The function.
        closure: TruthClosure,
    },
}

impl Default for Options {
    fn default() -> Options {
        Options {
            listen: SocketAddr::from(([127, 0, 0, 1], 6001)),
            data_dir: None,
            workers: 0,
            path: String::new(),
            activity_timeout: 120,
            ping_after: Duration::from_secs(45),
            pong_timeout: Duration::from_secs(15),
            drain: Duration::from_secs(10),
            webhook_delay: Duration::from_secs(3),
            limits: Limits::default(),
            apps: Vec::new(),
            console: Console::Off,
            routes: None,
        }
    }
}

impl Default for Switches {
    fn default() -> Switches {
        Switches {
            client_events: true,
            subscription_count: true,
            watchlist: true,
            enabled: true,
            tls_only: false,
        }
    }
}

impl AppOptions {
    /// An app with those credentials and every default.
    pub fn new(id: &str, key: &str, secret: &str) -> AppOptions {
        AppOptions {
            id: id.to_owned(),
            key: key.to_owned(),
            secret: Secret::new(secret),
            switches: Switches::default(),
            max_connections: 0,
            allowed_origins: vec!["*".to_owned()],
            webhooks: Vec::new(),
            channels: Vec::new(),
        }
    }
}

impl ChannelOptions {
    /// A rule for those channels that asks for nothing yet.
    pub fn new(pattern: &str) -> ChannelOptions {
        ChannelOptions {
            pattern: Pattern::new(pattern),
            replay: Replay::None,
            history: None,
            durability: None,
            truth: None,
        }
    }
}

impl TruthOptions {
    /// A truth carried by that event, with every default.
    pub fn new(event: &str, source: Source) -> TruthOptions {
        TruthOptions {
            event: event.to_owned(),
            source,
            timeout: Duration::from_secs(5),
            wait: Duration::from_millis(300),
            confirm: false,
            settle: Duration::from_secs(1),
            refresh: None,
        }
    }
}

impl WebhookOptions {
    /// POSTs of those events to that URL.
    pub fn url(url: &str, events: impl Into<Vec<WebhookKind>>) -> WebhookOptions {
        WebhookOptions { receiver: Receiver::Url(url.to_owned()), events: events.into() }
    }
}

impl fmt::Debug for Receiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            // A query may hold a token.
            Receiver::Url(url) => without_query(url),
            Receiver::Closure { .. } => "closure",
        })
    }
}

impl PartialEq for Source {
    /// Two closures are the same if they are one.
    fn eq(&self, other: &Source) -> bool {
        match (self, other) {
            (Source::Pushed, Source::Pushed) | (Source::Trigger, Source::Trigger) => true,
            (Source::Url(one), Source::Url(other)) => one == other,
            (Source::Closure { closure: one, .. }, Source::Closure { closure: other, .. }) => {
                Arc::ptr_eq(one, other)
            }
            _ => false,
        }
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Source::Pushed => "pushed",
            Source::Trigger => "trigger",
            Source::Url(url) => without_query(url),
            Source::Closure { .. } => "closure",
        })
    }
}
