// SPDX-License-Identifier: MIT OR Apache-2.0
//! The table `games`: a game, who hosts it, and its cards while it is played.

use serde::Serialize;
use sqlx::{SqliteConnection, SqliteExecutor, SqlitePool};

use super::game_user::{Gone, Standing};
use super::now;
use crate::crazy_eights::Game as Cards;
use crate::error::Error;
use crate::game_id::GameId;

/// So many players are a full game.
pub(crate) const SEATS: usize = 6;

/// So many open games are shown.
const SHOWN: i64 = 50;

/// How far a game is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, sqlx::Type)]
#[serde(rename_all = "lowercase")]
#[sqlx(rename_all = "lowercase")]
pub(crate) enum Status {
    Lobby,
    Playing,
    Finished,
}

/// A game.
#[derive(Clone, Debug, sqlx::FromRow)]
pub(crate) struct Game {
    pub(crate) id: GameId,
    pub(crate) host_id: i64,
    pub(crate) status: Status,
    /// JSON.
    cards: Option<String>,
}

/// An open game, as the home page lists it.
#[derive(Clone, Debug, PartialEq, Serialize, sqlx::FromRow)]
pub(crate) struct OpenGame {
    pub(crate) id: GameId,
    /// Their name.
    pub(crate) host: String,
    pub(crate) players: i64,
}

/// A game that somebody plays in, as their home page lists it.
#[derive(Clone, Debug, PartialEq, sqlx::FromRow)]
pub(crate) struct MyGame {
    pub(crate) id: GameId,
    pub(crate) host: String,
    pub(crate) players: i64,
    pub(crate) status: Status,
}

impl Status {
    /// How people say it.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Status::Lobby => "in the lobby",
            Status::Playing => "being played",
            Status::Finished => "over",
        }
    }
}

impl Game {
    /// The cards as they lie.
    pub(crate) fn cards(&self) -> Result<Option<Cards>, Error> {
        let read = |text| {
            serde_json::from_str(text)
                .map_err(|error| Error::Broken(format!("the cards of {}: {error}", self.id)))
        };
        self.cards.as_deref().map(read).transpose()
    }
}

/// The game of that id.
pub(crate) async fn find(
    database: impl SqliteExecutor<'_>,
    id: &GameId,
) -> Result<Option<Game>, sqlx::Error> {
    sqlx::query_as("SELECT id, host_id, status, cards FROM games WHERE id = ?")
        .bind(id)
        .fetch_optional(database)
        .await
}

/// The game of that id, and how that user stands to it, in one query.
pub(crate) async fn find_for(
    database: impl SqliteExecutor<'_>,
    id: &GameId,
    user: i64,
) -> Result<Option<(Game, Standing)>, sqlx::Error> {
    #[derive(sqlx::FromRow)]
    struct Row {
        #[sqlx(flatten)]
        game: Game,
        is_seated: bool,
        gone: Option<Gone>,
    }
    let row: Option<Row> = sqlx::query_as(
        "SELECT games.id, games.host_id, games.status, games.cards,
             game_users.user_id IS NOT NULL AS is_seated, game_users.gone
         FROM games
         LEFT JOIN game_users ON game_users.game_id = games.id AND game_users.user_id = ?
         WHERE games.id = ?",
    )
    .bind(user)
    .bind(id)
    .fetch_optional(database)
    .await?;
    Ok(row.map(|row| (row.game, Standing::of(row.is_seated.then_some(row.gone)))))
}

/// The newest games that somebody can join, in one query.
pub(crate) async fn open(database: &SqlitePool) -> Result<Vec<OpenGame>, sqlx::Error> {
    sqlx::query_as(
        "SELECT games.id, users.username AS host, count(*) AS players
         FROM games
         JOIN users ON users.id = games.host_id
         JOIN game_users ON game_users.game_id = games.id AND game_users.gone IS NULL
         WHERE games.status = 'lobby'
         GROUP BY games.id
         HAVING count(*) < ?
         ORDER BY games.created_at DESC, games.id
         LIMIT ?",
    )
    .bind(SEATS as i64)
    .bind(SHOWN)
    .fetch_all(database)
    .await
}

/// The games that somebody plays in, newest first.
pub(crate) async fn of_user(database: &SqlitePool, user: i64) -> Result<Vec<MyGame>, sqlx::Error> {
    sqlx::query_as(
        "SELECT games.id, users.username AS host, games.status,
             (SELECT count(*) FROM game_users AS other
              WHERE other.game_id = games.id AND other.gone IS NULL) AS players
         FROM game_users
         JOIN games ON games.id = game_users.game_id
         JOIN users ON users.id = games.host_id
         WHERE game_users.user_id = ? AND game_users.gone IS NULL
         ORDER BY games.created_at DESC, games.id",
    )
    .bind(user)
    .fetch_all(database)
    .await
}

/// Makes a game with that host, who is not among its players yet.
pub(crate) async fn create(
    writes: &mut SqliteConnection,
    host: i64,
) -> Result<GameId, sqlx::Error> {
    let id = GameId::random();
    sqlx::query(
        "INSERT INTO games (id, host_id, status, created_at, changed_at)
         VALUES (?1, ?2, 'lobby', ?3, ?3)",
    )
    .bind(&id)
    .bind(host)
    .bind(now())
    .execute(writes)
    .await?;
    Ok(id)
}

/// Lays the cards as they are now.
pub(crate) async fn lay(
    writes: &mut SqliteConnection,
    id: &GameId,
    cards: &Cards,
) -> Result<(), Error> {
    let text = serde_json::to_string(cards)
        .map_err(|error| Error::Broken(format!("the cards of {id}: {error}")))?;
    let turn = cards.turn().map(|player| player.0);
    let status = if turn.is_some() { Status::Playing } else { Status::Finished };
    sqlx::query("UPDATE games SET status = ?, cards = ?, turn = ?, changed_at = ? WHERE id = ?")
        .bind(status)
        .bind(text)
        .bind(turn)
        .bind(now())
        .bind(id)
        .execute(writes)
        .await?;
    Ok(())
}

/// The game is a lobby again. Its cards stay, and with them the points and the number of moves.
pub(crate) async fn reopen(writes: &mut SqliteConnection, id: &GameId) -> Result<(), sqlx::Error> {
    sqlx::query("UPDATE games SET status = 'lobby', turn = NULL, changed_at = ? WHERE id = ?")
        .bind(now())
        .bind(id)
        .execute(writes)
        .await?;
    Ok(())
}

/// Somebody else is host from now on.
pub(crate) async fn set_host(
    writes: &mut SqliteConnection,
    id: &GameId,
    host: i64,
) -> Result<(), sqlx::Error> {
    sqlx::query("UPDATE games SET host_id = ? WHERE id = ?")
        .bind(host)
        .bind(id)
        .execute(writes)
        .await?;
    Ok(())
}

/// Notes that somebody was here.
pub(crate) async fn touch(writes: &mut SqliteConnection, id: &GameId) -> Result<(), sqlx::Error> {
    sqlx::query("UPDATE games SET changed_at = ? WHERE id = ?")
        .bind(now())
        .bind(id)
        .execute(writes)
        .await?;
    Ok(())
}

/// Deletes games that nobody has touched since `than`, and those without players that nobody has
/// touched since `empty_than`. Answers what they were.
pub(crate) async fn delete_older(
    writes: &SqlitePool,
    than: i64,
    empty_than: i64,
) -> Result<Vec<Game>, sqlx::Error> {
    sqlx::query_as(
        "DELETE FROM games
         WHERE changed_at < ? OR changed_at < ? AND NOT EXISTS (
             SELECT 1 FROM game_users WHERE game_id = games.id AND gone IS NULL)
         RETURNING id, host_id, status, cards",
    )
    .bind(than)
    .bind(empty_than)
    .fetch_all(writes)
    .await
}
