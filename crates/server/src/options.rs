// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Options`]: everything a server needs to know before it starts. The `oyez` crate makes it from
//! a config file, an embedding program by hand.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use oyez_protocol::limits::Limits;
use oyez_protocol::secret::Secret;

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
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebhookOptions {
    /// Receives the POSTs; http or https.
    pub url: String,
    /// Names of the events it wants, all valid.
    pub events: Vec<oyez_protocol::webhook::WebhookKind>,
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
        }
    }
}
