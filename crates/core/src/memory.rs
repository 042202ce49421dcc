// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Memory`]: what a channel remembers for whoever comes later, and its place in the log.

use std::time::Duration;

use oyez_protocol::channel::ChannelName;
use oyez_protocol::encode::{CutPosition, Extras, Frame, Replayed};
use oyez_protocol::position::{Epoch, Offset, Position, Term};
use rand::RngExt;
use rand::rngs::StdRng;
use smallvec::{SmallVec, smallvec};

use crate::effect::Cached;
use crate::time::Millis;

/// How long a cache channel keeps its last event (protocol section 3).
pub(crate) const CACHE_AGE: Duration = Duration::from_secs(30 * 60);

/// Names a numbering (epoch) or an authority (term).
pub(crate) type Name = [u8; 8];

/// What a memory is worth to which nothing was published yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Blank {
    /// Nothing: it goes with its channel, or strangers could fill the server with it.
    Nothing,
    /// Its webhook was told that the cache was missed, and shall not be told again.
    Told,
}

/// A log of which the newest event is kept.
#[derive(Debug)]
pub(crate) struct Memory {
    epoch: Name,
    offset: u64,
    latest: Option<Entry>,
    /// Whether the webhook of this empty period has been sent.
    miss_told: bool,
    touched: Millis,
    blank: Blank,
}

#[derive(Debug)]
struct Entry {
    offset: u64,
    at: Millis,
    event: String,
    data: String,
}

/// What a newcomer is shown.
pub(crate) struct Cut {
    /// The acknowledgement, then the replay.
    pub(crate) frames: SmallVec<[Frame; 2]>,
    /// Whether `cache_miss` was among them and nobody was told of it before.
    pub(crate) new_miss: bool,
}

/// Eight random base62 characters.
pub(crate) fn random_name(rng: &mut StdRng) -> Name {
    const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    std::array::from_fn(|_| ALPHABET[rng.random_range(0..ALPHABET.len())])
}

fn text(name: &Name) -> &str {
    std::str::from_utf8(name).expect("made of base62 characters")
}

fn place(offset: u64) -> Offset {
    Offset::new(offset).expect("a channel has fewer than 2^53 events")
}

impl Memory {
    pub(crate) fn new(rng: &mut StdRng, blank: Blank, now: Millis) -> Memory {
        Memory {
            epoch: random_name(rng),
            offset: 0,
            latest: None,
            miss_told: false,
            touched: now,
            blank,
        }
    }

    /// Names its numbering.
    pub(crate) fn epoch(&self) -> Name {
        self.epoch
    }

    /// Takes the next offset for an event and remembers it.
    pub(crate) fn append(&mut self, event: &str, data: &str, now: Millis) -> Offset {
        self.offset += 1;
        self.touched = now;
        self.miss_told = false;
        let (event, data) = (event.to_owned(), data.to_owned());
        self.latest = Some(Entry { offset: self.offset, at: now, event, data });
        place(self.offset)
    }

    /// Everything for a subscription that begins now; `acknowledge` encodes the answer to it.
    pub(crate) fn cut(
        &mut self,
        channel: &ChannelName,
        term: &Name,
        now: Millis,
        acknowledge: impl FnOnce(CutPosition) -> Frame,
    ) -> Cut {
        self.trim(now);
        self.touched = now;
        let replay = usize::from(self.latest.is_some());
        let position = Position {
            epoch: Epoch::parse(text(&self.epoch)).expect("made of base62 characters"),
            term: Term::parse(text(term)).expect("made of base62 characters"),
            offset: place(self.offset),
        };
        let acknowledged = acknowledge(CutPosition::new(position, replay));
        let Some(entry) = &self.latest else {
            let new_miss = !std::mem::replace(&mut self.miss_told, true);
            return Cut { frames: smallvec![acknowledged, Frame::cache_miss(channel)], new_miss };
        };
        let offset = Some(place(entry.offset));
        let extras = Extras { offset, replayed: Some(Replayed), ..Extras::default() };
        let replayed = Frame::event(channel, &entry.event, &entry.data, extras);
        Cut { frames: smallvec![acknowledged, replayed], new_miss: false }
    }

    /// The remembered event, as the HTTP API shows it.
    pub(crate) fn cached(&mut self, now: Millis) -> Option<Cached> {
        self.trim(now);
        let entry = self.latest.as_ref()?;
        Some(Cached {
            data: entry.data.clone(),
            ttl: CACHE_AGE.saturating_sub(now.since(entry.at)),
        })
    }

    /// When this memory, if nobody touches it again, can be let go.
    pub(crate) fn idle_at(&self) -> Millis {
        self.touched + CACHE_AGE
    }

    /// Whether it can be let go.
    pub(crate) fn is_idle(&self, now: Millis) -> bool {
        (self.offset == 0 && self.blank == Blank::Nothing) || self.idle_at() <= now
    }

    /// Whether its first event has come just now, and nobody looks after its age yet.
    pub(crate) fn has_begun(&self) -> bool {
        self.offset == 1 && self.blank == Blank::Nothing
    }

    fn trim(&mut self, now: Millis) {
        self.latest.take_if(|entry| now.since(entry.at) >= CACHE_AGE);
    }
}
