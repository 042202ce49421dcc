// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Webhooks`]: tells the apps' own servers what happens (protocol section 7), and closures of the
//! program that we are a part of.
//!
//! **What it promises.** The events of one app to one URL arrive in their order, batched, signed,
//! with one request in flight; a batch is repeated with the same bytes until it is answered with
//! 2xx or five minutes have passed. A closure is told one event after another, by the same rules.
//! A receiver that is slow, down or hostile delays neither other receivers nor the workers.
//! Delivery is at least once: a receiver may see a batch again.
//!
//! **What is bounded.** Each destination's queue (`limits.webhook_queue`; the oldest event goes),
//! each batch (`limits.webhook_batch`), what is on the way from the workers (the newest event is
//! refused). Whatever is lost is counted by reason, and logged at a bounded rate.
//!
//! **What survives.** With a data folder, an event that still waits after 100 ms is committed to
//! its file `webhooks.redb`. So a restart loses nothing, and a `kill -9` at most the events of the
//! last 100 ms and of the commit that was under way; after it, a few may be delivered twice. The
//! five minutes of a batch begin anew with the server. Without a folder, events wait in memory.
//!
//! **Who owns what.** Workers only put events into the [`inbox`]; everything else belongs to one
//! thread of our own, but for closures, which run on the program's runtime. A server without
//! webhooks has no such thread and opens no file.
//!
//! ```text
//! worker → inbox → thread: router → lane (queue) → sender → way (post | closure) → receiver
//!                                     └→ writer → store (data folder)
//! ```

mod backoff;
mod changes;
mod closure;
mod destination;
mod failure;
mod inbox;
mod lane;
mod losses;
mod outcomes;
mod post;
mod queue;
mod sender;
mod store;
#[cfg(test)]
mod tests;
mod thread;
mod timing;
mod way;
mod writer;

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::Duration;

use oyez_core::AppIndex;
use oyez_protocol::limits::Limits;
use oyez_protocol::webhook::{WebhookEvent, WebhookKind};
use tokio::sync::watch;
use tokio::time::Instant;

pub use closure::{WebhookClosure, WebhookFuture};
pub use destination::check_webhook_url;
pub(crate) use outcomes::{DestinationOutcomes, LostReason};
pub use store::StoreError;

use crate::apps::Apps;
use crate::outgoing::UrlError;
use crate::outgoing::tls::{self, Trust};
use destination::Destinations;
use inbox::{Inbox, Refused};
use outcomes::Outcomes;
use queue::Bounds;
use store::Store;
use thread::Plan;
use timing::Timing;

/// Sends webhooks. Cheap to clone; every worker has one. When the last one is dropped without
/// [`Webhooks::stop`], what waits is kept in the data folder, or lost where there is none.
#[derive(Clone, Debug)]
pub(crate) struct Webhooks {
    running: Option<Arc<Running>>,
}

#[derive(Debug)]
struct Running {
    destinations: Arc<Destinations>,
    outcomes: Arc<Outcomes>,
    inbox: Inbox,
    stop: watch::Sender<Option<Instant>>,
    ended: Mutex<mpsc::Receiver<()>>,
    grace: Duration,
}

/// Why webhooks cannot be sent.
#[derive(Debug, thiserror::Error)]
pub enum WebhooksError {
    /// A URL of the config is no good.
    #[error("a webhook URL of app `{app_id}` cannot be used: {error}")]
    Url {
        /// The app.
        app_id: String,
        /// What is wrong with the URL.
        error: UrlError,
    },
    /// The machine's certificates are needed for an https URL.
    #[error(
        "a webhook URL begins with https, but the machine's certificates cannot be read: install \
         them (Debian: ca-certificates) or name a file in SSL_CERT_FILE"
    )]
    Certificates(#[source] std::io::Error),
    /// The data folder is no good.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The machine gave no thread.
    #[error("the webhook thread cannot be started")]
    Thread(#[source] std::io::Error),
}

impl Webhooks {
    /// Starts the sender. When no app has a webhook nothing is started, and the data folder is not
    /// touched. Blocks for as long as the file in the data folder takes to read.
    pub(crate) fn start(
        apps: &Apps,
        limits: &Limits,
        data_dir: Option<&Path>,
    ) -> Result<Webhooks, WebhooksError> {
        Webhooks::start_with(apps, Bounds::new(limits), data_dir, Timing::default(), Trust::System)
    }

    fn start_with(
        apps: &Apps,
        bounds: Bounds,
        data_dir: Option<&Path>,
        timing: Timing,
        trust: Trust,
    ) -> Result<Webhooks, WebhooksError> {
        let destinations = Destinations::new(apps)
            .map_err(|(app_id, error)| WebhooksError::Url { app_id, error })?;
        if destinations.is_empty() {
            return Ok(Webhooks { running: None });
        }
        let tls =
            tls::config(trust, destinations.any_https()).map_err(WebhooksError::Certificates)?;
        let store = match data_dir {
            Some(folder) => {
                let store = Store::open(folder)?;
                let waiting = store.load()?;
                Some((store, waiting))
            }
            None => None,
        };

        let destinations = Arc::new(destinations);
        let outcomes = Arc::new(Outcomes::new(&destinations));
        let (inbox, arrivals) = inbox::inbox(bounds.events, bounds.inbox_bytes);
        let (stop, stop_told) = watch::channel(None);
        let (ended_tell, ended) = mpsc::channel();
        let grace = thread::grace(&timing);
        let plan = Plan {
            destinations: destinations.clone(),
            outcomes: outcomes.clone(),
            http: post::client_of(tls, &timing),
            bounds,
            timing,
            arrivals,
            store,
            stop: stop_told,
        };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .thread_name("webhooks-aside")
            .build()
            .map_err(WebhooksError::Thread)?;
        std::thread::Builder::new()
            .name("webhooks".to_owned())
            .spawn(move || {
                plan.run(&runtime);
                // A name look-up that hangs must not hold up the end.
                runtime.shutdown_background();
                let _ = ended_tell.send(());
            })
            .map_err(WebhooksError::Thread)?;
        let running =
            Running { destinations, outcomes, inbox, stop, ended: Mutex::new(ended), grace };
        Ok(Webhooks { running: Some(Arc::new(running)) })
    }

    /// Whether anybody wants events of that kind: ask before making one.
    pub(crate) fn wants(&self, app: AppIndex, kind: WebhookKind) -> bool {
        self.running.as_ref().is_some_and(|running| running.destinations.wants(app, kind))
    }

    /// Sends an event to all receivers of the app that want its kind. Never waits and never fails: an
    /// event that cannot be taken is counted as lost.
    pub(crate) fn send(&self, app: AppIndex, event: WebhookEvent) {
        let Some(running) = &self.running else { return };
        let kind = event.kind();
        if !self.wants(app, kind) {
            return;
        }
        let Err(refused) = running.inbox.offer(app, event) else { return };
        let reason = match refused {
            Refused::Full => LostReason::QueueFull,
            Refused::Closed => LostReason::Stopped,
        };
        for destination in running.destinations.of(app, kind) {
            running.outcomes.lose(destination, reason, 1);
        }
    }

    /// Sends what it can until the deadline and ends. What is left stays in the data folder, or is
    /// counted as lost where there is none. Blocks: at most for `deadline` and some seconds for
    /// the last commit. Events sent from now on are lost.
    pub(crate) fn stop(&self, deadline: Duration) {
        let Some(running) = &self.running else { return };
        let deadline = deadline.min(LONGEST_STOP);
        let by = Instant::now() + deadline;
        running.stop.send_replace(Some(by));
        let ended = running.ended.lock().unwrap_or_else(PoisonError::into_inner);
        if ended.recv_timeout(deadline + running.grace) == Err(mpsc::RecvTimeoutError::Timeout) {
            tracing::error!("the webhook thread did not end in time");
        }
    }

    /// What became of the events so far, one entry per app and receiver; empty when no app has a
    /// webhook.
    pub(crate) fn outcomes(&self) -> &[DestinationOutcomes] {
        self.running.as_ref().map_or(&[], |running| running.outcomes.all())
    }

    /// Events that had to be written to the data folder since the start: those that were not
    /// delivered at once.
    pub(crate) fn stored(&self) -> u64 {
        self.running.as_ref().map_or(0, |running| running.outcomes.stored())
    }

    /// Commits to the data folder that failed since the start.
    pub(crate) fn store_failures(&self) -> u64 {
        self.running.as_ref().map_or(0, |running| running.outcomes.store_failures())
    }
}

/// A deadline further away counts as this: time has an end on some systems.
const LONGEST_STOP: Duration = Duration::from_secs(24 * 60 * 60);
