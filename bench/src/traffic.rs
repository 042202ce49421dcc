// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a load consists of: which rooms there are, what is said about them, and how much at once.

/// How the names of a run's rooms begin. What a server keeps of them hangs on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RoomNames(pub(crate) &'static str);

impl RoomNames {
    /// Rooms for which no server has a rule.
    pub(crate) const PLAIN: Self = Self("room");

    /// The name of a room.
    pub(crate) fn of(self, room: u32) -> String {
        format!("{}-{room}", self.0)
    }
}

/// How many rooms, and how many subscribers in each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rooms {
    /// Rooms.
    pub(crate) count: u32,
    /// Subscribers in each.
    pub(crate) size: u32,
    /// What they are called.
    pub(crate) names: RoomNames,
}

impl Rooms {
    /// Rooms for which no server has a rule.
    pub(crate) const fn plain(count: u32, size: u32) -> Self {
        Self { count, size, names: RoomNames::PLAIN }
    }

    /// Subscribers in all rooms together.
    pub(crate) const fn subscribers(self) -> usize {
        self.count as usize * self.size as usize
    }
}

/// What the publishers of a run do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Traffic {
    /// Where they publish, one room after the other.
    pub(crate) rooms: Rooms,
    /// Calls in flight.
    pub(crate) slots: u16,
    /// What they call.
    pub(crate) call: Call,
    /// Bytes of an event's data.
    pub(crate) data: usize,
}

/// What the backend says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Call {
    /// One event for one room.
    Event,
    /// So many events, each for a room of its own, in one `batch_events`.
    Batch(u32),
    /// The source of a room's truth has changed.
    Changed,
}

impl Call {
    /// Events of one call.
    pub(crate) const fn events(self) -> u32 {
        match self {
            Self::Event | Self::Changed => 1,
            Self::Batch(events) => events,
        }
    }
}
