// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the HTTP API is told of channels.

use oyez_protocol::channel::Access;

use super::Home;
use super::table::SHARDS;
use crate::effect::{Answer, ChannelInfo, ListFrom, Wanted};
use crate::key::{AppIndex, ChannelKey};
use crate::time::Millis;

/// A slice of a list ends with the shard in which so many channels have been walked, listed or not.
const SLICE: usize = 1024;

impl Home {
    pub(super) fn inspect(&mut self, key: &ChannelKey, wanted: Wanted, now: Millis) -> ChannelInfo {
        let (term, time) = (self.terms.now(), self.time(now));
        match self.channels.get_mut(key) {
            Some(channel) => channel.info(wanted, term, time),
            None => nothing_known(key, wanted),
        }
    }

    pub(super) fn list(
        &mut self,
        app: AppIndex,
        prefix: &str,
        wanted: Wanted,
        from: ListFrom,
        now: Millis,
    ) -> Answer {
        let (term, time) = (self.terms.now(), self.time(now));
        let (mut channels, mut walked) = (Vec::new(), 0);
        for at in from.0..SHARDS {
            if walked >= SLICE {
                return Answer::Channels(channels, Some(ListFrom(at)));
            }
            let shard = self.channels.shard_mut(at);
            walked += shard.len();
            let occupied = shard.iter_mut().filter(|(key, channel)| {
                key.app() == app
                    && channel.audience.total() > 0
                    && key.name().as_str().starts_with(prefix)
            });
            channels
                .extend(occupied.map(|(key, c)| (key.name().clone(), c.info(wanted, term, time))));
        }
        Answer::Channels(channels, None)
    }
}

/// What there is to say of a channel that does not exist.
pub(super) fn nothing_known(key: &ChannelKey, wanted: Wanted) -> ChannelInfo {
    ChannelInfo {
        occupied: false,
        user_count: (wanted.user_count && key.name().kind().access == Access::Presence)
            .then_some(0),
        subscription_count: wanted.subscription_count.then_some(0),
        cache: wanted.cache.then_some(None),
        position: None,
    }
}
