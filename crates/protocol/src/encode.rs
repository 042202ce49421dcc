// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Frame`]: what the server says over a WebSocket, encoded once and shared by everybody who
//! hears it.
//!
//! `data` is a JSON *string* for channel events, `pusher_internal:*`, `oyez:*` and
//! `pusher:connection_established`, an object for `pusher:error`, `pusher:signin_success` and
//! `pusher:pong` (protocol section 2). What Oyez adds stands beside `data`, where the official
//! clients do not look.

mod connection;
mod cut;
mod memory;
mod subscription;

use bytes::Bytes;

pub use cut::{CutPosition, ResetReason, Resumed};

use crate::channel::ChannelName;
use crate::delta::{Checksum, DeltaKind};
use crate::json::write_string;
use crate::position::Offset;
use crate::user::UserId;
use crate::websocket::frame;

/// A WebSocket text frame, header and all, ready to be written. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame(Bytes);

/// What may stand in an event's frame beside `event`, `channel` and `data`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Extras<'a> {
    /// Who sent a client event on a presence channel.
    pub user_id: Option<&'a UserId>,
    /// The event's place in the channel's log, on channels with memory.
    pub offset: Option<Offset>,
    /// Whether the event is shown again to a newcomer.
    pub replayed: Option<Replayed>,
    /// Whether the event is the channel's truth.
    pub truth: Option<TruthEvent>,
    /// When `data` is not the truth itself but a change of it.
    pub delta: Option<DeltaInfo>,
}

/// Marks a frame that shows a remembered event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Replayed;

/// Marks a frame that brings the channel's truth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TruthEvent;

/// How the data of a frame changes the truth that a client holds (`delta` of the frame).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeltaInfo {
    /// How the change is written.
    pub kind: DeltaKind,
    /// The version it applies to, and to no other.
    pub from: Offset,
    /// Of the value that comes out.
    pub sum: Option<Checksum>,
}

impl Frame {
    /// The bytes to write.
    pub fn bytes(&self) -> &Bytes {
        &self.0
    }

    /// Frames a JSON text that the writer appends.
    fn text(capacity: usize, write: impl FnOnce(&mut Vec<u8>)) -> Frame {
        let mut out = Vec::with_capacity(frame::HEADER_MAX + capacity);
        out.resize(frame::HEADER_MAX, 0);
        write(&mut out);
        Frame(frame::text(out))
    }

    /// An event on a channel; `data` arrives byte for byte.
    pub fn event(channel: &ChannelName, event: &str, data: &str, extras: Extras<'_>) -> Frame {
        let capacity = 96 + channel.as_str().len() + event.len() + data.len() + data.len() / 8;
        Frame::text(capacity, |out| {
            out.extend_from_slice(b"{\"event\":");
            write_string(out, event);
            out.extend_from_slice(b",\"channel\":");
            write_string(out, channel.as_str());
            out.extend_from_slice(b",\"data\":");
            write_string(out, data);
            extras.write(out);
            out.push(b'}');
        })
    }
}

impl Extras<'_> {
    fn write(&self, out: &mut Vec<u8>) {
        if let Some(user_id) = self.user_id {
            out.extend_from_slice(b",\"user_id\":");
            write_string(out, user_id.as_str());
        }
        if let Some(offset) = self.offset {
            out.extend_from_slice(b",\"offset\":");
            write_number(out, offset.get());
        }
        if self.replayed.is_some() {
            out.extend_from_slice(b",\"replayed\":true");
        }
        if self.truth.is_some() {
            out.extend_from_slice(b",\"truth\":true");
        }
        if let Some(DeltaInfo { kind, from, sum }) = self.delta {
            out.extend_from_slice(b",\"delta\":{\"type\":\"");
            out.extend_from_slice(kind.name().as_bytes());
            out.extend_from_slice(b"\",\"from\":");
            write_number(out, from.get());
            write_sum(out, sum);
            out.push(b'}');
        }
    }
}

fn write_number(out: &mut Vec<u8>, number: u64) {
    out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}

/// `,"sum":"0a1b2c3d"`, or nothing.
fn write_sum(out: &mut Vec<u8>, sum: Option<Checksum>) {
    if let Some(sum) = sum {
        out.extend_from_slice(format!(",\"sum\":\"{sum}\"").as_bytes());
    }
}

fn text_of(data: Vec<u8>) -> String {
    String::from_utf8(data).expect("built from texts alone")
}

/// A frame of the protocol's own on a channel.
fn internal(channel: &ChannelName, event: &str, data: Vec<u8>) -> Frame {
    Frame::event(channel, event, &text_of(data), Extras::default())
}

#[cfg(test)]
mod tests;
