// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`ChannelTable`]: the channels of a home, found by their keys, and walked in slices.
//!
//! It is cut into shards, each a hash table of its own. A channel's hash says which is its shard,
//! for as long as it exists, so a walk may stop after any shard and go on after many changes: it
//! meets every channel that is there all the while exactly once. No channel pays for that with
//! memory, and no walk with order.

use std::fmt;
use std::hash::BuildHasherDefault;

use hashbrown::hash_map::Entry;

use crate::channel::Channel;
use crate::key::{ChannelKey, KeyMap, Prehashed};

/// A home with as many channels as one app may have, a million, has some 4,000 in a shard.
pub(super) const SHARDS: usize = 256;

/// See the module.
pub(super) struct ChannelTable(Box<[KeyMap<Channel>]>);

impl Default for ChannelTable {
    fn default() -> ChannelTable {
        ChannelTable((0..SHARDS).map(|_| KeyMap::default()).collect())
    }
}

impl fmt::Debug for ChannelTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.0.iter().flatten()).finish()
    }
}

impl ChannelTable {
    pub(super) fn get(&self, key: &ChannelKey) -> Option<&Channel> {
        self.0[key.shard(SHARDS)].get(key)
    }

    pub(super) fn get_mut(&mut self, key: &ChannelKey) -> Option<&mut Channel> {
        self.0[key.shard(SHARDS)].get_mut(key)
    }

    pub(super) fn contains_key(&self, key: &ChannelKey) -> bool {
        self.get(key).is_some()
    }

    pub(super) fn entry(
        &mut self,
        key: ChannelKey,
    ) -> Entry<'_, ChannelKey, Channel, BuildHasherDefault<Prehashed>> {
        self.0[key.shard(SHARDS)].entry(key)
    }

    pub(super) fn remove(&mut self, key: &ChannelKey) -> Option<Channel> {
        self.0[key.shard(SHARDS)].remove(key)
    }

    /// The channels of a shard, which is below [`SHARDS`].
    pub(super) fn shard_mut(&mut self, shard: usize) -> &mut KeyMap<Channel> {
        &mut self.0[shard]
    }
}
