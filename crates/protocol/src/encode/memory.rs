// SPDX-License-Identifier: MIT OR Apache-2.0
//! Frames for clients that know Oyez: what moves their position without being an event.

use super::cut::write_fields;
use super::{CutPosition, Frame, ResetReason, internal, write_number, write_sum};
use crate::channel::ChannelName;
use crate::delta::Checksum;
use crate::json::write_string;
use crate::position::{Offset, Position, Term};

impl Frame {
    /// `oyez:skip`: the events from `from` up to `to` have nothing to show to this client.
    pub fn skip(channel: &ChannelName, from: Offset, to: Offset) -> Frame {
        debug_assert!(from <= to, "a skip goes forward");
        let mut data = b"{\"offset\":".to_vec();
        write_number(&mut data, to.get());
        if from != to {
            data.extend_from_slice(b",\"from\":");
            write_number(&mut data, from.get());
        }
        data.push(b'}');
        internal(channel, "oyez:skip", data)
    }

    /// `oyez:forget`: the remembered events of that name are no more; without a name, the truth is
    /// no more.
    pub fn forget(channel: &ChannelName, offset: Offset, event: Option<&str>) -> Frame {
        let mut data = b"{\"offset\":".to_vec();
        write_number(&mut data, offset.get());
        if let Some(event) = event {
            data.extend_from_slice(b",\"event\":");
            write_string(&mut data, event);
        }
        data.push(b'}');
        internal(channel, "oyez:forget", data)
    }

    /// `oyez:reset`: the subscription begins anew at that position, in the middle of its life;
    /// `replay` frames follow.
    pub fn reset(
        channel: &ChannelName,
        position: Position,
        replay: usize,
        reason: ResetReason,
        version: Option<Offset>,
    ) -> Frame {
        let mut data = Vec::new();
        let cut = CutPosition::new(position, replay);
        write_fields(&mut data, CutPosition { reason: Some(reason), version, ..cut });
        internal(channel, "oyez:reset", data)
    }

    /// `oyez:term`: another authority gives the numbers from here on, and nothing was lost.
    pub fn term(channel: &ChannelName, term: Term, offset: Offset) -> Frame {
        let data = format!("{{\"term\":\"{term}\",\"offset\":{offset}}}");
        internal(channel, "oyez:term", data.into_bytes())
    }

    /// `oyez:mark`: a bookmark. Whoever is not at that offset has missed something; `sum` is that
    /// of the truth.
    pub fn mark(channel: &ChannelName, offset: Offset, sum: Option<Checksum>) -> Frame {
        let mut data = b"{\"offset\":".to_vec();
        write_number(&mut data, offset.get());
        write_sum(&mut data, sum);
        data.push(b'}');
        internal(channel, "oyez:mark", data)
    }
}
