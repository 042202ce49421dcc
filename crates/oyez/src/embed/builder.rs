// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Server::builder`]: what an embedding program says before its Oyez starts.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use oyez_protocol::limits::LimitError;
use oyez_protocol::webhook::{WebhookEvent, WebhookKind};
use oyez_server::options::{AppOptions, Console, Options};
use oyez_server::{Body, BoxError, Routes, RoutesFn, Upload, routes_fn};
use tokio::runtime::Handle;

use super::app::App;
use super::channel::Channel;
use super::check;
use super::oyez::Oyez;
use super::running::{self, Later};
use super::runtime::{Runtime, Runtimes};
use super::truth_rule::{IntoTruth, TruthRule};
use super::webhook::{IntoTaken, Webhook};
use crate::config::{self, Config, Environment, Mode, Problems, Sources};
use crate::credentials::{NewApp, NoRandomness};
use crate::development::{self, DevelopmentError};

/// An Oyez inside of another program. See [`Server::builder`].
#[derive(Debug)]
pub enum Server {}

/// Everything that a server is told before it starts. Made by [`Server::builder`].
#[must_use = "nothing runs before `start`"]
pub struct Builder {
    file: Option<PathBuf>,
    apps: Vec<App>,
    /// For the first app, before its own.
    channels: Vec<Channel>,
    /// For the first app, behind its own.
    webhooks: Vec<Webhook>,
    settings: Vec<Setting>,
    app_settings: Vec<AppSetting>,
    routes: Option<RoutesFn>,
    runtime: Option<Handle>,
}

/// One thing that is set.
type Setting = Box<dyn FnOnce(&mut Options) -> Result<(), StartError> + Send>;

/// One thing that is set of the first app.
type AppSetting = Box<dyn FnOnce(&mut AppOptions) + Send>;

/// Why an embedded server does not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The config file cannot be used.
    #[error(transparent)]
    Config(#[from] Problems),
    /// A rule for channels that cannot be.
    #[error("the rule for {pattern:?}: {problem}")]
    Rule {
        /// Which channels it is for.
        pattern: String,
        /// What is wrong, and what to do.
        problem: String,
    },
    /// A limit that cannot be.
    #[error(transparent)]
    Limit(#[from] LimitError),
    /// Without an app of its own a server is for this machine only.
    #[error(
        "{0} can be reached from other machines: name your apps first, with `.app(…)` or \
         `.config_file(…)`"
    )]
    Public(SocketAddr),
    /// An app cannot be made.
    #[error(transparent)]
    Development(#[from] DevelopmentError),
    /// An app cannot be made.
    #[error(transparent)]
    NoRandomness(#[from] NoRandomness),
    /// Closures and routes have nowhere to run.
    #[error(
        "closures and routes run on a tokio runtime: start inside of one, give one with \
         `.runtime(…)`, or build oyez with its feature `runtime` to get one of their own"
    )]
    NoRuntime,
    /// The system gives no thread.
    #[error("cannot start a thread: {0}")]
    Thread(std::io::Error),
    /// Everything else that keeps a server from serving.
    #[error(transparent)]
    Server(#[from] oyez_server::StartError),
}

impl Server {
    /// A server with every default: on 127.0.0.1:6001, and, until an app is named, with one app of
    /// its own whose credentials [`Oyez::key`] and [`Oyez::secret`] tell.
    pub fn builder() -> Builder {
        Builder {
            file: None,
            apps: Vec::new(),
            channels: Vec::new(),
            webhooks: Vec::new(),
            settings: Vec::new(),
            app_settings: Vec::new(),
            routes: None,
            runtime: None,
        }
    }
}

impl Builder {
    /// The address of the one port; port 0 takes a free one.
    pub fn listen(self, address: impl Into<SocketAddr>) -> Builder {
        let address = address.into();
        self.configure(move |options| options.listen = address)
    }

    /// The folder for what must survive. Without one nothing does: `durable` channels are then
    /// as good as memory.
    pub fn data_dir(self, path: impl Into<PathBuf>) -> Builder {
        let path = path.into();
        self.configure(move |options| options.data_dir = Some(path))
    }

    /// Worker threads; 0, the default, is one per core.
    pub fn workers(self, workers: usize) -> Builder {
        self.configure(move |options| options.workers = workers)
    }

    /// The limit of that key of `[limits]`.
    ///
    /// # Errors
    /// When it starts: of an unknown key, or a value out of its range.
    pub fn limit(mut self, key: &str, value: usize) -> Builder {
        let key = key.to_owned();
        self.settings.push(Box::new(move |options| Ok(options.limits.set(&key, value)?)));
        self
    }

    /// Any other option of the config, by its name there.
    pub fn configure(mut self, set: impl FnOnce(&mut Options) + Send + 'static) -> Builder {
        self.settings.push(Box::new(|options| {
            set(options);
            Ok(())
        }));
        self
    }

    /// Any other option of the first app, by its name in the config; also of one that comes from
    /// the config file, or that is made because none was named.
    pub fn configure_app(mut self, set: impl FnOnce(&mut AppOptions) + Send + 'static) -> Builder {
        self.app_settings.push(Box::new(set));
        self
    }

    /// Begins with what that config file says, as the program `oyez` reads it: with its defaults,
    /// and with variables `OYEZ_…` over it. Whatever else is said here wins over both, wherever it
    /// is said; apps come behind those of the file.
    pub fn config_file(self, path: impl Into<PathBuf>) -> Builder {
        Builder { file: Some(path.into()), ..self }
    }

    /// Adds an app. The first one, of the config file if there is one, is the one that [`Oyez`]
    /// acts for unless told otherwise.
    pub fn app(mut self, app: App) -> Builder {
        self.apps.push(app);
        self
    }

    /// Adds a rule for channels of the first app, behind those added here before, and before those
    /// that the app brings itself: the first that matches decides.
    pub fn channel(mut self, channel: Channel) -> Builder {
        self.channels.push(channel);
        self
    }

    /// Says who knows the truth of the channels that match: `ask` is given a channel's name and
    /// answers its truth, which subscribers get as the event `truth`
    /// ([`Builder::truth_with`] names another). See [`IntoTruth`] for what it may answer.
    ///
    /// It is called when somebody subscribes and no truth is held, and after [`Oyez::changed`];
    /// never twice at once for one channel. It runs on a runtime of its own
    /// ([`Builder::runtime`]), never on a thread of the server.
    pub fn truth<F, Answer>(self, pattern: &str, ask: F) -> Builder
    where
        F: Fn(String) -> Answer + Send + Sync + 'static,
        Answer: Future<Output: IntoTruth> + Send + 'static,
    {
        self.truth_with(pattern, TruthRule::default(), ask)
    }

    /// The same by that rule, which may be just the event's name: `"GAME_STATE"`, or
    /// `TruthRule::event("GAME_STATE").refresh(…)`.
    pub fn truth_with<F, Answer>(self, pattern: &str, rule: impl Into<TruthRule>, ask: F) -> Builder
    where
        F: Fn(String) -> Answer + Send + Sync + 'static,
        Answer: Future<Output: IntoTruth> + Send + 'static,
    {
        self.channel(Channel::matching(pattern).truth(rule, ask))
    }

    /// Tells `hear` what happens in the first app, as a webhook tells a backend: one event after
    /// another, in the order in which they happened. See [`App::webhook_with`] for another app's.
    ///
    /// ```no_run
    /// # use oyez::{Server, WebhookEvent, WebhookKind};
    /// # async fn here(channel: &str, user: &str) -> Result<(), std::io::Error> { Ok(()) }
    /// # async fn gone(channel: &str, user: &str) -> Result<(), std::io::Error> { Ok(()) }
    /// # fn main() -> Result<(), oyez::StartError> {
    /// let kinds = [WebhookKind::MemberAdded, WebhookKind::MemberRemoved];
    /// let server = Server::builder().webhook_with(kinds, |event| async move {
    ///     match event {
    ///         WebhookEvent::MemberAdded { channel, user_id } => here(&channel, &user_id).await,
    ///         WebhookEvent::MemberRemoved { channel, user_id } => gone(&channel, &user_id).await,
    ///         _ => Ok(()),
    ///     }
    /// });
    /// # server.start()?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// **When.** At once, but `channel_vacated` and `member_removed` come `webhook_delay` after,
    /// and only if nobody came back. A server that stops does not say who was there still: whoever
    /// counts comings and goings begins anew with the server, from [`Oyez::members`].
    ///
    /// **At least once.** An event is taken when the future ends with `()` or `Ok`. With an error
    /// ([`IntoTaken`]), after a panic, or when it has not ended within 10 s, it is told again, with
    /// growing pauses, for 5 minutes; it is lost then, and the next one has its turn. Between two
    /// calls nothing is told, and two never run at once. With a data folder what was not taken is
    /// told after the next start, from the moment in which [`Builder::start`] is called, to the
    /// closure in the same place among those of its app, if it still wants such events. Draining
    /// waits 2 s for closures.
    ///
    /// **Bounds.** `limits.webhook_queue` and `limits.webhook_queue_bytes`, beyond which the oldest
    /// events are lost. Metrics and logs call it `closure`. It runs on a runtime of its own
    /// ([`Builder::runtime`]); however slow it is, nothing else is: no delivery and no other
    /// webhook.
    pub fn webhook_with<F, Answer>(
        mut self,
        events: impl Into<Vec<WebhookKind>>,
        hear: F,
    ) -> Builder
    where
        F: Fn(WebhookEvent) -> Answer + Send + Sync + 'static,
        Answer: Future<Output: IntoTaken> + Send + 'static,
    {
        self.webhooks.push(Webhook::new(events.into(), hear));
        self
    }

    /// Serves whatever path is not Oyez's, on the same port. `serve` and everything of what it
    /// answers runs on a runtime of its own ([`Builder::runtime`]), never on a thread of the
    /// server. Each request has the [`Oyez`] that it came to, and its
    /// [`Peer`](oyez_server::Peer), among its extensions. A panic is a 500. A client that goes
    /// away takes its future along, at whichever `await` that is: what must be done to its end, as a
    /// commit and the [`Oyez::changed`] after it, belongs in a task of its own.
    ///
    /// Oyez' are `/app/…` and `/apps/…` behind `path` of the config,
    /// `/users/ID/terminate_connections`, `/up`, `/metrics` and `/oyez.js`. WebSockets of the
    /// program's own are not possible there.
    pub fn routes<F, Answer, B>(mut self, serve: F) -> Builder
    where
        F: Fn(http::Request<Upload>) -> Answer + Send + Sync + 'static,
        Answer: Future<Output = http::Response<B>> + Send + 'static,
        B: Body<Data = bytes::Bytes, Error: Into<BoxError>> + Send + 'static,
    {
        self.routes = Some(routes_fn(serve));
        self
    }

    /// Where closures and routes run. Else it is the runtime inside of which [`Builder::start`] is
    /// called, or one of their own (feature `runtime`).
    pub fn runtime(self, runtime: Handle) -> Builder {
        Builder { runtime: Some(runtime), ..self }
    }

    /// Opens the port and serves on threads of its own, until [`Oyez::drain`] or the end of the
    /// program. Reads the journal, and so may block for a moment.
    ///
    /// # Errors
    /// Everything that keeps it from serving, each with what to do about it.
    pub fn start(self) -> Result<Oyez, StartError> {
        let Builder { file, apps, channels, webhooks, settings, app_settings, routes, runtime } =
            self;
        let mut options = match file {
            Some(file) => read(file)?,
            None => Options::default(),
        };
        for set in settings {
            set(&mut options)?;
        }
        let mut runtimes = Runtimes::new(runtime);
        for app in apps {
            options.apps.push(app.into_options(&mut runtimes)?);
        }
        if options.apps.is_empty() {
            make_app(&mut options)?;
        }
        let later = Later::default();
        if let Some(serve) = routes {
            let serve = with_oyez(serve, later.clone());
            options.routes = Some(Routes { runtime: runtimes.get()?, serve });
            options.console = Console::Off;
        }
        let channels = channels.into_iter().map(|channel| channel.into_options(&mut runtimes));
        let channels = channels.collect::<Result<Vec<_>, _>>()?;
        let webhooks = webhooks.into_iter().map(|webhook| webhook.into_options(&mut runtimes));
        let webhooks = webhooks.collect::<Result<Vec<_>, _>>()?;
        if let Some(first) = options.apps.first_mut() {
            first.channels.splice(0..0, channels);
            first.webhooks.extend(webhooks);
            for set in app_settings {
                set(first);
            }
        }
        check::rules(&options)?;
        let own: Option<Runtime> = runtimes.into_own();
        running::start(oyez_server::Server::bind(options)?, own, &later)
    }
}

/// Gives each request the server that it came to.
fn with_oyez(serve: RoutesFn, later: Later) -> RoutesFn {
    Arc::new(move |mut request| {
        if let Some(oyez) = later.oyez() {
            request.extensions_mut().insert(oyez);
        }
        serve(request)
    })
}

fn read(file: PathBuf) -> Result<Options, Problems> {
    let sources =
        Sources { file: Some(file), environment: Environment::of_process(), ..Sources::default() };
    let config = config::load(&sources)?;
    for warning in &config.warnings {
        tracing::warn!(place = %warning.place, "{}", warning.text);
    }
    Ok(config.options)
}

/// An app for this machine: the one that the data folder keeps, or one that ends with the program.
fn make_app(options: &mut Options) -> Result<(), StartError> {
    if !options.listen.ip().is_loopback() {
        return Err(StartError::Public(options.listen));
    }
    if options.data_dir.is_none() {
        let NewApp { id, key, secret, .. } = NewApp::generate(None)?;
        let app = AppOptions::new(&id, &key, secret.reveal());
        options.apps.push(app);
        options.console = Console::Development;
        return Ok(());
    }
    let mut config =
        Config { options: options.clone(), mode: Mode::Development, warnings: Vec::new() };
    development::prepare(&mut config)?;
    *options = config.options;
    Ok(())
}

impl std::fmt::Debug for Builder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Builder { file, apps, channels, webhooks, .. } = self;
        let mut shown = f.debug_struct("Builder");
        shown.field("file", file).field("apps", apps);
        shown.field("channels", channels).field("webhooks", webhooks).finish()
    }
}
