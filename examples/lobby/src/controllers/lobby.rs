// SPDX-License-Identifier: MIT OR Apache-2.0
//! What happens in a lobby: making a game, joining it, getting ready, leaving, starting.
//!
//! Each function is one transaction, in which nobody else writes, and then the word that something
//! has changed. None of them knows who is looking.

use sqlx::SqliteConnection;

use crate::app::App;
use crate::controllers::audience;
use crate::controllers::game_pusher::trigger_player_joined_lobby;
use crate::controllers::table;
use crate::crazy_eights::{Game as Cards, PlayerId};
use crate::database::game::{self, Game, SEATS, Status};
use crate::database::game_user::{self, Gone, Standing};
use crate::database::now;
use crate::error::Error;
use crate::game_id::GameId;
use crate::referee;

/// There is no such game.
pub(crate) const UNKNOWN: Error = Error::NotFound("There is no such game. Perhaps it was deleted.");

/// They do not play in it.
pub(crate) const NOT_YOURS: Error = Error::Forbidden("You are not in this game.");

/// Somebody makes a game and is its host.
pub(crate) async fn create(app: &App, user: i64) -> Result<GameId, Error> {
    let mut writes = app.database.begin().await?;
    spare(app, &mut writes, user).await?;
    app.paces.game(user)?;
    let game = game::create(&mut writes, user).await?;
    game_user::join(&mut writes, &game, user, Some(now())).await?;
    writes.commit().await?;
    trigger_player_joined_lobby(app, &game).await;
    Ok(game)
}

/// Somebody joins. Whoever is in the game already stays in it.
pub(crate) async fn join(app: &App, id: &GameId, user: i64) -> Result<(), Error> {
    let mut writes = app.database.begin().await?;
    let (game, standing) = game::find_for(&mut *writes, id, user).await?.ok_or(UNKNOWN)?;
    match standing {
        Standing::Player => return Ok(()),
        Standing::Gone(Gone::Removed) => {
            return Err(conflict("The host has removed you from this game."));
        }
        Standing::Gone(Gone::Left) => {
            return Err(conflict("You have left this game. You can join again when it is over."));
        }
        Standing::Stranger => in_lobby(&game)?,
    }
    let players = game_user::players(&mut *writes, id).await?;
    if players.len() >= SEATS {
        return Err(conflict(&format!("This game is full: {SEATS} players are in it.")));
    }
    spare(app, &mut writes, user).await?;
    // Whoever comes back may have had a page open all the time, of which nobody tells any more.
    let away_since = referee::away_since(app, id, user).await?;
    game_user::join(&mut writes, id, user, away_since).await?;
    if players.is_empty() {
        game::set_host(&mut writes, id, user).await?;
    }
    game::touch(&mut writes, id).await?;
    writes.commit().await?;
    trigger_player_joined_lobby(app, id).await;
    Ok(())
}

/// A player is ready to play, or not any more.
pub(crate) async fn ready(app: &App, id: &GameId, user: i64, ready: bool) -> Result<(), Error> {
    let mut writes = app.database.begin().await?;
    in_lobby(&player(&mut writes, id, user).await?)?;
    game_user::set_ready(&mut writes, id, user, ready).await?;
    writes.commit().await?;
    trigger_player_joined_lobby(app, id).await;
    Ok(())
}

/// A player leaves, also in the middle of a game.
pub(crate) async fn leave(app: &App, id: &GameId, user: i64) -> Result<(), Error> {
    let mut writes = app.database.begin().await?;
    let game = player(&mut writes, id, user).await?;
    let cards = game.cards()?;
    go(&mut writes, &game, user, Gone::Left).await?;
    writes.commit().await?;
    audience::let_go(app, user, Some(id)).await;
    trigger_player_joined_lobby(app, id).await;
    table::changed(app, id, cards.as_ref()).await;
    Ok(())
}

/// The host removes a player, for good.
pub(crate) async fn remove(app: &App, id: &GameId, user: i64, whom: i64) -> Result<(), Error> {
    let mut writes = app.database.begin().await?;
    let game = hosted(&mut writes, id, user).await?;
    in_lobby(&game)?;
    if whom == user {
        return Err(conflict("You cannot remove yourself: leave the game instead."));
    }
    if game_user::standing(&mut *writes, id, whom).await? != Standing::Player {
        return Err(conflict("They are not in this game any more."));
    }
    let cards = game.cards()?;
    go(&mut writes, &game, whom, Gone::Removed).await?;
    writes.commit().await?;
    audience::let_go(app, whom, Some(id)).await;
    trigger_player_joined_lobby(app, id).await;
    table::changed(app, id, cards.as_ref()).await;
    Ok(())
}

/// The host starts: the cards are dealt.
pub(crate) async fn start(app: &App, id: &GameId, user: i64) -> Result<(), Error> {
    let mut writes = app.database.begin().await?;
    let game = hosted(&mut writes, id, user).await?;
    in_lobby(&game)?;
    let players = game_user::players(&mut *writes, id).await?;
    if let Some(waiting) = players.iter().find(|player| !player.ready && !player.host) {
        return Err(conflict(&format!("{} is not ready yet.", waiting.username)));
    }
    game_user::forget_left(&mut writes, id).await?;
    let ids: Vec<_> = players.iter().map(|player| PlayerId(player.id)).collect();
    let cards = match game.cards()? {
        Some(last) => last.again(&ids, &mut rand::rng()),
        None => Cards::deal(&ids, &mut rand::rng()),
    };
    let cards = cards.map_err(|error| conflict(&error.to_string()))?;
    game::lay(&mut writes, id, &cards).await?;
    writes.commit().await?;
    trigger_player_joined_lobby(app, id).await;
    table::changed(app, id, Some(&cards)).await;
    Ok(())
}

/// A finished game becomes a lobby again, for whoever is still in it.
pub(crate) async fn again(app: &App, id: &GameId, user: i64) -> Result<(), Error> {
    let mut writes = app.database.begin().await?;
    let game = player(&mut writes, id, user).await?;
    match game.status {
        Status::Finished => {}
        Status::Playing => return Err(conflict("This game is not over yet.")),
        // Somebody else was faster.
        Status::Lobby => return Ok(()),
    }
    let cards = game.cards()?;
    reopen(&mut writes, id).await?;
    writes.commit().await?;
    trigger_player_joined_lobby(app, id).await;
    table::changed(app, id, cards.as_ref()).await;
    Ok(())
}

/// The game, if that user plays in it.
pub(crate) async fn player(
    writes: &mut SqliteConnection,
    id: &GameId,
    user: i64,
) -> Result<Game, Error> {
    match game::find_for(writes, id, user).await?.ok_or(UNKNOWN)? {
        (game, Standing::Player) => Ok(game),
        (_, Standing::Stranger | Standing::Gone(_)) => Err(NOT_YOURS),
    }
}

/// The game, if that user hosts it.
async fn hosted(writes: &mut SqliteConnection, id: &GameId, user: i64) -> Result<Game, Error> {
    let game = player(writes, id, user).await?;
    if game.host_id != user {
        return Err(Error::Forbidden("Only the host can do that."));
    }
    Ok(game)
}

/// Somebody is in the game no more: their cards and their part as host go to others.
async fn go(
    writes: &mut SqliteConnection,
    game: &Game,
    user: i64,
    gone: Gone,
) -> Result<(), Error> {
    if game.status == Status::Playing {
        table::leave(writes, game, user).await?;
    }
    game_user::go(writes, &game.id, user, gone).await?;
    game::touch(writes, &game.id).await?;
    if game.status == Status::Lobby {
        game_user::forget_left(writes, &game.id).await?;
    }
    match game_user::players(&mut *writes, &game.id).await?.first() {
        Some(next) if user == game.host_id => game::set_host(writes, &game.id, next.id).await?,
        Some(_) => {}
        None => reopen(writes, &game.id).await?,
    }
    Ok(())
}

/// The game is a lobby again.
async fn reopen(writes: &mut SqliteConnection, id: &GameId) -> Result<(), Error> {
    game::reopen(writes, id).await?;
    game_user::unready(writes, id).await?;
    game_user::forget_left(writes, id).await?;
    Ok(())
}

/// Nothing, if the game has not begun.
fn in_lobby(game: &Game) -> Result<(), Error> {
    match game.status {
        Status::Lobby => Ok(()),
        Status::Playing => Err(conflict("This game has already started.")),
        Status::Finished => Err(conflict("This game is over. Its players can open it again.")),
    }
}

/// Nothing, if that user may be in one game more.
async fn spare(app: &App, writes: &mut SqliteConnection, user: i64) -> Result<(), Error> {
    let most = app.config.limits.games_per_user;
    if game_user::count_of_user(writes, user).await? >= most {
        return Err(conflict(&format!("You are in {most} games: leave one of them first.")));
    }
    Ok(())
}

fn conflict(text: &str) -> Error {
    Error::Conflict(text.to_owned())
}
