// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Predicted`]: what a command must come to, worked out from the reference logs before a home is
//! told of it. [`Due`]: what its caller must be told. [`Comer`]: what whoever comes must be shown.

use oyez_core::{
    Answer, ChangeOf, Changed, ChannelInfo, Command, Durability, EntryKind, Place, Publish,
    Refused, Reply, TruthAnswer,
};
use oyez_protocol::api::{Condition, Expected};
use oyez_protocol::position::{Epoch, Offset, Position, Term};
use serde_json::Value as Json;

use super::World;
use crate::reference::{Log, Said};

/// Entries, each with its channel.
#[derive(Default)]
pub(super) struct Predicted {
    /// They come, in this order.
    pub(super) must: Vec<(usize, Said)>,
    /// They may come, behind those.
    pub(super) may: Vec<(usize, Said)>,
}

/// What a caller must be told.
#[derive(Debug)]
pub(super) struct Due {
    pub(super) channel: usize,
    /// It must be durable so far.
    pub(super) upto: usize,
    pub(super) answer: Answer,
    /// Whether anything changed may depend on what is held a moment longer.
    pub(super) lenient: bool,
}

/// What a subscription must be shown, if it is admitted before then.
#[derive(Clone, Copy, Debug)]
pub(super) struct Comer {
    pub(super) at_least: u64,
    pub(super) until: u64,
}

impl World {
    /// What must follow on a command: entries of a log, by whether they must come.
    pub(super) fn predict(&mut self, home: usize, command: &mut Command) -> Predicted {
        let mut predicted = Predicted::default();
        match command {
            Command::Publish(publish) => self.predict_publish(publish, &mut predicted),
            Command::Change(change) => {
                let at = self.index[&change.key];
                let log = &self.channels[at].log;
                let known = !log.entries.is_empty() && log.epoch.is_some();
                if !known {
                    change.condition.epoch = Expected::Any;
                }
                let log = &self.channels[at].log;
                let (head, full) = (log.entries.len(), log.rule.durability == Durability::Full);
                let truth = log.truth(head);
                let answer = if self.failed && full {
                    Answer::Refused(Refused::JournalFailed)
                } else if let Some(mismatch) = mismatch(log, truth.unwrap_or(0), change.condition) {
                    self.count("mismatch");
                    mismatch
                } else {
                    decide(log, &change.what, &mut predicted, at)
                };
                let upto = head + predicted.must.len();
                if let Some(caller) = change.caller {
                    let lenient = !predicted.may.is_empty();
                    let due = Due { channel: at, upto, answer, lenient };
                    self.due.insert(caller.ticket.call, due);
                }
                for (_, said) in &mut predicted.must {
                    said.exclude = change.exclude;
                    said.time = self.wall;
                    said.term = *self.disk.terms.last().expect("of this start");
                }
            }
            Command::Committed(mark) => {
                while let Some((_, at, upto)) = self.gates[home].pop_front_if(|(m, ..)| *m <= *mark)
                {
                    self.channels[at].log.release(upto, self.wall);
                }
            }
            Command::Replied { key, reply: Reply::Truth(value, _), .. } => {
                let said = self.said(EntryKind::Truth, "state", value.text());
                predicted.may.push((self.index[key], said));
            }
            Command::Subscribe { key, place, .. } => {
                let at = self.index[key];
                self.channels[at].log.trim(self.wall);
                self.expect(at, *place);
            }
            Command::Changed { key, .. } => {
                let channel = &mut self.channels[self.index[key]];
                channel.told = channel.source;
            }
            _ => {}
        }
        predicted
    }

    /// Somebody comes to a channel whose truth is asked for.
    fn expect(&mut self, at: usize, place: Place) {
        let channel = &self.channels[at];
        let Some(ask) = channel.log.rule.asked() else { return };
        let at_least = if ask.confirm { channel.source } else { channel.told };
        let until = self.wall + ask.wait.as_millis() as u64;
        self.comers.insert(place, Comer { at_least, until });
    }

    pub(super) fn said(&self, kind: EntryKind, event: &str, data: &str) -> Said {
        let term = *self.disk.terms.last().expect("of this start");
        let (event, data) = (event.to_owned(), data.to_owned());
        Said { kind, event, data, time: self.wall, exclude: None, term, forgotten: false }
    }

    fn predict_publish(&mut self, publish: &mut Publish, predicted: &mut Predicted) {
        let at = self.index[&publish.key];
        if self.channels[at].log.entries.is_empty() || self.channels[at].log.epoch.is_none() {
            publish.condition.epoch = Expected::Any;
        }
        let log = &self.channels[at].log;
        let (head, full) = (log.entries.len(), log.rule.durability == Durability::Full);
        let truth = log.truth(head);
        let holds_none = log.rule.truth.is_none() && truth.is_none();
        let version = if holds_none { head } else { truth.unwrap_or(0) };
        let answer = if self.failed && full {
            Answer::Refused(Refused::JournalFailed)
        } else if let Some(mismatch) = mismatch(log, version, publish.condition) {
            self.count("mismatch");
            mismatch
        } else {
            let mut said = self.said(EntryKind::Event, &publish.event, &publish.data);
            said.exclude = publish.exclude;
            predicted.must.push((at, said));
            let term = *self.disk.terms.last().expect("of this start");
            let epoch = epoch(&self.channels[at].log);
            let offset = Offset::new(head as u64 + 1).expect("small");
            let position = Some(Position { epoch, term, offset });
            Answer::Channel(ChannelInfo { position, ..ChannelInfo::default() })
        };
        let upto = head + predicted.must.len();
        if let Some(caller) = publish.caller {
            let due = Due { channel: at, upto, answer, lenient: false };
            self.due.insert(caller.ticket.call, due);
        }
    }
}

/// Whether two texts are the same, or the same JSON.
pub(super) fn same(one: &str, other: &str) -> bool {
    one == other
        || matches!(
            (serde_json::from_str::<Json>(one), serde_json::from_str::<Json>(other)),
            (Ok(one), Ok(other)) if one == other
        )
}

fn epoch(log: &Log) -> Epoch {
    let known = log.epoch.as_deref().unwrap_or("unknown0");
    Epoch::parse(known).expect("of the right form")
}

fn mismatch(log: &Log, version: usize, condition: Condition) -> Option<Answer> {
    let is_so = condition.version.is_none_or(|wanted| wanted.get() as usize == version)
        && match &condition.epoch {
            Expected::Any => true,
            Expected::This(epoch) => log.epoch.as_deref() == Some(epoch.as_str()),
            Expected::Foreign => false,
        };
    let version = Offset::new(version as u64).expect("small");
    let answer = TruthAnswer::Mismatch { epoch: epoch(log), version, data: None };
    (!is_so).then_some(Answer::Truth(answer))
}

/// What a change comes to.
fn decide(log: &Log, what: &ChangeOf, predicted: &mut Predicted, channel: usize) -> Answer {
    let head = log.entries.len();
    let held = log.truth(head);
    let value: Json = held
        .map_or(Json::Null, |at| serde_json::from_str(&log.at(at).data).expect("a truth is JSON"));
    let (kind, event, data) = match what {
        ChangeOf::Set(_, new) => (EntryKind::Truth, "state", new.text().to_owned()),
        ChangeOf::Merge(_, change) => {
            let change: Json = serde_json::from_str(change.text()).expect("JSON");
            (EntryKind::Truth, "state", merged(value.clone(), change).to_string())
        }
        ChangeOf::Patch(..) => match value.clone() {
            Json::Object(mut object) => {
                object.insert("p".to_owned(), Json::from(1));
                (EntryKind::Truth, "state", Json::Object(object).to_string())
            }
            _ => return Answer::Truth(TruthAnswer::DoesNotApply(String::new())),
        },
        ChangeOf::Delete => (EntryKind::Deleted, "", String::new()),
        ChangeOf::Forget(event) => (EntryKind::Forgotten, event.as_str(), String::new()),
    };
    let is_done = match kind {
        EntryKind::Truth => held.is_some() && same(&value.to_string(), &data),
        EntryKind::Deleted => held.is_none(),
        _ => !(log.latest.iter().copied().chain(log.low..=head)).any(|at| {
            let said = log.at(at);
            said.kind == EntryKind::Event && !said.forgotten && said.event == event
        }),
    };
    if is_done && kind == EntryKind::Forgotten {
        // What is older than the rule says may be held for a moment more.
        let (event, term) = (event.to_owned(), Term::parse("replaced").expect("a name"));
        let said = Said {
            kind,
            event,
            data: data.clone(),
            time: 0,
            exclude: None,
            term,
            forgotten: false,
        };
        predicted.may.push((channel, said));
    }
    if !is_done {
        let (event, term) = (event.to_owned(), Term::parse("replaced").expect("a name"));
        let said = Said { kind, event, data, time: 0, exclude: None, term, forgotten: false };
        predicted.must.push((channel, said));
    }
    let version = match kind {
        EntryKind::Truth if !is_done => head + 1,
        EntryKind::Deleted => 0,
        _ => held.unwrap_or(0),
    };
    let version = Offset::new(version as u64).expect("small");
    let changed = if is_done { Changed::No } else { Changed::Yes };
    Answer::Truth(TruthAnswer::Done { epoch: epoch(log), version, changed })
}

/// RFC 7396.
fn merged(target: Json, change: Json) -> Json {
    let Json::Object(change) = change else { return change };
    let mut target = match target {
        Json::Object(target) => target,
        _ => serde_json::Map::new(),
    };
    for (name, value) in change {
        if value.is_null() {
            target.remove(&name);
        } else {
            let before = target.remove(&name).unwrap_or_default();
            target.insert(name, merged(before, value));
        }
    }
    Json::Object(target)
}
