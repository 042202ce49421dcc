// SPDX-License-Identifier: MIT OR Apache-2.0
//! What happens by time: goodbyes that waited, counts that were held back, memory that grew old.

use oyez_protocol::channel::Access;
use oyez_protocol::encode::Frame;
use oyez_protocol::webhook::{WebhookEvent, WebhookKind};

use super::{Home, tell_watchers};
use crate::channel::{Count, Counting};
use crate::effect::{Effect, Item, UserPresence};
use crate::key::ChannelKey;
use crate::occupancy::Expiry;
use crate::time::Millis;
use crate::timers::Due;

impl Home {
    pub(super) fn count(
        &mut self,
        key: &ChannelKey,
        now: Millis,
        effects: &mut Vec<Effect>,
        step: impl FnOnce(&mut Count, usize, Millis) -> Counting,
    ) {
        if !self.app(key).subscription_count {
            return;
        }
        let Some(channel) = self.channels.get_mut(key) else { return };
        if matches!(channel.kind.access, Access::Presence | Access::User) {
            return;
        }
        let counting = step(&mut channel.count, channel.audience.total(), now);
        if let Counting::Tell(count) | Counting::Repeat(count) = counting {
            let frame = Frame::subscription_count(key.name(), count);
            for worker in channel.audience.workers() {
                let item = Item::Count { key: key.clone(), frame: frame.clone() };
                effects.push(Effect::Send(worker, item));
            }
        }
        match counting {
            Counting::Tell(count) => {
                self.webhook(key, WebhookKind::SubscriptionCount, effects, || {
                    WebhookEvent::SubscriptionCount {
                        channel: key.name().to_string(),
                        subscription_count: count,
                    }
                });
            }
            Counting::Later(at) => self.timers.set(at, Due::Count(key.clone())),
            Counting::Repeat(_) | Counting::Nothing => {}
        }
    }

    /// Looks at what was due `at` that time. Goodbyes are judged by it, not by `now`: a home that
    /// looks late says them in the order in which they were due.
    pub(super) fn look(&mut self, due: Due, at: Millis, now: Millis, effects: &mut Vec<Effect>) {
        match due {
            Due::Vacated(key) => {
                let Some(channel) = self.channels.get_mut(&key) else { return };
                match channel.occupancy.expire(at) {
                    Expiry::Gone => {
                        self.webhook(&key, WebhookKind::ChannelVacated, effects, || {
                            WebhookEvent::ChannelVacated { channel: key.name().to_string() }
                        });
                        self.close_if_idle(&key, now, effects);
                    }
                    Expiry::Later(at) => self.timers.set(at, Due::Vacated(key)),
                    Expiry::Nothing => {}
                }
            }
            Due::MemberRemoved(key, user) => {
                let presence = self.channels.get_mut(&key).and_then(|c| c.presence.as_mut());
                match presence.map(|p| p.expire(&user, at)) {
                    Some(Expiry::Gone) => {
                        self.webhook(&key, WebhookKind::MemberRemoved, effects, || {
                            WebhookEvent::member_removed(key.name(), &user)
                        });
                        self.close_if_idle(&key, now, effects);
                    }
                    Some(Expiry::Later(at)) => self.timers.set(at, Due::MemberRemoved(key, user)),
                    Some(Expiry::Nothing) | None => {}
                }
            }
            Due::Count(key) => self.count(&key, now, effects, Count::expire),
            Due::Memory(key, epoch) => self.look_at_memory(&key, epoch, at, now, effects),
            Due::Cleanup => self.clean_up(effects),
            Due::Answers => self.forget_answers(now),
            Due::SignedOut(key) => {
                let Some(user) = self.users.get_mut(&key) else { return };
                match user.expire(at) {
                    Expiry::Gone => {
                        tell_watchers(&key, user, UserPresence::Offline, effects);
                        if user.is_idle() {
                            self.users.remove(&key);
                        }
                    }
                    Expiry::Later(at) => self.timers.set(at, Due::SignedOut(key)),
                    Expiry::Nothing => {}
                }
            }
        }
    }
}
