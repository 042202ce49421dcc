// SPDX-License-Identifier: MIT OR Apache-2.0
//! The app's database, read beside the app: what is true, and when it came to be.
//!
//! The app does not write down when a player joined or got ready. So before the load two triggers
//! are put into its database, which do that inside of the very transactions of the app: no change
//! without its line, in the order of the commits. The moment is a whole millisecond, rounded down,
//! and just before the commit; messages have such a moment of their own.

use super::message::{Listed, OpenGame, Said};
use super::moment::Moment;
use super::room::Change;
use crate::trouble::Trouble;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{Connection as _, Row as _};
use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::time::Duration;
use tokio::runtime::Runtime;

/// How long another's lock is waited for.
const PATIENCE: Duration = Duration::from_secs(10);

/// How many open games the home page shows, and how many players are a full one.
const GAMES_SHOWN: i64 = 50;
const FULL: i64 = 6;

/// A table of changes, and what fills it.
const LOG: &str = "
    CREATE TABLE bench_changes (
        place INTEGER PRIMARY KEY,
        game  TEXT NOT NULL,
        user  INTEGER NOT NULL,
        what  TEXT NOT NULL,
        time  INTEGER NOT NULL
    ) STRICT;
    CREATE TRIGGER bench_joins AFTER INSERT ON game_users BEGIN
        INSERT INTO bench_changes (game, user, what, time)
        VALUES (NEW.game_id, NEW.user_id, 'join', CAST(unixepoch('subsec') * 1000 AS INTEGER));
    END;
    CREATE TRIGGER bench_others AFTER UPDATE OF ready, gone ON game_users
    WHEN NEW.gone IS NOT OLD.gone OR NEW.ready IS NOT OLD.ready BEGIN
        INSERT INTO bench_changes (game, user, what, time)
        VALUES (
            NEW.game_id,
            NEW.user_id,
            CASE WHEN NEW.gone IS NOT NULL THEN 'leave'
                 WHEN NEW.ready THEN 'ready' ELSE 'unready' END,
            CAST(unixepoch('subsec') * 1000 AS INTEGER)
        );
    END;
";

/// A change, as its trigger wrote it down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Logged {
    pub(crate) user: i64,
    pub(crate) change: Change,
    pub(crate) time: Moment,
}

/// Everything that is true at one moment, by game, and how it came to be.
#[derive(Debug, Default)]
pub(crate) struct Facts {
    /// In the order of joining.
    pub(crate) players: HashMap<String, Vec<Listed>>,
    /// By number.
    pub(crate) messages: HashMap<String, Vec<Said>>,
    /// In the order of commits.
    pub(crate) changes: HashMap<String, Vec<Logged>>,
    /// The newest that can be joined.
    pub(crate) open_games: Vec<OpenGame>,
    /// Names of users by their ids.
    pub(crate) names: BTreeMap<i64, String>,
}

/// See the module.
pub(crate) struct Database {
    runtime: Runtime,
    connection: SqliteConnection,
}

impl Database {
    /// Opens the file, which the app has made.
    pub(crate) fn open(file: &Path) -> Result<Self, Trouble> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
        let runtime = runtime.map_err(Trouble::io("making a runtime"))?;
        let options = SqliteConnectOptions::new().filename(file).busy_timeout(PATIENCE);
        let connection = runtime.block_on(SqliteConnection::connect_with(&options))?;
        Ok(Self { runtime, connection })
    }

    /// From now on changes are written down.
    pub(crate) fn write_down_changes(&mut self) -> Result<(), Trouble> {
        let Self { runtime, connection } = self;
        runtime.block_on(sqlx::raw_sql(LOG).execute(connection))?;
        Ok(())
    }

    /// The ids of all users by their names.
    pub(crate) fn users(&mut self) -> Result<HashMap<String, i64>, Trouble> {
        let Self { runtime, connection } = self;
        let users = sqlx::query_as("SELECT username, id FROM users").fetch_all(connection);
        Ok(runtime.block_on(users)?.into_iter().collect())
    }

    /// All of it, as it is at one moment.
    pub(crate) fn facts(&mut self) -> Result<Facts, Trouble> {
        let Self { runtime, connection } = self;
        Ok(runtime.block_on(facts(connection))?)
    }
}

async fn facts(connection: &mut SqliteConnection) -> Result<Facts, sqlx::Error> {
    let mut facts = Facts::default();
    let mut reads = connection.begin().await?;
    let players = "SELECT game_users.game_id, users.id, users.username, game_users.ready, \
                          games.host_id = users.id, games.status <> 'lobby' \
                   FROM games, game_users, users \
                   WHERE games.id = game_users.game_id AND users.id = game_users.user_id \
                     AND game_users.gone IS NULL ORDER BY game_users.game_id, game_users.seat";
    for row in sqlx::query(players).fetch_all(&mut *reads).await? {
        let (id, username) = (row.try_get(1)?, row.try_get(2)?);
        let (ready, host, playing) = (row.try_get(3)?, row.try_get(4)?, row.try_get(5)?);
        let player = Listed { id, username, ready, host, playing };
        facts.players.entry(row.try_get(0)?).or_default().push(player);
    }
    let messages = "SELECT messages.game_id, number, user_id, username, text, time \
                    FROM messages, users WHERE users.id = user_id ORDER BY game_id, number";
    for row in sqlx::query(messages).fetch_all(&mut *reads).await? {
        let said = Said {
            number: row.try_get(1)?,
            user_id: row.try_get(2)?,
            username: row.try_get(3)?,
            text: row.try_get(4)?,
            time: row.try_get(5)?,
        };
        facts.messages.entry(row.try_get(0)?).or_default().push(said);
    }
    let changes = "SELECT game, user, what, time FROM bench_changes ORDER BY place";
    for row in sqlx::query(changes).fetch_all(&mut *reads).await? {
        let what: String = row.try_get(2)?;
        let change = match what.as_str() {
            "join" => Change::Join,
            "leave" => Change::Leave,
            "ready" => Change::Ready,
            _ => Change::Unready,
        };
        let time = Moment::of_millis(row.try_get(3)?).unwrap_or_default();
        let logged = Logged { user: row.try_get(1)?, change, time };
        facts.changes.entry(row.try_get(0)?).or_default().push(logged);
    }
    let games = "SELECT games.id, users.username, \
                        (SELECT count(*) FROM game_users \
                         WHERE game_users.game_id = games.id AND gone IS NULL) AS players \
                 FROM games, users WHERE users.id = games.host_id AND games.status = 'lobby' \
                   AND players BETWEEN 1 AND ? - 1 \
                 ORDER BY games.created_at DESC, games.id LIMIT ?";
    let games = sqlx::query(games).bind(FULL).bind(GAMES_SHOWN).fetch_all(&mut *reads).await?;
    for row in games {
        let (id, host) = (row.try_get(0)?, row.try_get(1)?);
        facts.open_games.push(OpenGame { id, host, players: row.try_get(2)? });
    }
    let names = sqlx::query_as("SELECT id, username FROM users").fetch_all(&mut *reads).await?;
    facts.names = names.into_iter().collect();
    reads.rollback().await?;
    Ok(facts)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As much of the app's tables as is read.
    const TABLES: &str = "
        CREATE TABLE users (id INTEGER PRIMARY KEY, username TEXT);
        CREATE TABLE games (id TEXT, host_id INTEGER, status TEXT, created_at INTEGER);
        CREATE TABLE game_users (
            game_id TEXT, user_id INTEGER, seat INTEGER, ready INTEGER NOT NULL DEFAULT 0, gone TEXT,
            away_since INTEGER
        );
        CREATE TABLE messages (game_id TEXT, number INTEGER, user_id INTEGER, text TEXT, time INTEGER);
        INSERT INTO users VALUES (1, 'ann'), (2, 'bob');
        INSERT INTO games VALUES ('a', 1, 'lobby', 5), ('b', 2, 'lobby', 6), ('c', 2, 'lobby', 7);
        INSERT INTO messages VALUES ('a', 1, 2, 'hi', 1790000000000);
    ";

    const CHANGES: &str = "
        INSERT INTO game_users VALUES ('a', 2, 2, 0, NULL, 1), ('a', 1, 1, 0, NULL, 1);
        INSERT INTO game_users VALUES ('b', 2, 1, 0, NULL, 1);
        UPDATE game_users SET away_since = NULL;
        UPDATE game_users SET ready = 1 WHERE game_id = 'a' AND user_id = 2;
        UPDATE game_users SET ready = 1 WHERE game_id = 'a' AND user_id = 2;
        UPDATE game_users SET gone = 'left', ready = 0 WHERE game_id = 'b';
    ";

    #[test]
    fn changes_are_written_down_in_their_order_and_facts_are_read() {
        let file = std::env::temp_dir().join(format!("oyez-bench-{}.db", std::process::id()));
        let _ = std::fs::remove_file(&file);
        std::fs::File::create(&file).unwrap();
        let mut database = Database::open(&file).unwrap();
        let run = |database: &mut Database, text| {
            let Database { runtime, connection } = database;
            runtime.block_on(sqlx::raw_sql(text).execute(connection)).unwrap();
        };
        run(&mut database, TABLES);
        database.write_down_changes().unwrap();
        let before = Moment::now();
        run(&mut database, CHANGES);

        assert_eq!(database.users().unwrap()["bob"], 2);
        let facts = database.facts().unwrap();
        std::fs::remove_file(&file).unwrap();
        let changes = |game: &str| -> Vec<(i64, Change)> {
            facts.changes[game].iter().map(|logged| (logged.user, logged.change)).collect()
        };
        assert_eq!(changes("a"), [(2, Change::Join), (1, Change::Join), (2, Change::Ready)]);
        assert_eq!(changes("b"), [(2, Change::Join), (2, Change::Leave)]);
        let time = facts.changes["b"][1].time;
        assert!(before.since(time) < 1_000 && time.since(before) < 60_000_000, "{time:?}");

        let players: Vec<_> = facts.players["a"].iter().map(|p| (p.id, p.ready, p.host)).collect();
        assert_eq!(players, [(1, false, true), (2, true, false)]);
        assert!(!facts.players.contains_key("b"));
        assert_eq!(facts.messages["a"][0].username, "bob");
        let open = OpenGame { id: "a".to_owned(), host: "ann".to_owned(), players: 2 };
        assert_eq!(facts.open_games, [open], "games without players cannot be joined");
    }
}
