// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Troupe`]: all actors of a run, from the start of the load to what they bring home:
//! [`Evidence`].

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};

use crate::calls::Call;
use crate::channels::{CHANNELS, Channel};
use crate::client::{Client, Habit, Profile};
use crate::history::{Entry, Log};
use crate::publisher::{Publisher, Weight};
use crate::scribe::{Final, Findings, Scribe};
use crate::socket::Pace;
use crate::stage::{Phase, Stage};
use crate::transcript::{Speaks, Transcript};

/// Publishers.
const PUBLISHERS: usize = 6;
/// A publisher's mean time between two calls.
const PAUSE: Duration = Duration::from_millis(25);
/// After the last fault everybody must be at the end within this time since anybody got on (I13),
const CONVERGENCE: Duration = Duration::from_secs(20);
/// and within this time in any case.
const LONGEST_CONVERGENCE: Duration = Duration::from_secs(60);
/// Publishers whose calls wait for an answer must have one within this time.
const ANSWERS: Duration = Duration::from_secs(30);

/// Everything that a run has brought to light.
#[derive(Debug, Default)]
pub struct Evidence {
    /// What was asked for.
    pub calls: Vec<Call>,
    /// What was heard.
    pub transcripts: Vec<Transcript>,
    /// What was found in the logs.
    pub findings: Findings,
    /// What there was at the end.
    pub finals: Vec<Final>,
    /// Subscriptions that were not where they should be, long after the last fault.
    pub behind: Vec<String>,
    /// From when to when history was thrown away on purpose.
    pub thrown_away: Option<(Duration, Duration)>,
    /// When servers were started again.
    pub restarts: Vec<Duration>,
    /// What went wrong with a server: not its lies, but its manners.
    pub server: Vec<String>,
}

/// See the module.
pub struct Troupe {
    /// What they share.
    pub stage: Arc<Stage>,
    publishers: Vec<JoinHandle<Vec<Call>>>,
    clients: Vec<JoinHandle<Transcript>>,
    scribe: JoinHandle<Scribe>,
    cast: Vec<Profile>,
}

impl Troupe {
    /// Everybody begins.
    pub fn enter(address: SocketAddr, seed: u64, weight: Weight) -> Troupe {
        let stage = Arc::new(Stage::new(address));
        let mut rng = StdRng::seed_from_u64(seed);
        let publishers = (0..PUBLISHERS).map(|name| {
            let publisher = Publisher::new(Arc::clone(&stage), name, rng.random(), PAUSE, weight);
            tokio::spawn(publisher.run())
        });
        let publishers = publishers.collect();
        let cast = cast(&mut rng);
        let clients = cast.iter().map(|profile| {
            let client = Client::new(Arc::clone(&stage), profile.clone(), rng.random());
            tokio::spawn(client.run())
        });
        let clients = clients.collect();
        let scribe = tokio::spawn(Scribe::new(Arc::clone(&stage)).run());
        Troupe { stage, publishers, clients, scribe, cast }
    }

    /// Lets everybody finish over a server that stays, and takes what they have.
    pub async fn leave(self) -> Evidence {
        let Troupe { stage, publishers, clients, scribe, cast } = self;
        let mut evidence = Evidence::default();
        stage.enter(Phase::Calm);
        let calmed = Instant::now();
        let mut waiting = publishers;
        while waiting.iter().any(|publisher| !publisher.is_finished()) {
            if calmed.elapsed() > ANSWERS {
                evidence.behind.push("a call with a key was not answered in time".to_owned());
                stage.enter(Phase::End);
                break;
            }
            sleep(Duration::from_millis(20)).await;
        }
        for publisher in waiting.drain(..) {
            evidence.calls.extend(publisher.await.unwrap_or_default());
        }
        if stage.phase() == Phase::Calm {
            let last = Publisher::new(Arc::clone(&stage), PUBLISHERS, 0, PAUSE, Weight::Light);
            evidence.calls.extend(last.last_words().await);
        }
        let Ok(mut scribe) = scribe.await else {
            evidence.server.push("the scribe failed".to_owned());
            return evidence;
        };
        evidence.behind.extend(converge(&stage, &cast, &mut scribe).await);
        // Frames that must not be there come in this time.
        sleep(Duration::from_millis(200)).await;
        (evidence.findings, evidence.finals) = scribe.finish().await;
        stage.enter(Phase::End);
        for client in clients {
            if let Ok(Ok(transcript)) = timeout(CONVERGENCE, client).await {
                evidence.transcripts.push(transcript);
            } else {
                evidence.server.push("a client did not end".to_owned());
            }
        }
        evidence
    }
}

/// Waits until everybody has seen everything; answers who has not in time. That is while somebody
/// gets on: whoever reads slowly has to read what its socket holds already.
async fn converge(stage: &Stage, cast: &[Profile], scribe: &mut Scribe) -> Vec<String> {
    let begun = Instant::now();
    let (mut before, mut moved) = (Vec::new(), begun);
    loop {
        let mut behind = Vec::new();
        for channel in &CHANNELS {
            let (Some(at), true) = (scribe.position(channel).await, scribe.follow(channel).await)
            else {
                behind.push(format!("nobody answers for {}", channel.name));
                continue;
            };
            let log = scribe.newest(channel);
            for profile in cast.iter().filter(|who| who.channels.contains(&channel)) {
                let seen = stage.seen(&profile.name, channel.name);
                let offset = seen.and_then(|seen| seen.offset);
                let wanted = match seen {
                    Some(seen) if !seen.counts => log.map_or(0, last_visible),
                    _ => at.offset,
                };
                if offset.is_none_or(|offset| offset < wanted) {
                    let who = &profile.name;
                    behind
                        .push(format!("{who} is at {offset:?} of {}, not {wanted}", channel.name));
                }
            }
        }
        if behind != before {
            (before, moved) = (behind, Instant::now());
        }
        let is_over = moved.elapsed() > CONVERGENCE || begun.elapsed() > LONGEST_CONVERGENCE;
        if before.is_empty() || is_over {
            return before;
        }
        sleep(Duration::from_millis(50)).await;
    }
}

/// The last entry that a plain client is sure to be shown.
fn last_visible(log: &Log) -> u64 {
    let shown = |entry: &Entry| matches!(entry, Entry::Event { .. } | Entry::Truth { .. });
    log.entries.iter().rev().find(|(_, entry)| shown(entry)).map_or(0, |(offset, _)| *offset)
}

/// Who plays.
fn cast(rng: &mut StdRng) -> Vec<Profile> {
    let mut cast = Vec::new();
    let all: Vec<&'static Channel> = CHANNELS.iter().collect();
    let mut add = |speaks, pace, habit, channels: Vec<&'static Channel>| {
        let name = format!("{speaks:?}-{}-{habit:?}", cast.len());
        cast.push(Profile { name, speaks, pace, habit, channels });
    };
    for speaks in [Speaks::Pusher, Speaks::Oyez] {
        for habit in [Habit::Steady, Habit::Cuts(12), Habit::Cuts(200), Habit::Churns(60)] {
            add(speaks, Pace::Fast, habit, all.clone());
            let some = all.sample(rng, 3).copied().collect();
            add(speaks, Pace::Fast, habit, some);
        }
        for habit in [Habit::Steady, Habit::Cuts(300)] {
            let rest = Duration::from_millis(rng.random_range(5..40));
            add(speaks, Pace::Slow(rest), habit, all.clone());
        }
        // Slow enough for its socket to be full most of the time.
        let rest = Duration::from_millis(rng.random_range(100..300));
        add(speaks, Pace::Slow(rest), Habit::Steady, all.clone());
    }
    cast
}
