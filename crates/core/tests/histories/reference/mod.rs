// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Reference`]: what homes must do, told as plainly as can be. It learns each command just
//! before a home does ([`Reference::ask`]) and judges every effect ([`judge`]).
//!
//! It shares no code and no idea with the core: a channel is a list of everything that was ever
//! said on it, a subscription is a place in that list.

mod channel;
mod count;
mod gate;
mod judge;
mod memory;
mod told;
mod user;

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use oyez_core::{
    Answer, AppIndex, ChannelKey, Command, Durability, Millis, Place, Publish, Ticket, Wanted,
    WorkerId,
};
use oyez_protocol::webhook::{WebhookEvent, WebhookKind};

pub(crate) use channel::{Channel, Entry, Outcome};
pub(crate) use judge::{Begin, Letter};
pub(crate) use user::{GRACE, SignedIn};

use crate::heard::{self, Heard, Info, User};
use crate::tally::{Moment, Tally};
use gate::{Gate, Waiting};

/// What the reference was told about the config.
#[derive(Clone, Debug)]
pub(crate) struct Config {
    pub(crate) workers: usize,
    /// Of cache channels.
    pub(crate) durability: Durability,
    pub(crate) presence_members: usize,
    pub(crate) webhook_delay: Duration,
    pub(crate) apps: Vec<AppConfig>,
}

#[derive(Clone, Debug)]
pub(crate) struct AppConfig {
    pub(crate) subscription_count: bool,
    pub(crate) webhooks: Vec<WebhookKind>,
}

#[derive(Debug)]
pub(crate) struct Reference {
    pub(crate) config: Config,
    pub(crate) channels: Vec<Channel>,
    pub(crate) users: Vec<SignedIn>,
    channel_index: HashMap<ChannelKey, usize>,
    user_index: HashMap<ChannelKey, usize>,
    epochs: HashSet<String>,
    /// What each home holds back.
    gates: Vec<Gate>,
    /// Channels of each app that came into being and are not gone.
    pub(crate) open: Vec<usize>,
    pub(crate) tally: Tally,
}

/// What must follow on a command, no more and no less.
#[derive(Debug, Default)]
struct Asked {
    channel: Option<usize>,
    user: Option<usize>,
    /// Entries of logs that the channels' subscribers on these workers hear, in order.
    entries: Vec<Told>,
    subscription: Option<(Place, Option<User>, Outcome)>,
    watcher: Option<Place>,
    closes: Vec<Place>,
    webhook: Option<WebhookEvent>,
    /// In order.
    answers: Vec<(Ticket, Answer)>,
    /// What the journal must be given first.
    gated: Vec<Waiting>,
}

/// An entry of a channel's log that is told to some workers.
#[derive(Debug)]
struct Told {
    channel: usize,
    entry: usize,
    workers: Vec<WorkerId>,
}

impl Reference {
    pub(crate) fn new(config: Config, channels: Vec<ChannelKey>, users: Vec<ChannelKey>) -> Self {
        let index = |keys: &[ChannelKey]| keys.iter().cloned().zip(0..).collect();
        let open = vec![0; config.apps.len()];
        Reference {
            channel_index: index(&channels),
            user_index: index(&users),
            channels: channels.into_iter().map(|key| Channel::new(key, config.workers)).collect(),
            users: users.into_iter().map(SignedIn::new).collect(),
            epochs: HashSet::new(),
            gates: (0..config.workers).map(|_| Gate::default()).collect(),
            open,
            tally: Tally::default(),
            config,
        }
    }

    /// Whether anybody wants to hear of that.
    fn wants(&self, app: AppIndex, kind: WebhookKind) -> bool {
        self.config.apps[app.0 as usize].webhooks.contains(&kind)
    }

    /// Whether a channel tells its subscribers how many they are.
    pub(crate) fn counts(&self, channel: usize) -> bool {
        let channel = &self.channels[channel];
        self.config.apps[channel.key.app().0 as usize].subscription_count && channel.counts()
    }

    /// Takes a command that a home is about to handle.
    fn ask(&mut self, home: WorkerId, command: &Command, now: Millis) -> Asked {
        if let Some(key) = command.key() {
            assert_eq!(key.home(self.config.workers), home, "a command at another home");
        }
        let mut asked = Asked::default();
        match command {
            Command::Subscribe { key, place, member, .. } => {
                let (at, limit) = (self.channel_index[key], self.config.presence_members);
                let channel = &mut self.channels[at];
                let member = member.as_ref().map(|member| {
                    let info = member.user_info.as_deref();
                    let info: Info = info.map(|text| text.parse().expect("infos are numbers"));
                    (heard::user(member.user_id.as_str()), info)
                });
                let (before, others) = (channel.log.len(), channel.workers());
                if channel.occupied.is_in_grace(now, self.config.webhook_delay) {
                    self.tally.count(Moment::QuickReturn);
                }
                let outcome = channel.subscribe(*place, member, limit, now);
                asked.channel = Some(at);
                if channel.log.len() > before {
                    asked.entries.push(Told { channel: at, entry: before, workers: others });
                }
                asked.subscription = Some((*place, member.map(|(user, _)| user), outcome));
            }
            Command::Unsubscribe { key, place, user } => {
                let channel = self.at(key, &mut asked);
                let before = channel.log.len();
                let user = user.as_ref().map(|user| heard::user(user.as_str()));
                channel.unsubscribe(*place, user, now);
                let workers = channel.workers();
                if channel.log.len() > before {
                    let at = asked.channel.expect("the channel");
                    asked.entries.push(Told { channel: at, entry: before, workers });
                }
            }
            Command::Publish(publish) => self.ask_publish(publish, &mut asked, now),
            Command::Committed(mark) => {
                for waiting in self.gates[usize::from(home.0)].commit(*mark) {
                    self.pass(waiting, &mut asked);
                }
            }
            Command::ClientEvent { key, event, data, from, user } => {
                let channel = self.at(key, &mut asked);
                let (name, data) = (event.clone(), data.clone());
                let webhook = WebhookEvent::ClientEvent {
                    channel: key.name().to_string(),
                    event: name.clone(),
                    data: data.clone(),
                    socket_id: from.to_string(),
                    user_id: user.as_ref().map(|user| user.to_string()),
                };
                let user = user.as_ref().map(|user| heard::user(user.as_str()));
                let heard = Heard::Event { name, data, user, offset: None, replayed: false };
                channel.append(heard, Some(*from));
                let (entry, workers) = (channel.log.len() - 1, channel.workers());
                let at = asked.channel.expect("the channel");
                asked.entries.push(Told { channel: at, entry, workers });
                asked.webhook = Some(webhook);
            }
            Command::Inspect { key, wanted, ticket } => {
                let channel = self.at(key, &mut asked);
                asked.answers.push((*ticket, Answer::Channel(channel.info(*wanted, now))));
            }
            Command::List { app, prefix, wanted, from: _, ticket } => {
                let answer = self.list(home, *app, prefix, *wanted, now);
                asked.answers.push((*ticket, answer));
            }
            Command::ListMembers { key, ticket } => {
                let channel = self.at(key, &mut asked);
                let users = channel.members.keys().map(|user| crate::names::user_id(*user));
                asked.answers.push((*ticket, Answer::Members(users.collect())));
            }
            Command::SignIn { key, place } => self.user(key, &mut asked).sign_in(*place),
            Command::SignOut { key, place } => self.user(key, &mut asked).sign_out(*place, now),
            Command::Watch { key, place } => {
                self.user(key, &mut asked).watch(*place);
                asked.watcher = Some(*place);
            }
            Command::Unwatch { key, place } => self.user(key, &mut asked).unwatch(*place),
            Command::Terminate { key, ticket } => {
                asked.closes = self.user(key, &mut asked).connections.iter().copied().collect();
                asked.answers.push((*ticket, Answer::Done));
            }
            other => panic!("no part of these histories: {other:?}"),
        }
        asked
    }

    /// On a channel that survives, the event and its answer wait for the journal.
    fn ask_publish(&mut self, publish: &Publish, asked: &mut Asked, now: Millis) {
        let Publish { key, event, data, exclude, wanted, caller, .. } = publish;
        let durability = self.config.durability;
        let channel = self.at(key, asked);
        channel.publish(now);
        let event = Waiting::Event {
            channel: asked.channel.expect("the channel"),
            name: event.clone(),
            data: data.clone(),
            exclude: *exclude,
            at: now,
        };
        if channel.memory.is_some() && durability == Durability::Full {
            let answer = Answer::Channel(channel.info(*wanted, now));
            asked.gated.push(event);
            asked.gated.extend(caller.map(|caller| Waiting::Answer(caller.ticket, answer)));
            return;
        }
        self.pass(event, asked);
        let channel = self.at(key, asked);
        let answer = Answer::Channel(channel.info(*wanted, now));
        asked.answers.extend(caller.map(|caller| (caller.ticket, answer)));
    }

    /// What waited for the journal happens now.
    fn pass(&mut self, waiting: Waiting, asked: &mut Asked) {
        match waiting {
            Waiting::Event { channel: at, name, data, exclude, at: time } => {
                let channel = &mut self.channels[at];
                channel.release(&name, &data, exclude, time);
                let (entry, workers) = (channel.log.len() - 1, channel.workers());
                asked.entries.push(Told { channel: at, entry, workers });
            }
            Waiting::Answer(ticket, answer) => asked.answers.push((ticket, answer)),
        }
    }

    fn at(&mut self, key: &ChannelKey, asked: &mut Asked) -> &mut Channel {
        let at = self.channel_index[key];
        asked.channel = Some(at);
        &mut self.channels[at]
    }

    fn user(&mut self, key: &ChannelKey, asked: &mut Asked) -> &mut SignedIn {
        let at = self.user_index[key];
        asked.user = Some(at);
        &mut self.users[at]
    }

    fn list(
        &self,
        home: WorkerId,
        app: AppIndex,
        prefix: &str,
        wanted: Wanted,
        now: Millis,
    ) -> Answer {
        let here = self.channels.iter().filter(|channel| {
            let key = &channel.key;
            channel.total() > 0
                && key.app() == app
                && key.home(self.config.workers) == home
                && key.name().as_str().starts_with(prefix)
        });
        let channels = here.map(|c| (c.key.name().clone(), c.info(wanted, now)));
        // There are too few for a second slice.
        Answer::Channels(channels.collect(), None)
    }
}
