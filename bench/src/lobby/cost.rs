// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the app spends: its memory at four moments, and over the [`Stretch`] from the first step of
//! the load to the rest after it its processors, its disk and its questions.

use super::app::Spent;
use super::moment::Moment;
use super::people::{Deliveries, People};
use super::schedule::Schedule;
use crate::metric::thousands;
use crate::process::Server;
use crate::scenarios::micros;
use crate::trouble::Trouble;
use std::time::{Duration, Instant};

/// Resident memory of the app, bytes.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    /// When everybody had registered.
    pub(crate) registered: u64,
    /// Started anew, on that data.
    pub(crate) started: u64,
    /// When all pages were open.
    pub(crate) open: u64,
    /// After the load.
    pub(crate) after: u64,
}

/// See the module.
pub(crate) struct Stretch {
    before: Spent,
    after: Spent,
    came: Deliveries,
    deltas: u64,
    time: Duration,
    ours: Duration,
    /// When the last answer came, and when every page showed all of it.
    answered: Moment,
    pub(crate) rest: Moment,
}

impl Stretch {
    /// Does the load, and comes to rest.
    pub(crate) fn of(
        people: &mut People,
        server: &Server,
        schedule: &Schedule,
    ) -> Result<Self, Trouble> {
        let before = Spent::by(server)?;
        let (ours, begin) = (our_time()?, Instant::now());
        let (came, deltas) = (people.deliveries, people.deltas);
        people.follow(schedule)?;
        let answered = Moment::now();
        eprintln!("Lobby: {} deeds done in {:.1?}", people.deeds.len(), begin.elapsed());
        let rest = people.come_to_rest()?;
        Ok(Self {
            before,
            after: Spent::by(server)?,
            came: people.deliveries.since(came),
            deltas: people.deltas - deltas,
            time: begin.elapsed(),
            ours: our_time()?.saturating_sub(ours),
            answered,
            rest,
        })
    }

    /// As names and figures.
    pub(crate) fn rows(
        &self,
        people: &People,
        memory: &Memory,
        changes: usize,
    ) -> Vec<(String, String)> {
        let deeds = people.deeds.len();
        let row = |name: &str, figure: String| (name.to_owned(), figure);
        let mut rows = vec![
            row("changes of players", thousands(changes as u64)),
            row("messages", thousands((deeds - changes) as u64)),
        ];
        rows.extend(self.deliveries());
        rows.extend(self.spent(deeds as f64));
        let mb = |bytes: u64| format!("{:.1}", bytes as f64 / 1024.0 / 1024.0);
        let pages = (memory.open as f64 - memory.started as f64) / people.players.len() as f64;
        let to_rest = f64::from(self.rest.since(self.answered)) / 1e3;
        rows.extend([
            row("MB of memory, everybody registered", mb(memory.registered)),
            row("MB, started anew", mb(memory.started)),
            row("MB, all pages open", mb(memory.open)),
            row("KB for each of them", format!("{:.1}", pages / 1024.0)),
            row("MB, after the load", mb(memory.after)),
            row("changes held back by the one before them", thousands(people.held_back)),
            row("requests that waited for a connection", thousands(people.waited())),
            row("ms from the last answer until every page was right", format!("{to_rest:.1}")),
        ]);
        rows
    }

    fn deliveries(&self) -> Vec<(String, String)> {
        let Deliveries { players, messages, members, tables, games, others } = self.came;
        let kinds = [
            ("deliveries to pages", self.came.total()),
            ("– lists of players", players),
            ("– messages", messages),
            ("– who is there", members),
            ("– the table", tables),
            ("– open games", games),
            ("– counts and bookmarks", others),
            ("truths that came as a change of the one before", self.deltas),
        ];
        kinds.into_iter().map(|(name, count)| (name.to_owned(), thousands(count))).collect()
    }

    fn spent(&self, deeds: f64) -> Vec<(String, String)> {
        let Self { before, after, time, ours, .. } = self;
        let cpu = after.cpu.saturating_sub(before.cpu);
        let share =
            |spent: Duration| format!("{:.0}", 100.0 * spent.as_secs_f64() / time.as_secs_f64());
        let each = |name: &str, count: f64| {
            (format!("{name}, per change or message"), format!("{:.2}", count / deeds))
        };
        let row = |name: &str, figure: String| (name.to_owned(), figure);
        let delivery = micros(cpu) / self.came.total().max(1) as f64;
        vec![
            row("µs server CPU, per change or message", format!("{:.0}", micros(cpu) / deeds)),
            row("µs server CPU, per delivery", format!("{delivery:.0}")),
            row("% of a core used by the server", share(cpu)),
            row("% of a core used by the load generator", share(*ours)),
            each("questions for players", after.questions(before, "LOBBY_")),
            each("questions for messages", after.questions(before, "private-CHAT_")),
            each("questions for the table", after.questions(before, "private-GAME_")),
            each("questions for open games", after.questions(before, "private-GAMES")),
            each("commits of the journal", after.commits(before)),
            each("KB written to disk", (after.written - before.written) as f64 / 1024.0),
        ]
    }
}

/// CPU time of this thread, which is the whole load generator.
fn our_time() -> Result<Duration, Trouble> {
    nix::time::clock_gettime(nix::time::ClockId::CLOCK_THREAD_CPUTIME_ID)
        .map(Duration::from)
        .map_err(|error| Trouble::io("reading the generator's clock")(error.into()))
}
