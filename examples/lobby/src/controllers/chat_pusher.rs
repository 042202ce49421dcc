// SPDX-License-Identifier: MIT OR Apache-2.0
//! What was said last.

use crate::database::message::Message;
use crate::database::{Database, game, message};
use crate::error::Error;
use crate::game_id::GameId;

/// The truth of `private-CHAT_<id>`, which pages get as `CHAT_MESSAGES`: a game's last messages,
/// oldest first. A page that has missed more sees it by their numbers, and asks for the rest. None
/// if there is no such game.
pub(crate) async fn messages(
    database: &Database,
    game: &GameId,
) -> Result<Option<Vec<Message>>, Error> {
    let messages = message::last(database.reads(), game, None).await?;
    if messages.is_empty() && game::find(database.reads(), game).await?.is_none() {
        return Ok(None);
    }
    Ok(Some(messages))
}
