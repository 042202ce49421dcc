// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Pusher`]: the realtime server inside of the app, and which truth belongs to which channel.
//!
//! This is all that keeps pages true: a truth is a function from a channel to what is in the
//! database, and whoever has changed the database says [`Pusher::changed`]. What is asked when, who
//! gets the answer and in what order is Oyez' work.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use oyez::{Channel as Rule, Oyez, Server, StartError, TruthRule, WebhookKind};
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

/// A page that hears nothing for so many seconds asks whether the connection still stands.
const NOTICED: u64 = 30;

/// A page is rendered from the database before it subscribes, so its subscription waits so long for
/// what the database says then: it is never taken back to a list of the moment before.
const CONFIRMED: Duration = Duration::from_secs(2);

/// Whoever comes back is shown the newest state, and needs none of those before. A few are kept for
/// those who were away for moments, who are sent what has changed and not the whole.
const STATES: usize = 8;

/// So long.
const KEPT: Duration = Duration::from_secs(60);

/// The realtime server, for whoever changes something: there from the moment in which it runs.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pusher(Arc<SetOnce<Oyez>>);

impl Pusher {
    /// Opens the port, for realtime connections and for the pages of `router`. Truths, and whoever
    /// else needs the server, wait for [`Pusher::runs`].
    pub(crate) fn start(app: &App, router: Router) -> Result<Oyez, StartError> {
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
            .configure(|options| options.activity_timeout = NOTICED)
            // Who is there is seen by presence.
            .configure_app(|app| app.switches.subscription_count = false)
            .channel(of_the_database(app, "private-GAMES", "GAMES"))
            .channel(of_the_database(app, "LOBBY_*", "PLAYER_JOIN"))
            .channel(of_the_database(app, "private-CHAT_*", "CHAT_MESSAGES"))
            .channel(of_the_database(app, "private-GAME_*", "GAME_STATE"))
            .channel(of_the_database(app, "private-HAND_*", "HAND"))
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

/// Channels whose truth is what the database says. It comes as that event.
fn of_the_database(app: &App, channels: &str, event: &str) -> Rule {
    let app = app.clone();
    let rule = TruthRule::event(event).confirm().wait(CONFIRMED);
    Rule::matching(channels).history(STATES, KEPT).truth(rule, move |name| truth(app.clone(), name))
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
