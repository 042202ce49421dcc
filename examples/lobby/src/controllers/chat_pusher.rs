// SPDX-License-Identifier: MIT OR Apache-2.0
//! What was said last.

use crate::database::message::Message;
use crate::database::{Database, message};
use crate::error::Error;
use crate::game_id::GameId;

/// The truth of `private-CHAT_<id>`, which pages get as `CHAT_MESSAGES`: a game's last messages,
/// oldest first. A page that has missed more sees it by their numbers, and asks for the rest.
pub(crate) async fn messages(database: &Database, game: &GameId) -> Result<Vec<Message>, Error> {
    Ok(message::last(database.reads(), game, None).await?)
}
