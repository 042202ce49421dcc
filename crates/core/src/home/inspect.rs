// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the HTTP API is told of channels.

use oyez_protocol::channel::Access;

use super::Home;
use crate::effect::{Answer, ChannelInfo, Wanted};
use crate::key::{AppIndex, ChannelKey};
use crate::time::Millis;

impl Home {
    pub(super) fn inspect(&mut self, key: &ChannelKey, wanted: Wanted, now: Millis) -> ChannelInfo {
        match self.channels.get_mut(key) {
            Some(channel) => channel.info(wanted, now),
            None => nothing_known(key, wanted),
        }
    }

    pub(super) fn list(
        &mut self,
        app: AppIndex,
        prefix: &str,
        wanted: Wanted,
        now: Millis,
    ) -> Answer {
        let occupied = self.channels.iter_mut().filter(|(key, channel)| {
            key.app() == app
                && channel.audience.total() > 0
                && key.name().as_str().starts_with(prefix)
        });
        Answer::Channels(
            occupied.map(|(key, c)| (key.name().clone(), c.info(wanted, now))).collect(),
        )
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
    }
}
