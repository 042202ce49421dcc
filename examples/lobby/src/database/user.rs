// SPDX-License-Identifier: MIT OR Apache-2.0
//! The table `users`: who has registered.

use sqlx::SqliteExecutor;

use super::now;
use crate::error::Error;
use crate::password::PasswordHash;

/// How many characters a name has.
const CHARACTERS: std::ops::RangeInclusive<usize> = 3..=20;

/// A name that a user can have. Two names that differ only in large and small letters are one.
#[derive(Clone, Debug)]
pub(crate) struct Username(String);

impl Username {
    /// 3 to 20 letters, digits, `_` or `-`, all ASCII, so that no name looks like another.
    ///
    /// # Errors
    /// [`Error::Invalid`], with the rule.
    pub(crate) fn parse(text: &str) -> Result<Username, Error> {
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
        if CHARACTERS.contains(&text.len()) && text.bytes().all(is_allowed) {
            Ok(Username(text.to_owned()))
        } else {
            Err(Error::Invalid("A name is 3 to 20 letters, digits, _ or -.".to_owned()))
        }
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// The same for all spellings of the name.
    pub(crate) fn folded(&self) -> String {
        self.0.to_ascii_lowercase()
    }
}

/// A user.
#[derive(Clone, Debug, sqlx::FromRow)]
pub(crate) struct User {
    pub(crate) id: i64,
    /// As it was spelled at registration.
    pub(crate) username: String,
    pub(crate) password_hash: PasswordHash,
}

/// A new user's id; `None` if the name is taken.
pub(crate) async fn create(
    writes: impl SqliteExecutor<'_>,
    username: &Username,
    password_hash: &PasswordHash,
) -> Result<Option<i64>, sqlx::Error> {
    sqlx::query_scalar(
        "INSERT INTO users (username, password_hash, created_at) VALUES (?, ?, ?)
         ON CONFLICT (username) DO NOTHING RETURNING id",
    )
    .bind(username.as_str())
    .bind(password_hash)
    .bind(now())
    .fetch_optional(writes)
    .await
}

/// The user of that name, in any spelling.
pub(crate) async fn find_by_name(
    database: impl SqliteExecutor<'_>,
    username: &Username,
) -> Result<Option<User>, sqlx::Error> {
    // The column compares without case.
    sqlx::query_as("SELECT id, username, password_hash FROM users WHERE username = ?")
        .bind(username.as_str())
        .fetch_optional(database)
        .await
}

/// The user of that id.
pub(crate) async fn find_by_id(
    database: impl SqliteExecutor<'_>,
    id: i64,
) -> Result<Option<User>, sqlx::Error> {
    sqlx::query_as("SELECT id, username, password_hash FROM users WHERE id = ?")
        .bind(id)
        .fetch_optional(database)
        .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_letters_digits_and_two_signs() {
        for name in ["ann", "Ann_99", "a-b", "-_-", "12345678901234567890"] {
            assert!(Username::parse(name).is_ok(), "{name:?}");
        }
        for name in ["", "an", "123456789012345678901", "a nn", "änn", "аnn", "ann\n", "a.n", "<b>"]
        {
            assert!(Username::parse(name).is_err(), "{name:?}");
        }
    }
}
