// SPDX-License-Identifier: MIT OR Apache-2.0
//! The `GamePusherController`: who plays in a game, and the word that this has changed.

use crate::app::App;
use crate::channel::Channel;
use crate::database::game_user::Player;
use crate::database::{Database, game, game_user};
use crate::error::Error;
use crate::game_id::GameId;

/// The truth of `LOBBY_<id>`, which pages get as `PLAYER_JOIN`: the game's players, in the order of
/// joining. None if there is no such game.
pub(crate) async fn players(
    database: &Database,
    game: &GameId,
) -> Result<Option<Vec<Player>>, Error> {
    let players = game_user::players(database.reads(), game).await?;
    if players.is_empty() && game::find(database.reads(), game).await?.is_none() {
        return Ok(None);
    }
    Ok(Some(players))
}

/// `TRIGGER_PLAYER_JOINED_LOBBY`: who plays in the game has changed. Nothing is read here, and so
/// nothing can be old: Oyez asks [`players`] itself, once for all who say this at the same moment.
pub(crate) async fn trigger_player_joined_lobby(app: &App, game: &GameId) {
    app.pusher.changed([Channel::Lobby(game.clone()), Channel::Games]).await;
}
