// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Command`]: what the door asks of a channel's or a user's home. Everything in it is valid and
//! authorised already.

use std::time::Duration;

use oyez_protocol::api::{Condition, ReadHistory};
use oyez_protocol::encode::ResetReason;
use oyez_protocol::message::{Aware, Resume};
use oyez_protocol::position::Offset;
use oyez_protocol::socket_id::SocketId;
use oyez_protocol::user::{Member, UserId};

use crate::effect::{ListFrom, Wanted};
use crate::idempotency::CallKey;
use crate::key::{AppIndex, ChannelKey};
use crate::place::{Place, Standing, Ticket};
use crate::record::{BodyHash, Mark, Part};
use crate::value::{Patch, Value};

/// Whether there is room for what a call adds, as far as only those who see all homes can tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Room {
    /// The app may have one channel more (`limits.channels`).
    Left,
    /// It may not: only channels that exist can be used.
    Gone,
    /// It was found for the whole of a call that touches several channels: none of their homes
    /// may refuse its part for lack of room, because the others do theirs.
    Promised,
}

/// An event from the backend for one channel.
#[derive(Debug)]
pub struct Publish {
    /// The channel.
    pub key: ChannelKey,
    /// The event's name; not a reserved one.
    pub event: String,
    /// The event's data, carried byte for byte.
    pub data: String,
    /// The connection that shall not hear it.
    pub exclude: Option<SocketId>,
    /// Published only if this is so. On a channel without a truth the version is the newest
    /// offset.
    pub condition: Condition,
    /// What the answer shall say.
    pub wanted: Wanted,
    /// For a channel with memory that does not exist yet.
    pub room: Room,
    /// When homes decide parts of one call.
    pub part: Option<Part>,
    /// Who waits, if the answer matters: on a channel without memory, an event whose command is on
    /// its way to its home is in order already.
    pub caller: Option<Caller>,
}

/// Who waits for an answer, and for which.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caller {
    /// Who.
    pub ticket: Ticket,
    /// When it can be answered.
    pub when: When,
}

/// When a call can be answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// When what it did would survive.
    Durable,
    /// When it is decided: the call waits for its seal anyway.
    Decided,
}

/// A change of what a channel remembers.
#[derive(Debug)]
pub struct Change {
    /// The channel.
    pub key: ChannelKey,
    /// What changes.
    pub what: ChangeOf,
    /// Changed only if this is so.
    pub condition: Condition,
    /// How long the truth holds, if it ends by itself.
    pub ttl: Option<Duration>,
    /// The connection that shall not hear of it.
    pub exclude: Option<SocketId>,
    /// What the answer to a trigger shall say of the channel.
    pub wanted: Wanted,
    /// For a channel that does not exist yet.
    pub room: Room,
    /// When homes decide parts of one call.
    pub part: Option<Part>,
    /// Who waits.
    pub caller: Option<Caller>,
}

/// What changes.
#[derive(Debug)]
pub enum ChangeOf {
    /// The truth is this, carried by that event; by the one it had, or the rule's, without a name.
    Set(Option<String>, Value<'static>),
    /// The truth is merged with this (RFC 7396).
    Merge(Option<String>, Value<'static>),
    /// The truth is patched (RFC 6902).
    Patch(Option<String>, Patch<'static>),
    /// There is no truth any more.
    Delete,
    /// The remembered events of that name are no more.
    Forget(String),
}

impl ChangeOf {
    /// Bytes of what it brings.
    pub fn weight(&self) -> usize {
        match self {
            ChangeOf::Set(_, value) | ChangeOf::Merge(_, value) => value.text().len(),
            ChangeOf::Patch(_, patch) => patch.text().len(),
            ChangeOf::Forget(event) => event.len(),
            ChangeOf::Delete => 0,
        }
    }
}

/// What the answer to a question for a channel's truth was.
#[derive(Debug)]
pub enum Reply {
    /// This is the truth, of that version if the source has versions.
    Truth(Value<'static>, Option<u64>),
    /// There is none.
    Nothing,
    /// There was no answer.
    Failed,
}

/// A subscriber: what it understands, and where it was.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listener {
    /// For clients that know Oyez.
    pub aware: Option<Box<Aware>>,
    /// For those that were here before.
    pub resume: Option<Box<Resume>>,
}

/// One thing asked of a home. Commands of one sender about one channel arrive in their order.
#[derive(Debug)]
pub enum Command {
    /// A connection subscribes. Answered by [`Item::Subscribed`](crate::Item) or `Refused`, at
    /// once or after a while. For each `Subscribed` the worker sends exactly one `Unsubscribe`.
    Subscribe {
        /// The channel.
        key: ChannelKey,
        /// Who.
        place: Place,
        /// As which user, on presence channels.
        member: Option<Member>,
        /// What it understands, and where it was.
        listener: Listener,
        /// For a channel that does not exist yet.
        room: Room,
    },
    /// A subscription has ended.
    Unsubscribe {
        /// The channel.
        key: ChannelKey,
        /// Who it was.
        place: Place,
        /// As which user it was, on presence channels.
        user: Option<UserId>,
    },
    /// The backend publishes. Answered by `Answer::Channel`, or by why it was not published.
    Publish(Box<Publish>),
    /// The backend changes what is remembered. Answered by `Answer::Truth` and its kin.
    Change(Box<Change>),
    /// A subscriber sends an event to the others.
    ClientEvent {
        /// The channel.
        key: ChannelKey,
        /// The event's name, with its `client-`.
        event: String,
        /// The event's data.
        data: String,
        /// The sender, who does not hear it.
        from: SocketId,
        /// The sender's user, on presence channels.
        user: Option<UserId>,
    },
    /// `GET …/truth`. Answered by `Answer::Value`; when there is none, or it is older than asked
    /// for, that may take a while.
    ReadTruth {
        /// The channel.
        key: ChannelKey,
        /// The least version that is wanted.
        at_least: Option<Offset>,
        /// How long it may be waited for.
        patience: Duration,
        /// For a channel that does not exist yet.
        room: Room,
        /// Who waits.
        ticket: Ticket,
    },
    /// `GET …/history`. Answered by `Answer::History`.
    ReadHistory {
        /// The channel.
        key: ChannelKey,
        /// What is wanted of it.
        query: ReadHistory,
        /// Who waits.
        ticket: Ticket,
    },
    /// The source of a channel's truth has changed. Answered by `Answer::Done`.
    Changed {
        /// The channel.
        key: ChannelKey,
        /// The next answer must have that version at least.
        min_version: Option<u64>,
        /// For a channel that does not exist yet.
        room: Room,
        /// Who waits.
        ticket: Option<Ticket>,
    },
    /// Somebody answered [`Effect::Ask`](crate::Effect).
    Replied {
        /// The channel.
        key: ChannelKey,
        /// Which question.
        run: u64,
        /// What the answer was.
        reply: Reply,
    },
    /// A reader who fell behind can take more. Answered by [`Item::Stretch`](crate::Item).
    CatchUp {
        /// The channel.
        key: ChannelKey,
        /// Who.
        place: Place,
        /// Its own socket.
        socket: SocketId,
        /// How far it is.
        standing: Standing,
    },
    /// A client that counts offsets has lost its place. Answered by [`Item::Stretch`](crate::Item).
    Resync {
        /// The channel.
        key: ChannelKey,
        /// Who.
        place: Place,
        /// Why.
        reason: ResetReason,
    },
    /// A call with an idempotency key begins. Answered by `Answer::Begun`.
    Begin {
        /// The key.
        key: CallKey,
        /// The body of the call.
        body: BodyHash,
        /// Who waits.
        ticket: Ticket,
    },
    /// It was decided, and its answer is this. Answered by `Answer::Done` when that is durable.
    Seal {
        /// The key.
        key: CallKey,
        /// The answer's status.
        status: u16,
        /// The answer's body.
        answer: Box<[u8]>,
        /// When homes decided parts of the call.
        part: Option<Part>,
        /// Who waits.
        ticket: Ticket,
    },
    /// It did nothing; the key is free again.
    Abandon {
        /// The key.
        key: CallKey,
        /// When homes decided parts of the call.
        part: Option<Part>,
    },
    /// Somebody was told elsewhere of what this home had a part in. Answered by `Answer::Done` when
    /// all that was decided here until now may be seen.
    Settle {
        /// Who waits.
        ticket: Ticket,
    },
    /// The journal has everything up to that mark.
    Committed(Mark),
    /// The journal will never have anything again.
    JournalFailed,
    /// `GET /channels/CH`. Answered by `Answer::Channel`.
    Inspect {
        /// The channel.
        key: ChannelKey,
        /// What the answer shall say.
        wanted: Wanted,
        /// Who waits.
        ticket: Ticket,
    },
    /// `GET /channels`, asked of every home, again and again until it has no more. Answered by
    /// `Answer::Channels`.
    List {
        /// The app.
        app: AppIndex,
        /// Only channels whose names begin so.
        prefix: String,
        /// What the answer shall say of each.
        wanted: Wanted,
        /// Where to begin: at the start, or where the last answer left off.
        from: ListFrom,
        /// Who waits.
        ticket: Ticket,
    },
    /// `GET /channels/CH/users`. Answered by `Answer::Members`.
    ListMembers {
        /// The presence channel.
        key: ChannelKey,
        /// Who waits.
        ticket: Ticket,
    },
    /// A connection signed in. `key` is the user's channel, `#server-to-user-ID`.
    SignIn {
        /// The user.
        key: ChannelKey,
        /// The connection.
        place: Place,
    },
    /// A signed-in connection has gone.
    SignOut {
        /// The user.
        key: ChannelKey,
        /// The connection.
        place: Place,
    },
    /// A connection wants to hear when that user comes and goes. Answered at once by
    /// [`Item::Presence`](crate::Item).
    Watch {
        /// The user to be watched.
        key: ChannelKey,
        /// Who watches.
        place: Place,
    },
    /// A watching connection has gone.
    Unwatch {
        /// The user that was watched.
        key: ChannelKey,
        /// Who watched.
        place: Place,
    },
    /// Closes all connections of a user. Answered by `Answer::Done`.
    Terminate {
        /// The user.
        key: ChannelKey,
        /// Who waits.
        ticket: Ticket,
    },
}

impl Command {
    /// The channel or user whose home it is for. Others are for a home that the sender knows.
    pub fn key(&self) -> Option<&ChannelKey> {
        match self {
            Command::Subscribe { key, .. }
            | Command::Unsubscribe { key, .. }
            | Command::ReadTruth { key, .. }
            | Command::ReadHistory { key, .. }
            | Command::Changed { key, .. }
            | Command::Replied { key, .. }
            | Command::CatchUp { key, .. }
            | Command::Resync { key, .. }
            | Command::ClientEvent { key, .. }
            | Command::Inspect { key, .. }
            | Command::ListMembers { key, .. }
            | Command::SignIn { key, .. }
            | Command::SignOut { key, .. }
            | Command::Watch { key, .. }
            | Command::Unwatch { key, .. }
            | Command::Terminate { key, .. } => Some(key),
            Command::Publish(publish) => Some(&publish.key),
            Command::Change(change) => Some(&change.key),
            Command::List { .. }
            | Command::Begin { .. }
            | Command::Seal { .. }
            | Command::Abandon { .. }
            | Command::Settle { .. }
            | Command::Committed(_)
            | Command::JournalFailed => None,
        }
    }
}
