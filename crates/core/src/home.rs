// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Home`]: the channels and users of one worker, and everything that is decided about them.
//!
//! A channel lives in exactly one home. Only there are its events put in order, so there is
//! nothing to race: whatever a home answers, it answers as a list of effects in that order.

mod inspect;
mod later;
mod publish;
mod subscribe;
mod table;
#[cfg(test)]
mod tests;

use std::time::Duration;

use oyez_protocol::close::CloseCode;
use oyez_protocol::encode::Frame;
use oyez_protocol::socket_id::SocketId;
use oyez_protocol::user::UserId;
use oyez_protocol::webhook::{WebhookEvent, WebhookKind};
use rand::SeedableRng;
use rand::rngs::StdRng;

use crate::channel::Channel;
use crate::command::{Command, Room};
use crate::effect::{Answer, Effect, Item, UserPresence};
use crate::key::{ChannelKey, KeyMap};
use crate::memory::{Blank, CACHE_AGE, Memory, Name, random_name};
use crate::occupancy::News;
use crate::place::Place;
use crate::time::Millis;
use crate::timers::{Due, Timers};
use crate::users::SignedIn;
use subscribe::refuse;
use table::ChannelTable;

/// What the config decides.
#[derive(Clone, Debug)]
pub struct Rules {
    /// `limits.presence_members`.
    pub presence_members: usize,
    /// `webhook_delay`.
    pub webhook_delay: Duration,
    /// For each app, by its index.
    pub apps: Vec<AppRules>,
}

/// What the config decides for one app.
#[derive(Clone, Debug, Default)]
pub struct AppRules {
    /// Whether channels tell their subscribers how many they are.
    pub subscription_count: bool,
    /// The webhook events that anybody wants.
    pub webhooks: Vec<WebhookKind>,
}

/// The state machine. One per worker.
#[derive(Debug)]
pub struct Home {
    rules: Rules,
    channels: ChannelTable,
    users: KeyMap<SignedIn>,
    timers: Timers,
    rng: StdRng,
    term: Name,
}

impl Home {
    /// An empty home. The seed decides every random name that it will give.
    pub fn new(rules: Rules, seed: u64) -> Home {
        let mut rng = StdRng::seed_from_u64(seed);
        let term = random_name(&mut rng);
        let (channels, users) = (ChannelTable::default(), KeyMap::default());
        Home { rules, channels, users, timers: Timers::default(), rng, term }
    }

    /// Does what is asked, at that time.
    pub fn handle(&mut self, command: Command, now: Millis, effects: &mut Vec<Effect>) {
        match command {
            Command::Subscribe { key, place, room: Room::Gone, .. }
                if !self.channels.contains_key(&key) =>
            {
                let error = "the app has too many channels (limits.channels)";
                refuse(key, place, error, 503, effects);
            }
            Command::Subscribe { key, place, member, room: _ } => {
                self.subscribe(key, place, member, now, effects);
            }
            Command::Unsubscribe { key, place, user } => {
                self.unsubscribe(&key, place, user, now, effects);
            }
            Command::Publish { key, room: Room::Gone, ticket, .. }
                if key.name().kind().cache && !self.channels.contains_key(&key) =>
            {
                effects.extend(ticket.map(|ticket| Effect::Answer(ticket, Answer::NoRoom)));
            }
            Command::Publish { key, event, data, exclude, wanted, room: _, ticket } => {
                let info = self.publish(&key, &event, &data, exclude, wanted, now, effects);
                if let Some(ticket) = ticket {
                    effects.push(Effect::Answer(ticket, Answer::Channel(info)));
                }
            }
            Command::ClientEvent { key, event, data, from, user } => {
                self.client_event(&key, event, data, from, user, effects);
            }
            Command::Inspect { key, wanted, ticket } => {
                let info = self.inspect(&key, wanted, now);
                effects.push(Effect::Answer(ticket, Answer::Channel(info)));
            }
            Command::List { app, prefix, wanted, from, ticket } => {
                let answer = self.list(app, &prefix, wanted, from, now);
                effects.push(Effect::Answer(ticket, answer));
            }
            Command::ListMembers { key, ticket } => {
                let presence = self.channels.get(&key).and_then(|c| c.presence.as_ref());
                let ids = presence.iter().flat_map(|p| p.members()).map(|m| m.user_id.clone());
                effects.push(Effect::Answer(ticket, Answer::Members(ids.collect())));
            }
            Command::SignIn { key, place } => {
                let user = self.users.entry(key.clone()).or_default();
                if user.sign_in(place) == News::Tell {
                    tell_watchers(&key, user, UserPresence::Online, effects);
                }
            }
            Command::SignOut { key, place } => {
                let due = self.users.get_mut(&key).and_then(|user| user.sign_out(place, now));
                if let Some(at) = due {
                    self.timers.set(at, Due::SignedOut(key));
                }
            }
            Command::Watch { key, place } => {
                let presence = self.users.entry(key.clone()).or_default().watch(place);
                effects.push(presence_item(&key, place, presence));
            }
            Command::Unwatch { key, place } => {
                if let Some(user) = self.users.get_mut(&key) {
                    user.unwatch(place);
                    if user.is_idle() {
                        self.users.remove(&key);
                    }
                }
            }
            Command::Terminate { key, ticket } => {
                for place in self.users.get(&key).iter().flat_map(|user| user.connections()) {
                    let (code, reason) =
                        (CloseCode::Unauthorized, "The user's connections were terminated");
                    effects.push(Effect::Send(place.worker, Item::Close { place, code, reason }));
                }
                effects.push(Effect::Answer(ticket, Answer::Done));
            }
        }
    }

    /// Does what has become due by that time.
    pub fn tick(&mut self, now: Millis, effects: &mut Vec<Effect>) {
        while let Some((at, due)) = self.timers.pop(now) {
            self.look(due, at, now, effects);
        }
    }

    /// When [`Home::tick`] should be called at the latest.
    pub fn next_tick(&self) -> Option<Millis> {
        self.timers.next()
    }

    fn app(&self, key: &ChannelKey) -> &AppRules {
        &self.rules.apps[key.app().0 as usize]
    }

    fn webhook(
        &self,
        key: &ChannelKey,
        kind: WebhookKind,
        effects: &mut Vec<Effect>,
        event: impl FnOnce() -> WebhookEvent,
    ) {
        if self.app(key).webhooks.contains(&kind) {
            effects.push(Effect::Webhook(key.app(), event()));
        }
    }

    /// The channel, made if there was none; a cache channel remembers from its first moment.
    fn open(&mut self, key: &ChannelKey, now: Millis, effects: &mut Vec<Effect>) -> &mut Channel {
        let blank = match self.app(key).webhooks.contains(&WebhookKind::CacheMiss) {
            true => Blank::Told,
            false => Blank::Nothing,
        };
        let (rng, timers) = (&mut self.rng, &mut self.timers);
        self.channels.entry(key.clone()).or_insert_with(|| {
            effects.push(Effect::Opened(key.app()));
            let mut channel = Channel::new(key.name().kind());
            if channel.kind.cache {
                let memory = Memory::new(rng, blank, now);
                if blank == Blank::Told {
                    timers.set(now + CACHE_AGE, Due::Memory(key.clone(), memory.epoch()));
                }
                channel.memory = Some(Box::new(memory));
            }
            channel
        })
    }

    fn close_if_idle(&mut self, key: &ChannelKey, now: Millis, effects: &mut Vec<Effect>) {
        if self.channels.get(key).is_some_and(|channel| channel.is_idle(now)) {
            self.channels.remove(key);
            effects.push(Effect::Closed(key.app()));
        }
    }
}

/// The frame, for every worker that has subscribers of the channel.
fn send_to_all(
    key: &ChannelKey,
    channel: &Channel,
    frame: Frame,
    exclude: Option<SocketId>,
    effects: &mut Vec<Effect>,
) {
    for worker in channel.audience.workers() {
        let item = Item::Event { key: key.clone(), frame: frame.clone(), exclude };
        effects.push(Effect::Send(worker, item));
    }
}

fn presence_item(key: &ChannelKey, place: Place, presence: UserPresence) -> Effect {
    let user = key.name().user().map(UserId::of).expect("users live under #server-to-user-ID");
    Effect::Send(place.worker, Item::Presence { place, user, presence })
}

fn tell_watchers(
    key: &ChannelKey,
    user: &SignedIn,
    presence: UserPresence,
    effects: &mut Vec<Effect>,
) {
    effects.extend(user.watchers().map(|place| presence_item(key, place, presence)));
}
