// SPDX-License-Identifier: MIT OR Apache-2.0
//! The HTTP API (protocol section 6), health, metrics and pages, on connections that turned out
//! not to be WebSockets.
//!
//! [`serve`] runs one connection until its end: requests are answered one after the other, in the
//! order in which they came; a WebSocket's handshake behind them ends HTTP, and [`serve`] gives the
//! connection back. A call is let in by its head alone (path, signature, rate), so that
//! only those who know a secret make the server keep a body. Nothing here decides what happens to
//! a channel: that is the [`Backend`]'s work.
//!
//! Everything of a connection lives on one thread, beside the worker's own turns, to which it gives
//! way ([`Pace`]). Dropping the future of [`serve`] at any point
//! leaves nothing half done: a call was handed to the backend as a whole, or not at all.

mod answer;
mod api;
mod backend;
mod body;
mod caller;
mod compose;
mod connection;
mod download;
mod handover;
mod inside;
mod io;
mod library;
mod orders;
mod pace;
mod rate;
mod route;
mod routed;
mod site;
mod stats;
mod watch;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use oyez_protocol::limits::Limits;
use tokio::sync::Notify;

use crate::apps::Apps;
use crate::door::Door;
use crate::metrics::Format;
use crate::routes::Routes;

pub(crate) use answer::Answer;
pub(crate) use backend::Backend;
pub(crate) use connection::serve;
pub(crate) use handover::Handover;
pub(crate) use inside::Inside;
pub use inside::Reply;
pub(crate) use pace::Pace;
pub(crate) use rate::RateLimit;
pub(crate) use stats::HttpStats;
#[cfg(test)]
pub(crate) use stats::RouteKind;

/// What the HTTP connections of one worker share.
pub(crate) struct HttpContext<B = Door> {
    /// The apps, found by the id in the path.
    pub(crate) apps: Arc<Apps>,
    /// Does what calls ask for.
    pub(crate) backend: B,
    /// The limits in force.
    pub(crate) limits: Limits,
    /// What stands before `/apps`: empty, or `/something`.
    pub(crate) path: String,
    /// Whether the server is about to stop.
    pub(crate) draining: Arc<AtomicBool>,
    /// Tells the connections that are open when it stops.
    pub(crate) stopping: Notify,
    /// Makes them give way to the worker.
    pub(crate) pace: Pace,
    /// What is counted; only this worker writes to it.
    pub(crate) stats: Arc<HttpStats>,
    /// Makes the text of `/metrics`.
    pub(crate) metrics: Box<dyn Fn(Format) -> String>,
    /// Makes the pages that are there beside the API.
    pub(crate) pages: Box<Pages>,
    /// Answers at all other paths.
    pub(crate) routes: Option<Routes>,
}

/// Answers a `GET` by its path and its `Host`; `None` for what is not there.
pub(crate) type Pages = dyn Fn(&str, Option<&str>) -> Option<Answer>;

impl<B> HttpContext<B> {
    fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests;
