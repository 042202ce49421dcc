// SPDX-License-Identifier: MIT OR Apache-2.0
//! The referee: writes down who is away, and skips whoever has been away for too long on turn.
//!
//! Away is a player without a connected page; the presence channel knows. The referee sleeps until
//! the next player's time is up, or until somebody comes, goes or moves.

use std::time::Duration;

use oyez::WebhookEvent;

use crate::app::App;
use crate::channel::Channel;
use crate::controllers::table;
use crate::database::{game_user, now};
use crate::error::Error;
use crate::game_id::GameId;

/// After an error, the next try.
const PAUSE: Duration = Duration::from_secs(5);

/// Somebody's first page came, or the last one went. Which of them does not count: an event may
/// come late, so what is written down is whether they are there now.
pub(crate) async fn hear(app: App, event: WebhookEvent) -> Result<(), Error> {
    let (WebhookEvent::MemberAdded { channel, user_id }
    | WebhookEvent::MemberRemoved { channel, user_id }) = event
    else {
        return Ok(());
    };
    let (Some(Channel::Presence(game)), Ok(user)) = (Channel::parse(&channel), user_id.parse())
    else {
        return Ok(());
    };
    let away_since = away_since(&app, &game, user).await?;
    if game_user::set_away(app.database.writes(), &game, user, away_since).await? {
        app.pusher.changed([Channel::Game(game)]).await;
        app.referee.notify_one();
    }
    Ok(())
}

/// Since when that user has no page of the game open: since now; or nothing, if they have.
pub(crate) async fn away_since(app: &App, game: &GameId, user: i64) -> Result<Option<i64>, Error> {
    let channel = Channel::Presence(game.clone()).to_string();
    let members = app.pusher.oyez().await.members(&channel).await;
    let members = members.map_err(|error| Error::Broken(format!("who is there: {error}")))?;
    Ok((!members.contains(&user.to_string())).then(now))
}

/// Does its work until the app ends.
pub(crate) async fn run(app: App) {
    loop {
        let wait = skip_those_away(&app).await.unwrap_or_else(|error| {
            tracing::error!(%error, "nobody is skipped");
            Some(PAUSE)
        });
        let time_is_up = async {
            match wait {
                Some(wait) => tokio::time::sleep(wait).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = time_is_up => {}
            () = app.referee.notified() => {}
        }
    }
}

/// Skips everybody whose time is up. Answers how long it is until the next one's is.
async fn skip_those_away(app: &App) -> Result<Option<Duration>, Error> {
    let away = app.config.limits.away_millis();
    let mut next = None::<i64>;
    for (game, since) in game_user::awaited(app.database.reads(), now() - away).await? {
        let left = since.saturating_add(away) - now();
        if left <= 0 {
            table::skip(app, &game).await?;
        } else {
            next = Some(next.map_or(left, |next| next.min(left)));
        }
    }
    Ok(next.map(|millis| Duration::from_millis(millis.unsigned_abs())))
}
