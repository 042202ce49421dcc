// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Questions`]: what this worker's home has asked the backends, until they answer.

use std::collections::HashMap;

use oyez_core::{ChannelKey, Command, Question, Reply, Value};

use super::Worker;
use crate::resolver::{self, Outcome, ResolveTicket, SourceIndex};

/// Questions by their numbers. At most one per channel.
#[derive(Debug, Default)]
pub(super) struct Questions {
    asked: HashMap<u64, (ChannelKey, u64)>,
    last: u64,
}

impl Worker {
    /// Asks whoever knows a channel's truth.
    pub(super) fn ask_source(&mut self, question: Question) {
        let Question { key, whom, run } = question;
        self.questions.last += 1;
        let number = self.questions.last;
        let ticket = ResolveTicket { worker: self.mail.me(), number };
        let (app, source, channel) = (key.app(), SourceIndex(whom), key.name().clone());
        self.questions.asked.insert(number, (key, run));
        self.shared.resolver.ask(resolver::Question { app, source, channel, ticket });
    }

    /// It has answered.
    pub(super) fn resolved(&mut self, number: u64, outcome: Outcome) {
        let Some((key, run)) = self.questions.asked.remove(&number) else { return };
        let reply = match outcome {
            Outcome::None => Reply::Nothing,
            Outcome::Failed(_) => Reply::Failed,
            Outcome::Truth { data, version } => match Value::parse(&data) {
                Ok(value) => Reply::Truth(value.into_owned(), version),
                Err(error) => {
                    tracing::warn!(channel = %key.name(), %error, "the answer cannot be a truth");
                    Reply::Failed
                }
            },
        };
        self.decide(Command::Replied { key, run, reply });
    }
}
