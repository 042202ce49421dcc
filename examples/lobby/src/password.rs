// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Password`] and [`PasswordHash`]: passwords are known as long as a request lasts, and then
//! only what they come to in Argon2id, with the library's parameters (19 MiB, two passes).
//!
//! Hashing takes a core for some ten milliseconds, so it is done beside the threads that serve,
//! on as many cores as there are and no more, and so many wait: whoever comes later is told so.

use std::fmt;
use std::ops::RangeInclusive;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::thread::{self, available_parallelism};

use argon2::password_hash::phc;
use argon2::{Argon2, PasswordHasher, PasswordVerifier};
use tokio::sync::{mpsc, oneshot};

use crate::error::Error;

/// How many characters a password has.
const CHARACTERS: RangeInclusive<usize> = 8..=128;

/// So many hashes are awaited at once for each core: the last of them for a second or two.
const WAITING_PER_CORE: usize = 64;

static QUEUE: LazyLock<Queue> =
    LazyLock::new(|| Queue::of(available_parallelism().map_or(1, Into::into)));

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
        QUEUE.run(move || hash(&self.0)).await?
    }

    /// Whether it is the password of which that was kept. Without one it is not, and that takes
    /// as long: the time does not tell which names there are.
    ///
    /// # Errors
    /// [`Error::TooMany`] if too many wait already.
    pub(crate) async fn is(self, kept: Option<PasswordHash>) -> Result<bool, Error> {
        QUEUE
            .run(move || match (&kept, &*NOBODY) {
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

/// A piece of work, which sends its result itself.
type Work = Box<dyn FnOnce() + Send>;

/// Threads that hash, one for each core, and the works that wait for one.
///
/// They are few and stay, so that each uses the memory of one hash again and again. On the threads
/// of a pool that comes and goes, each heap would keep its 19 MiB.
struct Queue {
    works: mpsc::Sender<Work>,
}

impl Queue {
    fn of(cores: usize) -> Queue {
        let (works, next) = mpsc::channel(cores * WAITING_PER_CORE);
        let next = Arc::new(Mutex::new(next));
        for _ in 0..cores {
            let next = Arc::clone(&next);
            thread::spawn(move || while work_once(&next) {});
        }
        Queue { works }
    }

    /// Does that work when a thread is free for it.
    async fn run<T: Send + 'static>(
        &'static self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Error> {
        let (tell, told) = oneshot::channel();
        // Nobody may wait for it any more.
        let work = Box::new(move || drop(tell.send(work())));
        self.works.try_send(work).map_err(|_| {
            Error::TooMany("Many people sign in right now. Please try again soon.".to_owned())
        })?;
        told.await.map_err(|_| Error::Broken("hashing has failed".to_owned()))
    }
}

/// Waits for a piece of work and does it. Answers whether there may be more.
fn work_once(next: &Mutex<mpsc::Receiver<Work>>) -> bool {
    let work = next.lock().unwrap_or_else(PoisonError::into_inner).blocking_recv();
    let Some(work) = work else { return false };
    // Whoever waits for one that panics is told by its channel; the thread goes on.
    let _ = catch_unwind(AssertUnwindSafe(work));
    true
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

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use tokio::task::yield_now;

    use super::*;

    fn password(text: &str) -> Password {
        Password::parse(text).expect("a password")
    }

    #[tokio::test]
    async fn a_password_is_itself_and_no_other() {
        let kept = password("eight of hearts").hash().await.expect("a hash");
        let is = async |text, kept| password(text).is(kept).await.expect("an answer");
        assert!(is("eight of hearts", Some(kept.clone())).await);
        assert!(!is("eight of heart", Some(kept.clone())).await);
        assert!(!is("Eight of hearts", Some(kept)).await);
        assert!(!is("There is no password without a user.", None).await);
    }

    #[tokio::test]
    async fn it_is_kept_as_argon2id_with_a_salt_of_its_own() {
        let one = password("eight of hearts").hash().await.expect("a hash");
        let other = password("eight of hearts").hash().await.expect("a hash");
        assert!(one.0.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{}", one.0);
        assert_ne!(one.0, other.0);
        assert!(!one.0.contains("hearts"));
        assert_eq!(format!("{one:?} {:?}", password("eight of hearts")), "PasswordHash Password");
    }

    #[tokio::test]
    async fn whoever_does_not_exist_takes_as_long_as_a_wrong_password() {
        let kept = password("eight of hearts").hash().await.expect("a hash");
        let nobody = NOBODY.as_ref().expect("a hash");
        let parameters = |hash: &PasswordHash| hash.0.rsplitn(3, '$').last().map(str::to_owned);
        assert_eq!(parameters(nobody), parameters(&kept));

        let shortest = async |kept: Option<PasswordHash>| {
            let mut shortest = Duration::MAX;
            for _ in 0..5 {
                let start = Instant::now();
                assert!(!password("eight of spades").is(kept.clone()).await.expect("an answer"));
                shortest = shortest.min(start.elapsed());
            }
            shortest
        };
        let (wrong, unknown) = (shortest(Some(kept)).await, shortest(None).await);
        assert!(unknown > wrong / 2, "{unknown:?} for nobody, {wrong:?} for somebody");
    }

    #[tokio::test]
    async fn only_so_many_wait() {
        let queue: &'static Queue = Box::leak(Box::new(Queue::of(1)));
        let (go, wait) = std::sync::mpsc::channel::<()>();
        let (begin, begun) = oneshot::channel();
        // It is done when the sender is gone.
        let first = tokio::spawn(queue.run(move || {
            let _ = begin.send(());
            wait.recv().is_err()
        }));
        begun.await.expect("it has begun");
        let others: Vec<_> =
            (0..WAITING_PER_CORE).map(|_| tokio::spawn(queue.run(|| true))).collect();
        while queue.works.capacity() > 0 {
            yield_now().await;
        }
        assert!(matches!(queue.run(|| true).await, Err(Error::TooMany(_))));
        drop(go);
        for done in others.into_iter().chain([first]) {
            assert!(done.await.expect("no panic").expect("done"));
        }
        assert!(queue.run(|| true).await.expect("there is room again"));
    }

    #[tokio::test]
    async fn work_that_panics_is_told_and_hurts_no_other() {
        let queue: &'static Queue = Box::leak(Box::new(Queue::of(1)));
        let result = queue.run(|| panic!("a hash that fails")).await;
        assert!(matches!(result, Err::<(), _>(Error::Broken(_))));
        assert!(queue.run(|| true).await.expect("the thread goes on"));
    }
}
