// SPDX-License-Identifier: MIT OR Apache-2.0
//! Deletes what nobody has touched for long, so that the database does not grow without end; and
//! says so, that nothing of it is kept as true elsewhere.

use std::time::Duration;

use crate::app::App;
use crate::channel::Channel;
use crate::controllers::game_pusher::trigger_player_joined_lobby;
use crate::controllers::table;
use crate::database::{game, now};
use crate::error::Error;

/// How often.
const PERIOD: Duration = Duration::from_secs(3_600);

/// So long a game without players is kept, for whoever has its link, in milliseconds.
const EMPTY: i64 = 24 * 3_600_000;

/// Does its work until the app ends.
pub(crate) async fn run(app: App) {
    let mut hours = tokio::time::interval(PERIOD);
    loop {
        hours.tick().await;
        if let Err(error) = clean(&app).await {
            tracing::error!(%error, "old games could not be deleted");
        }
    }
}

/// Does it once.
pub(crate) async fn clean(app: &App) -> Result<(), Error> {
    let (than, empty_than) = (now().saturating_sub(app.config.limits.keep_millis()), now() - EMPTY);
    let deleted = game::delete_older(app.database.writes(), than, empty_than).await?;
    if !deleted.is_empty() {
        tracing::info!(games = deleted.len(), "deleted games that nobody has touched");
    }
    for game in deleted {
        trigger_player_joined_lobby(app, &game.id).await;
        app.pusher.changed([Channel::Chat(game.id.clone())]).await;
        // Cards that cannot be read were nobody's hands.
        let cards = game.cards().unwrap_or_default();
        table::changed(app, &game.id, cards.as_ref()).await;
    }
    Ok(())
}
