// SPDX-License-Identifier: MIT OR Apache-2.0
//! The table `messages`: what was said in each game's chat, numbered without holes.

use serde::Serialize;
use sqlx::{SqliteConnection, SqlitePool};

use super::now;
use crate::game_id::GameId;

/// A message has at most so many characters.
pub(crate) const LENGTH: usize = 500;

/// So many are shown, and loaded, at once.
const PAGE: i64 = 50;

/// A game's chat keeps so many, and up to a page more.
const KEPT: i64 = 5_000;

/// What somebody said.
#[derive(Clone, Debug, PartialEq, Serialize, sqlx::FromRow)]
pub(crate) struct Message {
    /// 1, 2, 3 … in each game.
    pub(crate) number: i64,
    pub(crate) user_id: i64,
    pub(crate) username: String,
    pub(crate) text: String,
    /// Milliseconds since 1970.
    pub(crate) time: i64,
}

/// Somebody says that. Answers the message's number.
pub(crate) async fn add(
    writes: &mut SqliteConnection,
    game: &GameId,
    user: i64,
    text: &str,
) -> Result<i64, sqlx::Error> {
    let number: i64 = sqlx::query_scalar(
        "INSERT INTO messages (game_id, number, user_id, text, time)
         VALUES (?1, 1 + coalesce((SELECT max(number) FROM messages WHERE game_id = ?1), 0), ?2, ?3, ?4)
         RETURNING number",
    )
    .bind(game)
    .bind(user)
    .bind(text)
    .bind(now())
    .fetch_one(&mut *writes)
    .await?;
    // Some more are kept, so that not each message needs to look for old ones.
    if number % PAGE == 0 {
        sqlx::query("DELETE FROM messages WHERE game_id = ? AND number <= ?")
            .bind(game)
            .bind(number - KEPT)
            .execute(writes)
            .await?;
    }
    Ok(number)
}

/// The last messages of a game before that number, if any is given, oldest first, in one query.
pub(crate) async fn last(
    database: &SqlitePool,
    game: &GameId,
    before: Option<i64>,
) -> Result<Vec<Message>, sqlx::Error> {
    let mut last: Vec<Message> = sqlx::query_as(
        "SELECT messages.number, messages.user_id, users.username, messages.text, messages.time
         FROM messages JOIN users ON users.id = messages.user_id
         WHERE messages.game_id = ? AND messages.number < ?
         ORDER BY messages.number DESC
         LIMIT ?",
    )
    .bind(game)
    .bind(before.unwrap_or(i64::MAX))
    .bind(PAGE)
    .fetch_all(database)
    .await?;
    last.reverse();
    Ok(last)
}
