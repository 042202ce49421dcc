// SPDX-License-Identifier: MIT OR Apache-2.0
//! Deletes what nobody has touched for long, so that the database does not grow without end.

use std::time::Duration;

use crate::app::App;
use crate::channel::Channel;
use crate::database::{game, now};

/// How often.
const PERIOD: Duration = Duration::from_secs(3_600);

/// Does its work until the app ends.
pub(crate) async fn run(app: App) {
    let mut hours = tokio::time::interval(PERIOD);
    loop {
        hours.tick().await;
        let than = now().saturating_sub(app.config.limits.keep_millis());
        match game::delete_older(app.database.writes(), than).await {
            Ok(deleted) if deleted.is_empty() => {}
            Ok(deleted) => {
                tracing::info!(games = deleted.len(), "deleted games that nobody has touched");
                let mut channels: Vec<_> = deleted.into_iter().map(Channel::Lobby).collect();
                channels.push(Channel::Games);
                app.pusher.changed(channels).await;
            }
            Err(error) => tracing::error!(%error, "old games could not be deleted"),
        }
    }
}
