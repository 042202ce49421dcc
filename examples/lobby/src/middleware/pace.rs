// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Paces`]: who did what how often, and when they may again.
//!
//! It is kept in memory, for a minute or so, and is shared by all handlers; each key is counted
//! on its own, without waiting for others. However many addresses and names there are, memory is
//! bounded: see [`KEYS`].

use std::hash::Hash;
use std::num::NonZeroU32;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use governor::clock::{Clock, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

use super::caller::Caller;
use crate::config::Limits;
use crate::database::user::Username;
use crate::error::Error;

/// With so many keys, those that did nothing of late are forgotten.
const SWEEP: usize = 10_000;

/// So many keys are counted at once; some 10 MB. Beyond, nobody may do it until some have done
/// nothing for a minute: such a crowd is an attack, and passwords take longer than they come.
const KEYS: usize = 100_000;

/// How often old keys are looked for.
const BETWEEN_SWEEPS: Duration = Duration::from_secs(1);

/// What each user may write at once, as a part of what they may in a minute.
const BURST: u32 = 4;

/// See the module.
#[derive(Debug)]
pub(crate) struct Paces {
    logins_by_address: Pace<Caller>,
    logins_by_name: Pace<String>,
    registrations: Pace<Caller>,
    messages: Pace<i64>,
    games: Pace<i64>,
}

impl Paces {
    pub(crate) fn new(limits: &Limits) -> Paces {
        let messages = limits.messages_per_minute;
        let at_once = NonZeroU32::new(messages.get() / BURST).unwrap_or(NonZeroU32::MIN);
        Paces {
            logins_by_address: Pace::new(Quota::per_minute(limits.logins_per_minute)),
            logins_by_name: Pace::new(Quota::per_minute(limits.logins_per_minute)),
            registrations: Pace::new(Quota::per_minute(limits.registrations_per_minute)),
            messages: Pace::new(Quota::per_minute(messages).allow_burst(at_once)),
            games: Pace::new(Quota::per_minute(limits.games_per_minute)),
        }
    }

    /// Somebody tries a password for that name. A wrong and a right one count alike.
    ///
    /// # Errors
    /// [`Error::TooMany`], with when to try again; as all here.
    pub(crate) fn log_in(&self, caller: Caller, username: &Username) -> Result<(), Error> {
        // The address first: so that it uses up no other's tries for that name.
        self.logins_by_address
            .step(&caller)
            .and_then(|()| self.logins_by_name.step(&username.folded()))
            .map_err(|wait| too_many("These were too many tries.", wait))
    }

    /// Somebody registers.
    pub(crate) fn register(&self, caller: Caller) -> Result<(), Error> {
        let step = self.registrations.step(&caller);
        step.map_err(|wait| too_many("Many have registered from where you are.", wait))
    }

    /// A user writes a message.
    pub(crate) fn message(&self, user: i64) -> Result<(), Error> {
        let step = self.messages.step(&user);
        step.map_err(|wait| too_many("You write faster than others read.", wait))
    }

    /// A user makes a game.
    pub(crate) fn game(&self, user: i64) -> Result<(), Error> {
        let step = self.games.step(&user);
        step.map_err(|wait| too_many("You open tables faster than others sit down.", wait))
    }
}

fn too_many(what: &str, wait: Duration) -> Error {
    let seconds = wait.as_millis().div_ceil(1_000).max(1);
    let s = if seconds == 1 { "" } else { "s" };
    Error::TooMany(format!("{what} Please try again in {seconds} second{s}."))
}

/// How often each of many does one thing.
#[derive(Debug)]
struct Pace<K: Clone + Eq + Hash> {
    limiter: DefaultKeyedRateLimiter<K>,
    clock: DefaultClock,
    swept: Mutex<Instant>,
}

impl<K: Clone + Eq + Hash> Pace<K> {
    fn new(quota: Quota) -> Pace<K> {
        Pace {
            limiter: RateLimiter::keyed(quota),
            clock: DefaultClock::default(),
            swept: Mutex::new(Instant::now()),
        }
    }

    /// Counts one more of that key; if that is too many, how long to wait.
    fn step(&self, key: &K) -> Result<(), Duration> {
        let keys = self.limiter.len();
        if keys >= SWEEP {
            self.sweep();
        }
        if keys >= KEYS && self.limiter.len() >= KEYS {
            return Err(BETWEEN_SWEEPS);
        }
        self.limiter.check_key(key).map_err(|until| until.wait_time_from(self.clock.now()))
    }

    /// Forgets those who may do everything again. One does it, now and then; nobody waits for it.
    fn sweep(&self) {
        let Ok(mut swept) = self.swept.try_lock() else { return };
        if swept.elapsed() >= BETWEEN_SWEEPS {
            self.limiter.retain_recent();
            self.limiter.shrink_to_fit();
            *swept = Instant::now();
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::config::Config;

    fn paces() -> Paces {
        let limits =
            ["--logins-per-minute=3", "--registrations-per-minute=2", "--messages-per-minute=8"];
        Paces::new(&Config::parse_from(["lobby"].into_iter().chain(limits)).limits)
    }

    fn caller(last: u8) -> Caller {
        Caller::new([192, 0, 2, last].into())
    }

    fn name(name: &str) -> Username {
        Username::parse(name).expect("a name")
    }

    fn refusal(done: Result<(), Error>) -> String {
        match done {
            Err(Error::TooMany(text)) => text,
            other => panic!("not refused: {other:?}"),
        }
    }

    #[test]
    fn an_address_has_so_many_tries_whichever_the_names() {
        let paces = paces();
        for user in ["ann", "bob", "cid"] {
            paces.log_in(caller(1), &name(user)).expect("a try");
        }
        let text = refusal(paces.log_in(caller(1), &name("dan")));
        assert_eq!(text, "These were too many tries. Please try again in 20 seconds.");
        paces.log_in(caller(2), &name("dan")).expect("another address");
    }

    #[test]
    fn a_name_has_so_many_tries_whichever_the_addresses() {
        let paces = paces();
        for (last, user) in [(1, "ann"), (2, "ANN"), (3, "Ann")] {
            paces.log_in(caller(last), &name(user)).expect("a try");
        }
        refusal(paces.log_in(caller(4), &name("ann")));
        paces.log_in(caller(4), &name("bob")).expect("another name");
    }

    #[test]
    fn an_address_has_so_many_registrations() {
        let paces = paces();
        paces.register(caller(1)).expect("one");
        paces.register(caller(1)).expect("two");
        refusal(paces.register(caller(1)));
        paces.register(caller(2)).expect("another address");
    }

    #[test]
    fn a_user_writes_a_quarter_at_once() {
        let paces = paces();
        paces.message(7).expect("one");
        paces.message(7).expect("two");
        let text = refusal(paces.message(7));
        assert_eq!(text, "You write faster than others read. Please try again in 8 seconds.");
        paces.message(8).expect("another user");
    }

    #[test]
    fn memory_is_bounded() {
        let pace = Pace::new(Quota::per_minute(NonZeroU32::MIN));
        for key in 0..KEYS {
            pace.step(&key).expect("there is room");
        }
        assert_eq!(pace.step(&KEYS), Err(BETWEEN_SWEEPS));
        assert_eq!(pace.limiter.len(), KEYS);
    }

    #[test]
    fn whoever_did_nothing_of_late_is_forgotten() {
        // A key is like new after two nanoseconds.
        let quota = Quota::with_period(Duration::from_nanos(1)).expect("a period");
        let pace = Pace { swept: Mutex::new(long_ago()), ..Pace::new(quota) };
        for key in 0..SWEEP {
            pace.step(&key).expect("there is room");
        }
        pace.step(&SWEEP).expect("there is room");
        assert!(pace.limiter.len() < SWEEP, "{} keys", pace.limiter.len());
    }

    fn long_ago() -> Instant {
        Instant::now().checked_sub(BETWEEN_SWEEPS).expect("the machine runs for longer")
    }
}
