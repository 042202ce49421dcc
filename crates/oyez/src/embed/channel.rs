// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Channel`]: an `[[apps.channels]]` rule, said by a program.

use std::time::Duration;

use oyez_protocol::channel::ChannelName;
use oyez_server::TruthClosure;
use oyez_server::core::{Durability, Replay};
use oyez_server::options::{ChannelOptions, Source, TruthOptions};

use super::builder::StartError;
use super::runtime::Runtimes;
use super::truth_rule::{IntoTruth, TruthRule, closure};

/// What channels remember and who knows their truth: `[[apps.channels]]` of the config. Of the
/// rules of an app the first that matches a channel decides.
#[derive(Clone)]
pub struct Channel {
    options: ChannelOptions,
    closure: Option<TruthClosure>,
}

impl Channel {
    /// A rule for channels of those names, which asks for nothing yet: `*` stands for any
    /// characters, `?` for one.
    pub fn matching(pattern: &str) -> Channel {
        Channel { options: ChannelOptions::new(pattern), closure: None }
    }

    /// `replay`: what a new subscriber is shown of the past.
    pub fn replay(mut self, replay: Replay) -> Channel {
        self.options.replay = replay;
        self
    }

    /// `history`: keeps so many events, so long, for whoever resumes.
    pub fn history(mut self, events: usize, age: Duration) -> Channel {
        let history = self.options.history.get_or_insert_default();
        (history.events, history.age) = (Some(events), Some(age));
        self
    }

    /// `durable`: whether what is remembered survives. [`Durability::Full`] if not set, where
    /// there is a data folder.
    pub fn durable(mut self, durability: Durability) -> Channel {
        self.options.durability = Some(durability);
        self
    }

    /// The channels have a truth that `ask` knows. See
    /// [`Builder::truth`](super::Builder::truth).
    pub fn truth<F, Answer>(mut self, rule: impl Into<TruthRule>, ask: F) -> Channel
    where
        F: Fn(String) -> Answer + Send + Sync + 'static,
        Answer: Future<Output: IntoTruth> + Send + 'static,
    {
        self.options.truth = Some(rule.into().into_options());
        self.closure = Some(closure(ask));
        self
    }

    /// The channels have a truth that [`Oyez::set`](super::Oyez::set) and its kin set, which
    /// subscribers get as that event.
    pub fn pushed_truth(self, event: &str) -> Channel {
        self.truth_from(event, Source::Pushed)
    }

    /// The same, set also by every trigger of that event.
    pub fn triggered_truth(self, event: &str) -> Channel {
        self.truth_from(event, Source::Trigger)
    }

    fn truth_from(mut self, event: &str, source: Source) -> Channel {
        self.options.truth = Some(TruthOptions::new(event, source));
        self.closure = None;
        self
    }

    pub(super) fn into_options(
        self,
        runtimes: &mut Runtimes,
    ) -> Result<ChannelOptions, StartError> {
        let Channel { mut options, closure } = self;
        if let (Some(truth), Some(closure)) = (&mut options.truth, closure) {
            truth.source = Source::Closure { runtime: runtimes.get()?, closure };
        }
        Ok(options)
    }
}

/// Whether a rule of that pattern can match any channel at all.
pub(super) fn can_match(pattern: &str) -> bool {
    let sample = pattern.replace(['*', '?'], "x");
    ChannelName::parse(&sample, usize::MAX).is_ok()
}

impl std::fmt::Debug for Channel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.options.fmt(f)
    }
}
