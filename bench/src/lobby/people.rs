// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`People`]: everybody who plays, with their browsers: one thread, one epoll, thousands of
//! pages. This file holds who and what there is, and turns what the epoll says into what happened;
//! what follows from it stands in [`page`](super::page) and [`deed`](super::deed).

use super::alarm::Alarm;
use super::deed::Deed;
use super::http::{Answered, Http};
use super::message::Channel;
use super::moment::Moment;
use super::page::Page;
use super::room::Room;
use super::schedule::SEATS;
use super::socket::{READ_BYTES, Socket};
use super::truth::Library;
use super::view::{Shown, View};
use super::wrong::Wrongs;
use crate::trouble::Trouble;
use mio::event::Event;
use mio::{Events, Poll, Token};
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

/// Ready sockets taken per system call.
const EVENTS: usize = 1024;

/// Tokens below are pages.
const FIRST_REQUEST: usize = 1 << 24;
const ALARM: Token = Token(usize::MAX - 1);

/// The longest wait for one event.
pub(crate) const TURN: Duration = Duration::from_secs(1);

/// Somebody, with a browser in which one page is open at most.
pub(crate) struct Player {
    pub(crate) name: String,
    /// As the database knows them.
    pub(crate) id: i64,
    /// `name=value` of their session.
    pub(crate) cookie: String,
    /// The lobby in which they play; none for those who only look at the home page.
    pub(crate) lobby: Option<u32>,
    /// Which of its seats is theirs.
    pub(crate) seat: u32,
    pub(crate) page: Page,
}

/// What an answer is for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Asked {
    /// A player registers.
    Registers(u32),
    /// A player makes a game.
    Makes(u32),
    /// A page is loaded, on that visit of its player.
    Page(u32, u32),
    /// A page may subscribe to that, on that visit of its player.
    Authorises(u32, u32, Channel),
    /// Something is done, of that place among all deeds.
    Does(usize),
}

/// What came to pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Deliveries {
    pub(crate) players: u64,
    pub(crate) messages: u64,
    pub(crate) members: u64,
    pub(crate) tables: u64,
    pub(crate) games: u64,
    pub(crate) others: u64,
}

impl Deliveries {
    /// Since an earlier count.
    pub(crate) const fn since(self, before: Self) -> Self {
        Self {
            players: self.players - before.players,
            messages: self.messages - before.messages,
            members: self.members - before.members,
            tables: self.tables - before.tables,
            games: self.games - before.games,
            others: self.others - before.others,
        }
    }

    /// All of them.
    pub(crate) const fn total(self) -> u64 {
        self.players + self.messages + self.members + self.tables + self.games + self.others
    }
}

/// See the module. Player `lobby * SEATS + seat` has that seat; behind them are those who look at
/// the home page. Sockets are numbered from the first to the last of the run, so that what happens
/// to one that is gone is never taken for another's.
pub(crate) struct People {
    pub(super) poll: Poll,
    events: Option<Events>,
    alarm: Alarm,
    pub(super) server: SocketAddr,
    pub(super) http: Http<Asked>,
    pub(super) sockets: Vec<Option<(Socket, u32)>>,
    buffer: Vec<u8>,
    /// Where WebSockets are opened; empty until a page has told the app key.
    pub(super) path: String,
    pub(crate) players: Vec<Player>,
    pub(crate) rooms: Vec<Room>,
    pub(crate) shown: Vec<Shown>,
    pub(crate) views: Vec<View>,
    pub(crate) deeds: Vec<Deed>,
    /// By how many microseconds each of them was taken up late.
    pub(crate) late: Vec<u32>,
    /// Deeds that have no answer yet.
    pub(crate) undone: usize,
    /// Changes that are held back, and how often that was so.
    pub(crate) held: usize,
    pub(crate) held_back: u64,
    /// Pages that are about to open.
    pub(crate) opening: usize,
    /// Those who have registered, and games that are made.
    pub(super) prepared: usize,
    pub(crate) deliveries: Deliveries,
    /// Truths that came as a change of the one before.
    pub(crate) deltas: u64,
    pub(crate) wrongs: Wrongs,
}

impl People {
    /// Players of so many lobbies and so many others; none of them has registered.
    pub(crate) fn new(
        server: SocketAddr,
        (lobbies, homes): (u32, u32),
        library: Library,
    ) -> Result<Self, Trouble> {
        let poll = Poll::new().map_err(Trouble::io("making an epoll"))?;
        let alarm = Alarm::new(poll.registry(), ALARM)?;
        let playing = lobbies * SEATS;
        let player = |number: u32| Player {
            name: format!("player-{number:05}"),
            id: 0,
            cookie: String::new(),
            lobby: (number < playing).then_some(number / SEATS),
            seat: number % SEATS,
            page: Page::with(library),
        };
        Ok(Self {
            poll,
            events: Some(Events::with_capacity(EVENTS)),
            alarm,
            server,
            http: Http::new(server, FIRST_REQUEST),
            sockets: Vec::new(),
            buffer: vec![0; READ_BYTES],
            path: String::new(),
            players: (0..playing + homes).map(player).collect(),
            rooms: Vec::new(),
            shown: (0..lobbies).map(|_| Shown::default()).collect(),
            views: Vec::new(),
            deeds: Vec::new(),
            late: Vec::new(),
            undone: 0,
            held: 0,
            held_back: 0,
            opening: 0,
            prepared: 0,
            deliveries: Deliveries::default(),
            deltas: 0,
            wrongs: Wrongs::default(),
        })
    }

    /// Who has that seat of that lobby.
    pub(crate) const fn at(lobby: u32, seat: u32) -> u32 {
        lobby * SEATS + seat
    }

    /// How many requests had to wait for a connection.
    pub(crate) fn waited(&self) -> u64 {
        self.http.waited
    }

    /// The game of a player; empty on the home page.
    pub(super) fn game(&self, player: u32) -> &str {
        let lobby = self.players[player as usize].lobby;
        lobby.map_or("", |lobby| &self.rooms[lobby as usize].id)
    }

    /// The app has been started anew, when no page was open: from now on it is called there.
    pub(crate) fn meet(&mut self, server: SocketAddr) {
        self.server = server;
        self.http = Http::new(server, FIRST_REQUEST);
    }

    /// Takes what happens, until that moment at the latest; returns after some of it.
    pub(crate) fn turn(&mut self, until: Moment) -> Result<(), Trouble> {
        let mut events = self.events.take().expect("a turn ends before the next one");
        let result = self.take(&mut events, until);
        self.events = Some(events);
        result
    }

    fn take(&mut self, events: &mut Events, until: Moment) -> Result<(), Trouble> {
        let wait = until.wait(Moment::now());
        let timeout = if wait.is_zero() {
            Some(Duration::ZERO)
        } else if wait > TURN {
            Some(TURN)
        } else {
            self.alarm.set(until)?;
            None
        };
        match self.poll.poll(events, timeout) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Ok(()),
            result => result.map_err(Trouble::io("waiting for events"))?,
        }
        for event in events.iter() {
            match event.token() {
                ALARM => self.alarm.rang(),
                Token(index) if index < FIRST_REQUEST => self.page_ready(index, event)?,
                Token(token) => {
                    if let Some((asked, answered)) = self.http.ready(self.poll.registry(), token)? {
                        self.answered(asked, answered)?;
                    }
                }
            }
        }
        Ok(())
    }

    fn page_ready(&mut self, index: usize, event: &Event) -> Result<(), Trouble> {
        // Gone, and what is said of it is old.
        let Some((mut socket, player)) = self.sockets[index].take() else { return Ok(()) };
        let mut buffer = std::mem::take(&mut self.buffer);
        let path = std::mem::take(&mut self.path);
        let result = socket
            .ready(event, &path, &mut buffer, |text, now, out| self.heard(player, text, now, out));
        self.buffer = buffer;
        self.path = path;
        self.sockets[index] = Some((socket, player));
        result
    }

    fn answered(&mut self, asked: Asked, answered: Answered) -> Result<(), Trouble> {
        match asked {
            Asked::Registers(player) => self.registered(player, answered),
            Asked::Makes(player) => self.made(player, &answered),
            Asked::Page(player, visit) => self.loaded(player, visit, &answered),
            Asked::Authorises(player, visit, channel) => {
                self.authorised((player, visit), channel, &answered)
            }
            Asked::Does(deed) => self.done(deed, &answered),
        }
    }
}
