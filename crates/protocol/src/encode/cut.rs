// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`CutPosition`]: where in its channel's log a subscription begins, as its client is told.

use super::write_number;
use crate::position::{Offset, Position};

/// The place of a subscription in its channel's log (`oyez` in `subscription_succeeded`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CutPosition {
    /// The last event before the subscription.
    pub position: Position,
    /// Whether it goes on where the client was.
    pub resumed: Resumed,
    /// How many replayed frames follow.
    pub replay: usize,
    /// The client's own number of this subscription, given back to it (`gen`).
    pub generation: Option<u64>,
    /// Why a client that wanted to go on could not.
    pub reason: Option<ResetReason>,
    /// The version of the truth at the cut, where the channel holds one.
    pub version: Option<Offset>,
}

/// Whether a subscription goes on where its client was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resumed {
    /// It does: the replay is exactly what the client missed.
    Yes,
    /// It begins anew: the replay is what the channel's rule shows to everybody.
    No,
}

/// Why a client cannot go on where it was. It is told at once, and shown the channel anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ResetReason {
    /// What it missed is not held any more.
    Trimmed,
    /// It was in another numbering.
    Epoch,
    /// It has seen events that this log has lost.
    Diverged,
    /// It claims more events than there are.
    Ahead,
    /// It read too slowly.
    Slow,
    /// It asked for it.
    Resync,
}

impl CutPosition {
    /// The cut of a client that knows nothing of Oyez, or wanted nothing.
    pub fn new(position: Position, replay: usize) -> CutPosition {
        CutPosition {
            position,
            resumed: Resumed::No,
            replay,
            generation: None,
            reason: None,
            version: None,
        }
    }
}

impl ResetReason {
    /// All reasons.
    pub const ALL: [ResetReason; 6] = [
        ResetReason::Trimmed,
        ResetReason::Epoch,
        ResetReason::Diverged,
        ResetReason::Ahead,
        ResetReason::Slow,
        ResetReason::Resync,
    ];

    /// As it stands in messages.
    pub const fn name(self) -> &'static str {
        match self {
            ResetReason::Trimmed => "trimmed",
            ResetReason::Epoch => "epoch",
            ResetReason::Diverged => "diverged",
            ResetReason::Ahead => "ahead",
            ResetReason::Slow => "slow",
            ResetReason::Resync => "resync",
        }
    }
}

/// `"oyez":{…}`.
pub(super) fn write_cut(out: &mut Vec<u8>, cut: CutPosition) {
    out.extend_from_slice(b"\"oyez\":");
    write_fields(out, cut);
}

/// The object alone.
pub(super) fn write_fields(out: &mut Vec<u8>, cut: CutPosition) {
    let CutPosition { position, resumed, replay, generation, reason, version } = cut;
    let resumed = resumed == Resumed::Yes;
    let text = format!(
        "{{\"epoch\":\"{}\",\"term\":\"{}\",\"offset\":{},\"resumed\":{resumed},\"replay\":{replay}",
        position.epoch, position.term, position.offset
    );
    out.extend_from_slice(text.as_bytes());
    if let Some(generation) = generation {
        out.extend_from_slice(b",\"gen\":");
        write_number(out, generation);
    }
    if let Some(reason) = reason {
        out.extend_from_slice(format!(",\"reason\":\"{}\"", reason.name()).as_bytes());
    }
    if let Some(version) = version {
        out.extend_from_slice(b",\"version\":");
        write_number(out, version.get());
    }
    out.push(b'}');
}
