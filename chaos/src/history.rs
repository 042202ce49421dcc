// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Log`]: a channel's log as it was read by `GET …/history`, and [`Logs`], all that there were:
//! one for each numbering, and another one where history was lost.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use crate::channels::Channel;
use crate::frame::Position;

/// An entry of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    /// An event.
    Event {
        /// Its name.
        name: Arc<str>,
        /// Its data.
        data: Arc<str>,
    },
    /// A value of the truth.
    Truth {
        /// Its JSON.
        data: Arc<str>,
    },
    /// The truth was deleted.
    Deleted,
    /// Events of that name were forgotten.
    Forgotten(Arc<str>),
    /// An event that had been forgotten when it was read.
    Gone,
}

/// See the module.
#[derive(Clone, Debug)]
pub struct Log {
    /// Whose.
    pub channel: &'static Channel,
    /// Its numbering.
    pub epoch: Arc<str>,
    /// The terms under which it was read, and up to where in each.
    pub terms: Vec<(Arc<str>, u64)>,
    /// What was read.
    pub entries: BTreeMap<u64, Entry>,
    /// How far that is.
    pub head: u64,
}

/// See the module.
#[derive(Clone, Debug, Default)]
pub struct Logs(pub Vec<Log>);

impl Entry {
    /// An entry as it stands in a page.
    pub fn read(channel: &Channel, event: &Value) -> Option<(u64, Entry)> {
        let name: Arc<str> = event["event"].as_str()?.into();
        let data: Arc<str> = event["data"].as_str()?.into();
        let entry = match &*name {
            "oyez:delete" => Entry::Deleted,
            "oyez:forget" => {
                let data: Value = serde_json::from_str(&data).ok()?;
                Entry::Forgotten(data["event"].as_str()?.into())
            }
            name_of_truth if channel.truth == Some(name_of_truth) => Entry::Truth { data },
            _ => Entry::Event { name, data },
        };
        Some((event["offset"].as_u64()?, entry))
    }

    /// The id of the call that made it.
    pub fn id(&self) -> Option<String> {
        match self {
            Entry::Event { data, .. } | Entry::Truth { data } => {
                let data: Value = serde_json::from_str(data).ok()?;
                Some(data["id"].as_str()?.to_owned())
            }
            _ => None,
        }
    }

    /// The value of a truth.
    pub fn value(&self) -> Option<Value> {
        match self {
            Entry::Truth { data } => serde_json::from_str(data).ok(),
            _ => None,
        }
    }

    /// Whether it says what the truth is from then on.
    pub fn is_about_truth(&self) -> bool {
        matches!(self, Entry::Truth { .. } | Entry::Deleted)
    }
}

impl Log {
    /// An empty one.
    pub fn new(channel: &'static Channel, at: &Position) -> Log {
        Log {
            channel,
            epoch: at.epoch.clone(),
            terms: Vec::new(),
            entries: BTreeMap::new(),
            head: 0,
        }
    }

    /// Adds a page that was read after `since`, and reaches up to `upto`.
    pub fn add(&mut self, since: u64, upto: u64, term: &Arc<str>, page: Vec<(u64, Entry)>) {
        for offset in since + 1..=upto {
            self.entries.entry(offset).or_insert(Entry::Gone);
        }
        self.entries.extend(page);
        self.head = self.head.max(upto);
        match self.terms.iter_mut().find(|(known, _)| known == term) {
            Some((_, known)) => *known = (*known).max(upto),
            None => self.terms.push((term.clone(), upto)),
        }
    }

    /// The newest entry about the truth, up to that one.
    pub fn about_truth(&self, upto: u64) -> Option<(u64, &Entry)> {
        let upto = self.entries.range(..=upto).rev();
        upto.map(|(offset, entry)| (*offset, entry)).find(|(_, entry)| entry.is_about_truth())
    }

    /// At which offset after that one events of that name were next forgotten.
    pub fn forgotten(&self, name: &str, after: u64) -> Option<u64> {
        let later = self.entries.range(after + 1..);
        later
            .filter(|(_, e)| matches!(e, Entry::Forgotten(of) if **of == *name))
            .map(|(at, _)| *at)
            .next()
    }
}

impl Logs {
    /// The log that a term's positions speak of, and how far it is known to be that term's.
    ///
    /// Where nothing may be lost, a numbering has one log, whichever term it was read in, and all
    /// of it counts.
    pub fn find(&self, channel: &str, epoch: &str, term: &str) -> Option<(usize, &Log, u64)> {
        let of_epoch = |log: &&Log| log.channel.name == channel && *log.epoch == *epoch;
        let mut all = self.0.iter().enumerate().filter(|(_, log)| of_epoch(log));
        let known = all.clone().find_map(|(at, log)| {
            let (_, known) = log.terms.iter().find(|(known, _)| **known == *term)?;
            let is_last = log.terms.last().is_some_and(|(last, _)| **last == *term)
                && self
                    .0
                    .iter()
                    .rfind(|last| last.channel.name == channel)
                    .is_some_and(|last| std::ptr::eq(last, log));
            // What a term has that is the last one of all was read to its end.
            Some((at, log, if is_last { u64::MAX } else { *known }))
        });
        let is_durable = Channel::named(channel).is_some_and(Channel::is_durable);
        match (known, all.next(), all.next()) {
            (_, Some((at, only)), None) if is_durable => Some((at, only, u64::MAX)),
            (known, ..) => known,
        }
    }
}
