// SPDX-License-Identifier: MIT OR Apache-2.0
//! Entries of a log as frames.

use std::sync::Arc;

use oyez_protocol::delta::{DeltaKind, Deltas};
use oyez_protocol::encode::{DeltaInfo, Extras, Frame, Replayed, TruthEvent};

use crate::effect::{Delivery, Sight};
use crate::key::ChannelKey;
use crate::log::{Kept, Shown};
use crate::memory::Checks;
use crate::record::{Entry, EntryKind};
use crate::value::{Delta, Difference, Value, checksum};
use smallvec::SmallVec;

/// A truth that a client holds, and the changes that it understands.
#[derive(Debug)]
pub(crate) struct Base {
    pub(crate) entry: Arc<Entry>,
    pub(crate) deltas: Deltas,
}

/// Whether a frame shows the past.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Time {
    /// What was before the cut.
    Past,
    /// What comes after it.
    Live,
}

/// What somebody is shown who missed it, or who comes anew.
pub(crate) fn frame(key: &ChannelKey, shown: &Shown<'_>, time: Time, base: Option<&Base>) -> Frame {
    match shown {
        Shown::Skip { from, upto } => Frame::skip(key.name(), *from, *upto),
        Shown::Forget(kept) => forget(key, &kept.entry),
        Shown::Entry(kept) => {
            let change = base.filter(|_| kept.entry.kind == EntryKind::Truth);
            let change = change.and_then(|base| {
                let deltas = deltas(key, &base.entry, &kept.entry, time);
                deltas.into_iter().find(|(kind, _)| base.deltas.has(*kind))
            });
            change.map_or_else(|| whole(key, &kept.entry, time), |(_, frame)| frame)
        }
    }
}

/// A released entry on its way to subscribers; `before` is the truth until then.
pub(crate) fn delivery(
    key: &ChannelKey,
    kept: &Kept,
    before: Option<&Entry>,
    checks: Checks,
) -> Delivery {
    let entry = &kept.entry;
    let sight = match entry.kind {
        EntryKind::Event => Sight::Event(whole(key, entry, Time::Live)),
        EntryKind::Truth => {
            let before = before.filter(|_| checks == Checks::Deltas);
            let changes = before.map(|before| deltas(key, before, entry, Time::Live));
            Sight::Truth(whole(key, entry, Time::Live), changes.unwrap_or_default())
        }
        EntryKind::Deleted | EntryKind::Forgotten => Sight::Counted(forget(key, entry)),
        EntryKind::Gone => Sight::Counted(Frame::skip(key.name(), entry.offset, entry.offset)),
    };
    let wants_sum = checks != Checks::None && entry.kind == EntryKind::Truth;
    let sum = wants_sum.then(|| checksum(&Value::held(entry.data())));
    let exclude = entry.exclude.as_deref().copied();
    Delivery { key: key.clone(), offset: entry.offset, sight, exclude, sum }
}

fn whole(key: &ChannelKey, entry: &Entry, time: Time) -> Frame {
    Frame::event(key.name(), entry.event(), entry.data(), extras(entry, time, None))
}

fn forget(key: &ChannelKey, entry: &Entry) -> Frame {
    let event = (entry.kind == EntryKind::Forgotten).then(|| entry.event());
    Frame::forget(key.name(), entry.offset, event)
}

fn extras<'a>(entry: &Entry, time: Time, delta: Option<DeltaInfo>) -> Extras<'a> {
    Extras {
        offset: Some(entry.offset),
        replayed: (time == Time::Past).then_some(Replayed),
        truth: (entry.kind == EntryKind::Truth).then_some(TruthEvent),
        delta,
        ..Extras::default()
    }
}

/// What changed between two truths, in each way that is much shorter than the new one, shortest
/// first.
fn deltas(
    key: &ChannelKey,
    before: &Entry,
    entry: &Entry,
    time: Time,
) -> SmallVec<[(DeltaKind, Frame); 2]> {
    let (old, new) = (Value::held(before.data()), Value::held(entry.data()));
    let difference = Difference::between(&old, &new);
    let mut deltas: SmallVec<[&Delta; 2]> = difference.all().collect();
    deltas.sort_by_key(|delta| delta.text.len());
    let sum = (!deltas.is_empty()).then(|| checksum(&new));
    let frame = |delta: &Delta| {
        let info = DeltaInfo { kind: delta.kind, from: before.offset, sum };
        let extras = extras(entry, time, Some(info));
        (delta.kind, Frame::event(key.name(), entry.event(), &delta.text, extras))
    };
    deltas.into_iter().map(frame).collect()
}
