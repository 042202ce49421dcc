// SPDX-License-Identifier: MIT OR Apache-2.0
//! A running app with some users.

use clap::Parser;
use oyez::Oyez;
use serde_json::Value;
use tempfile::TempDir;
use tokio::sync::OnceCell;

use crate::StartError;
use crate::app::App;
use crate::channel::Channel;
use crate::config::Config;
use crate::controllers::{game_pusher, lobby};
use crate::database::user::{self, Username};
use crate::error::Error;
use crate::game_id::GameId;
use crate::password::{Password, PasswordHash};

/// Of everybody's password, which takes time to make.
static HASH: OnceCell<PasswordHash> = OnceCell::const_new();

async fn hash() -> PasswordHash {
    Password::parse("correct horse").expect("a password").hash().await.expect("a hash")
}

/// See the module.
pub(super) struct House {
    pub(super) app: App,
    pub(super) oyez: Oyez,
    folder: TempDir,
}

impl House {
    /// An app with those flags, on a free port.
    pub(super) async fn open(flags: &[&str]) -> House {
        House::open_in(tempfile::tempdir().expect("a folder"), flags).await
    }

    /// The same app once more, after an end.
    pub(super) async fn reopen(self) -> House {
        let House { app, oyez, folder } = self;
        oyez.drain().await.expect("it ends well");
        drop((app, oyez));
        House::open_in(folder, &[]).await
    }

    /// What a second process on the same folder is told.
    pub(super) async fn open_twice(&self) -> StartError {
        let second = crate::open(config(&self.folder, &[])).await;
        second.err().expect("one process has a folder")
    }

    async fn open_in(folder: TempDir, flags: &[&str]) -> House {
        let (app, oyez) = crate::open(config(&folder, flags)).await.expect("it starts");
        House { app, oyez, folder }
    }

    /// A new user of that name.
    pub(super) async fn user(&self, name: &str) -> i64 {
        let name = Username::parse(name).expect("a name");
        let hash = HASH.get_or_init(hash).await;
        let id = user::create(self.app.database.writes(), &name, hash).await;
        id.expect("a database").expect("a new name")
    }

    /// A game of so many players: its host, then the others.
    pub(super) async fn game(&self, players: usize) -> (GameId, Vec<i64>) {
        let mut users = vec![self.user("host").await];
        let game = lobby::create(&self.app, users[0]).await.expect("a game");
        for number in 1..players {
            let guest = self.user(&format!("guest-{number}")).await;
            lobby::join(&self.app, &game, guest).await.expect("a seat");
            users.push(guest);
        }
        (game, users)
    }

    /// The same, ready and started.
    pub(super) async fn started(&self, players: usize) -> (GameId, Vec<i64>) {
        let (game, users) = self.game(players).await;
        for guest in &users[1..] {
            lobby::ready(&self.app, &game, *guest, true).await.expect("ready");
        }
        lobby::start(&self.app, &game, users[0]).await.expect("it starts");
        (game, users)
    }

    /// The ids of a game's players; the first of them that is host, first.
    pub(super) async fn players(&self, game: &GameId) -> Vec<(i64, bool)> {
        let players = game_pusher::players(&self.app.database, game).await.expect("a database");
        let players = players.expect("a game").into_iter();
        players.map(|player| (player.id, player.host)).collect()
    }

    /// What Oyez holds as true of that channel, once that is so.
    pub(super) async fn truth_becomes(&self, channel: &Channel, is: impl Fn(&Value) -> bool) {
        let name = channel.to_string();
        let mut version = 0;
        loop {
            let truth = self.oyez.truth_from::<Value>(&name, version).await.expect("a call");
            let truth = truth.expect("it comes within 25 s");
            if is(&truth.data) {
                return;
            }
            version = truth.version + 1;
        }
    }
}

fn config(folder: &TempDir, flags: &[&str]) -> Config {
    let data = folder.path().to_str().expect("a path");
    let always = ["lobby", "--listen", "127.0.0.1:0", "--data", data];
    Config::parse_from(always.iter().chain(flags))
}

/// What a refusal says.
pub(super) fn refused<T>(result: Result<T, Error>) -> String {
    match result {
        Ok(_) => panic!("it was done"),
        Err(error) => error.to_string(),
    }
}
