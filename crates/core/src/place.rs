// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where things are: workers, connections on them, and calls that wait on them.

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
