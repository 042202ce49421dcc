// SPDX-License-Identifier: MIT OR Apache-2.0
//! The founding app under load: thousands of players in their lobbies, who join, get ready, leave
//! and talk, at a fixed rate and whether or not the app keeps up. Every list and every message that
//! any page shows is kept with its moment, and in the end held against the database.
//!
//! - [`schedule`] says what is due when; [`room`] what changes next in a lobby;
//! - [`people`] are the players and their browsers: [`prepare`], [`page`], [`deed`] and [`rest`]
//!   say what they do, [`http`], [`socket`], [`message`] and [`alarm`] how;
//! - [`view`] is what a page showed, [`database`] and [`history`] what was true, [`judge`]
//!   compares the two, [`wrong`] is what can come of it, [`report`] prints it;
//! - [`app`] starts the app, [`moment`] is the time that both write.

mod alarm;
mod app;
mod database;
mod deed;
mod history;
mod http;
mod judge;
mod message;
mod moment;
mod page;
mod people;
mod prepare;
mod report;
mod rest;
mod room;
mod schedule;
mod socket;
mod view;
mod wrong;

use crate::metric::thousands;
use crate::process::Server;
use crate::scenarios::micros;
use crate::trouble::Trouble;
use app::Spent;
use database::Database;
use judge::Findings;
use moment::{Moment, Watch};
use people::{Deliveries, People};
pub(crate) use report::Report;
use schedule::{SEATS, Schedule, Shape};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How much of it; with `--seconds`, how long.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Scenario lobby")]
pub(crate) struct Options {
    /// Measure this binary of the app instead of building the workspace's.
    #[arg(long, value_name = "FILE")]
    pub(crate) lobby: Option<PathBuf>,
    /// Lobbies, of five players each.
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..=3_500))]
    lobbies: u32,
    /// Changes of players per second: joining, getting ready or not, leaving.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    changes_per_second: u32,
    /// Messages per second in all chats together.
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    chats_per_second: u32,
    /// Home pages that are open beside.
    #[arg(long, default_value_t = 10)]
    homes: u32,
}

/// How long, when nothing is said.
const TIME: Duration = Duration::from_secs(60);

/// A clock that was moved by more than so many microseconds makes latencies doubtful.
const MOVED: u64 = 1_000;

/// What the app gets to come to rest before its memory is read.
const SETTLE: Duration = Duration::from_secs(2);

/// Drives the app `binary`, with its data in that empty folder.
pub(crate) fn measure(
    options: &Options,
    seconds: Option<f64>,
    binary: &Path,
    folder: &Path,
) -> Result<Report, Trouble> {
    let time = seconds.map_or(TIME, |seconds| Duration::from_secs_f64(seconds.clamp(0.1, 3_600.0)));
    let shape = Shape {
        lobbies: options.lobbies,
        changes: options.changes_per_second,
        chats: options.chats_per_second,
        time,
    };
    let mut server = app::start(binary, folder)?;
    let result = drive(&server, &shape, options.homes, folder);
    result.map_err(|trouble| server.ended().unwrap_or(trouble))
}

/// Resident memory of the app, bytes.
#[derive(Default)]
struct Memory {
    empty: u64,
    prepared: u64,
    open: u64,
    after: u64,
}

/// The load, from its first step to the rest after it.
struct Stretch {
    before: Spent,
    after: Spent,
    deliveries: u64,
    came: Deliveries,
    time: Duration,
    ours: Duration,
    /// From the last answer to the last page that showed everything.
    to_rest: u32,
}

fn drive(server: &Server, shape: &Shape, homes: u32, folder: &Path) -> Result<Report, Trouble> {
    let watch = Watch::start();
    let mut memory = Memory { empty: server.resident()?, ..Memory::default() };
    let mut people = People::new(server.address(), shape.lobbies, homes)?;
    let mut database = Database::open(&app::database(folder))?;
    let preparing = prepare(&mut people, &mut database)?;
    memory.prepared = server.resident()?;
    let begin = Instant::now();
    people.open_pages()?;
    eprintln!("Lobby: {} pages opened in {:.1?}", people.players.len(), begin.elapsed());
    people.idle(SETTLE)?;
    memory.open = server.resident()?;

    let schedule = Schedule::new(shape);
    let (stretch, rest) = load(&mut people, server, &schedule)?;
    people.watch()?;
    memory.after = server.resident()?;
    let facts = database.facts()?;
    let findings = Findings::of(&mut people, &facts, rest)?;
    let moved = watch.moved();
    let mut doubts = Vec::new();
    if moved > MOVED {
        doubts.push(format!("the clock of the machine was set by {moved} µs meanwhile"));
    }
    Ok(Report {
        what: what(shape, homes, preparing),
        findings,
        costs: costs(&people, &stretch, &memory, schedule.changes()),
        wrongs: people.wrongs.to_string(),
        doubts,
    })
}

/// Everybody registers, and the games are made. Says how long that took.
fn prepare(people: &mut People, database: &mut Database) -> Result<Duration, Trouble> {
    let begin = Instant::now();
    people.register()?;
    eprintln!("Lobby: {} players registered in {:.1?}", people.players.len(), begin.elapsed());
    people.identify(&database.users()?)?;
    database.write_down_changes()?;
    people.make_games()?;
    eprintln!("Lobby: {} games made", people.rooms.len());
    Ok(begin.elapsed())
}

fn load(
    people: &mut People,
    server: &Server,
    schedule: &Schedule,
) -> Result<(Stretch, Moment), Trouble> {
    let before = Spent::by(server)?;
    let (ours, begin, came) = (our_time()?, Instant::now(), people.deliveries);
    people.follow(schedule)?;
    let answered = Moment::now();
    eprintln!("Lobby: {} deeds done in {:.1?}", people.deeds.len(), begin.elapsed());
    let rest = people.come_to_rest()?;
    let after = Spent::by(server)?;
    let stretch = Stretch {
        before,
        after,
        deliveries: people.deliveries.total() - came.total(),
        came: people.deliveries,
        time: begin.elapsed(),
        ours: our_time()?.saturating_sub(ours),
        to_rest: rest.since(answered),
    };
    Ok((stretch, rest))
}

/// CPU time of this thread, which is the whole load generator.
fn our_time() -> Result<Duration, Trouble> {
    nix::time::clock_gettime(nix::time::ClockId::CLOCK_THREAD_CPUTIME_ID)
        .map(Duration::from)
        .map_err(|error| Trouble::io("reading the generator's clock")(error.into()))
}

fn what(shape: &Shape, homes: u32, preparing: Duration) -> String {
    let Shape { lobbies, changes, chats, time } = shape;
    let n = |number: u32| thousands(u64::from(number));
    format!(
        "The founding app: {} lobbies of {SEATS} players and {homes} home pages, all open; {} \
         changes of players and {} messages per second for at least {} s. Before that everybody \
         registered and the games were made, in {} s.",
        n(*lobbies),
        n(*changes),
        n(*chats),
        time.as_secs_f64(),
        preparing.as_secs()
    )
}

fn costs(
    people: &People,
    stretch: &Stretch,
    memory: &Memory,
    changes: usize,
) -> Vec<(String, String)> {
    let Stretch { before, after, deliveries, came, time, ours, to_rest } = stretch;
    let cpu = after.cpu.saturating_sub(before.cpu);
    let deeds = people.deeds.len() as f64;
    let seconds = time.as_secs_f64();
    let each = |count: f64| format!("{:.1}", count / deeds);
    let share = |time: Duration| format!("{:.0}", 100.0 * time.as_secs_f64() / seconds);
    let mb = |bytes: u64| format!("{:.1}", bytes as f64 / 1024.0 / 1024.0);
    let pages = people.players.len() as f64;
    let kinds = [
        ("lists of players", came.players),
        ("messages", came.messages),
        ("members", came.members),
        ("tables", came.tables),
        ("open games", came.games),
        ("other", came.others),
    ];
    let kinds: Vec<String> =
        kinds.iter().map(|(name, count)| format!("{} {name}", thousands(*count))).collect();
    let row = |name: &str, figure: String| (name.to_owned(), figure);
    let mut rows = vec![
        row("changes of players", thousands(changes as u64)),
        row("messages", thousands((people.deeds.len() - changes) as u64)),
        row("deliveries to pages", thousands(*deliveries)),
        row("of all deliveries since the start", kinds.join(", ")),
        row("µs server CPU per change or message", format!("{:.0}", micros(cpu) / deeds)),
        row("µs server CPU per delivery", format!("{:.0}", micros(cpu) / *deliveries as f64)),
        row("% of a core used by the server", share(cpu)),
        row("% of a core used by the load generator", share(*ours)),
    ];
    for (kind, name) in [
        ("LOBBY_", "players"),
        ("private-CHAT_", "messages"),
        ("private-GAMES", "open games"),
        ("private-GAME_", "the table"),
    ] {
        let questions = after.questions(before, kind);
        rows.push(row(&format!("questions for {name}, per change or message"), each(questions)));
    }
    let written = (after.written - before.written) as f64 / 1024.0;
    rows.extend([
        row("commits of the journal, per change or message", each(after.commits(before))),
        row("KB written to disk, per change or message", each(written)),
        row("MB of memory, empty", mb(memory.empty)),
        row("MB, everybody registered", mb(memory.prepared)),
        row("MB, all pages open", mb(memory.open)),
        row("MB, after the load", mb(memory.after)),
        row(
            "KB per open page",
            format!("{:.1}", (memory.open as f64 - memory.prepared as f64) / 1024.0 / pages),
        ),
        row("changes held back by the one before them", thousands(people.held_back)),
        row("requests that waited for a connection", thousands(people.waited())),
        row(
            "ms from the last answer until every page was right",
            format!("{:.1}", f64::from(*to_rest) / 1_000.0),
        ),
    ]);
    rows
}
