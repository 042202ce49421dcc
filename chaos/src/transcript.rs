// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Transcript`]: everything that a client said and heard, in order.

use std::time::Duration;

use crate::frame::{Position, Said};

/// What a client understands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Speaks {
    /// What `pusher-js` does: each reconnect is a fresh subscribe.
    Pusher,
    /// Positions.
    Oyez,
}

/// See the module.
#[derive(Clone, Debug)]
pub struct Transcript {
    /// Who.
    pub client: String,
    /// What it understands.
    pub speaks: Speaks,
    /// In order.
    pub notes: Vec<Note>,
}

/// One thing that happened.
#[derive(Clone, Debug)]
pub struct Note {
    /// When, since the run's start.
    pub at: Duration,
    /// What.
    pub what: Happened,
}

/// What happened.
#[derive(Clone, Debug)]
pub enum Happened {
    /// A link was made; the socket's id.
    Connected(String),
    /// It subscribed.
    Asked {
        /// To what.
        channel: String,
        /// Where it wants to go on.
        resume: Option<Position>,
    },
    /// It asked for a new cut.
    Resync {
        /// Of what.
        channel: String,
        /// Because it did not follow; `None` when it did so for no reason.
        lost: Option<String>,
    },
    /// It left.
    Left {
        /// What.
        channel: String,
    },
    /// The server spoke.
    Said {
        /// Of what.
        channel: String,
        /// What.
        said: Said,
    },
    /// The link ended; with the code of the server's close.
    Ended(Option<u16>),
    /// The server said something that cannot be.
    Nonsense(String),
}
