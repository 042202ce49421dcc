// SPDX-License-Identifier: MIT OR Apache-2.0
//! Entries of a log as frames.

use std::sync::Arc;

use oyez_protocol::delta::{Checksum, DeltaKind, Deltas};
use oyez_protocol::encode::{DeltaInfo, Extras, Frame, Replayed, TruthEvent};
use oyez_protocol::position::Offset;

use crate::effect::{Delivery, Sight};
use crate::key::ChannelKey;
use crate::log::{Kept, Shown};
use crate::memory::Checks;
use crate::record::{Entry, EntryKind};
use crate::value::{Delta, Value};

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
            let delta = base.filter(|_| kept.entry.kind == EntryKind::Truth);
            let delta = delta.and_then(|base| delta_frame(key, &base.entry, &kept.entry, time));
            match delta {
                Some((kind, frame)) if base.is_some_and(|b| b.deltas.has(kind)) => frame,
                _ => whole(key, &kept.entry, time),
            }
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
            let delta = before.and_then(|before| delta_frame(key, before, entry, Time::Live));
            Sight::Truth(whole(key, entry, Time::Live), delta)
        }
        EntryKind::Deleted | EntryKind::Forgotten => Sight::Counted(forget(key, entry)),
        EntryKind::Gone => Sight::Counted(Frame::skip(key.name(), entry.offset, entry.offset)),
    };
    let sum = (checks != Checks::None && entry.kind == EntryKind::Truth).then(|| sum(entry));
    let exclude = entry.exclude.as_deref().copied();
    Delivery { key: key.clone(), offset: entry.offset, sight, exclude, sum: sum.flatten() }
}

/// The sum of a truth.
pub(crate) fn sum(entry: &Entry) -> Option<Checksum> {
    Value::parse(entry.data()).ok().map(|value| value.sum())
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

/// What changed between two truths, if that is much shorter than the new one.
fn delta_frame(
    key: &ChannelKey,
    before: &Entry,
    entry: &Entry,
    time: Time,
) -> Option<(DeltaKind, Frame)> {
    let (old, new) = (Value::parse(before.data()).ok()?, Value::parse(entry.data()).ok()?);
    let delta = Delta::between(&old, &new)?;
    let from: Offset = before.offset;
    let info = DeltaInfo { kind: delta.kind(), from, sum: Some(new.sum()) };
    let extras = extras(entry, time, Some(info));
    Some((delta.kind(), Frame::event(key.name(), entry.event(), delta.text(), extras)))
}
