// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is true: channels, their subscribers and order, memory, presence, users.
//!
//! [`Home`] is a state machine. It takes a [`Command`] and the time, and answers with
//! [`Effect`]s: what to send to which worker, whom to answer, which webhook to call. It does no
//! I/O, reads no clock and starts no thread, so that tests and simulations drive the very code
//! that serves production.

mod ask;
mod channel;
mod command;
mod effect;
mod gate;
mod home;
mod idempotency;
mod key;
mod log;
mod memory;
mod occupancy;
mod pattern;
mod place;
mod presence;
mod record;
mod rule;
mod show;
mod tally;
mod time;
mod timers;
mod users;
mod value;

pub use command::{Caller, Change, ChangeOf, Command, Listener, Publish, Reply, Room, When};
pub use effect::{
    Answer, Begun, Cached, Certainty, Changed, ChannelInfo, Delivery, Effect, End, History, Item,
    ListFrom, Question, Refused, Sight, TruthAnswer, TruthValue, UserPresence, Wanted,
};
pub use home::{AppRules, Home, Rules, Start};
pub use idempotency::CallKey;
pub use key::{AppIndex, ChannelKey, KeyMap, KeySpace};
pub use pattern::Pattern;
pub use place::{Place, ReplayOf, Speaks, Standing, Ticket, WorkerId};
pub use record::{
    Append, BodyHash, CallId, Entry, EntryKind, Identity, Mark, Part, Record, Recovered,
    RecoveredChannel, Row, StoredAnswer, Timestamp, Urgency,
};
pub use rule::{
    AskRule, Bounds, CACHE_AGE, Durability, Empty, HISTORY_AGE, HISTORY_EVENTS, IDENTITY_AGE,
    MemoryRule, Replay, RuleBook, TruthRule, TruthSource, WrittenHistory, WrittenRule,
};
pub use tally::Tally;
pub use time::Millis;
pub use value::{
    Delta, Difference, OperationError, Patch, PatchError, Value, ValueError, checksum, merge,
};
