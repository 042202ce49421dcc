// SPDX-License-Identifier: MIT OR Apache-2.0
//! A subscriber: connects, subscribes, comes back when its link dies, and writes down all it says
//! and hears. What it has by habit is what people do by accident: read slowly, lose their link,
//! leave and come back in one moment, ask for a new cut.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::json;
use tokio::time::{Instant, sleep, sleep_until};

use crate::channels::Channel;
use crate::follower::Follower;
use crate::frame::{Message, Said, read};
use crate::socket::{Heard, Pace, Socket};
use crate::stage::{Phase, Seen, Stage};
use crate::transcript::{Happened, Note, Speaks, Transcript};

/// How long a new cut that was asked for may take.
const PATIENCE: Duration = Duration::from_secs(3);

/// What a client does beside listening.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Habit {
    /// Nothing.
    Steady,
    /// It cuts its own link, after so many messages at most.
    Cuts(u32),
    /// It leaves and comes back, or asks for a new cut, after so many messages at most.
    Churns(u32),
}

/// Who a client is.
#[derive(Clone, Debug)]
pub struct Profile {
    /// Its name.
    pub name: String,
    /// What it understands.
    pub speaks: Speaks,
    /// How fast it reads while there is load.
    pub pace: Pace,
    /// What it does.
    pub habit: Habit,
    /// What it is subscribed to.
    pub channels: Vec<&'static Channel>,
}

/// See the module.
pub struct Client {
    stage: Arc<Stage>,
    profile: Profile,
    rng: StdRng,
    notes: Vec<Note>,
    followers: BTreeMap<&'static str, State>,
    /// Its socket before this one.
    old_socket: Option<String>,
}

/// What a client knows of a channel.
#[derive(Clone, Debug, Default)]
struct State {
    follower: Follower,
    /// When it asked for a new cut that has not come.
    resyncing: Option<Instant>,
    /// Whether it has subscribed and not been answered: until then it hears nothing of it.
    waiting: bool,
    /// What a plain client has seen, and how much of a replay is still to come.
    offset: Option<u64>,
    left: u64,
}

/// How a link ended.
enum Fate {
    Again,
    Over,
}

impl Client {
    /// A client.
    pub fn new(stage: Arc<Stage>, profile: Profile, seed: u64) -> Client {
        let followers = profile.channels.iter().map(|channel| (channel.name, State::default()));
        let (followers, rng) = (followers.collect(), StdRng::seed_from_u64(seed));
        Client { stage, profile, rng, notes: Vec::new(), followers, old_socket: None }
    }

    /// Listens until the end.
    pub async fn run(mut self) -> Transcript {
        while let Fate::Again = self.connect().await {
            for state in self.followers.values_mut() {
                state.follower.interrupt();
                (state.resyncing, state.offset, state.left) = (None, None, 0);
            }
            self.stage.unsee(&self.profile.name);
            let most = if self.stage.phase() == Phase::Load { 150 } else { 30 };
            sleep(Duration::from_millis(self.rng.random_range(1..=most))).await;
        }
        Transcript { client: self.profile.name, speaks: self.profile.speaks, notes: self.notes }
    }

    async fn connect(&mut self) -> Fate {
        if self.stage.phase() == Phase::End {
            return Fate::Over;
        }
        let pace = self.pace();
        let Ok(mut socket) = Socket::connect(self.stage.address, pace).await else {
            return Fate::Again;
        };
        let fate = self.listen(&mut socket).await;
        self.stage.remove_socket(&self.profile.name);
        fate
    }

    async fn listen(&mut self, socket: &mut Socket) -> Fate {
        let mut phases = self.stage.phases();
        let mut left = self.next_whim();
        let mut id = None;
        loop {
            let waits = self.followers.values().filter_map(|state| state.resyncing).min();
            let impatient = async {
                match waits {
                    Some(since) => sleep_until(since + PATIENCE).await,
                    None => std::future::pending().await,
                }
            };
            let heard = tokio::select! {
                heard = socket.hear() => heard,
                _ = phases.changed() => {
                    socket.set_pace(self.pace());
                    if self.stage.phase() == Phase::End { return Fate::Over }
                    continue;
                }
                () = impatient => {
                    self.note(Happened::Ended(None));
                    return Fate::Again;
                }
            };
            let text = match heard {
                Heard::Text(text) => text,
                Heard::End(code) => {
                    self.note(Happened::Ended(code));
                    return Fate::Again;
                }
            };
            match read(&text) {
                Ok(Message::Established(new)) => {
                    self.note(Happened::Connected(new.clone()));
                    self.stage.add_socket(&self.profile.name, &new);
                    for channel in self.profile.channels.clone() {
                        self.subscribe(socket, channel.name).await;
                    }
                    id = Some(new);
                }
                Ok(Message::Ping) => socket.say(r#"{"event":"pusher:pong","data":{}}"#).await,
                Ok(Message::Of(channel, said)) => {
                    if matches!(said, Said::Cut(_)) {
                        self.old_socket.clone_from(&id);
                    }
                    self.take(socket, channel, said).await;
                }
                Ok(Message::Error(text)) | Err(text) => self.note(Happened::Nonsense(text)),
                Ok(Message::Other) => {}
            }
            left = left.saturating_sub(1);
            if left == 0 && self.stage.phase() == Phase::Load {
                left = self.next_whim();
                match self.profile.habit {
                    Habit::Steady => {}
                    Habit::Cuts(_) => {
                        self.note(Happened::Ended(None));
                        return Fate::Again;
                    }
                    Habit::Churns(_) => self.churn(socket).await,
                }
            }
        }
    }

    async fn subscribe(&mut self, socket: &mut Socket, channel: &'static str) {
        let state = self.followers.entry(channel).or_default();
        state.resyncing = None;
        state.waiting = true;
        let mut data = json!({"channel": channel, "auth": ""});
        let mut resume = None;
        if self.profile.speaks == Speaks::Oyez {
            data["oyez"] = json!({"v": 1, "delta": ["merge", "patch"]});
            resume.clone_from(&state.follower.position);
            if let Some(at) = &resume {
                data["resume"] =
                    json!({"epoch": &*at.epoch, "term": &*at.term, "offset": at.offset});
                if let Some(old) = &self.old_socket {
                    data["resume"]["socket"] = old.as_str().into();
                }
                let truth = state.follower.truth.as_ref().filter(|truth| truth.version > 0);
                if let Some(truth) = truth.filter(|truth| truth.version <= at.offset) {
                    data["oyez"]["truth"] = json!({"version": truth.version});
                }
            }
        }
        self.note(Happened::Asked { channel: channel.to_owned(), resume });
        socket.say(&json!({"event": "pusher:subscribe", "data": data}).to_string()).await;
    }

    async fn take(&mut self, socket: &mut Socket, channel: String, said: Said) {
        let happened = Happened::Said { channel: channel.clone(), said: said.clone() };
        self.note(happened);
        let Some(known) = Channel::named(&channel) else { return };
        let state = self.followers.entry(known.name).or_default();
        state.waiting &= !matches!(said, Said::Cut(_));
        if state.waiting {
            return;
        }
        if self.profile.speaks == Speaks::Pusher {
            match &said {
                Said::Cut(cut) => (state.offset, state.left) = (Some(cut.at.offset), cut.replay),
                Said::Event(event) if event.replayed => state.left = state.left.saturating_sub(1),
                Said::Event(event) => {
                    // Whatever of the replay has not come yet was forgotten meanwhile.
                    state.left = 0;
                    state.offset = event.offset.or(state.offset);
                }
                _ => {}
            }
            let seen = state.offset.filter(|_| state.left == 0);
            return self.stage.see(&self.profile.name, known.name, Seen::plain(seen));
        }
        if matches!(said, Said::Cut(_) | Said::Reset(_)) {
            state.resyncing = None;
        }
        if state.resyncing.is_some() {
            return;
        }
        if let Err(why) = state.follower.take(&said) {
            self.resync(socket, known.name, Some(why)).await;
            return;
        }
        let seen = state.follower.position.as_ref().map(|position| position.offset);
        self.stage.see(&self.profile.name, known.name, Seen::aware(seen));
    }

    async fn resync(&mut self, socket: &mut Socket, channel: &'static str, lost: Option<String>) {
        let state = self.followers.entry(channel).or_default();
        state.follower.forget();
        state.resyncing = Some(Instant::now());
        self.stage.see(&self.profile.name, channel, Seen::aware(None));
        self.note(Happened::Resync { channel: channel.to_owned(), lost });
        let message = json!({"event": "oyez:resync", "data": {"channel": channel, "have": null}});
        socket.say(&message.to_string()).await;
    }

    async fn churn(&mut self, socket: &mut Socket) {
        let at = self.rng.random_range(0..self.profile.channels.len());
        let channel = self.profile.channels[at].name;
        let state = self.followers.entry(channel).or_default();
        if state.resyncing.is_some() || state.waiting {
            return;
        }
        if self.profile.speaks == Speaks::Oyez && self.rng.random_bool(0.5) {
            if state.follower.position.is_some() {
                self.resync(socket, channel, None).await;
            }
            return;
        }
        state.follower.interrupt();
        self.note(Happened::Left { channel: channel.to_owned() });
        let message = json!({"event": "pusher:unsubscribe", "data": {"channel": channel}});
        socket.say(&message.to_string()).await;
        self.subscribe(socket, channel).await;
    }

    fn next_whim(&mut self) -> u32 {
        match self.profile.habit {
            Habit::Steady => u32::MAX,
            Habit::Cuts(most) | Habit::Churns(most) => self.rng.random_range(1..=most),
        }
    }

    fn pace(&self) -> Pace {
        if self.stage.phase() == Phase::Load { self.profile.pace } else { Pace::Fast }
    }

    fn note(&mut self, what: Happened) {
        self.notes.push(Note { at: self.stage.elapsed(), what });
    }
}
