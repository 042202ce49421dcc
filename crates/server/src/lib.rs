// SPDX-License-Identifier: MIT OR Apache-2.0
//! How bytes move: listener, WebSocket, workers, HTTP API, webhooks, metrics, shutdown.
//!
//! [`Server`] starts one [worker](worker) per core. A worker owns its sockets and is the home of
//! its share of the channels; what it must tell another worker it sends as mail. See
//! `ARCHITECTURE.md` for the two walks, publish and subscribe.

pub mod apps;
pub mod console;
mod door;
mod http;
mod inside;
mod metrics;
pub mod options;
mod outgoing;
mod resolver;
mod routes;
mod server;
mod shared;
mod socket;
mod startup;
mod stats;
mod webhooks;
mod worker;

pub use http::Reply;
pub use hyper::body::Body;
pub use inside::ServerEnded;
pub use outgoing::UrlError;
pub use oyez_core as core;
pub use resolver::{SourceKind, SourceOptions, SourcesError, TruthClosure, TruthFuture};
pub use routes::{BoxError, Peer, Routes, RoutesBody, RoutesFn, RoutesFuture, Upload, routes_fn};
pub use server::{Handle, RunError, Server, StartError};
pub use webhooks::{StoreError, WebhookClosure, WebhookFuture, WebhooksError, check_webhook_url};
