// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a program is told of channels: [`ChannelInfo`], [`Position`], [`History`].

use serde::{Deserialize, Serialize};

/// A place in the log of a channel with memory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// The channel's numbering.
    pub epoch: String,
    /// Under which authority; new at every start of a server.
    pub term: String,
    /// 1 is the first event.
    pub offset: u64,
}

/// What is known of a channel.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct ChannelInfo {
    /// Whether anybody is subscribed.
    #[serde(default)]
    pub occupied: bool,
    /// Connections that are subscribed, where asked for.
    pub subscription_count: Option<u64>,
    /// Distinct users on a presence channel, where asked for.
    pub user_count: Option<u64>,
}

/// A part of a channel's history.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct History {
    /// Where the channel's log is now.
    #[serde(flatten)]
    pub position: Position,
    /// What is held from there on, in order.
    pub events: Vec<Event>,
}

/// An event of a history.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Event {
    /// Its place.
    pub offset: u64,
    /// Its name; `oyez:delete` and `oyez:forget` stand for what they did.
    pub event: String,
    /// Its data, as subscribers get it.
    pub data: String,
    /// When, in milliseconds since 1970.
    pub time: u64,
}
