// SPDX-License-Identifier: MIT OR Apache-2.0
//! The table `game_users`: who plays in which game.

use serde::Serialize;
use sqlx::{SqliteConnection, SqliteExecutor, SqlitePool};

use super::now;
use crate::game_id::GameId;

/// A player of a game, as the lobby shows them.
#[derive(Clone, Debug, PartialEq, Serialize, sqlx::FromRow)]
pub(crate) struct Player {
    pub(crate) id: i64,
    pub(crate) username: String,
    pub(crate) ready: bool,
    pub(crate) host: bool,
    /// The cards are dealt: nobody else can take a seat.
    pub(crate) playing: bool,
}

/// Somebody at the table, those who left included.
#[derive(Clone, Debug, PartialEq, sqlx::FromRow)]
pub(crate) struct Seated {
    pub(crate) id: i64,
    pub(crate) username: String,
    pub(crate) away_since: Option<i64>,
}

/// Why somebody does not play any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, sqlx::Type)]
#[sqlx(rename_all = "lowercase")]
pub(crate) enum Gone {
    Left,
    /// By the host: for good.
    Removed,
}

/// How somebody stands to a game.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    Stranger,
    Player,
    Gone(Gone),
}

impl Standing {
    /// By the row of the table, if there is one.
    pub(super) fn of(row: Option<Option<Gone>>) -> Standing {
        match row {
            None => Standing::Stranger,
            Some(None) => Standing::Player,
            Some(Some(gone)) => Standing::Gone(gone),
        }
    }
}

/// The players of a game, in the order of joining, in one query.
pub(crate) async fn players(
    database: impl SqliteExecutor<'_>,
    game: &GameId,
) -> Result<Vec<Player>, sqlx::Error> {
    sqlx::query_as(
        "SELECT users.id, users.username, game_users.ready, users.id = games.host_id AS host,
                games.status <> 'lobby' AS playing
         FROM game_users
         JOIN users ON users.id = game_users.user_id
         JOIN games ON games.id = game_users.game_id
         WHERE game_users.game_id = ? AND game_users.gone IS NULL
         ORDER BY game_users.seat",
    )
    .bind(game)
    .fetch_all(database)
    .await
}

/// Everybody who sat down, those who left included, in one query.
pub(crate) async fn seated(
    database: impl SqliteExecutor<'_>,
    game: &GameId,
) -> Result<Vec<Seated>, sqlx::Error> {
    sqlx::query_as(
        "SELECT users.id, users.username, game_users.away_since
         FROM game_users JOIN users ON users.id = game_users.user_id
         WHERE game_users.game_id = ? AND game_users.gone IS NOT 'removed'
         ORDER BY game_users.seat",
    )
    .bind(game)
    .fetch_all(database)
    .await
}

/// How somebody stands to a game.
pub(crate) async fn standing(
    database: impl SqliteExecutor<'_>,
    game: &GameId,
    user: i64,
) -> Result<Standing, sqlx::Error> {
    let row: Option<Option<Gone>> =
        sqlx::query_scalar("SELECT gone FROM game_users WHERE game_id = ? AND user_id = ?")
            .bind(game)
            .bind(user)
            .fetch_optional(database)
            .await?;
    Ok(Standing::of(row))
}

/// In how many games somebody plays.
pub(crate) async fn count_of_user(
    database: impl SqliteExecutor<'_>,
    user: i64,
) -> Result<u32, sqlx::Error> {
    sqlx::query_scalar("SELECT count(*) FROM game_users WHERE user_id = ? AND gone IS NULL")
        .bind(user)
        .fetch_one(database)
        .await
}

/// Somebody joins, behind those who are there.
pub(crate) async fn join(
    writes: &mut SqliteConnection,
    game: &GameId,
    user: i64,
    away_since: Option<i64>,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO game_users (game_id, user_id, seat, away_since)
         VALUES (?1, ?2, 1 + coalesce((SELECT max(seat) FROM game_users WHERE game_id = ?1), 0), ?3)",
    )
    .bind(game)
    .bind(user)
    .bind(away_since)
    .execute(writes)
    .await?;
    Ok(())
}

/// Somebody is a player no more.
pub(crate) async fn go(
    writes: &mut SqliteConnection,
    game: &GameId,
    user: i64,
    gone: Gone,
) -> Result<(), sqlx::Error> {
    sqlx::query("UPDATE game_users SET gone = ?, ready = 0 WHERE game_id = ? AND user_id = ?")
        .bind(gone)
        .bind(game)
        .bind(user)
        .execute(writes)
        .await?;
    Ok(())
}

/// Forgets those who left, so that they may join again. Those who were removed stay removed.
pub(crate) async fn forget_left(
    writes: &mut SqliteConnection,
    game: &GameId,
) -> Result<(), sqlx::Error> {
    sqlx::query("DELETE FROM game_users WHERE game_id = ? AND gone = 'left'")
        .bind(game)
        .execute(writes)
        .await?;
    Ok(())
}

/// Whether somebody is ready to play.
pub(crate) async fn set_ready(
    writes: &mut SqliteConnection,
    game: &GameId,
    user: i64,
    ready: bool,
) -> Result<(), sqlx::Error> {
    sqlx::query("UPDATE game_users SET ready = ? WHERE game_id = ? AND user_id = ?")
        .bind(ready)
        .bind(game)
        .bind(user)
        .execute(writes)
        .await?;
    Ok(())
}

/// Nobody is ready any more.
pub(crate) async fn unready(
    writes: &mut SqliteConnection,
    game: &GameId,
) -> Result<(), sqlx::Error> {
    sqlx::query("UPDATE game_users SET ready = 0 WHERE game_id = ?")
        .bind(game)
        .execute(writes)
        .await?;
    Ok(())
}

/// A player's last page is gone since then, or one is there again. Says whether that is news.
pub(crate) async fn set_away(
    writes: &SqlitePool,
    game: &GameId,
    user: i64,
    since: Option<i64>,
) -> Result<bool, sqlx::Error> {
    let done = sqlx::query(
        "UPDATE game_users SET away_since = ?1
         WHERE game_id = ?2 AND user_id = ?3 AND (away_since IS NULL) <> (?1 IS NULL)",
    )
    .bind(since)
    .bind(game)
    .bind(user)
    .execute(writes)
    .await?;
    Ok(done.rows_affected() > 0)
}

/// Everybody is away: the server has just started. Whoever comes back has all their time again.
pub(crate) async fn all_away(writes: &SqlitePool) -> Result<(), sqlx::Error> {
    sqlx::query(
        "UPDATE game_users SET away_since = ?
         WHERE away_since IS NULL OR game_id IN (SELECT id FROM games WHERE status = 'playing')",
    )
    .bind(now())
    .execute(writes)
    .await?;
    Ok(())
}

/// Whoever is on turn and away, and since when, where somebody else is not away for so long.
pub(crate) async fn awaited(
    database: &SqlitePool,
    present_since: i64,
) -> Result<Vec<(GameId, i64)>, sqlx::Error> {
    sqlx::query_as(
        "SELECT games.id, game_users.away_since
         FROM games
         JOIN game_users ON game_users.game_id = games.id AND game_users.user_id = games.turn
         WHERE games.status = 'playing' AND game_users.away_since IS NOT NULL AND EXISTS (
             SELECT 1 FROM game_users AS other
             WHERE other.game_id = games.id AND other.gone IS NULL
               AND other.user_id <> games.turn
               AND (other.away_since IS NULL OR other.away_since > ?))
         ORDER BY game_users.away_since",
    )
    .bind(present_since)
    .fetch_all(database)
    .await
}
