// SPDX-License-Identifier: MIT OR Apache-2.0
//! Publishing: an event takes its place in the channel's order and goes to everybody.

use oyez_protocol::encode::{Extras, Frame};
use oyez_protocol::socket_id::SocketId;
use oyez_protocol::user::UserId;
use oyez_protocol::webhook::{WebhookEvent, WebhookKind};

use super::inspect::nothing_known;
use super::{Home, send_to_all};
use crate::effect::{ChannelInfo, Effect, Wanted};
use crate::key::ChannelKey;
use crate::memory::CACHE_AGE;
use crate::time::Millis;
use crate::timers::Due;

impl Home {
    #[expect(clippy::too_many_arguments, reason = "the parts of Command::Publish")]
    pub(super) fn publish(
        &mut self,
        key: &ChannelKey,
        event: &str,
        data: &str,
        exclude: Option<SocketId>,
        wanted: Wanted,
        now: Millis,
        effects: &mut Vec<Effect>,
    ) -> ChannelInfo {
        let channel = if key.name().kind().cache {
            self.open(key, now, effects)
        } else {
            match self.channels.get_mut(key) {
                Some(channel) => channel,
                None => return nothing_known(key, wanted),
            }
        };
        let offset = channel.memory.as_mut().map(|memory| memory.append(event, data, now));
        if channel.audience.total() > 0 {
            let frame =
                Frame::event(key.name(), event, data, Extras { offset, ..Extras::default() });
            send_to_all(key, channel, frame, exclude, effects);
        }
        let begun = channel.memory.as_ref().filter(|memory| memory.has_begun());
        let begun = begun.map(|memory| memory.epoch());
        let info = channel.info(wanted, now);
        if let Some(epoch) = begun {
            self.timers.set(now + CACHE_AGE, Due::Memory(key.clone(), epoch));
        }
        info
    }

    pub(super) fn client_event(
        &mut self,
        key: &ChannelKey,
        event: String,
        data: String,
        from: SocketId,
        user: Option<UserId>,
        effects: &mut Vec<Effect>,
    ) {
        let Some(channel) = self.channels.get_mut(key) else { return };
        let extras = Extras { user_id: user.as_ref(), ..Extras::default() };
        let frame = Frame::event(key.name(), &event, &data, extras);
        send_to_all(key, channel, frame, Some(from), effects);
        self.webhook(key, WebhookKind::ClientEvent, effects, || WebhookEvent::ClientEvent {
            channel: key.name().to_string(),
            event,
            data,
            socket_id: from.to_string(),
            user_id: user.map(|id| id.to_string()),
        });
    }
}
