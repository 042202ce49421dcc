// SPDX-License-Identifier: MIT OR Apache-2.0
//! Oyez as people hold it: as a part of another program, or as the program `oyez`.
//!
//! # In a program of your own
//!
//! One process, one port: the web app's routes, the realtime connections of its pages, and the
//! truth of its channels as async functions.
//!
//! ```no_run
//! use axum::Router;
//! use axum::routing::post;
//!
//! # async fn players_of(channel: &str) -> Result<Option<Vec<String>>, std::io::Error> { Ok(None) }
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let oyez = oyez::Server::builder()
//!     .listen(([127, 0, 0, 1], 6001))
//!     .data_dir("oyez-data")
//!     .app(oyez::App::new("app-id", "app-key", "app-secret"))
//!     // What is true of a game, whoever asks, whenever. Pages get it as `GAME_STATE`.
//!     .truth_with("private-GAME_*", "GAME_STATE", |channel| async move {
//!         players_of(&channel).await
//!     })
//!     # ;
//!     # #[cfg(feature = "axum")]
//!     # let oyez = oyez
//!     .router(Router::new().route("/join", post(|| async { "welcome" })))
//!     # ;
//!     # let oyez = oyez
//!     .start()?;
//!
//! // Whatever changes a game says so, after its commit; the pages have the new truth then.
//! oyez.changed("private-GAME_7").await?;
//! // Events are sent from any thread, on any runtime.
//! oyez.trigger("LOBBY_7", "PLAYER_JOIN", &["anna", "ben"]).await?;
//! oyez.ended().await?;
//! # Ok(())
//! # }
//! ```
//!
//! What a webhook would tell a backend, say who comes and goes, a closure hears:
//! [`Builder::webhook_with`]. `examples/embedded.rs` is a whole program. Everything begins with [`Server::builder`];
//! [`Oyez`] is what runs.
//!
//! **Where things run.** Closures and routes run on a tokio runtime: the one that
//! [`Builder::runtime`] names, or the one inside of which [`Builder::start`] is called, or, with
//! the feature `runtime`, one of their own. Never on a thread of the server: a handler that hashes
//! a password for a second delays no delivery.
//!
//! **Features.** `axum`: [`Builder::router`](Builder) takes an axum router; without it
//! [`Builder::routes`] takes any function from request to response. `runtime`: a runtime of their
//! own for closures and routes of programs that have none.
//!
//! # The program
//!
//! The program `oyez` is built on the same library: [`config`] reads files and the environment
//! into the server's [`Options`](options::Options).

pub mod config;
pub mod credentials;
pub mod development;
mod embed;

pub use embed::*;
pub use oyez_protocol::webhook::{WebhookEvent, WebhookKind};
pub use oyez_server::core::{Durability, Replay};
pub use oyez_server::{Body, BoxError, Peer, RunError, Upload, options};
