// SPDX-License-Identifier: MIT OR Apache-2.0
//! Before the load: everybody registers, the hosts make their games, and all pages open. Nothing
//! of it is measured but its duration and what it leaves in the app's memory.

use super::http::{Answered, Method, form_value};
use super::moment::Moment;
use super::people::{Asked, People, TURN};
use super::room::Room;
use crate::load::{CONNECT_WINDOW, STALL};
use crate::trouble::Trouble;
use std::collections::HashMap;
use std::thread::available_parallelism;
use std::time::Instant;

/// Everybody's password. It guards nothing: the app of a run listens on loopback only.
const PASSWORD: &str = "correct horse";

/// Registrations in flight for each core: each of them takes a core for tens of milliseconds.
const REGISTRATIONS_PER_CORE: usize = 2;

/// Games in flight.
const MAKING: usize = 8;

const SEE_OTHER: u16 = 303;

impl People {
    /// Everybody registers.
    pub(crate) fn register(&mut self) -> Result<(), Trouble> {
        let cores = available_parallelism().map_or(1, usize::from);
        let all = (0..u32::try_from(self.players.len()).unwrap_or(u32::MAX)).collect();
        self.each(all, cores * REGISTRATIONS_PER_CORE, |people, player| {
            let name = form_value(&people.players[player as usize].name);
            let form = format!("username={name}&password={}&next=%2F", form_value(PASSWORD));
            let request = (Method::Form(&form), "/register", "");
            people.http.ask(people.poll.registry(), request, Asked::Registers(player))
        })
    }

    pub(super) fn registered(&mut self, player: u32, answered: Answered) -> Result<(), Trouble> {
        answered.expect(SEE_OTHER, "whoever registers")?;
        let missing = || Trouble::unexpected("whoever registers", b"no cookie");
        self.players[player as usize].cookie = answered.cookie.ok_or_else(missing)?;
        self.prepared += 1;
        Ok(())
    }

    /// Everybody learns their id.
    pub(crate) fn identify(&mut self, users: &HashMap<String, i64>) -> Result<(), Trouble> {
        for player in &mut self.players {
            let id = users.get(&player.name).copied();
            player.id = id.ok_or_else(|| Trouble::unexpected(&player.name, b"no such user"))?;
        }
        Ok(())
    }

    /// Every host makes a game.
    pub(crate) fn make_games(&mut self) -> Result<(), Trouble> {
        let lobbies = u32::try_from(self.shown.len()).unwrap_or(u32::MAX);
        self.rooms = (0..lobbies).map(|lobby| Room::new(String::new(), lobby)).collect();
        let hosts = (0..lobbies).map(|lobby| Self::at(lobby, 0)).collect();
        self.each(hosts, MAKING, |people, player| {
            let Self { http, poll, players, .. } = people;
            let request = (Method::Form(""), "/games", players[player as usize].cookie.as_str());
            http.ask(poll.registry(), request, Asked::Makes(player))
        })
    }

    pub(super) fn made(&mut self, player: u32, answered: &Answered) -> Result<(), Trouble> {
        answered.expect(SEE_OTHER, "whoever makes a game")?;
        let id = answered.location.as_deref().and_then(|path| path.strip_prefix("/lobby/"));
        let id = id.ok_or_else(|| Trouble::unexpected("whoever makes a game", b"no location"))?;
        if let Some(lobby) = self.players[player as usize].lobby {
            self.rooms[lobby as usize].id = id.to_owned();
        }
        self.prepared += 1;
        Ok(())
    }

    /// All pages open.
    pub(crate) fn open_pages(&mut self) -> Result<(), Trouble> {
        let mut players = 0..u32::try_from(self.players.len()).unwrap_or(u32::MAX);
        // The first one alone: it learns the app key.
        let mut window = 1;
        let mut seen = (usize::MAX, Instant::now());
        loop {
            for player in players.by_ref().take(window - self.opening.min(window)) {
                self.load(player)?;
            }
            if self.opening == 0 && players.is_empty() {
                return Ok(());
            }
            self.turn(Moment::now().after(TURN))?;
            if !self.path.is_empty() {
                window = CONNECT_WINDOW;
            }
            let left = players.len() + self.opening;
            progress(&mut seen, left, "pages do not open")?;
        }
    }

    /// Has `ask` done for all of them, so many at once, and waits until all is answered.
    fn each(
        &mut self,
        players: Vec<u32>,
        at_once: usize,
        ask: impl Fn(&mut Self, u32) -> Result<(), Trouble>,
    ) -> Result<(), Trouble> {
        let (before, total) = (self.prepared, players.len());
        let mut players = players.into_iter();
        let mut seen = (usize::MAX, Instant::now());
        loop {
            let done = self.prepared - before;
            if done == total {
                return Ok(());
            }
            let in_flight = total - players.len() - done;
            for player in players.by_ref().take(at_once - in_flight) {
                ask(self, player)?;
            }
            self.turn(Moment::now().after(TURN))?;
            progress(&mut seen, total - done, "players or games are missing")?;
        }
    }
}

/// Trouble when as much is left as [`STALL`] ago.
pub(super) fn progress(
    seen: &mut (usize, Instant),
    left: usize,
    what: &str,
) -> Result<(), Trouble> {
    if left != seen.0 {
        *seen = (left, Instant::now());
    } else if seen.1.elapsed() > STALL {
        return Err(Trouble::Stalled { waited: STALL, detail: format!("{left} {what}") });
    }
    Ok(())
}
