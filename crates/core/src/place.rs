// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where things are: workers, connections on them, and calls that wait on them.

use oyez_protocol::position::Offset;
use oyez_protocol::socket_id::SocketId;

/// A worker thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct WorkerId(pub u16);

/// A connection: its worker, its slot there, and a serial number that tells it from those which
/// had the slot before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Place {
    /// The worker that owns the socket.
    pub worker: WorkerId,
    /// Its slot there.
    pub slot: u32,
    /// Never the same for two connections of one slot (until it wraps after 2^32).
    pub serial: u32,
}

/// How far a reader is in a channel's log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The cut of its subscription.
    pub cut: Offset,
    /// The last offset that it was shown, or that has nothing to show to it.
    pub shown: Offset,
    /// What it is shown up to the cut.
    pub replay: ReplayOf,
    /// Whether it counts offsets.
    pub speaks: Speaks,
}

/// What a subscriber is shown of the log before its cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReplayOf {
    /// What the channel's rule shows to newcomers.
    TheRule,
    /// Exactly what it missed, but for what that connection excluded.
    TheMissed(Option<SocketId>),
}

/// What a client understands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Speaks {
    /// Pusher's protocol.
    Pusher,
    /// Oyez', too: it counts every offset.
    Oyez,
}

/// A call that waits on a worker for an [`Answer`](crate::Answer).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Ticket {
    /// Where the call waits.
    pub worker: WorkerId,
    /// Which call.
    pub call: u32,
    /// Which of the call's parts.
    pub part: u32,
}
