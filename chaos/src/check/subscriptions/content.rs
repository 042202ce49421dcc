// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Content`]: what a frame says is at an offset. [`Contents`]: what all frames said (I5).

use std::sync::Arc;

use serde_json::Value;

use super::super::known::Book;
use super::{Key, Run, Seen};
use crate::channels::Channel;
use crate::follower::Follower;
use crate::frame::{Position, Said};
use crate::history::Entry;
use crate::value::{merge, patch};

/// See the module.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Content {
    Event { name: Arc<str>, data: Arc<str> },
    Truth(Value),
    Deleted,
    Forgotten(String),
}

/// See the module.
#[derive(Default)]
pub(super) struct Contents(Seen);

impl Content {
    /// What a frame shows, before the client has taken it.
    pub(super) fn of(said: &Said, run: &Run<'_>, follower: &Follower) -> Option<(u64, Content)> {
        match said {
            Said::Event(event) => {
                let offset = event.offset?;
                if !event.truth {
                    let (name, data) = (event.name.clone(), event.data.clone());
                    return Some((offset, Content::Event { name, data }));
                }
                let text: Value = serde_json::from_str(&event.data).ok()?;
                let Some(delta) = &event.delta else { return Some((offset, Content::Truth(text))) };
                // By the log, or else by what the client holds.
                let logged = run.place.and_then(|place| place.known.entry(delta.from)?.value());
                let held = follower.truth.as_ref().filter(|truth| truth.version == delta.from);
                let mut value = logged.or_else(|| Some(held?.value.clone()))?;
                match delta.kind.as_str() {
                    "merge" => merge(&mut value, &text),
                    _ => patch(&mut value, &text).ok()?,
                }
                Some((offset, Content::Truth(value)))
            }
            Said::Forget { offset, event: None } => Some((*offset, Content::Deleted)),
            Said::Forget { offset, event: Some(event) } => {
                Some((*offset, Content::Forgotten(event.clone())))
            }
            _ => None,
        }
    }

    /// Whether it may be what the log has.
    pub(super) fn agrees(&self, entry: &Entry) -> bool {
        match (self, entry) {
            (_, Entry::Gone) => matches!(self, Content::Event { .. }),
            (Content::Event { name, data }, Entry::Event { name: of, data: other }) => {
                name == of && data == other
            }
            (Content::Truth(value), Entry::Truth { .. }) => entry.value().as_ref() == Some(value),
            (Content::Deleted, Entry::Deleted) => true,
            (Content::Forgotten(name), Entry::Forgotten(of)) => **name == **of,
            _ => false,
        }
    }
}

impl Contents {
    /// Adds what somebody saw.
    pub(super) fn add(
        &mut self,
        channel: &'static Channel,
        book: &Book<'_>,
        at: &Position,
        offset: u64,
        content: &Content,
        who: &str,
    ) -> Result<(), (&'static str, String)> {
        let term =
            |term: &str| -> Key { (channel.name, at.epoch.to_string(), term.to_owned(), offset) };
        // Where nothing is lost, it is the same under every term.
        let any = book.keeps(channel).then(|| term("*"));
        for key in [Some(term(&at.term)), any].into_iter().flatten() {
            let (before, first) =
                self.0.entry(key).or_insert_with(|| (content.clone(), who.to_owned()));
            if before != content {
                let text = format!("{offset} was {before:?} to {first}, and is {content:?}");
                return Err(("I5", text));
            }
        }
        Ok(())
    }
}
