// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Command`]: what the door asks of a channel's or a user's home. Everything in it is valid and
//! authorised already.

use oyez_protocol::channel::ChannelName;
use oyez_protocol::socket_id::SocketId;
use oyez_protocol::user::{Member, UserId};

use crate::effect::{ListFrom, Wanted};
use crate::key::{AppIndex, ChannelKey};
use crate::place::{Place, Ticket};

/// An event from the backend for one channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Publication {
    /// Where it goes.
    pub channel: ChannelName,
    /// Its name; not a reserved one.
    pub event: String,
    /// Its data, carried byte for byte.
    pub data: String,
    /// The connection that shall not hear it.
    pub exclude: Option<SocketId>,
    /// What the answer shall say of the channel.
    pub wanted: Wanted,
}

/// Whether the app may have one channel more (`limits.channels`), which only those who see all
/// homes can tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Room {
    /// It may.
    Left,
    /// It may not: only channels that exist can be used.
    Gone,
}

/// One thing asked of a home. Commands of one sender about one channel arrive in their order.
#[derive(Debug)]
pub enum Command {
    /// A connection subscribes. Answered by [`Item::Subscribed`](crate::Item) or `Refused`. For
    /// each `Subscribed` the worker sends exactly one `Unsubscribe`.
    Subscribe {
        /// The channel.
        key: ChannelKey,
        /// Who.
        place: Place,
        /// As which user, on presence channels.
        member: Option<Member>,
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
    /// The backend publishes. Answered by `Answer::Channel` or `NoRoom`, if anybody waits.
    Publish {
        /// The channel.
        key: ChannelKey,
        /// The event's name.
        event: String,
        /// The event's data.
        data: String,
        /// The connection that shall not hear it.
        exclude: Option<SocketId>,
        /// What the answer shall say.
        wanted: Wanted,
        /// For a cache channel that does not exist yet.
        room: Room,
        /// Who waits, if the answer matters: on a channel without memory, an event whose command
        /// is on its way to its home is in order already.
        ticket: Option<Ticket>,
    },
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
    /// The channel or user whose home it is for; a list is asked of every home.
    pub fn key(&self) -> Option<&ChannelKey> {
        match self {
            Command::Subscribe { key, .. }
            | Command::Unsubscribe { key, .. }
            | Command::Publish { key, .. }
            | Command::ClientEvent { key, .. }
            | Command::Inspect { key, .. }
            | Command::ListMembers { key, .. }
            | Command::SignIn { key, .. }
            | Command::SignOut { key, .. }
            | Command::Watch { key, .. }
            | Command::Unwatch { key, .. }
            | Command::Terminate { key, .. } => Some(key),
            Command::List { .. } => None,
        }
    }
}
