// SPDX-License-Identifier: MIT OR Apache-2.0
//! Subscribing and leaving: who hears a channel, and what newcomers are told.

use oyez_protocol::delta::Deltas;
use oyez_protocol::encode::{CutPosition, Frame};
use oyez_protocol::user::{Member, UserId};
use oyez_protocol::webhook::{WebhookEvent, WebhookKind};
use smallvec::{SmallVec, smallvec};

use super::{Home, send_to_all};
use crate::channel::{Channel, Count};
use crate::command::Listener;
use crate::effect::{Effect, Item};
use crate::key::ChannelKey;
use crate::log::Freed;
use crate::memory::{Checks, Held};
use crate::occupancy::News;
use crate::place::{Place, Standing};
use crate::presence::{Joined, Left, Presence};
use crate::time::Millis;
use crate::timers::Due;

impl Home {
    /// Somebody comes. It is admitted at once, or, when somebody else must first be asked what is
    /// true, a moment later: with the answer, or when its patience ends.
    pub(super) fn subscribe(
        &mut self,
        key: ChannelKey,
        place: Place,
        member: Option<Member>,
        listener: Listener,
        now: Millis,
        effects: &mut Vec<Effect>,
    ) {
        let memory = self.open(&key, now, effects).memory.as_deref_mut();
        let Some((memory, (run, step), wait)) = memory.and_then(|memory| {
            let asking = memory.asking.as_deref_mut()?;
            let (received, wait) = (asking.receive(now), asking.wait());
            Some((memory, received, wait))
        }) else {
            return self.admit(&key, place, member, &listener, now, effects);
        };
        if memory.shows_answer(run) {
            return self.admit(&key, place, member, &listener, now, effects);
        }
        let until = now + wait;
        memory.held.push(Held { place, member, listener, run, until });
        effects.push(Effect::Send(place.worker, Item::Held { key: key.clone(), place }));
        self.do_step(&key, step, now, effects);
        self.plan_at(&key, until);
        if wait.is_zero() {
            self.wake(&key, now, effects);
        }
    }

    /// Somebody becomes a subscriber. What it is told is its cut: its place in its worker's queue
    /// says what came before and what comes after.
    pub(super) fn admit(
        &mut self,
        key: &ChannelKey,
        place: Place,
        member: Option<Member>,
        listener: &Listener,
        now: Millis,
        effects: &mut Vec<Effect>,
    ) {
        let limit = self.rules.presence_members;
        let channel = self.open(key, now, effects);
        let mut joined = None;
        if let (Some(presence), Some(member)) = (&mut channel.presence, &member) {
            match presence.join(member, limit) {
                Ok(news) => joined = Some(news),
                Err(_) => {
                    let error = format!(
                        "this presence channel has {limit} members already (limits.presence_members)"
                    );
                    refuse(key.clone(), place, &error, 403, effects);
                    return self.close_if_idle(key, now, effects);
                }
            }
        }
        let occupied = channel.occupancy.arrive();
        // The members whom the newcomer is shown include itself; the others hear of it before
        // its own place in their queues, so that it does not hear of itself.
        if let (Some(Joined::First(_)), Some(member)) = (joined, &member) {
            send_to_all(key, channel, Frame::member_added(key.name(), member), None, effects);
        }
        let Acknowledged { frames, standing, new_miss } = self.acknowledge(key, listener, now);
        let Some(channel) = self.channels.get_mut(key) else { return };
        channel.audience.add(place.worker);
        let standing = standing.map(Box::new);
        let item =
            Item::Subscribed { key: key.clone(), place, member: member.clone(), frames, standing };
        effects.push(Effect::Send(place.worker, item));
        if occupied == News::Tell {
            self.webhook(key, WebhookKind::ChannelOccupied, effects, || {
                WebhookEvent::ChannelOccupied { channel: key.name().to_string() }
            });
        }
        if let (Some(Joined::First(News::Tell)), Some(member)) = (joined, &member) {
            self.webhook(key, WebhookKind::MemberAdded, effects, || {
                WebhookEvent::member_added(key.name(), &member.user_id)
            });
        }
        if new_miss {
            self.webhook(key, WebhookKind::CacheMiss, effects, || WebhookEvent::CacheMiss {
                channel: key.name().to_string(),
            });
        }
        self.count(key, now, effects, Count::arrive);
        // Whoever comes starts the clock of a truth that is asked for again and again.
        let memory = self.channels.get_mut(key).and_then(|c| c.memory.as_deref_mut());
        if let Some(asking) = memory.and_then(|memory| memory.asking.as_deref_mut()) {
            let step = asking.arrive(now);
            self.do_step(key, step, now, effects);
        }
    }

    /// Acknowledgement and replay for a newcomer.
    fn acknowledge(&mut self, key: &ChannelKey, listener: &Listener, now: Millis) -> Acknowledged {
        let (time, budget) = (self.time(now), self.rules.replay_bytes);
        let mut acknowledged =
            Acknowledged { frames: SmallVec::new(), standing: None, new_miss: false };
        let Some(channel) = self.channels.get_mut(key) else { return acknowledged };
        let Channel { memory, presence, .. } = channel;
        let presence = presence.as_deref();
        let Some(memory) = memory.as_deref_mut() else {
            acknowledged.frames = smallvec![succeeded(key, presence, None)];
            return acknowledged;
        };
        if let Some(aware) = listener.aware.as_deref() {
            let checks = if aware.deltas == Deltas::NONE { Checks::Sums } else { Checks::Deltas };
            memory.checks = memory.checks.max(checks);
        }
        memory.touch(time);
        let mut freed = Freed::default();
        memory.change(&mut self.logs, |log| log.trim(time, &mut freed));
        let cut = memory.cut(key, listener, &self.terms, budget);
        self.tally.cut(&cut.position);
        acknowledged.frames.push(succeeded(key, presence, Some(cut.position)));
        acknowledged.frames.extend(cut.frames);
        acknowledged.standing = Some(cut.standing);
        acknowledged.new_miss = cut.new_miss;
        self.let_go(key, freed, now);
        acknowledged
    }

    pub(super) fn unsubscribe(
        &mut self,
        key: &ChannelKey,
        place: Place,
        user: Option<UserId>,
        now: Millis,
        effects: &mut Vec<Effect>,
    ) {
        let (goodbye, time) = (now + self.rules.webhook_delay, self.time(now));
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
        if channel.audience.total() == 0 {
            if let Some(memory) = &mut channel.memory {
                memory.checks = Checks::None;
                memory.touch(time);
            }
            if let Some(at) = channel.occupancy.leave(goodbye) {
                self.timers.set(at, Due::Vacated(key.clone()));
            }
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

/// What a newcomer is told.
struct Acknowledged {
    frames: SmallVec<[Frame; 2]>,
    standing: Option<Standing>,
    new_miss: bool,
}

fn succeeded(key: &ChannelKey, presence: Option<&Presence>, cut: Option<CutPosition>) -> Frame {
    match presence {
        Some(presence) => Frame::presence_succeeded(key.name(), presence.members(), cut),
        None => Frame::subscription_succeeded(key.name(), cut),
    }
}
