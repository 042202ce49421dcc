// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Effect`]: what a home wants done. [`Item`]s to one worker arrive there in their order, which
//! is what makes a subscription's cut exact.

use std::time::Duration;

use oyez_protocol::channel::ChannelName;
use oyez_protocol::close::CloseCode;
use oyez_protocol::encode::Frame;
use oyez_protocol::socket_id::SocketId;
use oyez_protocol::user::{Member, UserId};
use oyez_protocol::webhook::WebhookEvent;
use smallvec::SmallVec;

use crate::key::{AppIndex, ChannelKey};
use crate::place::{Place, Ticket, WorkerId};

/// One thing to do, in the order of the list it stands in.
#[derive(Debug)]
pub enum Effect {
    /// Hand this to a worker's sockets.
    Send(WorkerId, Item),
    /// Answer a waiting call.
    Answer(Ticket, Answer),
    /// Call the app's webhooks.
    Webhook(AppIndex, WebhookEvent),
    /// A channel of the app came into being.
    Opened(AppIndex),
    /// A channel of the app is no more.
    Closed(AppIndex),
}

/// What a home tells the sockets of a worker.
#[derive(Clone, Debug)]
pub enum Item {
    /// A frame for all local subscribers of the channel but one.
    Event {
        /// The channel.
        key: ChannelKey,
        /// What to write.
        frame: Frame,
        /// Who does not hear it.
        exclude: Option<SocketId>,
    },
    /// A subscription begins here: write the frames, then add the socket to the subscribers.
    /// Whatever came before in this worker's queue is older than the cut, the rest is newer.
    Subscribed {
        /// The channel.
        key: ChannelKey,
        /// Whose.
        place: Place,
        /// As which user, on presence channels.
        member: Option<Member>,
        /// Acknowledgement and replay.
        frames: SmallVec<[Frame; 2]>,
    },
    /// There will be no such subscription.
    Refused {
        /// The channel.
        key: ChannelKey,
        /// Whose.
        place: Place,
        /// The error to write.
        frame: Frame,
    },
    /// A user on the connection's watchlist came or went; or is there or not, right after `Watch`.
    Presence {
        /// Who watches.
        place: Place,
        /// Who is watched.
        user: UserId,
        /// Whether somebody is signed in as that user.
        presence: UserPresence,
    },
    /// Close the connection.
    Close {
        /// Which.
        place: Place,
        /// With which code.
        code: CloseCode,
        /// What to tell.
        reason: &'static str,
    },
}

/// Whether somebody is signed in as a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UserPresence {
    /// At least one connection, or the last one went a moment ago.
    Online,
    /// None.
    Offline,
}

/// What an answer shall say of a channel (`info` of the HTTP API).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// `user_count`: distinct users, on presence channels.
    pub user_count: bool,
    /// `subscription_count`: connections.
    pub subscription_count: bool,
    /// `cache`: the remembered event, on cache channels.
    pub cache: bool,
}

impl Wanted {
    /// Whether anything is wanted.
    pub fn anything(self) -> bool {
        self != Wanted::default()
    }
}

/// What a home knows of a channel. Only what was wanted is there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChannelInfo {
    /// Whether anybody is subscribed; always there.
    pub occupied: bool,
    /// Distinct users.
    pub user_count: Option<usize>,
    /// Connections.
    pub subscription_count: Option<usize>,
    /// The remembered event; `Some(None)` when there is none.
    pub cache: Option<Option<Cached>>,
}

/// A remembered event, as `info=cache` shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cached {
    /// The event's data.
    pub data: String,
    /// How long it will still be kept.
    pub ttl: Duration,
}

/// A place in the list of a home's channels. A list that is followed from its start until no place
/// is left holds every channel that was there all the while, and none twice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ListFrom(pub(crate) usize);

impl ListFrom {
    /// The start of every list.
    pub const START: ListFrom = ListFrom(0);
}

/// What a waiting call is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Of one channel: the answer to `Publish` and `Inspect`.
    Channel(ChannelInfo),
    /// Nothing was published: the channel does not exist, and the app may have no more.
    NoRoom,
    /// Of some of the occupied channels of one home, and where to ask for more if there are any.
    Channels(Vec<(ChannelName, ChannelInfo)>, Option<ListFrom>),
    /// The users on a presence channel.
    Members(Vec<UserId>),
    /// It is done.
    Done,
}
