// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`ChannelKey`]: which channel of which app, hashed once at the door and carried from there.

use std::hash::{BuildHasher, Hash, Hasher};

use oyez_protocol::channel::ChannelName;

use crate::place::WorkerId;

/// An app, by its place in the config.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AppIndex(pub u32);

/// A channel of an app. Cheap to clone, and cheap to look up: its hash travels with it.
#[derive(Clone, Debug)]
pub struct ChannelKey {
    hash: u64,
    app: AppIndex,
    name: ChannelName,
}

/// Makes keys. One per server, seeded at random, so that nobody can choose names that collide.
#[derive(Clone, Debug)]
pub struct KeySpace {
    hasher: foldhash::fast::FixedState,
}

impl KeySpace {
    /// A key space of that seed. Keys of different key spaces must not meet.
    pub fn new(seed: u64) -> KeySpace {
        KeySpace { hasher: foldhash::fast::FixedState::with_seed(seed) }
    }

    /// The key of a channel.
    pub fn key(&self, app: AppIndex, name: ChannelName) -> ChannelKey {
        let mut hasher = self.hasher.build_hasher();
        app.hash(&mut hasher);
        name.hash(&mut hasher);
        ChannelKey { hash: hasher.finish(), app, name }
    }

    /// The worker that keeps an app's idempotency key, among so many.
    pub fn home_of_call(&self, app: AppIndex, key: &str, workers: usize) -> WorkerId {
        let mut hasher = self.hasher.build_hasher();
        app.hash(&mut hasher);
        key.hash(&mut hasher);
        WorkerId(((hasher.finish() >> 32) as usize % workers) as u16)
    }
}

impl ChannelKey {
    /// The app.
    pub fn app(&self) -> AppIndex {
        self.app
    }

    /// The channel's name.
    pub fn name(&self) -> &ChannelName {
        &self.name
    }

    /// Its place among so many, which are a power of two up to 256.
    pub(crate) fn shard(&self, shards: usize) -> usize {
        // Bits that neither choose the worker nor the place in a table of less than 2^24.
        (self.hash >> 24) as usize & (shards - 1)
    }

    /// A number that follows from the channel and that, in every key space.
    pub(crate) fn seed(&self, that: impl Hash) -> u64 {
        foldhash::fast::FixedState::default().hash_one((self.app, &self.name, that))
    }

    /// The worker that owns the channel, among so many.
    pub fn home(&self, workers: usize) -> WorkerId {
        // The high half: hash tables use the low one.
        WorkerId(((self.hash >> 32) as usize % workers) as u16)
    }
}

impl PartialEq for ChannelKey {
    fn eq(&self, other: &ChannelKey) -> bool {
        self.hash == other.hash && self.app == other.app && self.name == other.name
    }
}

impl Eq for ChannelKey {}

impl Hash for ChannelKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.hash);
    }
}

/// Hands a [`ChannelKey`]'s own hash to a hash table.
#[derive(Clone, Copy, Debug, Default)]
pub struct Prehashed(u64);

impl Hasher for Prehashed {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, _: &[u8]) {
        unreachable!("only channel keys are hashed here, by write_u64");
    }
    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

/// A table from channels.
pub type KeyMap<V> = hashbrown::HashMap<ChannelKey, V, std::hash::BuildHasherDefault<Prehashed>>;
