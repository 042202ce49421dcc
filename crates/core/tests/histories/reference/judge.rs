// SPDX-License-Identifier: MIT OR Apache-2.0
//! Judging: every effect of a home is one that had to be, and none is missing.

use std::rc::Rc;

use oyez_core::{
    Answer, AppIndex, Append, ChannelKey, Command, Durability, Effect, Item, Millis, Place, Record,
    Sight, Urgency, UserPresence, WorkerId,
};
use oyez_protocol::channel::ChannelName;
use oyez_protocol::encode::Frame;
use oyez_protocol::socket_id::SocketId;
use oyez_protocol::webhook::{WebhookEvent, WebhookKind};

use super::count::{Owed, Telling};
use super::{Asked, Channel, Outcome, Reference, SignedIn};
use crate::heard::{self, Heard, User};
use crate::tally::Moment;

/// What a worker gets, read and known to be right as far as its home goes.
#[derive(Clone, Debug)]
pub(crate) enum Letter {
    Event { channel: usize, heard: Rc<Heard>, exclude: Option<SocketId> },
    Subscribed { channel: usize, place: Place, user: Option<User>, begin: Begin },
    Refused { channel: usize, place: Place },
    Word { place: Place, user: User, presence: UserPresence },
    Close { place: Place },
}

/// How a subscription begins.
#[derive(Clone, Debug)]
pub(crate) struct Begin {
    /// Its place in the reference's log.
    pub(crate) position: usize,
    pub(crate) frames: Vec<Rc<Heard>>,
}

/// What is seen of one command's effects before it is compared.
#[derive(Default)]
struct Seen {
    /// Which entry of which channel, on which worker.
    reached: Vec<(usize, usize, WorkerId)>,
    subscribed: bool,
    watcher: bool,
    closes: Vec<Place>,
    answered: usize,
    /// Entries given to the journal.
    kept: usize,
    /// On which channel and worker a count was told.
    counted: Vec<(usize, WorkerId)>,
    count_changes: usize,
    count_webhooks: usize,
    client_events: usize,
    misses: usize,
    miss_webhooks: usize,
    /// The last frame that was read: the same one goes to several workers.
    read: Option<(Frame, Rc<Heard>)>,
}

impl Reference {
    /// Judges what a home did on a command; `effects` does it. Answers the mail.
    pub(crate) fn command(
        &mut self,
        home: WorkerId,
        command: Command,
        now: Millis,
        effects: impl FnOnce(Command) -> Vec<Effect>,
    ) -> Vec<(WorkerId, Letter)> {
        let mut asked = self.ask(home, &command, now);
        let letters = self.judge(home, &mut asked, effects(command), now);
        if let Some(channel) = asked.channel {
            self.check_channel(channel, now);
        }
        if let Some(user) = asked.user {
            self.users[user].check();
        }
        letters
    }

    /// Judges what a home did because it was time. Answers the mail.
    pub(crate) fn tick(
        &mut self,
        home: WorkerId,
        now: Millis,
        effects: Vec<Effect>,
    ) -> Vec<(WorkerId, Letter)> {
        let letters = self.judge(home, &mut Asked::default(), effects, now);
        let workers = self.config.workers;
        for at in 0..self.channels.len() {
            if self.channels[at].key.home(workers) == home {
                self.check_channel(at, now);
                self.check_due(at, now);
            }
        }
        for user in self.users.iter_mut().filter(|user| user.key.home(workers) == home) {
            user.check_due(now);
        }
        letters
    }

    fn judge(
        &mut self,
        home: WorkerId,
        asked: &mut Asked,
        effects: Vec<Effect>,
        now: Millis,
    ) -> Vec<(WorkerId, Letter)> {
        let mut seen = Seen::default();
        let mut letters = Vec::new();
        for effect in effects {
            match effect {
                Effect::Send(worker, item) => {
                    letters.push((worker, self.item(asked, &mut seen, worker, item, now)));
                }
                Effect::Answer(ticket, answer) => {
                    let expected = asked.answers.get(seen.answered).cloned();
                    let expected = expected.expect("nobody waits for an answer");
                    assert_eq!((ticket, sorted(answer)), (expected.0, sorted(expected.1)));
                    seen.answered += 1;
                }
                Effect::Append(append) => self.append(home, &mut seen, &append),
                Effect::Ask(question) => panic!("nobody can be asked: {question:?}"),
                Effect::Webhook(app, event) => self.webhook(&mut seen, asked, app, event, now),
                Effect::Opened(app) => self.open[app.0 as usize] += 1,
                Effect::Closed(app) => {
                    let open = &mut self.open[app.0 as usize];
                    *open = open.checked_sub(1).expect("only what was opened is closed");
                }
            }
        }
        for waiting in asked.gated.drain(..) {
            self.gates[usize::from(home.0)].wait(waiting);
        }
        self.compare(asked, seen, now);
        letters
    }

    fn append(&mut self, home: WorkerId, seen: &mut Seen, append: &Append) {
        assert_ne!(self.config.durability, Durability::Off, "nothing survives");
        self.gates[usize::from(home.0)].append(append.mark);
        let entries = append.records.iter().filter(|r| matches!(r, Record::Entry { .. })).count();
        seen.kept += entries;
        let gated = self.config.durability == Durability::Full && entries > 0;
        let urgency = if gated { Urgency::Gated } else { Urgency::Relaxed };
        assert_eq!(append.urgency, urgency, "{append:?}");
    }

    fn item(
        &mut self,
        asked: &Asked,
        seen: &mut Seen,
        worker: WorkerId,
        item: Item,
        now: Millis,
    ) -> Letter {
        match item {
            Item::Event { key, frame, exclude } => {
                let channel = self.channel_index[&key];
                let heard = seen.read(channel, key.name(), frame);
                assert!(!matches!(*heard, Heard::Count(_)), "a number that comes as an event");
                self.tell(asked, seen, channel, worker, &heard, exclude);
                Letter::Event { channel, heard, exclude }
            }
            Item::Count { key, frame } => {
                let channel = self.channel_index[&key];
                let heard = seen.read(channel, key.name(), frame);
                let Heard::Count(count) = *heard else { panic!("no number: {heard:?}") };
                self.count(seen, channel, worker, count, now);
                Letter::Event { channel, heard, exclude: None }
            }
            Item::Entry(delivery) => {
                let (channel, exclude) = (self.channel_index[&delivery.key], delivery.exclude);
                let Sight::Event(frame) = &delivery.sight else { panic!("{delivery:?}") };
                let heard = seen.read(channel, delivery.key.name(), frame.clone());
                let Heard::Event { offset, .. } = *heard else { panic!("no event: {heard:?}") };
                assert_eq!((offset, delivery.sum), (Some(delivery.offset.get()), None));
                self.tell(asked, seen, channel, worker, &heard, exclude);
                Letter::Event { channel, heard, exclude }
            }
            Item::Held { .. } | Item::Stretch { .. } | Item::LeftBehind { .. } => {
                panic!("nobody waits or fell behind")
            }
            Item::Subscribed { key, place, member, frames, standing } => {
                let (user, outcome) = self.answered(asked, seen, worker, &key, place);
                let Outcome::Accepted { position } = outcome else { panic!("over the limit") };
                assert_eq!(member.map(|m| heard::user(m.user_id.as_str())), user);
                let at = self.channel_index[&key];
                let frames = frames.into_iter().map(|frame| seen.read(at, key.name(), frame));
                let frames: Vec<_> = frames.collect();
                self.cut(seen, at, &frames, now);
                let offset = match frames[0].as_ref() {
                    Heard::Succeeded { cut: Some(cut), .. } => Some(cut.offset),
                    _ => None,
                };
                let standing = standing.map(|standing| (standing.cut.get(), standing.shown.get()));
                assert_eq!(standing, offset.map(|offset| (offset, offset)), "all is shown");
                Letter::Subscribed { channel: at, place, user, begin: Begin { position, frames } }
            }
            Item::Refused { key, place, frame } => {
                let (_, outcome) = self.answered(asked, seen, worker, &key, place);
                assert_eq!(outcome, Outcome::Refused, "P-035: within the limit");
                self.tally.count(Moment::Refusal);
                let channel = self.channel_index[&key];
                let heard = seen.read(channel, key.name(), frame);
                assert_eq!(*heard, Heard::Error { status: 403 });
                Letter::Refused { channel, place }
            }
            Item::Presence { place, user, presence } => {
                assert_eq!(place.worker, worker);
                let watched = |at: &&mut SignedIn| at.is(&user) && at.has_watcher(place);
                let watched = self.users.iter_mut().find(watched);
                watched.expect("only watchers are told").tell(place, presence, now);
                match asked.watcher == Some(place) {
                    true => seen.watcher = true,
                    false => self.tally.count(Moment::Word),
                }
                Letter::Word { place, user: heard::user(user.as_str()), presence }
            }
            Item::Close { place, .. } => {
                assert_eq!(place.worker, worker);
                seen.closes.push(place);
                self.tally.count(Moment::Close);
                Letter::Close { place }
            }
        }
    }

    /// The subscribers of a worker hear an entry of a log, each in its turn.
    fn tell(
        &mut self,
        asked: &Asked,
        seen: &mut Seen,
        channel: usize,
        worker: WorkerId,
        heard: &Heard,
        exclude: Option<SocketId>,
    ) {
        let before = seen.reached.iter().filter(|(at, _, on)| (*at, *on) == (channel, worker));
        let told = asked.entries.iter().filter(|told| told.channel == channel);
        let told = told.filter(|told| told.workers.contains(&worker)).nth(before.count());
        let told = told.expect("an event that nobody sent, or to nobody");
        let entry = &self.channels[channel].log[told.entry];
        assert_eq!((heard, exclude), (&entry.heard, entry.exclude));
        seen.reached.push((channel, told.entry, worker));
    }

    /// A subscription is answered, once.
    fn answered(
        &self,
        asked: &Asked,
        seen: &mut Seen,
        worker: WorkerId,
        key: &ChannelKey,
        place: Place,
    ) -> (Option<User>, Outcome) {
        let (asker, user, outcome) = asked.subscription.expect("an answer that nobody asked for");
        let channel = asked.channel.map(|at| &self.channels[at].key);
        assert_eq!((place, worker, Some(key)), (asker, asker.worker, channel));
        assert!(!std::mem::replace(&mut seen.subscribed, true), "a second answer");
        (user, outcome)
    }

    /// Acknowledgement and replay.
    fn cut(&mut self, seen: &mut Seen, at: usize, frames: &[Rc<Heard>], now: Millis) {
        let channel = &mut self.channels[at];
        let Heard::Succeeded { cut, members } = frames[0].as_ref() else {
            panic!("the acknowledgement is first: {frames:?}")
        };
        let truth = channel.is_presence().then(|| channel.users());
        assert_eq!(*members, truth, "P-029: the members at the cut");
        assert_eq!(cut.is_some(), channel.memory.is_some());
        match (&mut channel.memory, cut) {
            (Some(memory), Some(cut)) => {
                if memory.is_behind() {
                    self.tally.count(Moment::CutBehindHead);
                }
                seen.misses += memory.check_cut(cut, &frames[1..], now, &mut self.epochs);
                self.tally.count(match *frames[1] {
                    Heard::CacheMiss => Moment::Miss,
                    _ => Moment::Replay,
                });
                if memory.has_forgotten() {
                    self.tally.count(Moment::LaterEpoch);
                }
            }
            _ => assert_eq!(frames.len(), 1, "nothing is replayed without a memory"),
        }
    }

    /// The subscribers of a worker are told how many they are.
    fn count(&mut self, seen: &mut Seen, at: usize, worker: WorkerId, count: usize, now: Millis) {
        assert!(self.counts(at), "a count where none is told");
        let channel = &mut self.channels[at];
        if !seen.counted.iter().any(|(channel, _)| *channel == at) {
            match channel.count.tell(count, channel.total(), now) {
                Telling::Change => seen.count_changes += 1,
                Telling::Repetition => self.tally.count(Moment::RepeatedCount),
            }
        }
        seen.counted.push((at, worker));
    }

    fn named(&mut self, app: AppIndex, name: &str) -> &mut Channel {
        let mut channels = self.channels.iter_mut().filter(|channel| channel.key.app() == app);
        channels.find(|channel| channel.key.name().as_str() == name).expect("a channel")
    }

    fn webhook(
        &mut self,
        seen: &mut Seen,
        asked: &Asked,
        app: AppIndex,
        event: WebhookEvent,
        now: Millis,
    ) {
        assert!(self.wants(app, event.kind()), "a webhook that nobody wants: {event:?}");
        if matches!(event.kind(), WebhookKind::ChannelVacated | WebhookKind::MemberRemoved) {
            self.tally.count(Moment::Goodbye);
        }
        let delay = self.config.webhook_delay;
        match &event {
            WebhookEvent::ChannelOccupied { channel } => {
                self.named(app, channel).occupied.hello();
            }
            WebhookEvent::ChannelVacated { channel } => {
                let removed = self.wants(app, WebhookKind::MemberRemoved);
                let channel = self.named(app, channel);
                channel.occupied.goodbye(now, delay);
                let forgotten = channel.attended.values().find(|told| told.is_believed_here());
                assert!(forgotten.is_none() || !removed, "a member of a vacated channel");
            }
            WebhookEvent::MemberAdded { channel, user_id } => {
                let occupied = self.wants(app, WebhookKind::ChannelOccupied);
                let channel = self.named(app, channel);
                channel.attended(user_id).hello();
                let is_occupied = channel.occupied.is_believed_here();
                assert!(is_occupied || !occupied, "a member before the channel is occupied");
            }
            WebhookEvent::MemberRemoved { channel, user_id } => {
                self.named(app, channel).attended(user_id).goodbye(now, delay);
            }
            WebhookEvent::ClientEvent { .. } => {
                assert_eq!(Some(&event), asked.webhook.as_ref());
                seen.client_events += 1;
            }
            WebhookEvent::CacheMiss { channel } => {
                let asked = asked.channel.expect("misses are of subscriptions");
                let asked = self.channels[asked].key.clone();
                assert_eq!(self.named(app, channel).key, asked);
                seen.miss_webhooks += 1;
            }
            WebhookEvent::SubscriptionCount { channel, subscription_count } => {
                assert_eq!(*subscription_count, self.named(app, channel).total());
                seen.count_webhooks += 1;
            }
        }
    }

    /// Whether everything was there that had to be, as often as it had to be.
    fn compare(&mut self, asked: &Asked, mut seen: Seen, now: Millis) {
        seen.reached.sort_unstable();
        let mut expected: Vec<_> = (asked.entries.iter())
            .flat_map(|told| told.workers.iter().map(|worker| (told.channel, told.entry, *worker)))
            .collect();
        expected.sort_unstable();
        assert_eq!(seen.reached, expected, "who must hear it, once each");
        assert_eq!(seen.subscribed, asked.subscription.is_some(), "a subscription is answered");
        assert_eq!(seen.watcher, asked.watcher.is_some(), "a watcher is answered");
        assert_eq!(seen.answered, asked.answers.len(), "every call is answered");
        seen.closes.sort_unstable();
        assert_eq!(seen.closes, asked.closes, "P-057: all connections of the user");

        if let Some(at) = asked.channel
            && self.channels[at].total() == 0
        {
            seen.count_changes += usize::from(self.channels[at].count.vanish(now));
        }
        for (at, worker) in &seen.counted {
            let told = seen.counted.iter().filter(|(other, _)| other == at).count();
            let workers = self.channels[*at].workers();
            assert!(told == workers.len() && workers.contains(worker), "all hear the count, once");
        }
        let app = asked.channel.or(seen.counted.first().map(|(at, _)| *at));
        let Some(app) = app.map(|at| self.channels[at].key.app()) else { return };
        for (kind, expected, actual) in [
            (WebhookKind::CacheMiss, seen.misses, seen.miss_webhooks),
            (WebhookKind::ClientEvent, usize::from(asked.webhook.is_some()), seen.client_events),
            (WebhookKind::SubscriptionCount, seen.count_changes, seen.count_webhooks),
        ] {
            if self.wants(app, kind) {
                assert_eq!(actual, expected, "webhooks {}", kind.name());
            }
        }
    }

    /// After everything that followed on a command.
    fn check_channel(&mut self, at: usize, now: Millis) {
        let app = self.channels[at].key.app();
        let (occupied, added) = (
            self.wants(app, WebhookKind::ChannelOccupied),
            self.wants(app, WebhookKind::MemberAdded),
        );
        let counts = self.counts(at);
        let channel = &mut self.channels[at];
        channel.occupied.check_hello(occupied);
        channel.attended.values_mut().for_each(|told| told.check_hello(added));
        if counts && channel.count.check(channel.total(), now) == Owed::Something {
            self.tally.count(Moment::DelayedCount);
        }
    }

    /// After everything that was due.
    fn check_due(&mut self, at: usize, now: Millis) {
        let app = self.channels[at].key.app();
        let (vacated, removed) = (
            self.wants(app, WebhookKind::ChannelVacated),
            self.wants(app, WebhookKind::MemberRemoved),
        );
        let delay = self.config.webhook_delay;
        let channel = &mut self.channels[at];
        channel.occupied.check_goodbye(now, delay, vacated);
        channel.attended.values_mut().for_each(|told| told.check_goodbye(now, delay, removed));
    }
}

impl Seen {
    /// Reads a frame on that channel.
    fn read(&mut self, at: usize, name: &ChannelName, frame: Frame) -> Rc<Heard> {
        if let Some((read, heard)) = &self.read
            && read.bytes().as_ptr() == frame.bytes().as_ptr()
        {
            return heard.clone();
        }
        let (channel, heard) = heard::read(&frame);
        assert_eq!(channel, name.as_str(), "channel {at}");
        let heard = Rc::new(heard);
        self.read = Some((frame, heard.clone()));
        heard
    }
}

/// An answer whose order does not matter, in some order.
fn sorted(answer: Answer) -> Answer {
    match answer {
        Answer::Channels(mut channels, more) => {
            channels.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
            Answer::Channels(channels, more)
        }
        Answer::Members(mut users) => {
            users.sort_unstable();
            Answer::Members(users)
        }
        answer => answer,
    }
}
