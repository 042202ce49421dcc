// SPDX-License-Identifier: MIT OR Apache-2.0
//! The load itself, and the rest after it: the schedule is done step by step, whether or not the
//! app keeps up; then every page must come to show what its players were told, without another
//! word from them, and keep showing it.

use super::moment::Moment;
use super::people::{People, TURN};
use super::prepare::progress;
use super::schedule::Schedule;
use crate::load::STALL;
use crate::trouble::Trouble;
use std::time::{Duration, Instant};

/// From now until the first step.
const RUN_UP: Duration = Duration::from_millis(100);

/// How long pages are watched at rest: longer than the server's question after the last `changed`
/// (`settle`, a second) and its answer.
const WATCHED: Duration = Duration::from_millis(2_500);

impl People {
    /// Does what the schedule says, and waits until all of it is answered and all pages are open.
    pub(crate) fn follow(&mut self, schedule: &Schedule) -> Result<(), Trouble> {
        let begin = Moment::now().after(RUN_UP);
        let mut steps = schedule.0.iter().peekable();
        let mut seen = (usize::MAX, Instant::now());
        loop {
            let now = Moment::now();
            while let Some((at, due)) = steps.next_if(|(at, _)| begin.after(*at) <= now) {
                self.do_next(*due, begin.after(*at))?;
            }
            let next = steps.peek().map(|(at, _)| begin.after(*at));
            let left = self.undone + self.held + self.opening;
            if next.is_none() && left == 0 {
                return Ok(());
            }
            self.turn(next.unwrap_or_else(|| now.after(TURN)))?;
            if next.is_none() {
                progress(&mut seen, left, "deeds or pages are not done")?;
            }
        }
    }

    /// Waits until every page shows what the app has answered to those who play, at most
    /// [`STALL`]. Whether that is the truth is for the database to say.
    pub(crate) fn come_to_rest(&mut self) -> Result<Moment, Trouble> {
        let limit = Moment::now().after(STALL);
        let mut owing: Vec<u32> =
            (0..u32::try_from(self.players.len()).unwrap_or(u32::MAX)).collect();
        loop {
            owing.retain(|player| !self.is_right(*player));
            let now = Moment::now();
            if owing.is_empty() || now >= limit {
                return Ok(now);
            }
            self.turn(limit.min(now.after(TURN)))?;
        }
    }

    /// Watches all pages for a while in which nothing happens.
    pub(crate) fn watch(&mut self) -> Result<(), Trouble> {
        self.idle(WATCHED)
    }

    /// Takes what comes for some time.
    pub(crate) fn idle(&mut self, time: Duration) -> Result<(), Trouble> {
        let until = Moment::now().after(time);
        while Moment::now() < until {
            self.turn(until)?;
        }
        Ok(())
    }

    fn is_right(&self, player: u32) -> bool {
        let player = &self.players[player as usize];
        let Some(view) = player.page.view.map(|view| &self.views[view]) else { return false };
        // Of the open games nobody was told.
        let Some(lobby) = player.lobby else { return true };
        let (room, shown) = (&self.rooms[lobby as usize], &self.shown[lobby as usize]);
        let id_of = |seat| self.players[Self::at(lobby, seat) as usize].id;
        let players = view.players.last();
        let players = players.is_some_and(|(_, list)| room.agrees(shown.list(*list), id_of));
        let messages = view.messages.last().map(|(_, last)| *last);
        players && (!room.has(player.seat) || messages == Some(room.last_message))
    }
}
