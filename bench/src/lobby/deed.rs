// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Deed`]: what somebody does that changes the game for everybody, from the moment at which it
//! was due to its answer; and what it leads to in their browser.
//!
//! Changes of one lobby wait for each other, as far as they are chosen by what was there before;
//! what was due meanwhile is held back, and its time counts from when it was due.

use super::http::{Answered, Method, form_value};
use super::moment::Moment;
use super::people::{Asked, People};
use super::room::Change;
use super::schedule::Due;
use crate::trouble::Trouble;
use serde::Deserialize;

/// What is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Act {
    /// Something about who plays.
    Change(Change),
    /// Somebody says something.
    Chat,
}

/// See the module.
#[derive(Debug, Clone)]
pub(crate) struct Deed {
    pub(crate) act: Act,
    pub(crate) lobby: u32,
    pub(crate) player: u32,
    pub(crate) due: Moment,
    pub(crate) answered: Option<Moment>,
    /// The number that the app gave to what was said.
    pub(crate) number: i64,
}

/// The answer to what was said.
#[derive(Deserialize)]
struct Numbered {
    number: i64,
}

/// How the app answers who goes on to another page, and who stays.
const SEE_OTHER: u16 = 303;
const NO_CONTENT: u16 = 204;
const CREATED: u16 = 201;

impl People {
    /// What the schedule says is due, since that moment.
    pub(crate) fn do_next(&mut self, what: Due, due: Moment) -> Result<(), Trouble> {
        self.late.push(Moment::now().since(due));
        match what {
            Due::Join { lobby, seat } => self.change(lobby, (Change::Join, seat), due),
            Due::Change { lobby } => {
                self.rooms[lobby as usize].held.push_back(due);
                self.held += 1;
                self.go_on(lobby)?;
                // Whatever is held now was not done at once.
                let is_held = self.rooms[lobby as usize].held.back() == Some(&due);
                self.held_back += u64::from(is_held);
                Ok(())
            }
            Due::Chat { lobby } => self.chat(lobby, due),
        }
    }

    /// The next change of a lobby that waits for nothing any more.
    pub(super) fn go_on(&mut self, lobby: u32) -> Result<(), Trouble> {
        let players = &self.players;
        let Some(room) = self.rooms.get_mut(lobby as usize) else { return Ok(()) };
        if room.pending > 0 || room.held.is_empty() {
            return Ok(());
        }
        let mut next = room.clone();
        let (change, seat) = next.next();
        let talks = change == Change::Leave && room.unsaid[seat as usize] > 0;
        if talks || !players[Self::at(lobby, seat) as usize].page.is_open() {
            return Ok(());
        }
        *room = next;
        let Some(due) = room.held.pop_front() else { return Ok(()) };
        self.held -= 1;
        self.change(lobby, (change, seat), due)
    }

    fn change(
        &mut self,
        lobby: u32,
        (change, seat): (Change, u32),
        due: Moment,
    ) -> Result<(), Trouble> {
        if change == Change::Leave {
            // The app ends the connections of whoever leaves: the page need not look on.
            self.close(Self::at(lobby, seat));
        }
        let room = &mut self.rooms[lobby as usize];
        room.pending += 1;
        room.leaving = (change == Change::Leave).then_some(seat);
        let id = &room.id;
        let (method, path) = match change {
            Change::Join => (Method::Form(""), format!("/lobby/{id}/join")),
            Change::Leave => (Method::Form(""), format!("/lobby/{id}/leave")),
            Change::Ready => (Method::Fetch("ready=true"), format!("/lobby/{id}/ready")),
            Change::Unready => (Method::Fetch("ready=false"), format!("/lobby/{id}/ready")),
        };
        self.does(Act::Change(change), (lobby, seat), due, (method, &path))
    }

    fn chat(&mut self, lobby: u32, due: Moment) -> Result<(), Trouble> {
        let players = &self.players;
        let room = &mut self.rooms[lobby as usize];
        let seat = room.speaks(|seat| players[Self::at(lobby, seat) as usize].page.is_open());
        room.unsaid[seat as usize] += 1;
        let path = format!("/lobby/{}/messages", room.id);
        let number = self.deeds.len();
        let text = format!("Is it “your” turn already, or <mine>? I ask for the {number}th time.");
        let form = format!("text={}", form_value(&text));
        self.does(Act::Chat, (lobby, seat), due, (Method::Fetch(&form), &path))
    }

    fn does(
        &mut self,
        act: Act,
        (lobby, seat): (u32, u32),
        due: Moment,
        (method, path): (Method<'_>, &str),
    ) -> Result<(), Trouble> {
        let player = Self::at(lobby, seat);
        let asked = Asked::Does(self.deeds.len());
        self.deeds.push(Deed { act, lobby, player, due, answered: None, number: 0 });
        self.undone += 1;
        let cookie = &self.players[player as usize].cookie;
        self.http.ask(self.poll.registry(), (method, path, cookie), asked)
    }

    /// The app has answered.
    pub(super) fn done(&mut self, place: usize, answered: &Answered) -> Result<(), Trouble> {
        let deed = &mut self.deeds[place];
        deed.answered = Some(Moment::now());
        let (lobby, player) = (deed.lobby, deed.player);
        self.undone -= 1;
        let seat = self.players[player as usize].seat;
        let room = &mut self.rooms[lobby as usize];
        match deed.act {
            Act::Chat => {
                answered.expect(CREATED, "whoever says something")?;
                let numbered: Numbered = serde_json::from_slice(&answered.body)
                    .map_err(|_| Trouble::unexpected("whoever says something", &answered.body))?;
                deed.number = numbered.number;
                room.last_message = room.last_message.max(numbered.number);
                room.unsaid[seat as usize] -= 1;
            }
            Act::Change(change) => {
                room.pending -= 1;
                room.done(change, seat);
                match change {
                    // As the browser that sent the form. Whoever left comes back to look.
                    Change::Join | Change::Leave => {
                        answered.expect(SEE_OTHER, "whoever joins or leaves")?;
                        self.load(player)?;
                    }
                    Change::Ready | Change::Unready => {
                        answered.expect(NO_CONTENT, "whoever is ready")?;
                    }
                }
            }
        }
        self.go_on(lobby)
    }
}
