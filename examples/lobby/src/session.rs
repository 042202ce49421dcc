// SPDX-License-Identifier: MIT OR Apache-2.0
//! The session: a random number in a cookie, and in the database whose it is. It ends 30 days
//! after the last visit, or at the log-out, and outlives a restart.
//!
//! Scripts cannot read the cookie, other sites' forms do not send it, and whoever signs in gets a
//! new one: a number that somebody else knew before is worth nothing after.

use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use tower_sessions::cookie::SameSite;
use tower_sessions::cookie::time::{Duration as CookieDuration, OffsetDateTime};
use tower_sessions::session::{Error as SessionError, Id, Record};
use tower_sessions::session_store::{self, ExpiredDeletion};
use tower_sessions::{Expiry, Session, SessionManagerLayer, SessionStore};
use tower_sessions_sqlx_store::SqliteStore;

use crate::config::Config;
use crate::database::Database;
use crate::error::Error;

/// The cookie.
const NAME: &str = "lobby";

/// A session ends so long after the last day on which it was used.
const LASTS: CookieDuration = CookieDuration::days(30);

/// How often those that have ended are deleted.
const BETWEEN_DELETIONS: Duration = Duration::from_secs(60 * 60);

/// All that a session holds, under the key [`SIGNED_IN`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct SignedIn {
    user: i64,
    /// The day of the last visit, counted as Julius Scaliger did. A session is written once a
    /// day, and not for each request.
    day: i32,
}

const SIGNED_IN: &str = "signed_in";

impl SignedIn {
    fn today(user: i64) -> SignedIn {
        SignedIn { user, day: OffsetDateTime::now_utc().to_julian_day() }
    }
}

/// Signs that user in, in a new session.
pub(crate) async fn sign_in(session: &Session, user: i64) -> Result<(), Error> {
    session.cycle_id().await.map_err(broken)?;
    session.insert(SIGNED_IN, SignedIn::today(user)).await.map_err(broken)
}

/// Ends the session, here and in the browser.
pub(crate) async fn sign_out(session: &Session) -> Result<(), Error> {
    session.flush().await.map_err(broken)
}

/// The id of the user who is signed in. The first time on a day, the session is prolonged.
pub(crate) async fn visit(session: &Session) -> Result<Option<i64>, Error> {
    let signed_in: Option<SignedIn> = match session.get(SIGNED_IN).await {
        Ok(signed_in) => signed_in,
        // Of another version of this app.
        Err(SessionError::SerdeJson(_)) => None,
        Err(error) => return Err(broken(error)),
    };
    let Some(SignedIn { user, .. }) = signed_in else { return Ok(None) };
    let today = SignedIn::today(user);
    if signed_in != Some(today) {
        session.insert(SIGNED_IN, today).await.map_err(broken)?;
    }
    Ok(Some(user))
}

fn broken(error: SessionError) -> Error {
    Error::Broken(format!("the session: {error}"))
}

/// The table of sessions, which the library makes and knows. As elsewhere, readers do not queue
/// behind writers.
#[derive(Clone, Debug)]
pub(crate) struct Store {
    reads: SqliteStore,
    writes: SqliteStore,
}

impl Store {
    /// Opens the table in that database; makes it if need be.
    pub(crate) async fn open(database: &Database) -> Result<Store, sqlx::Error> {
        let reads = SqliteStore::new(database.reads().clone());
        let writes = SqliteStore::new(database.writes().clone());
        writes.migrate().await?;
        Ok(Store { reads, writes })
    }

    /// What gives a [`Session`] to every request, and to the browser its cookie.
    pub(crate) fn layer(&self, config: &Config) -> SessionManagerLayer<Store> {
        SessionManagerLayer::new(self.clone())
            .with_name(NAME)
            .with_path("/")
            .with_http_only(true)
            .with_same_site(SameSite::Lax)
            .with_secure(config.behind_proxy)
            .with_expiry(Expiry::OnInactivity(LASTS))
    }

    /// Deletes now and every hour what has ended; for ever, until it is dropped.
    pub(crate) async fn delete_expired(self) {
        let mut hours = tokio::time::interval(BETWEEN_DELETIONS);
        loop {
            hours.tick().await;
            if let Err(error) = self.delete_expired_now().await {
                tracing::error!(%error, "old sessions are not deleted");
            }
        }
    }

    async fn delete_expired_now(&self) -> session_store::Result<()> {
        self.writes.delete_expired().await
    }
}

#[async_trait]
impl SessionStore for Store {
    async fn create(&self, record: &mut Record) -> session_store::Result<()> {
        self.writes.create(record).await
    }

    /// A session that was ended meanwhile, by a log-out in another tab, stays ended.
    async fn save(&self, record: &Record) -> session_store::Result<()> {
        match self.writes.load(&record.id).await? {
            Some(_) => self.writes.save(record).await,
            None => Ok(()),
        }
    }

    async fn load(&self, id: &Id) -> session_store::Result<Option<Record>> {
        self.reads.load(id).await
    }

    async fn delete(&self, id: &Id) -> session_store::Result<()> {
        self.writes.delete(id).await
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Turns a session back to the day before.
    pub(crate) async fn last_visited_yesterday(store: &Store, id: &str) {
        change(store, id, |record| {
            let value = record.data.get_mut(SIGNED_IN).expect("somebody is signed in");
            let mut signed_in: SignedIn = serde_json::from_value(value.clone()).expect("its form");
            signed_in.day -= 1;
            *value = serde_json::to_value(signed_in).expect("its form");
        })
        .await;
    }

    /// Lets a session end by itself.
    pub(crate) async fn expire(store: &Store, id: &str) {
        let minute = CookieDuration::minutes(1);
        change(store, id, |record| record.expiry_date = OffsetDateTime::now_utc() - minute).await;
    }

    /// What happens every hour.
    pub(crate) async fn delete_expired(store: &Store) {
        store.delete_expired_now().await.expect("no error");
    }

    async fn change(store: &Store, id: &str, change: impl FnOnce(&mut Record)) {
        let id = id.parse().expect("an id");
        let mut record = store.load(&id).await.expect("no error").expect("a session");
        change(&mut record);
        store.save(&record).await.expect("no error");
    }
}
