// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Pusher`]: the realtime server inside of the app, and which truth belongs to which channel.
//!
//! This is all that keeps pages true: a truth is a function from a channel to what is in the
//! database, and whoever has changed the database says [`Pusher::changed`]. What is asked when, who
//! gets the answer and in what order is Oyez' work.

use std::sync::Arc;

use axum::Router;
use oyez::{Oyez, Server, StartError, WebhookKind};
use serde_json::Value;
use tokio::sync::SetOnce;

use crate::app::App;
use crate::channel::Channel;
use crate::controllers::{chat_pusher, game_pusher, games_pusher, table_pusher};
use crate::error::Error;
use crate::referee;

/// A file of that name in the data folder has settings of the realtime server, as the program
/// `oyez` reads them: an app with credentials of your own, limits.
const FILE: &str = "oyez.toml";

/// The realtime server, for whoever changes something: there from the moment in which it runs.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pusher(Arc<SetOnce<Oyez>>);

impl Pusher {
    /// Opens the port, for realtime connections and for the pages of `router`. Truths, and whoever
    /// else needs the server, wait for [`Pusher::runs`].
    pub(crate) fn start(app: &App, router: Router) -> Result<Oyez, StartError> {
        let truth = || {
            let app = app.clone();
            move |channel| truth(app.clone(), channel)
        };
        let referee = app.clone();
        let comings_and_goings = [WebhookKind::MemberAdded, WebhookKind::MemberRemoved];

        let mut server = Server::builder();
        let file = app.config.data.join(FILE);
        if file.exists() {
            server = server.config_file(file);
        }
        server
            .listen(app.config.listen)
            .data_dir(app.config.data.join("oyez"))
            .truth_with("private-GAMES", "GAMES", truth())
            .truth_with("LOBBY_*", "PLAYER_JOIN", truth())
            .truth_with("private-CHAT_*", "CHAT_MESSAGES", truth())
            .truth_with("private-GAME_*", "GAME_STATE", truth())
            .truth_with("private-HAND_*", "HAND", truth())
            .webhook_with(comings_and_goings, move |event| referee::hear(referee.clone(), event))
            .router(router)
            .start()
    }

    /// That server runs, and the database is ready for it.
    pub(crate) fn runs(&self, oyez: Oyez) {
        self.0.set(oyez).expect("it is started once");
    }

    /// The server.
    pub(crate) async fn oyez(&self) -> &Oyez {
        self.0.wait().await
    }

    /// Says that what is true of these channels has changed. To be called after the commit, which
    /// stands whatever happens here.
    pub(crate) async fn changed(&self, channels: impl IntoIterator<Item = Channel>) {
        let oyez = self.oyez().await;
        for channel in channels {
            if let Err(error) = oyez.changed(&channel.to_string()).await {
                tracing::error!(%channel, %error, "pages are not told");
            }
        }
    }
}

/// What is true of a channel; `null` if nothing is.
async fn truth(app: App, channel: String) -> Result<Value, Error> {
    let Some(channel) = Channel::parse(&channel) else { return Ok(Value::Null) };
    app.pusher.oyez().await;
    let database = &app.database;
    let truth = match &channel {
        Channel::Games => serde_json::to_value(games_pusher::games(database).await?),
        Channel::Lobby(game) => serde_json::to_value(game_pusher::players(database, game).await?),
        Channel::Chat(game) => serde_json::to_value(chat_pusher::messages(database, game).await?),
        Channel::Game(game) => serde_json::to_value(table_pusher::table(database, game).await?),
        Channel::Hand(game, user) => {
            serde_json::to_value(table_pusher::hand(database, game, *user).await?)
        }
        Channel::Presence(_) => Ok(Value::Null),
    };
    truth.map_err(|error| Error::Broken(format!("the truth of {channel}: {error}")))
}
