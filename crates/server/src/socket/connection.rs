// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Connection`]: one open WebSocket, as small as it can be; [`Seats`]: all of a worker's
//! sockets, by the number under which the poll knows them.

use std::io;

use mio::net::TcpStream;
use mio::{Interest, Registry, Token};
use oyez_core::{AppIndex, Millis, Place, WorkerId};
use oyez_protocol::socket_id::SocketId;
use oyez_protocol::user::{Member, UserId};
use oyez_protocol::websocket::Decoder;
use slab::Slab;

use super::outbox::{Backlog, Chain};
use super::rate::Rate;
use super::subscriptions::Subscriptions;

/// An open WebSocket. An idle one is this and one subscription: know its size.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) stream: TcpStream,
    pub(crate) serial: u32,
    pub(crate) app: AppIndex,
    pub(crate) socket_id: SocketId,
    pub(crate) decoder: Decoder,
    pub(crate) subscriptions: Subscriptions,
    pub(crate) identity: Option<Box<Identity>>,
    /// What this turn has for it.
    pub(crate) chain: Chain,
    /// What it would not take.
    pub(crate) backlog: Option<Box<Backlog>>,
    pub(crate) messages: Rate,
    pub(crate) client_events: Rate,
    pub(crate) life: Life,
    pub(crate) stage: Stage,
}

/// What a connection may cost while it does nothing. Two of these must fit the goal of 1 KB.
const CONNECTION_SIZE: usize = 152;
const _: () = assert!(size_of::<Connection>() <= CONNECTION_SIZE);

/// When the connection was heard, and whether it was asked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Life {
    /// In ticks of [`Life::TICK`] since the server's start.
    pub(crate) heard: u32,
    /// Since when a ping waits for an answer; 0 when none does.
    pub(crate) pinged: u32,
    /// Whether the client has ever answered a WebSocket ping.
    pub(crate) answers_pings: bool,
    /// Whether the client counts offsets on any channel, and is sent bookmarks.
    pub(crate) counts: bool,
    /// The period in which it was sent its bookmarks last.
    pub(crate) marked: u16,
}

/// Where a connection is on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Speaks and is spoken to.
    Open,
    /// Our last words are on their way; nothing it says matters any more.
    Closing {
        /// The tick at which it is dropped whatever happens.
        until: u32,
        /// What is left to do when the last words are out.
        then: Farewell,
    },
}

/// How a connection ends once our last words are out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Farewell {
    /// Both sides have said goodbye: drop it.
    Drop,
    /// Half-close it and wait for the client to close, so that the last words are not lost.
    Linger,
}

/// Who is signed in on a connection.
#[derive(Debug)]
pub(crate) struct Identity {
    pub(crate) member: Member,
    pub(crate) watching: Vec<UserId>,
    /// The first report of the watchlist, while homes are still to answer.
    pub(crate) report: Option<WatchReport>,
}

/// Gathers the first report of a watchlist.
#[derive(Debug, Default)]
pub(crate) struct WatchReport {
    pub(crate) missing: usize,
    pub(crate) online: Vec<UserId>,
    pub(crate) offline: Vec<UserId>,
}

/// A socket that has not yet said what it wants.
#[derive(Debug)]
pub(crate) struct Arrival {
    pub(crate) stream: TcpStream,
    /// What has come of its head.
    pub(crate) head: Vec<u8>,
    /// The tick at which it came.
    pub(crate) since: u32,
}

/// A socket that was told goodbye: what it still says is read and forgotten, because closing a
/// socket with unread bytes would take our last words from the client.
#[derive(Debug)]
pub(crate) struct Lingering {
    pub(crate) stream: TcpStream,
    /// The tick at which it was told.
    pub(crate) since: u32,
}

/// Whatever holds a slot.
#[derive(Debug)]
pub(crate) enum Seat {
    /// Before its handshake.
    Arrival(Box<Arrival>),
    /// After it.
    Open(Connection),
    /// After the goodbye.
    Lingering(Lingering),
    /// Only while the seat changes from one to the other.
    Changing,
}

/// All sockets of a worker.
#[derive(Debug)]
pub(crate) struct Seats {
    worker: WorkerId,
    seats: Slab<Seat>,
    next_serial: u32,
    open: usize,
    arrivals: usize,
}

impl Life {
    /// The clock of liveness.
    pub(crate) const TICK: std::time::Duration = std::time::Duration::from_millis(100);

    /// The tick of a time.
    pub(crate) fn tick(now: Millis) -> u32 {
        // 13 years of uptime fit.
        (now.0 / Self::TICK.as_millis() as u64) as u32 + 1
    }

    pub(crate) fn born(now: Millis) -> Life {
        Life { heard: Life::tick(now), pinged: 0, answers_pings: false, counts: false, marked: 0 }
    }

    /// Something came.
    pub(crate) fn hear(&mut self, now: Millis) {
        self.heard = Life::tick(now);
        self.pinged = 0;
    }
}

impl Connection {
    pub(crate) fn is_open(&self) -> bool {
        self.stage == Stage::Open
    }

    /// As whom it is signed in.
    pub(crate) fn user(&self) -> Option<&UserId> {
        self.identity.as_ref().map(|identity| &identity.member.user_id)
    }

    /// Tells the poll what to watch the socket for from now on.
    pub(crate) fn watch(
        &mut self,
        registry: &Registry,
        slot: u32,
        interest: Interest,
    ) -> io::Result<()> {
        registry.reregister(&mut self.stream, Token(slot as usize), interest)
    }
}

impl Seats {
    pub(crate) fn new(worker: WorkerId) -> Seats {
        Seats { worker, seats: Slab::new(), next_serial: 0, open: 0, arrivals: 0 }
    }

    /// Whether there is no socket of any stage.
    pub(crate) fn is_empty(&self) -> bool {
        self.seats.is_empty()
    }

    /// WebSockets.
    pub(crate) fn open(&self) -> usize {
        self.open
    }

    /// Sockets before their handshake.
    pub(crate) fn arrivals(&self) -> usize {
        self.arrivals
    }

    /// One above the highest slot in use so far.
    pub(crate) fn slots(&self) -> usize {
        self.seats.capacity()
    }

    pub(crate) fn arrive(&mut self, arrival: Arrival) -> u32 {
        self.arrivals += 1;
        self.seats.insert(Seat::Arrival(Box::new(arrival))) as u32
    }

    pub(crate) fn get_mut(&mut self, slot: u32) -> Option<&mut Seat> {
        self.seats.get_mut(slot as usize)
    }

    /// The WebSocket in that slot.
    pub(crate) fn connection(&mut self, slot: u32) -> Option<&mut Connection> {
        match self.seats.get_mut(slot as usize) {
            Some(Seat::Open(connection)) => Some(connection),
            _ => None,
        }
    }

    /// The WebSocket of that place, if it is still the same one and still open.
    pub(crate) fn at(&mut self, place: Place) -> Option<&mut Connection> {
        self.connection(place.slot).filter(|c| c.serial == place.serial && c.is_open())
    }

    /// Makes the arrival in that slot a WebSocket.
    pub(crate) fn open_with(&mut self, slot: u32, make: impl FnOnce(TcpStream, u32) -> Connection) {
        let Some(seat) = self.seats.get_mut(slot as usize) else { return };
        *seat = match std::mem::replace(seat, Seat::Changing) {
            Seat::Arrival(arrival) => {
                self.arrivals -= 1;
                self.open += 1;
                self.next_serial = self.next_serial.wrapping_add(1);
                Seat::Open(make(arrival.stream, self.next_serial))
            }
            other => other,
        };
    }

    /// Makes whatever is in that slot a socket that was told goodbye.
    pub(crate) fn linger(&mut self, slot: u32, since: u32) {
        let Some(seat) = self.seats.get_mut(slot as usize) else { return };
        *seat = match std::mem::replace(seat, Seat::Changing) {
            Seat::Arrival(arrival) => {
                self.arrivals -= 1;
                Seat::Lingering(Lingering { stream: arrival.stream, since })
            }
            Seat::Open(connection) => {
                self.open -= 1;
                Seat::Lingering(Lingering { stream: connection.stream, since })
            }
            other => other,
        };
    }

    pub(crate) fn place(&self, slot: u32, serial: u32) -> Place {
        Place { worker: self.worker, slot, serial }
    }

    /// Takes in a WebSocket that was released by another worker.
    pub(crate) fn admit(&mut self, mut connection: Connection) -> u32 {
        self.open += 1;
        self.next_serial = self.next_serial.wrapping_add(1);
        connection.serial = self.next_serial;
        self.seats.insert(Seat::Open(connection)) as u32
    }

    /// Gives a WebSocket away.
    pub(crate) fn release(&mut self, slot: u32) -> Option<Connection> {
        self.connection(slot)?;
        match self.remove(slot) {
            Some(Seat::Open(connection)) => Some(connection),
            _ => None,
        }
    }

    pub(crate) fn remove(&mut self, slot: u32) -> Option<Seat> {
        let seat = self.seats.try_remove(slot as usize)?;
        match seat {
            Seat::Arrival(_) => self.arrivals -= 1,
            Seat::Open(_) => self.open -= 1,
            Seat::Lingering(_) | Seat::Changing => {}
        }
        // A storm that has gone must not be paid for ever after.
        if self.seats.is_empty() {
            self.seats = Slab::new();
        }
        Some(seat)
    }
}
