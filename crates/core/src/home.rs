// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Home`]: the channels and users of one worker, and everything that is decided about them.
//!
//! A channel lives in exactly one home. Only there are its events put in order, so there is
//! nothing to race: whatever a home answers, it answers as a list of effects in that order.

use std::time::Duration;

use oyez_protocol::channel::Access;
use oyez_protocol::close::CloseCode;
use oyez_protocol::encode::{CutPosition, Extras, Frame};
use oyez_protocol::socket_id::SocketId;
use oyez_protocol::user::{Member, UserId};
use oyez_protocol::webhook::{WebhookEvent, WebhookKind};
use rand::SeedableRng;
use rand::rngs::StdRng;
use smallvec::{SmallVec, smallvec};

use crate::channel::{Channel, Count, Counting};
use crate::command::{Command, Room};
use crate::effect::{Answer, ChannelInfo, Effect, Item, UserPresence, Wanted};
use crate::key::{AppIndex, ChannelKey, KeyMap};
use crate::memory::{CACHE_AGE, Memory, Name, random_name};
use crate::occupancy::{Expiry, News};
use crate::place::Place;
use crate::presence::{Joined, Left, Presence};
use crate::time::Millis;
use crate::timers::{Due, Timers};
use crate::users::SignedIn;

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
    channels: KeyMap<Channel>,
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
        let (channels, users) = (KeyMap::default(), KeyMap::default());
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
            Command::List { app, prefix, wanted, ticket } => {
                let answer = self.list(app, &prefix, wanted, now);
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
        let (rng, timers) = (&mut self.rng, &mut self.timers);
        self.channels.entry(key.clone()).or_insert_with(|| {
            effects.push(Effect::Opened(key.app()));
            let mut channel = Channel::new(key.name().kind());
            if channel.kind.cache {
                let memory = Memory::new(rng, now);
                timers.set(now + CACHE_AGE, Due::Memory(key.clone(), memory.epoch()));
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

    fn subscribe(
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

    fn unsubscribe(
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

    #[expect(clippy::too_many_arguments, reason = "the parts of Command::Publish")]
    fn publish(
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
        channel.info(wanted, now)
    }

    fn client_event(
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

    fn inspect(&mut self, key: &ChannelKey, wanted: Wanted, now: Millis) -> ChannelInfo {
        match self.channels.get_mut(key) {
            Some(channel) => channel.info(wanted, now),
            None => nothing_known(key, wanted),
        }
    }

    fn list(&mut self, app: AppIndex, prefix: &str, wanted: Wanted, now: Millis) -> Answer {
        let occupied = self.channels.iter_mut().filter(|(key, channel)| {
            key.app() == app
                && channel.audience.total() > 0
                && key.name().as_str().starts_with(prefix)
        });
        Answer::Channels(
            occupied.map(|(key, c)| (key.name().clone(), c.info(wanted, now))).collect(),
        )
    }

    fn count(
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
            send_to_all(key, channel, frame, None, effects);
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
    fn look(&mut self, due: Due, at: Millis, now: Millis, effects: &mut Vec<Effect>) {
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
            Due::Memory(key, epoch) => {
                self.close_if_idle(&key, now, effects);
                let memory = self.channels.get(&key).and_then(|c| c.memory.as_ref());
                // Another epoch has a timer of its own.
                if let Some(memory) = memory.filter(|memory| memory.epoch() == epoch) {
                    // Still in use, though old: look again in a while.
                    let idle_at = memory.idle_at();
                    let at = if idle_at > now { idle_at } else { now + CACHE_AGE };
                    self.timers.set(at, Due::Memory(key, epoch));
                }
            }
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

/// Answers a subscription that cannot be, for lack of room.
fn refuse(key: ChannelKey, place: Place, error: &str, status: u16, effects: &mut Vec<Effect>) {
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
        cut: Option<CutPosition<'_>>,
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

/// What there is to say of a channel that does not exist.
fn nothing_known(key: &ChannelKey, wanted: Wanted) -> ChannelInfo {
    ChannelInfo {
        occupied: false,
        user_count: (wanted.user_count && key.name().kind().access == Access::Presence)
            .then_some(0),
        subscription_count: wanted.subscription_count.then_some(0),
        cache: wanted.cache.then_some(None),
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

#[cfg(test)]
mod tests;
