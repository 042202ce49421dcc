// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Record`]: what a home wants to survive. [`Recovered`]: what did.
//!
//! A home numbers its own rows and appends; whoever keeps them answers only up to which
//! [`Mark`] everything would survive now.

use std::fmt;
use std::num::NonZeroU64;
use std::ops::Add;
use std::sync::Arc;
use std::time::Duration;

use oyez_protocol::channel::ChannelName;
use oyez_protocol::position::{Epoch, Offset, Term};
use oyez_protocol::socket_id::SocketId;
use smallvec::SmallVec;

use crate::key::{AppIndex, ChannelKey};
use crate::place::WorkerId;

/// Milliseconds since 1970, by the wall clock of the server's start and a monotonic clock since.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(pub u64);

impl Add<Duration> for Timestamp {
    type Output = Timestamp;
    fn add(self, duration: Duration) -> Timestamp {
        let millis = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        Timestamp(self.0.saturating_add(millis))
    }
}

/// Where a record is kept. Rows of one home grow; rows of two homes never meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Row(pub u64);

/// Numbers the appends of one home: 1, 2, 3, …
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mark(pub u64);

/// What one decision of a home adds. It survives as a whole or not at all.
#[derive(Debug)]
pub struct Append {
    /// Which append of its home.
    pub mark: Mark,
    /// What to keep, and what to let go.
    pub records: SmallVec<[Record; 2]>,
    /// Who waits for it.
    pub urgency: Urgency,
    /// When several homes decide parts of one call.
    pub part: Option<Part>,
}

/// Whether anybody waits for an append to be durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Urgency {
    /// Publishers and subscribers do.
    Gated,
    /// Nobody does: some time within 50 ms is soon enough (`durable = "relaxed"`, and cleaning up).
    Relaxed,
}

/// One part of a call that touches several homes: all its parts survive, or none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// Which call.
    pub call: CallId,
    /// How many appends it makes in all.
    pub parts: u32,
}

/// Names a call that spans homes, once per run of a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CallId {
    /// Whose call it is.
    pub worker: WorkerId,
    /// Which call of that worker.
    pub serial: u64,
}

/// One thing to keep or to let go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Record {
    /// An entry of a channel's log.
    Entry {
        /// Where.
        row: Row,
        /// Whose.
        key: ChannelKey,
        /// What.
        entry: Arc<Entry>,
    },
    /// The answer to a call with an idempotency key.
    Answer {
        /// Where.
        row: Row,
        /// Whose.
        app: AppIndex,
        /// What.
        answer: Arc<StoredAnswer>,
    },
    /// What was kept in that row is not needed any more.
    Remove(Row),
    /// Where a channel stands; replaces what was said before.
    Identity {
        /// The channel.
        key: ChannelKey,
        /// Where it stands.
        identity: Box<Identity>,
    },
    /// The channel starts afresh when it comes again.
    Unidentify(ChannelKey),
}

/// One entry of a channel's log.
#[derive(Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its place.
    pub offset: Offset,
    /// When it was published.
    pub time: Timestamp,
    /// What it is.
    pub kind: EntryKind,
    /// When a truth ends by itself.
    pub expires: Option<NonZeroU64>,
    /// The connection that does not hear it.
    pub exclude: Option<Box<SocketId>>,
    event_len: u32,
    /// The event's name, then its data: one allocation for both.
    text: Box<str>,
}

/// What an entry of a log is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryKind {
    /// An event.
    Event,
    /// A new value of the channel's truth.
    Truth,
    /// The truth is no more.
    Deleted,
    /// The remembered events of that name are no more.
    Forgotten,
    /// It was an event that was forgotten since: only its place is left.
    Gone,
}

impl EntryKind {
    /// Whether it says what the truth is from then on.
    pub fn is_about_truth(self) -> bool {
        matches!(self, EntryKind::Truth | EntryKind::Deleted)
    }

    /// All kinds, in the order of their codes.
    pub const ALL: [EntryKind; 5] = [
        EntryKind::Event,
        EntryKind::Truth,
        EntryKind::Deleted,
        EntryKind::Forgotten,
        EntryKind::Gone,
    ];
}

/// Where a channel stands, beyond what its kept entries tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Its numbering.
    pub epoch: Epoch,
    /// The term in which its log last grew.
    pub term: Term,
    /// How far it had grown when this was written; kept entries may lie beyond.
    pub head: Offset,
    /// Where earlier terms ended, oldest first; only terms in which it grew.
    pub lineage: Vec<(Term, Offset)>,
    /// When somebody last had to do with it.
    pub touched: Timestamp,
}

/// The answer to a call that carried an idempotency key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredAnswer {
    /// The key.
    pub key: Box<str>,
    /// Tells the body of the call from others.
    pub body: BodyHash,
    /// The answer's status.
    pub status: u16,
    /// The answer's body.
    pub answer: Box<[u8]>,
    /// Until when it is kept.
    pub expires: Timestamp,
}

/// A digest of the body of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BodyHash(pub [u8; 32]);

/// What survived until this start.
#[derive(Debug, Default)]
pub struct Recovered {
    /// The terms of all starts that are still known, oldest first; the last is this start's.
    pub terms: Vec<Term>,
    /// Every channel that has an identity.
    pub channels: Vec<RecoveredChannel>,
    /// Every answer.
    pub answers: Vec<(Row, AppIndex, StoredAnswer)>,
    /// Above every row that is in use.
    pub next_row: u64,
}

/// A channel that survived.
#[derive(Debug)]
pub struct RecoveredChannel {
    /// Whose.
    pub app: AppIndex,
    /// Its name.
    pub name: ChannelName,
    /// Where it stands.
    pub identity: Identity,
    /// What of its log is kept, by offset.
    pub entries: Vec<(Row, Entry)>,
}

impl Entry {
    /// An entry that everybody hears and that does not end by itself.
    pub fn new(offset: Offset, kind: EntryKind, event: &str, data: &str, time: Timestamp) -> Entry {
        let mut text = String::with_capacity(event.len() + data.len());
        text.push_str(event);
        text.push_str(data);
        let event_len = u32::try_from(event.len()).expect("limits.event_name is far below");
        let text = text.into_boxed_str();
        Entry { offset, time, kind, expires: None, exclude: None, event_len, text }
    }

    /// The event's name.
    pub fn event(&self) -> &str {
        &self.text[..self.event_len as usize]
    }

    /// The event's data.
    pub fn data(&self) -> &str {
        &self.text[self.event_len as usize..]
    }

    /// What it holds in memory.
    pub fn bytes(&self) -> usize {
        size_of::<Entry>() + self.text.len() + self.exclude.as_ref().map_or(0, |_| 16)
    }
}

impl StoredAnswer {
    /// What it holds in memory, with its key once more for whoever looks for it.
    pub fn bytes(&self) -> usize {
        size_of::<StoredAnswer>() + 2 * self.key.len() + self.answer.len()
    }
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} {} {}: {}", self.kind, self.offset, self.event(), self.data())
    }
}
