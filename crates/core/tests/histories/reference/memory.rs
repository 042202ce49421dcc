// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Memory`]: what a cache channel must remember, as a count of all events there ever were.
//!
//! When a channel that nobody touched for long begins a new epoch is its home's choice. The
//! reference notes each moment at which it might have, and takes the one that an acknowledgement
//! shows.

use std::collections::HashSet;
use std::time::Duration;

use oyez_core::{IDENTITY_AGE, Millis};

use crate::heard::{Cut, Heard};

/// Protocol section 3: a cache channel remembers for 30 minutes.
pub(crate) const CACHE_AGE: Duration = Duration::from_secs(30 * 60);

#[derive(Debug, Default)]
pub(crate) struct Memory {
    /// Events published since the beginning of time.
    published: u64,
    /// Those that everybody may see.
    released: u64,
    /// How many of them came before the epoch.
    base: u64,
    epoch: Option<String>,
    epochs: u32,
    /// What the base would be, had an epoch begun at the moments at which one might have.
    maybe: Vec<u64>,
    touched: Option<Millis>,
    latest: Option<Latest>,
    /// Whether the webhook of this empty period was sent.
    miss_told: bool,
}

#[derive(Debug)]
struct Latest {
    name: String,
    data: String,
    at: Millis,
}

/// Whether anybody is subscribed to the channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Audience {
    Somebody,
    Nobody,
}

impl Memory {
    /// Somebody is about to publish or subscribe.
    pub(crate) fn touch(&mut self, audience: Audience, now: Millis) {
        let untouched = self.touched.is_none_or(|at| now.since(at) >= IDENTITY_AGE);
        // Nothing is kept of a log in which nothing is.
        let is_blank = self.published == self.base;
        if audience == Audience::Nobody && (untouched || is_blank) {
            self.maybe.push(self.published);
        }
        self.touched = Some(now);
    }

    /// Takes an event that nobody has seen yet.
    pub(crate) fn publish(&mut self) {
        self.published += 1;
    }

    /// Everybody may see an event of that time; answers its offset.
    pub(crate) fn release(&mut self, name: &str, data: &str, at: Millis) -> u64 {
        self.released += 1;
        self.miss_told = false;
        self.latest = Some(Latest { name: name.to_owned(), data: data.to_owned(), at });
        self.released - self.base
    }

    /// Whether somebody would see less than there is.
    pub(crate) fn is_behind(&self) -> bool {
        self.released < self.published
    }

    /// The data of the remembered event, and how long it will be kept.
    pub(crate) fn cached(&self, now: Millis) -> Option<(&str, Duration)> {
        let latest = self.latest.as_ref().filter(|latest| now.since(latest.at) < CACHE_AGE)?;
        Some((&latest.data, CACHE_AGE - now.since(latest.at)))
    }

    /// Whether this is not its first epoch.
    pub(crate) fn has_forgotten(&self) -> bool {
        self.epochs > 1
    }

    /// G1: the cut of a subscription that begins now, and its replay. Answers how many
    /// webhooks must tell of a miss.
    pub(crate) fn check_cut(
        &mut self,
        cut: &Cut,
        replay: &[impl AsRef<Heard>],
        now: Millis,
        epochs: &mut HashSet<String>,
    ) -> usize {
        if self.epoch.as_ref() != Some(&cut.epoch) {
            assert!(epochs.insert(cut.epoch.clone()), "an epoch that has been before: {cut:?}");
            let base = self.maybe.iter().find(|base| self.released - **base == cut.offset);
            self.base = *base.unwrap_or_else(|| {
                panic!("no new epoch could have this offset: {cut:?}, reference {self:?}")
            });
            (self.epoch, self.miss_told) = (Some(cut.epoch.clone()), false);
            self.epochs += 1;
        }
        self.maybe.clear();
        assert_eq!(cut.offset, self.released - self.base, "the cut is the end of what is released");
        assert_eq!((&cut.reason, cut.version), (&None, None), "nobody resumed, and no truth");
        assert_eq!((cut.resumed, cut.epoch.len(), cut.term.len()), (false, 8, 8), "{cut:?}");

        let expected = match &self.latest {
            Some(Latest { name, data, at }) if now.since(*at) < CACHE_AGE => Heard::Event {
                name: name.clone(),
                data: data.clone(),
                user: None,
                offset: Some(cut.offset),
                replayed: true,
            },
            _ => Heard::CacheMiss,
        };
        assert_eq!(replay.len(), 1, "either the last event or a miss");
        assert_eq!(*replay[0].as_ref(), expected, "P-046, P-047: the view of the log at the cut");
        let is_miss = expected == Heard::CacheMiss;
        assert_eq!(cut.replay, usize::from(!is_miss));
        usize::from(is_miss && !std::mem::replace(&mut self.miss_told, true))
    }
}
