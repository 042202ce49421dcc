// SPDX-License-Identifier: MIT OR Apache-2.0
//! Taking in what survived: the logs of this home's channels and the answers of its calls.

use super::Home;
use crate::channel::Channel;
use crate::effect::Effect;
use crate::idempotency::ANSWER_AGE;
use crate::key::{AppIndex, ChannelKey};
use crate::log::Log;
use crate::memory::{Blank, Memory};
use crate::record::{Entry, Identity, Row, StoredAnswer};
use crate::rule::Durability;
use crate::time::Millis;

impl Home {
    /// Takes in a channel. One whose rule does not keep it any more is left where it is.
    pub fn recover(
        &mut self,
        key: ChannelKey,
        identity: Identity,
        entries: Vec<(Row, Entry)>,
        now: Millis,
        effects: &mut Vec<Effect>,
    ) {
        let Some(rule) = self.app(&key).channels.find(key.name()) else { return };
        if rule.durability == Durability::Off {
            return;
        }
        let time = self.time(now);
        let (log, freed) = Log::recovered(rule.clone(), identity, entries, time);
        self.logs.add(&log);
        let mut channel = Channel::new(key.name().kind());
        channel.memory = Some(Box::new(Memory::new(log, Blank::Nothing)));
        self.channels.entry(key.clone()).insert(channel);
        effects.push(Effect::Opened(key.app()));
        self.let_go(&key, freed, now);
        self.plan(&key, now);
    }

    /// Takes in the answer to a call.
    pub fn recover_answer(
        &mut self,
        app: AppIndex,
        row: Row,
        mut answer: StoredAnswer,
        now: Millis,
    ) {
        // The clock may have been put back since.
        answer.expires = answer.expires.min(self.time(now) + ANSWER_AGE);
        self.sweep_answers(now);
        self.calls.recover(app, row, answer);
    }
}
