// SPDX-License-Identifier: MIT OR Apache-2.0
//! The founding app under load: thousands of players in their lobbies, who join, get ready, leave
//! and talk, at a fixed rate and whether or not the app keeps up. Every list and every message that
//! any page shows is kept with its moment, and in the end held against the database.
//!
//! - [`schedule`] says what is due when; [`room`] what changes next in a lobby;
//! - [`people`] are the players and their browsers: [`prepare`], [`page`], [`deed`] and [`rest`]
//!   say what they do, [`http`], [`socket`], [`message`],
//!   [`truth`] and [`alarm`] how;
//! - [`view`] is what a page showed, [`database`] and [`history`] what was true, [`judge`]
//!   compares the two, [`wrong`] is what can come of it, [`report`] prints it;
//! - [`app`] starts the app, [`cost`] is what it spends, [`moment`] is the time that both write.

mod alarm;
mod app;
mod cost;
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
mod truth;
mod view;
mod wrong;

use crate::metric::thousands;
use crate::process::Server;
use crate::trouble::Trouble;
use cost::{Memory, Stretch};
use database::Database;
use judge::Findings;
use moment::Watch;
use people::People;
pub(crate) use report::Report;
use schedule::{SEATS, Schedule, Shape};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use truth::Library;

/// How much of it; with `--seconds`, how long.
#[derive(Debug, Clone, clap::Args)]
#[group(id = "lobby-options")]
#[command(next_help_heading = "Scenario lobby")]
pub(crate) struct Options {
    /// Measure this binary of the app instead of building the workspace's.
    #[arg(long, value_name = "FILE")]
    pub(crate) lobby: Option<PathBuf>,
    /// Lobbies, of five players each.
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..=3_500))]
    lobbies: u32,
    /// Changes of players per second: joining, getting ready or not, leaving.
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    changes_per_second: u32,
    /// Messages per second in all chats together.
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    chats_per_second: u32,
    /// Home pages that are open beside.
    #[arg(long, default_value_t = 10)]
    homes: u32,
    /// The library on all pages: the app's own, or the official one.
    #[arg(long, value_enum, default_value_t = Library::OyezJs)]
    library: Library,
}

/// How long, when nothing is said.
const TIME: Duration = Duration::from_secs(60);

/// A clock that was moved by more than so many microseconds makes latencies doubtful.
const MOVED: u64 = 1_000;

/// What the app gets to come to rest before its memory is read.
const SETTLE: Duration = Duration::from_secs(2);

/// Drives the app `binary`, with its data in that empty folder.
///
/// Passwords take much memory while they are hashed. So the app that is measured has not hashed
/// any: it is killed when everybody has registered, and finds them and their sessions on the disk.
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
    let mut memory = Memory::default();
    let mut server = app::start(binary, folder)?;
    let crowd = (options.lobbies, options.homes);
    let mut people = People::new(server.address(), crowd, options.library)?;
    let mut database = Database::open(&app::database(folder))?;
    let begin = Instant::now();
    let prepared = prepare(&mut people, &mut database, &server, &mut memory);
    prepared.map_err(|trouble| server.ended().unwrap_or(trouble))?;
    let preparing = begin.elapsed();

    server.kill();
    server = app::start(binary, folder)?;
    people.meet(server.address());
    let report = drive(people, &mut database, (&server, &mut memory), &shape);
    let report = report.map_err(|trouble| server.ended().unwrap_or(trouble))?;
    Ok(Report { what: what(options, &shape, preparing), ..report })
}

/// Everybody registers, and the games are made.
fn prepare(
    people: &mut People,
    database: &mut Database,
    server: &Server,
    memory: &mut Memory,
) -> Result<(), Trouble> {
    let begin = Instant::now();
    people.register()?;
    eprintln!("Lobby: {} players registered in {:.1?}", people.players.len(), begin.elapsed());
    memory.registered = server.resident()?;
    people.identify(&database.users()?)?;
    database.write_down_changes()?;
    people.make_games()?;
    eprintln!("Lobby: {} games made", people.rooms.len());
    Ok(())
}

fn drive(
    mut people: People,
    database: &mut Database,
    (server, memory): (&Server, &mut Memory),
    shape: &Shape,
) -> Result<Report, Trouble> {
    memory.started = server.resident()?;
    let begin = Instant::now();
    people.open_pages()?;
    eprintln!("Lobby: {} pages opened in {:.1?}", people.players.len(), begin.elapsed());
    people.idle(SETTLE)?;
    memory.open = server.resident()?;

    let schedule = Schedule::new(shape);
    let watch = Watch::start();
    let stretch = Stretch::of(&mut people, server, &schedule)?;
    people.watch()?;
    let moved = watch.moved();
    memory.after = server.resident()?;
    let findings = Findings::of(&mut people, &database.facts()?, stretch.rest)?;
    let doubt = format!("the clock of the machine was set by {moved} µs meanwhile");
    Ok(Report {
        what: String::new(),
        findings,
        costs: stretch.rows(&people, memory, schedule.changes()),
        wrongs: people.wrongs.to_string(),
        doubts: (moved > MOVED).then_some(doubt).into_iter().collect(),
    })
}

fn what(options: &Options, shape: &Shape, preparing: Duration) -> String {
    let Shape { lobbies, changes, chats, time } = shape;
    let n = |number: u32| thousands(u64::from(number));
    format!(
        "The founding app: {} lobbies of {SEATS} players and {} home pages, all open, with {}; {} \
         changes of players and {} messages per second for at least {} s. Before that everybody \
         registered and the games were made, in {} s.",
        n(*lobbies),
        options.homes,
        options.library.name(),
        n(*changes),
        n(*chats),
        time.as_secs_f64(),
        preparing.as_secs()
    )
}
