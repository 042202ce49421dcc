// SPDX-License-Identifier: MIT OR Apache-2.0
//! What happens at the table. The rules are `crazy_eights`; here they meet the database.
//!
//! A move is one transaction, in which nobody else writes: of two moves at the same moment one is
//! made, and the other finds that the game has moved on.

use std::collections::BTreeSet;

use sqlx::SqliteConnection;

use crate::app::App;
use crate::channel::Channel;
use crate::controllers::lobby::player;
use crate::crazy_eights::{Action, Game as Cards, Illegal, PlayerId};
use crate::database::game::{self, Game, Status};
use crate::database::{game_user, now};
use crate::error::Error;
use crate::game_id::GameId;

/// A player makes a move in the game as they have seen it, which is after that many moves. Answers
/// how many there are now.
pub(crate) async fn act(
    app: &App,
    id: &GameId,
    user: i64,
    seen: u64,
    action: Action,
) -> Result<u64, Error> {
    let mut writes = app.database.begin().await?;
    let mut cards = playing(&player(&mut writes, id, user).await?)?;
    if cards.moves() != seen {
        return Err(moved_on());
    }
    cards.act(PlayerId(user), action, &mut rand::rng()).map_err(illegal)?;
    game::lay(&mut writes, id, &cards).await?;
    writes.commit().await?;
    app.referee.notify_one();
    changed(app, id, Some(&cards)).await;
    Ok(cards.moves())
}

/// A player leaves the table.
pub(super) async fn leave(
    writes: &mut SqliteConnection,
    game: &Game,
    user: i64,
) -> Result<(), Error> {
    let mut cards = playing(game)?;
    cards.leave(PlayerId(user), &mut rand::rng()).map_err(illegal)?;
    game::lay(writes, &game.id, &cards).await
}

/// Passes over whoever is on turn and has been away for too long. Does nothing if that is nobody,
/// or everybody.
pub(crate) async fn skip(app: &App, id: &GameId) -> Result<(), Error> {
    let mut writes = app.database.begin().await?;
    let Some(game) = game::find(&mut *writes, id).await? else { return Ok(()) };
    let Ok(mut cards) = playing(&game) else { return Ok(()) };
    let too_long = now() - app.config.limits.away_millis();
    let away: BTreeSet<_> = game_user::seated(&mut *writes, id)
        .await?
        .into_iter()
        .filter(|seated| seated.away_since.is_some_and(|since| since <= too_long))
        .map(|seated| PlayerId(seated.id))
        .collect();
    match cards.skip(&away) {
        Ok(()) => {}
        Err(Illegal::NotAway(_) | Illegal::EverybodyAway | Illegal::Over) => return Ok(()),
        Err(error) => return Err(illegal(error)),
    }
    game::lay(&mut writes, id, &cards).await?;
    writes.commit().await?;
    app.referee.notify_one();
    changed(app, id, Some(&cards)).await;
    Ok(())
}

/// The table has changed, and with it what its players hold or may do.
pub(crate) async fn changed(app: &App, id: &GameId, cards: Option<&Cards>) {
    let mut channels = vec![Channel::Game(id.clone())];
    if let Some(cards) = cards {
        channels.extend(cards.seats().map(|seat| Channel::Hand(id.clone(), seat.id.0)));
    }
    app.pusher.changed(channels).await;
}

/// The cards of a game that is being played.
fn playing(game: &Game) -> Result<Cards, Error> {
    match (game.status, game.cards()?) {
        (Status::Playing, Some(cards)) => Ok(cards),
        _ => Err(moved_on()),
    }
}

fn moved_on() -> Error {
    Error::Conflict("The game has moved on. Look again before you play.".to_owned())
}

fn illegal(error: Illegal) -> Error {
    Error::Invalid(error.to_string())
}
