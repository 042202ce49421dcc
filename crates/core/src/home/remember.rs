// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a channel's memory does by itself as time passes: events grow old, truths end, numberings
//! are forgotten.

use std::sync::Arc;

use oyez_protocol::position::{Epoch, Offset};

use super::Home;
use crate::effect::Effect;
use crate::key::ChannelKey;
use crate::log::Freed;
use crate::record::{Entry, EntryKind, Record, Timestamp, Urgency};
use crate::rule::MemoryRule;
use crate::time::Millis;
use crate::timers::Due;

impl Home {
    /// The rule of that channel, if it remembers.
    pub(super) fn remembers(&self, key: &ChannelKey) -> Option<&Arc<MemoryRule>> {
        match self.channels.get(key) {
            Some(channel) => channel.memory.as_ref().map(|memory| memory.rule()),
            None => self.app(key).channels.find(key.name()),
        }
    }

    /// The wall clock at that time.
    pub(super) fn time(&self, now: Millis) -> Timestamp {
        Timestamp(self.started.0.saturating_add(now.0))
    }

    /// When the wall clock will show that time.
    fn millis(&self, time: Timestamp) -> Millis {
        Millis(time.0.saturating_sub(self.started.0))
    }

    /// Plans the next look at a channel's memory.
    pub(super) fn plan(&mut self, key: &ChannelKey, now: Millis) {
        let Some(channel) = self.channels.get(key) else { return };
        let Some(memory) = channel.memory.as_deref() else { return };
        // Whoever leaves a channel last looks whether it is to be planned.
        let ends = channel.is_deserted().then(|| memory.ends_at());
        let by_age = [memory.log().next_expiry(), ends].into_iter().flatten().min();
        let by_age = by_age.map(|time| self.millis(time));
        let held = memory.held.first().map(|held| held.until);
        let readers = memory.readers.iter().map(|reader| reader.until).min();
        let asking = memory.asking.as_deref().and_then(|asking| asking.looks_at());
        if let Some(at) = [by_age, held, readers, asking].into_iter().flatten().min() {
            self.plan_at(key, at.max(now));
        }
    }

    /// Looks at a channel's memory at that time, or before.
    pub(super) fn plan_at(&mut self, key: &ChannelKey, at: Millis) {
        let Some(channel) = self.channels.get_mut(key) else { return };
        let Some(memory) = channel.memory.as_deref_mut() else { return };
        if let Some(at) = memory.look_by(at) {
            self.timers.set(at, Due::Memory(key.clone(), memory.epoch()));
        }
    }

    /// A time has come at which a look was planned.
    pub(super) fn look_at_memory(
        &mut self,
        key: &ChannelKey,
        epoch: Epoch,
        at: Millis,
        now: Millis,
        effects: &mut Vec<Effect>,
    ) {
        let (time, audience) = (self.time(now), self.audience(key));
        let Some(channel) = self.channels.get_mut(key) else { return };
        let Some(memory) = channel.memory.as_deref_mut() else { return };
        if memory.epoch() != epoch || !memory.is_look(at) {
            return;
        }
        let mut freed = Freed::default();
        memory.change(&mut self.logs, |log| log.trim(time, &mut freed));
        let truth_ends = memory.log().truth_ends(time);
        let step = memory.asking.as_deref_mut().map(|asking| asking.look(audience, now));
        self.let_go(key, freed, now);
        if truth_ends {
            let entry = Entry::new(Offset::ZERO, EntryKind::Deleted, "", "", time);
            self.stage(key, entry, None, now, effects);
        }
        self.do_step(key, step.unwrap_or_default(), now, effects);
        self.wake(key, now, effects);
        self.close_if_idle(key, now, effects);
        self.plan(key, now);
    }

    /// A channel's numbering is forgotten with it.
    pub(super) fn forget_identity(&mut self, key: &ChannelKey, effects: &mut Vec<Effect>) {
        let records = [Record::Unidentify(key.clone())].into_iter().collect();
        self.append(records, Urgency::Relaxed, None, effects);
    }
}
