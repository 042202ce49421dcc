// SPDX-License-Identifier: MIT OR Apache-2.0
//! A publisher: makes calls of all kinds at random, and remembers every one with every answer. A
//! call that has an idempotency key is made again until it is answered; any other is made once.

use std::sync::Arc;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::calls::{Call, Try, What};
use crate::channels::{CHANNELS, Channel, Use};
use crate::http::{Answer, Http};
use crate::stage::{Phase, Stage};

/// Names of events.
const NAMES: [&str; 4] = ["a", "b", "c", "d"];
/// Between two tries of a call.
const RETRY: Duration = Duration::from_millis(100);
/// A value of so many keys is long enough to be sent as a change.
const KEYS: usize = 40;

/// How much data events carry, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weight {
    /// Most often little.
    Light,
    /// So much that no system's buffers hold it for a slow reader.
    Heavy,
}

impl Weight {
    fn paddings(self) -> &'static [usize] {
        match self {
            Weight::Light => &[0, 0, 0, 40, 400, 2000],
            Weight::Heavy => &[0, 9_000, 9_000, 9_000],
        }
    }
}

/// See the module.
pub struct Publisher {
    stage: Arc<Stage>,
    name: usize,
    rng: StdRng,
    http: Http,
    calls: Vec<Call>,
    /// The mean time between two calls.
    pause: Duration,
    weight: Weight,
}

impl Publisher {
    /// The publisher of that number.
    pub fn new(
        stage: Arc<Stage>,
        name: usize,
        seed: u64,
        pause: Duration,
        weight: Weight,
    ) -> Publisher {
        let http = Http::new(stage.address);
        let rng = StdRng::seed_from_u64(seed);
        Publisher { stage, name, rng, http, calls: Vec::new(), pause, weight }
    }

    /// Publishes until the load ends, then until all that can be answered is.
    pub async fn run(mut self) -> Vec<Call> {
        while self.stage.phase() == Phase::Load {
            let most = self.pause.as_micros() as u64 * 2;
            let pause = Duration::from_micros(self.rng.random_range(0..=most));
            sleep(pause).await;
            let id = format!("p{}-{}", self.name, self.calls.len());
            let Some(what) = self.invent(&id).await else { continue };
            let key = self.rng.random_bool(0.4).then(|| format!("key-{id}"));
            let call = Call { id, what, key, tries: Vec::new() };
            let call = self.make(call).await;
            self.calls.push(call);
        }
        self.calls
    }

    /// Says a last word in every channel, which everybody hears.
    pub async fn last_words(mut self) -> Vec<Call> {
        for channel in CHANNELS.iter().filter(|channel| channel.use_for != Use::Counter) {
            let id = format!("last-{}", channel.name);
            let what = match channel.use_for {
                Use::Truth => {
                    What::Merge { channel: channel.name, patch: json!({"id": id, "from": null}) }
                }
                _ => {
                    let data = json!({"id": id}).to_string();
                    What::Publish { events: vec![(channel.name, NAMES[0], data)], exclude: None }
                }
            };
            let key = Some(format!("key-{id}"));
            let call = self.make(Call { id, what, key, tries: Vec::new() }).await;
            self.calls.push(call);
        }
        self.calls
    }

    async fn make(&mut self, mut call: Call) -> Call {
        let mut again = call.key.is_some() && self.rng.random_bool(0.1);
        loop {
            let began = self.stage.elapsed();
            let answer = self.send(&call).await;
            let ended = self.stage.elapsed();
            let is_final = answer.as_ref().is_some_and(|answer| answer.status < 500);
            call.tries.push(Try { began, ended, answer });
            let is_over = call.key.is_none() || self.stage.phase() == Phase::End;
            if is_over || (is_final && !again) {
                if !is_final {
                    // There is nothing to gain from asking a server that is not there.
                    sleep(RETRY).await;
                }
                return call;
            }
            if is_final {
                // Said once more, to hear the same.
                again = false;
            } else {
                sleep(RETRY).await;
            }
        }
    }

    async fn send(&mut self, call: &Call) -> Option<Answer> {
        let mut body = json!({});
        let path = match &call.what {
            What::Publish { events, exclude } if is_one_event(events) => {
                let channels: Vec<_> = events.iter().map(|(channel, ..)| *channel).collect();
                let (_, name, data) = &events[0];
                body =
                    json!({"name": name, "channels": channels, "data": data, "info": "position"});
                if let Some(exclude) = exclude {
                    body["socket_id"] = exclude.as_str().into();
                }
                "/events".to_owned()
            }
            What::Publish { events, exclude } => {
                let event = |(channel, name, data): &(&str, &str, String)| {
                    let mut event = json!({"channel": channel, "name": name, "data": data});
                    event["info"] = "position".into();
                    if let Some(exclude) = exclude {
                        event["socket_id"] = exclude.as_str().into();
                    }
                    event
                };
                body["batch"] = events.iter().map(event).collect();
                "/batch_events".to_owned()
            }
            What::Set { channel, value, condition } => {
                body["data"] = value.clone();
                if let Some((version, epoch)) = condition {
                    body["if_version"] = (*version).into();
                    body["if_epoch"] = epoch.as_str().into();
                }
                format!("/channels/{channel}/truth")
            }
            What::Merge { channel, patch } => {
                body["merge"] = patch.clone();
                format!("/channels/{channel}/truth")
            }
            What::Delete { channel } => {
                body["delete"] = true.into();
                format!("/channels/{channel}/truth")
            }
            What::Forget { channel, event } => {
                body["event"] = (*event).into();
                format!("/channels/{channel}/forget")
            }
        };
        let is_forget = matches!(call.what, What::Forget { .. });
        if let Some(key) = call.key.as_ref().filter(|_| !is_forget) {
            body["idempotency_key"] = key.as_str().into();
        }
        self.http.call("POST", &path, &[], &body.to_string()).await
    }

    /// Something to do; `None` when what it depends on could not be asked.
    async fn invent(&mut self, id: &str) -> Option<What> {
        let channel: &'static Channel = CHANNELS.choose(&mut self.rng)?;
        match (channel.use_for, self.rng.random_range(0..100)) {
            (Use::Counter, _) => self.increment(channel, id).await,
            (Use::Truth, roll) => self.change(channel, id, roll).await,
            (Use::All, roll @ 0..50) => self.change(channel, id, roll * 2).await,
            (Use::All | Use::EventsAndForget, 94..) => {
                let event = NAMES.choose(&mut self.rng)?;
                Some(What::Forget { channel: channel.name, event })
            }
            _ => Some(self.publish(channel, id)),
        }
    }

    fn publish(&mut self, channel: &'static Channel, id: &str) -> What {
        let mut channels = vec![channel.name];
        if channel.is_durable() && self.rng.random_bool(0.3) {
            let others = CHANNELS.iter().filter(|other| {
                other.is_durable() && other.truth.is_none() && other.name != channel.name
            });
            let others: Vec<_> = others.collect();
            let count = self.rng.random_range(1..=others.len());
            channels.extend(others.sample(&mut self.rng, count).map(|other| other.name));
        }
        let is_batch = self.rng.random_bool(0.5);
        let one = *NAMES.choose(&mut self.rng).expect("there are names");
        let padding = "x".repeat(*self.weight.paddings().choose(&mut self.rng).unwrap_or(&0));
        let events = channels.into_iter().map(|channel| {
            let other = *NAMES.choose(&mut self.rng).expect("there are names");
            let name = if is_batch { other } else { one };
            // In a batch each has data of its own.
            let place = if is_batch { channel } else { "" };
            let data = json!({"id": id, "padding": padding, "place": place}).to_string();
            (channel, name, data)
        });
        let events = events.collect();
        let exclude = self.rng.random_bool(0.1).then(|| self.stage.any_socket(&mut self.rng));
        What::Publish { events, exclude: exclude.flatten() }
    }

    async fn change(&mut self, channel: &'static Channel, id: &str, roll: u32) -> Option<What> {
        let channel_name = channel.name;
        match roll {
            0..30 => {
                let condition =
                    if roll < 15 { Some(self.version(channel_name).await?) } else { None };
                let mut value = json!({"id": id});
                for key in 0..self.rng.random_range(1..KEYS) {
                    value[format!("k{key}")] = self.some().into();
                }
                if let Some((version, _)) = &condition {
                    value["from"] = (*version).into();
                }
                Some(What::Set { channel: channel_name, value, condition })
            }
            30..96 => {
                let mut patch = json!({"id": id, "from": null});
                for _ in 0..self.rng.random_range(0..4) {
                    let key = format!("k{}", self.rng.random_range(0..KEYS));
                    let value =
                        if self.rng.random_bool(0.2) { Value::Null } else { self.some().into() };
                    patch[key] = value;
                }
                Some(What::Merge { channel: channel_name, patch })
            }
            _ => Some(What::Delete { channel: channel_name }),
        }
    }

    async fn increment(&mut self, channel: &'static Channel, id: &str) -> Option<What> {
        let path = format!("/channels/{}/truth", channel.name);
        let answer = self.http.get(&path, &[]).await?;
        let (version, epoch, count) = match answer.status {
            200 => {
                let body = answer.body;
                let count = body["data"]["n"].as_u64()?;
                (body["version"].as_u64()?, body["epoch"].as_str()?.to_owned(), count)
            }
            404 => {
                let (version, epoch) = self.version(channel.name).await?;
                (version, epoch, 0)
            }
            _ => return None,
        };
        let value = json!({"id": id, "n": count + 1, "from": version});
        Some(What::Set { channel: channel.name, value, condition: Some((version, epoch)) })
    }

    /// The version of a channel's truth, and its epoch.
    async fn version(&mut self, channel: &str) -> Option<(u64, String)> {
        let answer = self.http.get(&format!("/channels/{channel}/truth"), &[]).await?;
        if answer.status == 200 {
            let body = answer.body;
            return Some((body["version"].as_u64()?, body["epoch"].as_str()?.to_owned()));
        }
        let path = format!("/channels/{channel}/history");
        let page = self.http.get(&path, &[("limit", "1".to_owned())]).await?;
        Some((0, page.body["epoch"].as_str()?.to_owned()))
    }

    fn some(&mut self) -> String {
        format!("{:016x}", self.rng.random::<u64>())
    }
}

/// Whether a call of `POST /events` says it all.
fn is_one_event(events: &[(&str, &str, String)]) -> bool {
    events.windows(2).all(|two| two[0].1 == two[1].1 && two[0].2 == two[1].2)
}
