// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Scribe`]: reads the history of every channel all the time, so that the checker knows each
//! log, also what was trimmed or forgotten later, and notices when history is lost.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::time::sleep;

use crate::channels::{CHANNELS, Channel};
use crate::frame::Position;
use crate::history::{Entry, Log, Logs};
use crate::http::Http;
use crate::stage::{Phase, Stage};

/// Between two looks.
const PAUSE: Duration = Duration::from_millis(150);

/// A channel at the end of a run.
#[derive(Clone, Debug)]
pub struct Final {
    /// Whose.
    pub channel: &'static Channel,
    /// Where it is.
    pub at: Position,
    /// What it holds.
    pub held: BTreeMap<u64, Entry>,
    /// Its truth: version and value.
    pub truth: Option<(u64, Value)>,
}

/// History that a server said is not there (410), or that was found trimmed.
#[derive(Clone, Debug)]
pub struct Refusal {
    /// Whose.
    pub channel: &'static Channel,
    /// Where the scribe was.
    pub from: Position,
    /// Where the channel is.
    pub to: Position,
    /// Why.
    pub reason: String,
}

/// What a scribe has found.
#[derive(Clone, Debug, Default)]
pub struct Findings {
    /// All logs.
    pub logs: Logs,
    /// Every refusal.
    pub refusals: Vec<Refusal>,
}

/// See the module.
pub struct Scribe {
    stage: Arc<Stage>,
    http: Http,
    findings: Findings,
    /// Where it is in each channel, and in which log.
    at: BTreeMap<&'static str, (Position, usize)>,
}

/// A page of a history.
enum Page {
    Entries(Position, Vec<(u64, Entry)>),
    Gone(Position, String),
}

impl Scribe {
    /// A scribe who has read nothing yet.
    pub fn new(stage: Arc<Stage>) -> Scribe {
        let http = Http::new(stage.address);
        Scribe { stage, http, findings: Findings::default(), at: BTreeMap::new() }
    }

    /// Reads until the calm.
    pub async fn run(mut self) -> Scribe {
        while self.stage.phase() == Phase::Load {
            for channel in &CHANNELS {
                self.follow(channel).await;
            }
            sleep(PAUSE).await;
        }
        self
    }

    /// Where a channel is; `None` while no server answers.
    pub async fn position(&mut self, channel: &'static Channel) -> Option<Position> {
        match self.page(channel, None, 1).await? {
            Page::Entries(at, _) | Page::Gone(at, _) => Some(at),
        }
    }

    /// The log in which that channel is now.
    pub fn newest(&self, channel: &'static Channel) -> Option<&Log> {
        let (_, log) = self.at.get(channel.name)?;
        self.findings.logs.0.get(*log)
    }

    /// Reads everything that is new; false while no server answers.
    pub async fn follow(&mut self, channel: &'static Channel) -> bool {
        loop {
            let Some((done, offset)) = self.step(channel).await else { return false };
            if done <= offset {
                return true;
            }
        }
    }

    /// Reads a page; answers where the channel is, and how far it has been read.
    async fn step(&mut self, channel: &'static Channel) -> Option<(u64, u64)> {
        let from = self.at.get(channel.name).cloned();
        match self.page(channel, from.as_ref().map(|(at, _)| at), LIMIT).await? {
            Page::Entries(now, page) => {
                let (since, log) = match &from {
                    Some((at, log)) => (at.offset, *log),
                    None => {
                        let first = page.first().map_or(now.offset, |(offset, _)| offset - 1);
                        self.findings.logs.0.push(Log::new(channel, &now));
                        (first, self.findings.logs.0.len() - 1)
                    }
                };
                let is_full = page.len() == LIMIT;
                let last = page.last().map(|(offset, _)| *offset);
                let upto = last.filter(|_| is_full).unwrap_or(now.offset);
                self.findings.logs.0[log].add(since, upto, &now.term, page);
                let at = Position { offset: upto, ..now.clone() };
                self.at.insert(channel.name, (at, log));
                Some((now.offset, upto))
            }
            Page::Gone(now, reason) => {
                let (at, log) = from?;
                if reason == "trimmed" {
                    // The log goes on, and a part of it is unknown.
                    let first = match self.page(channel, None, LIMIT).await? {
                        Page::Entries(_, page) => page.first().map(|(offset, _)| offset - 1),
                        Page::Gone(..) => None,
                    };
                    let offset = first.unwrap_or(now.offset).max(at.offset);
                    self.at.insert(channel.name, (Position { offset, ..now.clone() }, log));
                } else {
                    self.at.remove(channel.name);
                }
                let refusal = Refusal { channel, from: at, to: now, reason };
                self.findings.refusals.push(refusal);
                Some((1, 0))
            }
        }
    }

    async fn page(
        &mut self,
        channel: &'static Channel,
        since: Option<&Position>,
        limit: usize,
    ) -> Option<Page> {
        let mut query = vec![("limit", limit.to_string())];
        if let Some(at) = since {
            query.push(("since", at.offset.to_string()));
            query.push(("epoch", at.epoch.to_string()));
            query.push(("term", at.term.to_string()));
        }
        let path = format!("/channels/{}/history", channel.name);
        let answer = self.http.get(&path, &query).await?;
        let body = &answer.body;
        let at = Position {
            epoch: body["epoch"].as_str()?.into(),
            term: body["term"].as_str()?.into(),
            offset: body["offset"].as_u64()?,
        };
        match answer.status {
            200 => {
                let events = body["events"].as_array()?.iter();
                Some(Page::Entries(at, events.filter_map(|e| Entry::read(channel, e)).collect()))
            }
            410 => Some(Page::Gone(at, body["reason"].as_str()?.to_owned())),
            _ => None,
        }
    }

    /// Reads what is left, and everything once more from its beginning.
    pub async fn finish(mut self) -> (Findings, Vec<Final>) {
        let mut finals = Vec::new();
        for channel in &CHANNELS {
            self.follow(channel).await;
            if let Some(end) = self.read_all(channel).await {
                finals.push(end);
            }
        }
        (self.findings, finals)
    }

    async fn read_all(&mut self, channel: &'static Channel) -> Option<Final> {
        let mut held = BTreeMap::new();
        let mut since: Option<Position> = None;
        let at = loop {
            let Page::Entries(at, page) = self.page(channel, since.as_ref(), LIMIT).await? else {
                return None;
            };
            let (count, last) = (page.len(), page.last().map(|(offset, _)| *offset));
            held.extend(page);
            match last {
                Some(offset) if count == LIMIT => since = Some(Position { offset, ..at }),
                _ => break at,
            }
        };
        let answer = self.http.get(&format!("/channels/{}/truth", channel.name), &[]).await?;
        let truth = match answer.status {
            200 => Some((answer.body["version"].as_u64()?, answer.body["data"].clone())),
            404 => None,
            _ => return None,
        };
        Some(Final { channel, at, held, truth })
    }
}

/// Entries of a page, as many as the server gives.
const LIMIT: usize = 1000;
