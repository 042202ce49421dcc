// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Password`] and [`PasswordHash`]: passwords are known as long as a request lasts, and then
//! only what they come to in Argon2id, with the library's parameters (19 MiB, two passes).
//!
//! Hashing takes a core for some ten milliseconds, so it is done beside the threads that serve,
//! on as many cores as there are and no more, and so many wait: whoever comes later is told so.

use std::fmt;
use std::ops::RangeInclusive;
use std::sync::LazyLock;
use std::thread::available_parallelism;

use argon2::password_hash::phc;
use argon2::{Argon2, PasswordHasher, PasswordVerifier};
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

use crate::error::Error;

/// How many characters a password has.
const CHARACTERS: RangeInclusive<usize> = 8..=128;

/// So many hashes are awaited at once for each core: the last of them for a second or two.
const WAITING_PER_CORE: usize = 64;

static CORES: LazyLock<usize> = LazyLock::new(|| available_parallelism().map_or(1, Into::into));
static WAITING: LazyLock<Semaphore> = LazyLock::new(|| Semaphore::new(*CORES * WAITING_PER_CORE));
static HASHING: LazyLock<Semaphore> = LazyLock::new(|| Semaphore::new(*CORES));

/// The hash that nobody's password has, against which is checked whoever does not exist.
static NOBODY: LazyLock<Result<PasswordHash, Error>> =
    LazyLock::new(|| hash("There is no password without a user."));

/// What somebody says their password is.
pub(crate) struct Password(String);

/// What is kept of a password: a PHC string, with its salt and parameters.
#[derive(Clone, sqlx::Type)]
#[sqlx(transparent)]
pub(crate) struct PasswordHash(String);

impl Password {
    /// 8 to 128 characters, whichever.
    ///
    /// # Errors
    /// [`Error::Invalid`], with the rule.
    pub(crate) fn parse(text: &str) -> Result<Password, Error> {
        if CHARACTERS.contains(&text.chars().count()) {
            Ok(Password(text.to_owned()))
        } else {
            Err(Error::Invalid("A password is 8 to 128 characters.".to_owned()))
        }
    }

    /// What to keep of it; with a new salt each time.
    ///
    /// # Errors
    /// [`Error::TooMany`] if too many wait already.
    pub(crate) async fn hash(self) -> Result<PasswordHash, Error> {
        beside(move || hash(&self.0)).await?
    }

    /// Whether it is the password of which that was kept. Without one it is not, and that takes
    /// as long: the time does not tell which names there are.
    ///
    /// # Errors
    /// [`Error::TooMany`] if too many wait already.
    pub(crate) async fn is(self, kept: Option<PasswordHash>) -> Result<bool, Error> {
        beside(move || match (&kept, &*NOBODY) {
            (Some(kept), _) => verify(&self.0, kept),
            (None, Ok(nobody)) => verify(&self.0, nobody).map(|_| false),
            (None, Err(error)) => Err(Error::Broken(error.to_string())),
        })
        .await?
    }
}

fn hash(password: &str) -> Result<PasswordHash, Error> {
    let hash: phc::PasswordHash = Argon2::default()
        .hash_password(password.as_bytes())
        .map_err(|error| Error::Broken(format!("a password is not hashed: {error}")))?;
    Ok(PasswordHash(hash.to_string()))
}

fn verify(password: &str, kept: &PasswordHash) -> Result<bool, Error> {
    use argon2::password_hash::Error::PasswordInvalid;
    let broken = |error| Error::Broken(format!("a password is not verified: {error}"));
    let kept = phc::PasswordHash::new(&kept.0).map_err(|error| broken(error.to_string()))?;
    match Argon2::default().verify_password(password.as_bytes(), &kept) {
        Ok(()) => Ok(true),
        Err(PasswordInvalid) => Ok(false),
        Err(error) => Err(broken(error.to_string())),
    }
}

/// Does that work on a thread of its own, when there is a core for it. Whoever stops to wait
/// frees their place; work that has begun holds its core to its end.
async fn beside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Error> {
    let too_many = |_| {
        Error::TooMany("Many people sign in right now. Please try again in 5 seconds.".to_owned())
    };
    let _place = WAITING.try_acquire().map_err(too_many)?;
    let core = HASHING.acquire().await.expect("nobody closes it");
    let done = spawn_blocking(move || {
        let _core = core;
        work()
    });
    done.await.map_err(|error| Error::Broken(format!("hashing has failed: {error}")))
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password")
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash")
    }
}
