// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is true: channels, their subscribers and order, memory, presence, users.
//!
//! [`Home`] is a state machine. It takes a [`Command`] and the time, and answers with
//! [`Effect`]s: what to send to which worker, whom to answer, which webhook to call. It does no
//! I/O, reads no clock and starts no thread, so that tests and simulations drive the very code
//! that serves production.

mod channel;
mod command;
mod effect;
mod home;
mod key;
mod memory;
mod occupancy;
mod place;
mod presence;
mod record;
mod time;
mod timers;
mod users;
mod value;

pub use command::{Command, Publication, Room};
pub use effect::{Answer, Cached, ChannelInfo, Effect, Item, ListFrom, UserPresence, Wanted};
pub use home::{AppRules, Home, Rules};
pub use key::{AppIndex, ChannelKey, KeyMap, KeySpace};
pub use place::{Place, Ticket, WorkerId};
pub use record::{
    Append, BodyHash, CallId, Entry, EntryKind, Identity, Mark, Part, Record, Recovered,
    RecoveredChannel, Row, StoredAnswer, Timestamp, Urgency,
};
pub use time::Millis;
pub use value::{
    Delta, Difference, OperationError, Patch, PatchError, Value, ValueError, checksum, merge,
};
