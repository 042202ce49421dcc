// SPDX-License-Identifier: MIT OR Apache-2.0
//! Oyez as a client of a Pusher Channels server, for `trigger`, `tail` and `channels`. It works
//! with any server that speaks the protocol.

pub(crate) mod api;
pub(crate) mod socket;
pub(crate) mod target;
mod tls;
