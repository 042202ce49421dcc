// SPDX-License-Identifier: MIT OR Apache-2.0
//! The database: one SQLite file, in which everything is that is true. One file here per table.
//!
//! All writing goes through one connection, in whose queue writers wait for their turn: SQLite
//! has one writer at a time anyway, and those who queue wait less than those who try again.
//! Readers have connections of their own and see the last commit (write-ahead log). A commit is on
//! disk before it returns, so that no page is shown what a power cut could take back.

pub(crate) mod game;
pub(crate) mod game_user;
pub(crate) mod message;
pub(crate) mod user;

use std::path::Path;
use std::time::{Duration, SystemTime};

use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{Connection as _, Sqlite, Transaction};

/// How many reads run at once.
const READERS: u32 = 4;

/// How long whoever comes last waits for the lock or a connection, before it is an error.
const PATIENCE: Duration = Duration::from_secs(5);

/// See the module.
#[derive(Clone, Debug)]
pub(crate) struct Database {
    reads: SqlitePool,
    writes: SqlitePool,
}

impl Database {
    /// Opens the database in that file; makes it, or brings its tables up to date, if need be.
    pub(crate) async fn open(file: &Path) -> Result<Database, sqlx::Error> {
        let options = SqliteConnectOptions::new()
            .filename(file)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(PATIENCE);
        let pool = |connections| {
            SqlitePoolOptions::new()
                .max_connections(connections)
                .acquire_timeout(PATIENCE)
                // SQLite ends a transaction by itself when the disk is full, say, and its connection
                // would believe for ever to be within one: another one takes its place.
                .before_acquire(|connection, _| {
                    let is_whole = !connection.is_in_transaction();
                    Box::pin(async move { Ok(is_whole) })
                })
                .connect_with(options.clone())
        };
        let writes = pool(1).await?;
        sqlx::migrate!().run(&writes).await?;
        Ok(Database { reads: pool(READERS).await?, writes })
    }

    /// For reading.
    pub(crate) fn reads(&self) -> &SqlitePool {
        &self.reads
    }

    /// For one write that needs no transaction.
    pub(crate) fn writes(&self) -> &SqlitePool {
        &self.writes
    }

    /// Begins to write: nobody else writes until the transaction is committed or dropped, and so
    /// what it reads stays true until then.
    pub(crate) async fn begin(&self) -> Result<Transaction<'static, Sqlite>, sqlx::Error> {
        self.writes.begin_with("BEGIN IMMEDIATE").await
    }
}

/// Now, as the database writes it: milliseconds since 1970.
pub(crate) fn now() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_transaction_that_sqlite_ended_by_itself_keeps_nobody_else_from_writing() {
        let folder = tempfile::tempdir().expect("a folder");
        let database = Database::open(&folder.path().join("lobby.db")).await.expect("it opens");
        for _ in 0..3 {
            let mut writes = database.begin().await.expect("nobody else writes");
            // As it does when the disk is full.
            sqlx::query("ROLLBACK").execute(&mut *writes).await.expect("it ends");
            drop(writes);
        }
        let writes = database.begin().await.expect("nobody else writes");
        writes.commit().await.expect("it is written");
    }
}
