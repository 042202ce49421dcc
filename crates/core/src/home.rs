// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Home`]: the channels and users of one worker, and everything that is decided about them.
//!
//! A channel lives in exactly one home. Only there are its events put in order, so there is
//! nothing to race: whatever a home answers, it answers as a list of effects in that order.

mod asking;
mod calls;
mod catch_up;
mod change;
mod inspect;
mod later;
mod publish;
mod recover;
mod release;
mod remember;
mod subscribe;
mod table;
#[cfg(test)]
mod tests;

use std::time::Duration;

use oyez_protocol::close::CloseCode;
use oyez_protocol::encode::Frame;
use oyez_protocol::position::{Epoch, Offset, Term};
use oyez_protocol::socket_id::SocketId;
use oyez_protocol::user::UserId;
use oyez_protocol::webhook::{WebhookEvent, WebhookKind};
use rand::SeedableRng;
use rand::rngs::StdRng;

use crate::channel::Channel;
use crate::command::{Command, Room};
use crate::effect::{Answer, Effect, Item, UserPresence};
use crate::gate::{Gate, Waiting};
use crate::idempotency::Calls;
use crate::key::{ChannelKey, KeyMap};
use crate::log::{Log, LogSum, Terms};
use crate::memory::{Blank, Memory};
use crate::occupancy::News;
use crate::place::{Place, WorkerId};
use crate::record::{Record, Timestamp};
use crate::rule::{Durability, Empty, IDENTITY_AGE, RuleBook};
use crate::tally::Tally;
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
    /// `limits.replay_bytes`.
    pub replay_bytes: usize,
    /// `limits.truth_bytes`.
    pub truth_bytes: usize,
    /// This home's share of `limits.memory_bytes`.
    pub memory_bytes: usize,
    /// This home's share of `limits.idempotency_keys`.
    pub idempotency_keys: usize,
    /// What survives at the most: nothing without a data folder.
    pub safest: Durability,
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
    /// Which channels remember what.
    pub channels: RuleBook,
}

/// Which start of a server a home belongs to.
#[derive(Clone, Debug)]
pub struct Start {
    /// Which home it is.
    pub home: WorkerId,
    /// The terms of all starts that are known, oldest first; the last is this one's.
    pub terms: Vec<Term>,
    /// The wall clock when [`Millis`] was 0.
    pub time: Timestamp,
    /// Above every row that is in use.
    pub next_row: u64,
    /// Decides every random name that the home will give.
    pub seed: u64,
}

/// The state machine. One per worker.
#[derive(Debug)]
pub struct Home {
    rules: Rules,
    channels: ChannelTable,
    users: KeyMap<SignedIn>,
    timers: Timers,
    rng: StdRng,
    terms: Terms,
    started: Timestamp,
    gate: Gate,
    calls: Calls,
    /// When answers that are too old are looked for next.
    sweep: Option<Millis>,
    /// What the journal is to let go with the next append.
    cleanup: Vec<Record>,
    /// What all logs hold.
    logs: LogSum,
    tally: Tally,
}

impl Home {
    /// An empty home.
    pub fn new(rules: Rules, start: Start) -> Home {
        Home {
            channels: ChannelTable::default(),
            users: KeyMap::default(),
            timers: Timers::default(),
            rng: StdRng::seed_from_u64(start.seed),
            terms: Terms::new(&start.terms),
            started: start.time,
            gate: Gate::new(start.home, start.next_row),
            calls: Calls::new(rules.idempotency_keys),
            sweep: None,
            cleanup: Vec::new(),
            logs: LogSum::default(),
            tally: Tally::default(),
            rules,
        }
    }

    /// What it has done so far.
    pub fn tally(&self) -> &Tally {
        &self.tally
    }

    /// What all its logs and the answers to its calls hold, in bytes.
    pub fn memory_bytes(&self) -> usize {
        self.logs.bytes() + self.calls.bytes()
    }

    /// Whether everything that was decided may be seen.
    pub fn is_settled(&self) -> bool {
        self.gate.is_settled()
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
            Command::Subscribe { key, place, member, listener, room: _ } => {
                self.subscribe(key, place, member, listener, now, effects);
            }
            Command::Unsubscribe { key, place, user } => {
                self.unsubscribe(&key, place, user, now, effects);
            }
            Command::Publish(publish) => self.publish(*publish, now, effects),
            Command::Change(change) => self.change(*change, now, effects),
            Command::ClientEvent { key, event, data, from, user } => {
                self.client_event(&key, event, data, from, user, effects);
            }
            Command::ReadTruth { key, at_least, patience, room, ticket } => {
                self.read_truth(&key, at_least, patience, room, ticket, now, effects);
            }
            Command::ReadHistory { key, query, ticket } => {
                let answer = self.history(&key, query, now, effects);
                effects.push(Effect::Answer(ticket, answer));
            }
            Command::Changed { key, min_version, room, ticket } => {
                let answer = self.changed(&key, min_version, room, now, effects);
                effects.extend(ticket.map(|ticket| Effect::Answer(ticket, answer)));
            }
            Command::Replied { key, run, reply } => self.replied(&key, run, reply, now, effects),
            Command::CatchUp { key, place, socket, standing } => {
                self.catch_up(&key, place, socket, standing, effects);
            }
            Command::Resync { key, place, reason } => self.resync(&key, place, reason, effects),
            Command::Begin { key, body, ticket } => self.begin(key, body, ticket, now, effects),
            Command::Seal { key, status, answer, part, ticket } => {
                self.seal(key, status, answer, part, ticket, now, effects);
            }
            Command::Abandon { key, part } => self.abandon(&key, part, effects),
            Command::Settle { ticket } => match self.gate.is_settled() {
                true => effects.push(Effect::Answer(ticket, Answer::Done)),
                false => self.gate.follow(Waiting::Answer(ticket, Answer::Done)),
            },
            Command::Committed(mark) => self.committed(mark, now, effects),
            Command::JournalFailed => self.journal_failed(effects),
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

    /// The channel, made if there was none. One that remembers does so from its first moment.
    fn open(&mut self, key: &ChannelKey, now: Millis, effects: &mut Vec<Effect>) -> &mut Channel {
        if !self.channels.contains_key(key) {
            let mut channel = Channel::new(key.name().kind());
            let rule = self.app(key).channels.find(key.name()).cloned();
            let is_kept = rule.is_some();
            if let Some(rule) = rule {
                let told = rule.empty == Empty::CacheMiss
                    && self.app(key).webhooks.contains(&WebhookKind::CacheMiss);
                let blank = if told { Blank::Told } else { Blank::Nothing };
                // A channel that was left before anything happened begins where it was: whoever
                // saw it empty can go on, though nothing is kept of it. (One whose emptiness is
                // told is kept for a while, and begins a new period of it then.)
                let epoch = match blank {
                    Blank::Told => Epoch::random(&mut self.rng),
                    Blank::Nothing => self.first_epoch(key, rule.durability, now),
                };
                let log = Log::new(rule, epoch, self.terms.now(), self.time(now));
                channel.memory = Some(Box::new(Memory::new(log, blank)));
            }
            self.channels.entry(key.clone()).insert(channel);
            effects.push(Effect::Opened(key.app()));
            if is_kept {
                self.plan(key, now);
            }
        }
        self.channels.get_mut(key).expect("it was made if there was none")
    }

    /// The epoch in which a channel begins that is not remembered. It is the same until the end of
    /// a period that is as long as a numbering in use is remembered at least: thus no channel is
    /// given one twice. Across starts it is the same where what was kept is found again.
    fn first_epoch(&self, key: &ChannelKey, durability: Durability, now: Millis) -> Epoch {
        let since = match durability {
            Durability::Off => self.terms.now(),
            Durability::Full | Durability::Relaxed => self.terms.oldest(),
        };
        let period = self.time(now).0 / IDENTITY_AGE.as_millis() as u64;
        Epoch::random(&mut StdRng::seed_from_u64(key.seed((since.as_str(), period))))
    }

    fn close_if_idle(&mut self, key: &ChannelKey, now: Millis, effects: &mut Vec<Effect>) {
        let time = self.time(now);
        match self.channels.get(key) {
            None => return,
            Some(channel) if !channel.is_idle(time) => return self.plan(key, now),
            Some(_) => {}
        }
        let channel = self.channels.remove(key);
        effects.push(Effect::Closed(key.app()));
        let memory = channel.and_then(|channel| channel.memory);
        let is_empty = memory.as_deref().is_none_or(|memory| memory.log().is_empty());
        debug_assert!(is_empty, "what all logs hold is what those in the table hold");
        if let Some(asking) = memory.as_deref().and_then(|memory| memory.asking.as_deref()) {
            asking.count_out(&mut self.tally.stale_truths);
        }
        if memory.is_some_and(|memory| memory.is_kept() && memory.log().head() > Offset::ZERO) {
            self.forget_identity(key, effects);
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
