// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Book`]: what is known of all logs, made quick to ask.

use std::collections::HashMap;

use crate::calls::{Call, What};
use crate::channels::Channel;
use crate::frame::Position;
use crate::history::{Entry, Log};
use crate::troupe::Evidence;

/// See the module.
pub(super) struct Book<'a> {
    logs: Vec<Known<'a>>,
    evidence: &'a Evidence,
    /// Calls by their id.
    pub(super) calls: HashMap<&'a str, &'a Call>,
}

/// A log.
pub(super) struct Known<'a> {
    pub(super) log: &'a Log,
    /// Whether every entry from 1 to the head was read.
    pub(super) is_whole: bool,
    /// Where events of a name were forgotten.
    forgets: HashMap<&'a str, Vec<u64>>,
}

/// A log as of a position.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    /// Which log.
    pub(super) index: usize,
    pub(super) known: &'a Known<'a>,
    /// How far it is surely what that position's term had.
    pub(super) surely: u64,
}

impl<'a> Book<'a> {
    pub(super) fn new(evidence: &'a Evidence) -> Book<'a> {
        let logs = evidence.findings.logs.0.iter().map(Known::new).collect();
        let calls = evidence.calls.iter().map(|call| (call.id.as_str(), call)).collect();
        Book { logs, evidence, calls }
    }

    pub(super) fn logs(&self) -> impl Iterator<Item = &Known<'a>> {
        self.logs.iter()
    }

    /// Whether nothing of that channel may ever have been lost.
    pub(super) fn keeps(&self, channel: &Channel) -> bool {
        channel.is_durable() && self.evidence.thrown_away.is_none()
    }

    pub(super) fn find(&self, channel: &Channel, at: &Position) -> Option<Place<'_>> {
        let logs = &self.evidence.findings.logs;
        let (index, _, surely) = logs.find(channel.name, &at.epoch, &at.term)?;
        Some(Place { index, known: &self.logs[index], surely })
    }

    /// Which connection did not hear that entry.
    pub(super) fn excluded(&self, entry: &Entry) -> Option<&str> {
        match &self.calls.get(entry.id()?.as_str())?.what {
            What::Publish { exclude, .. } => exclude.as_deref(),
            _ => None,
        }
    }
}

impl<'a> Known<'a> {
    fn new(log: &'a Log) -> Known<'a> {
        let is_whole = log.entries.len() as u64 == log.head
            && log.entries.first_key_value().is_none_or(|(first, _)| *first == 1);
        let mut forgets: HashMap<&str, Vec<u64>> = HashMap::new();
        for (offset, entry) in &log.entries {
            if let Entry::Forgotten(name) = entry {
                forgets.entry(name).or_default().push(*offset);
            }
        }
        Known { log, is_whole, forgets }
    }

    pub(super) fn entry(&self, offset: u64) -> Option<&'a Entry> {
        self.log.entries.get(&offset)
    }

    /// When events of that name were next forgotten after that one.
    pub(super) fn forgotten(&self, name: &str, after: u64) -> Option<u64> {
        let all = self.forgets.get(name)?;
        all.get(all.partition_point(|at| *at <= after)).copied()
    }
}
