// SPDX-License-Identifier: MIT OR Apache-2.0
//! The founding app: people register, make a game, share its link, see each other join, chat and
//! play a card game to its end. Everything that a page shows is a truth of the server.
//!
//! | where | what |
//! |---|---|
//! | `routes` | what a request says and what is answered |
//! | `controllers` | what the app does: a transaction, then `changed`; and the truths |
//! | `database` | the tables, one file each |
//! | `config/pusher` | the realtime server, and which truth belongs to which channel |
//! | `crazy_eights` | the rules of the game |
//! | `referee` | who is away, and what follows |
//! | `middleware` | who asks, and whether they may |
//!
//! A change travels from a route to its controller to the database; then the controller says which
//! channels have changed, Oyez asks `config/pusher` what is true of them now, and sends it to
//! whoever looks.

mod app;
mod channel;
mod config;
mod controllers;
pub mod crazy_eights;
mod database;
mod error;
mod game_id;
mod housekeeping;
mod local_path;
mod middleware;
mod password;
mod referee;
mod routes;
mod session;

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt;
use std::sync::Arc;

use oyez::Oyez;

use crate::app::App;
use crate::config::pusher::Pusher;
use crate::database::{Database, game_user};
use crate::middleware::pace::Paces;

pub use crate::config::{Config, Limits};

/// Who may look into the data folder: in it are sessions, and what passwords come to.
const OWNER_ONLY: u32 = 0o700;

/// Why the app does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The folder for what must survive cannot be made.
    #[error("cannot make the folder {0}: {1}")]
    Folder(std::path::PathBuf, std::io::Error),
    /// The database cannot be used.
    #[error("cannot use the database {0}: {1}")]
    Database(std::path::PathBuf, sqlx::Error),
    /// The realtime server does not start.
    #[error(transparent)]
    Oyez(#[from] oyez::StartError),
}

/// Starts the app: opens its database and its port. It serves until the [`Oyez`] is drained.
///
/// # Errors
/// What keeps it from serving.
pub async fn start(config: Config) -> Result<Oyez, StartError> {
    Ok(open(config).await?.1)
}

async fn open(config: Config) -> Result<(App, Oyez), StartError> {
    let folder = &config.data;
    let made = DirBuilder::new().recursive(true).mode(OWNER_ONLY).create(folder);
    made.map_err(|error| StartError::Folder(folder.clone(), error))?;
    let file = folder.join("lobby.db");
    let broken = |error| StartError::Database(file.clone(), error);
    let database = Database::open(&file).await.map_err(broken)?;
    let sessions = session::Store::open(&database).await.map_err(broken)?;
    let app = App {
        paces: Arc::new(Paces::new(&config.limits)),
        config: Arc::new(config),
        database,
        pusher: Pusher::default(),
        audience: Arc::default(),
        referee: Arc::default(),
    };
    let router = routes::router(&app, sessions.layer(&app.config));
    let oyez = Pusher::start(&app, router)?;
    // Only now: another process that has this folder would be refused above.
    game_user::all_away(app.database.writes()).await.map_err(broken)?;
    app.pusher.runs(oyez.clone());
    tokio::spawn(referee::run(app.clone()));
    tokio::spawn(housekeeping::run(app.clone()));
    tokio::spawn(sessions.delete_expired());
    Ok((app, oyez))
}
