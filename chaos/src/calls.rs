// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Call`]: what a publisher asked for, each time it asked, and what it was told.

use std::time::Duration;

use serde_json::Value;

use crate::channels::Channel;
use crate::http::Answer;

/// What a publisher wants done. Its name stands in the data, so that it is found again.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// Its name, which nobody else has.
    pub id: String,
    /// What to do.
    pub what: What,
    /// Its idempotency key.
    pub key: Option<String>,
    /// Each time it was made. Without a key there is one.
    pub tries: Vec<Try>,
}

/// One time that a call was made.
#[derive(Clone, Debug, PartialEq)]
pub struct Try {
    /// When it began; all times are since the run's start.
    pub began: Duration,
    /// When it was answered, or given up.
    pub ended: Duration,
    /// What the server said, if anything.
    pub answer: Option<Answer>,
}

/// What to do.
#[derive(Clone, Debug, PartialEq)]
pub enum What {
    /// Publish events in one call, one for each channel.
    Publish {
        /// Channel, name and data.
        events: Vec<(&'static str, &'static str, String)>,
        /// Who does not hear it.
        exclude: Option<String>,
    },
    /// Set a truth, perhaps only if it has that version of that epoch.
    Set {
        /// Where.
        channel: &'static str,
        /// The value.
        value: Value,
        /// The version and the epoch.
        condition: Option<(u64, String)>,
    },
    /// Merge into a truth.
    Merge {
        /// Where.
        channel: &'static str,
        /// The patch.
        patch: Value,
    },
    /// Delete a truth.
    Delete {
        /// Where.
        channel: &'static str,
    },
    /// Forget an event.
    Forget {
        /// Where.
        channel: &'static str,
        /// Its name.
        event: &'static str,
    },
}

impl Call {
    /// The first answer that says it was done.
    pub fn done(&self) -> Option<&Answer> {
        self.answers().find(|answer| answer.status == 200)
    }

    /// Everything that it was told.
    pub fn answers(&self) -> impl Iterator<Item = &Answer> {
        self.tries.iter().filter_map(|one| one.answer.as_ref())
    }

    /// When it was first told that it was done.
    pub fn done_at(&self) -> Option<Duration> {
        let done = |one: &&Try| one.answer.as_ref().is_some_and(|answer| answer.status == 200);
        self.tries.iter().find(done).map(|one| one.ended)
    }

    /// The channels in which it leaves an entry that carries its name.
    pub fn leaves_entries_in(&self) -> Vec<&'static Channel> {
        let names = match &self.what {
            What::Publish { events, .. } => events.iter().map(|(channel, ..)| *channel).collect(),
            What::Set { channel, .. } | What::Merge { channel, .. } => vec![*channel],
            What::Delete { .. } | What::Forget { .. } => Vec::new(),
        };
        names.into_iter().filter_map(Channel::named).collect()
    }

    /// Every channel that it touches.
    pub fn touches(&self) -> Vec<&'static Channel> {
        match &self.what {
            What::Delete { channel } | What::Forget { channel, .. } => {
                Channel::named(channel).into_iter().collect()
            }
            _ => self.leaves_entries_in(),
        }
    }
}
