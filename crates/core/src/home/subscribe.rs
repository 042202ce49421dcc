// SPDX-License-Identifier: MIT OR Apache-2.0
//! Subscribing and leaving: occupancy, presence, and the cut.

use oyez_protocol::encode::{CutPosition, Frame};
use oyez_protocol::user::{Member, UserId};
use oyez_protocol::webhook::{WebhookEvent, WebhookKind};
use smallvec::{SmallVec, smallvec};

use super::{Home, send_to_all};
use crate::channel::{Channel, Count};
use crate::effect::{Effect, Item};
use crate::key::ChannelKey;
use crate::memory::Name;
use crate::occupancy::News;
use crate::place::Place;
use crate::presence::{Joined, Left, Presence};
use crate::time::Millis;
use crate::timers::Due;

impl Home {
    pub(super) fn subscribe(
        &mut self,
        key: ChannelKey,
        place: Place,
        member: Option<Member>,
        now: Millis,
        effects: &mut Vec<Effect>,
    ) {
        let (limit, term) = (self.rules.presence_members, self.term);
        let channel = self.open(&key, now, effects);
        let mut joined = None;
        if let (Some(presence), Some(member)) = (&mut channel.presence, &member) {
            match presence.join(member, limit) {
                Ok(news) => joined = Some(news),
                Err(_) => {
                    let error = format!(
                        "this presence channel has {limit} members already (limits.presence_members)"
                    );
                    refuse(key.clone(), place, &error, 403, effects);
                    return self.close_if_idle(&key, now, effects);
                }
            }
        }
        let occupied = channel.occupancy.arrive();
        // The members whom the newcomer is shown include itself; the others hear of it before
        // its own place in their queues, so that it does not hear of itself.
        if let (Some(Joined::First(_)), Some(member)) = (joined, &member) {
            send_to_all(&key, channel, Frame::member_added(key.name(), member), None, effects);
        }
        let (frames, new_miss) = acknowledge(&key, channel, &term, now);
        channel.audience.add(place.worker);
        let item = Item::Subscribed { key: key.clone(), place, member: member.clone(), frames };
        effects.push(Effect::Send(place.worker, item));
        if occupied == News::Tell {
            self.webhook(&key, WebhookKind::ChannelOccupied, effects, || {
                WebhookEvent::ChannelOccupied { channel: key.name().to_string() }
            });
        }
        if let (Some(Joined::First(News::Tell)), Some(member)) = (joined, &member) {
            self.webhook(&key, WebhookKind::MemberAdded, effects, || {
                WebhookEvent::member_added(key.name(), &member.user_id)
            });
        }
        if new_miss {
            self.webhook(&key, WebhookKind::CacheMiss, effects, || WebhookEvent::CacheMiss {
                channel: key.name().to_string(),
            });
        }
        self.count(&key, now, effects, Count::arrive);
    }

    pub(super) fn unsubscribe(
        &mut self,
        key: &ChannelKey,
        place: Place,
        user: Option<UserId>,
        now: Millis,
        effects: &mut Vec<Effect>,
    ) {
        let goodbye = now + self.rules.webhook_delay;
        let Some(channel) = self.channels.get_mut(key) else { return };
        channel.audience.remove(place.worker);
        if let (Some(presence), Some(user)) = (&mut channel.presence, user)
            && let Left::Last(look_at) = presence.leave(&user, goodbye)
        {
            send_to_all(key, channel, Frame::member_removed(key.name(), &user), None, effects);
            if let Some(at) = look_at {
                self.timers.set(at, Due::MemberRemoved(key.clone(), user));
            }
        }
        if channel.audience.total() == 0
            && let Some(at) = channel.occupancy.leave(goodbye)
        {
            self.timers.set(at, Due::Vacated(key.clone()));
        }
        self.count(key, now, effects, Count::leave);
    }
}

/// Answers a subscription that cannot be, for lack of room.
pub(super) fn refuse(
    key: ChannelKey,
    place: Place,
    error: &str,
    status: u16,
    effects: &mut Vec<Effect>,
) {
    let frame = Frame::subscription_error(key.name(), "LimitReached", error, status);
    effects.push(Effect::Send(place.worker, Item::Refused { key, place, frame }));
}

/// Acknowledgement and replay for a newcomer, and whether a cache was missed for the first time.
fn acknowledge(
    key: &ChannelKey,
    channel: &mut Channel,
    term: &Name,
    now: Millis,
) -> (SmallVec<[Frame; 2]>, bool) {
    let presence = channel.presence.as_deref();
    fn succeeded(
        key: &ChannelKey,
        presence: Option<&Presence>,
        cut: Option<CutPosition>,
    ) -> Frame {
        match presence {
            Some(presence) => Frame::presence_succeeded(key.name(), presence.members(), cut),
            None => Frame::subscription_succeeded(key.name(), cut),
        }
    }
    match &mut channel.memory {
        None => (smallvec![succeeded(key, presence, None)], false),
        Some(memory) => {
            let cut = memory
                .cut(key.name(), term, now, |position| succeeded(key, presence, Some(position)));
            (cut.frames, cut.new_miss)
        }
    }
}
