// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Effect`]: what a home wants done. [`Item`]s to one worker arrive there in their order, which
//! is what makes a subscription's cut exact.

use std::sync::Arc;
use std::time::Duration;

use oyez_protocol::channel::ChannelName;
use oyez_protocol::close::CloseCode;
use oyez_protocol::delta::{Checksum, DeltaKind};
use oyez_protocol::encode::{Frame, ResetReason};
use oyez_protocol::position::{Epoch, Offset, Position};
use oyez_protocol::socket_id::SocketId;
use oyez_protocol::user::{Member, UserId};
use oyez_protocol::webhook::WebhookEvent;
use smallvec::SmallVec;

use crate::key::{AppIndex, ChannelKey};
use crate::place::{Place, Standing, Ticket, WorkerId};
use crate::record::{Append, Entry, StoredAnswer};

/// One thing to do, in the order of the list it stands in.
#[derive(Debug)]
pub enum Effect {
    /// Hand this to a worker's sockets.
    Send(WorkerId, Item),
    /// Answer a waiting call.
    Answer(Ticket, Answer),
    /// Call the app's webhooks.
    Webhook(AppIndex, WebhookEvent),
    /// Keep this. When it would survive, say so with [`Command::Committed`](crate::Command).
    Append(Append),
    /// Ask for the channel's truth, and say the answer with [`Command::Replied`](crate::Command).
    Ask(Question),
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
    /// How many subscribers the channel has, for all local ones. Only the newest number is worth
    /// anything: whoever cannot be told now is told it when it can.
    Count {
        /// The channel.
        key: ChannelKey,
        /// What to write.
        frame: Frame,
    },
    /// An entry of the channel's log, for all local subscribers.
    Entry(Arc<Delivery>),
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
        /// On a channel with memory: how far that brings it. Up to the cut it follows live; if it
        /// is not there yet, it asks for the rest when it has room.
        standing: Option<Box<Standing>>,
    },
    /// More for a reader who fell behind.
    Stretch {
        /// The channel.
        key: ChannelKey,
        /// Whose.
        place: Place,
        /// What to write.
        frames: Vec<Frame>,
        /// How far that brings it.
        standing: Standing,
        /// Whether everything else that this queue brings is newer: it follows live from here.
        end: End,
    },
    /// A reader was too slow for what is remembered: close it, so that it comes back.
    LeftBehind {
        /// The channel.
        key: ChannelKey,
        /// Whose.
        place: Place,
    },
    /// The subscription waits until somebody has said what is true: there is nothing to write yet.
    Held {
        /// The channel.
        key: ChannelKey,
        /// Whose.
        place: Place,
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

/// An entry of a log on its way to subscribers.
#[derive(Debug)]
pub struct Delivery {
    /// The channel.
    pub key: ChannelKey,
    /// Its place in the log.
    pub offset: Offset,
    /// What there is to see.
    pub sight: Sight,
    /// Who does not see it.
    pub exclude: Option<SocketId>,
    /// The sum of the truth from here on, where somebody wants to check it.
    pub sum: Option<Checksum>,
}

impl Delivery {
    /// Bytes of its frames.
    pub fn weight(&self) -> usize {
        match &self.sight {
            Sight::Event(frame) | Sight::Counted(frame) => frame.bytes().len(),
            Sight::Truth(whole, deltas) => {
                let deltas = deltas.iter().map(|(_, frame)| frame.bytes().len());
                whole.bytes().len() + deltas.sum::<usize>()
            }
        }
    }
}

/// Who sees what of an entry.
#[derive(Debug)]
pub enum Sight {
    /// An event, for everybody.
    Event(Frame),
    /// A new value of the truth, for everybody; and shorter ones, shortest first, for those who
    /// hold the one before and understand changes of that kind.
    Truth(Frame, SmallVec<[(DeltaKind, Frame); 2]>),
    /// Something for those who count offsets; the others see nothing.
    Counted(Frame),
}

/// Whether a reader has reached the end of what is released.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// It has.
    Reached,
    /// There is more: it asks again when it has room.
    Ahead,
}

/// Asks for a channel's truth.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// The channel.
    pub key: ChannelKey,
    /// Whom to ask, as the rule says.
    pub whom: u32,
    /// Which question.
    pub run: u64,
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
    /// `position`: the place of the newest event, on channels with memory.
    pub position: bool,
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
    /// The place of the event that was published, or of the newest one.
    pub position: Option<Position>,
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
    /// Of a change of the truth: what came of it.
    Truth(TruthAnswer),
    /// The truth.
    Value(Box<TruthValue>),
    /// A part of the history.
    History(Box<History>),
    /// Of a call that begins.
    Begun(Begun),
    /// Nothing was done.
    Refused(Refused),
    /// Of some of the occupied channels of one home, and where to ask for more if there are any.
    Channels(Vec<(ChannelName, ChannelInfo)>, Option<ListFrom>),
    /// The users on a presence channel.
    Members(Vec<UserId>),
    /// It is done.
    Done,
}

/// Why nothing was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// The channel does not exist, and the app may have no more.
    NoRoom,
    /// The channel has no memory.
    NoMemory,
    /// Nobody can be asked for the channel's truth.
    NobodyToAsk,
    /// No event is named that could carry the truth.
    NoEvent,
    /// The truth would be larger than it may be.
    TruthTooLarge,
    /// All logs together hold as much as they may.
    MemoryFull,
    /// Nothing can be made durable any more.
    JournalFailed,
    /// The channel has no truth.
    NoTruth,
}

/// What came of a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TruthAnswer {
    /// It is true now.
    Done {
        /// The numbering.
        epoch: Epoch,
        /// The version of the truth; 0 when there is none.
        version: Offset,
        /// Whether it was not true before.
        changed: Changed,
    },
    /// A condition was not met.
    Mismatch {
        /// The numbering.
        epoch: Epoch,
        /// The version of the truth; 0 when there is none.
        version: Offset,
        /// The truth.
        data: Option<Arc<Entry>>,
    },
    /// The patch does not apply, because of this.
    DoesNotApply(String),
}

/// Whether a change made a difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Changed {
    /// It did.
    Yes,
    /// It was so before.
    No,
}

/// The truth of a channel, as it is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TruthValue {
    /// The numbering.
    pub epoch: Epoch,
    /// Event, data, version and time.
    pub entry: Arc<Entry>,
    /// Whether it is known to be what is true.
    pub certainty: Certainty,
}

/// Whether a truth is known to be what is true.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Certainty {
    /// It is.
    Fresh,
    /// Its source has changed, or did not answer, since.
    Stale,
}

/// What the history of a channel holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum History {
    /// Entries, by offset, and the channel's position.
    Entries(Position, Vec<Arc<Entry>>),
    /// What was asked for is not there any more.
    Gone(Position, ResetReason),
}

/// What a call with an idempotency key is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Begun {
    /// It is the first with that key: go on.
    First,
    /// It was answered so before.
    Again(Arc<StoredAnswer>),
    /// The key was used with another body.
    Conflict,
    /// The app has as many keys as it may.
    Full,
    /// Nothing can be made durable any more.
    JournalFailed,
}
