// SPDX-License-Identifier: MIT OR Apache-2.0
//! `bench`: what Oyez costs beside a loop that does nothing else, and beside its rivals.
//!
//! One command starts every target as a child process of its own, drives each with the same load
//! generator, one after the other and in turns, and prints the table of `design.md` 8. See
//! `README.md` beside this crate for how to run it and how to read it.
//!
//! - [`targets`] and [`rivals`] say what can be started, [`process`] owns what runs, [`bare`] is
//!   the yardstick;
//! - [`load`] drives a server with [`traffic`]: [`subscribers`], [`publisher`], and the [`ledger`]
//!   that checks that every subscriber gets every publish exactly once;
//! - [`scenarios`] does it for each row, [`metric`] says what a row is, [`report`] prints;
//! - [`keeping`] does the same for what memory, durability, resume and truths cost, beside other
//!   yardsticks; [`lobby`] drives the founding app with thousands of players, and checks that no
//!   page of theirs is ever wrong; [`group`] names all that can be measured.

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod answer;
mod bare;
mod group;
mod keeping;
mod ledger;
mod load;
mod lobby;
mod machine;
mod metric;
mod metrics;
mod process;
mod publisher;
mod report;
mod rivals;
mod scenarios;
mod signature;
mod stats;
mod subscribers;
mod targets;
mod traffic;
mod trouble;
mod wire;

use clap::{Parser, Subcommand};
use group::Group;
use keeping::{Keeping, Run, Table};
use machine::{BusyMeter, Machine};
use report::{Form, Heading, Results};
use scenarios::{Plan, Scenario, Storm};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Duration;
use targets::{Starter, Target};

/// Measures Oyez beside a bare loop and, if wanted, beside its rivals, and prints a table.
#[derive(Parser)]
#[command(name = "bench", version)]
struct Options {
    /// Which servers, in the order of the table's columns [default: bare,coalesced,oyez].
    #[arg(long, value_delimiter = ',')]
    only: Vec<Target>,
    /// Which groups of rows [default: all].
    #[arg(long, value_delimiter = ',')]
    scenario: Vec<Group>,
    /// Also Sockudo and soketi; installs them first (many minutes on few cores).
    #[arg(long)]
    rivals: bool,
    /// About a minute: shorter, fewer repetitions, fewer connections.
    #[arg(long)]
    quick: bool,
    /// Seconds of each throughput and latency measurement, and of the load on the founding app.
    #[arg(long)]
    seconds: Option<f64>,
    /// Repetitions of everything but memory.
    #[arg(long)]
    repeats: Option<u32>,
    /// Print the table as Markdown.
    #[arg(long)]
    markdown: bool,
    /// End with status 3 when Oyez misses a goal.
    #[arg(long)]
    enforce: bool,
    /// Measure this Oyez binary instead of building the workspace's.
    #[arg(long, value_name = "FILE")]
    oyez: Option<PathBuf>,
    /// Worker threads of Oyez; 0 is one per core.
    #[arg(long, default_value_t = 0)]
    oyez_workers: u16,
    #[command(flatten)]
    lobby: lobby::Options,
    #[command(subcommand)]
    internal: Option<Internal>,
}

/// What the bench calls itself for.
#[derive(Subcommand)]
enum Internal {
    /// Runs a bare loop.
    #[command(name = targets::LOOP_COMMAND, hide = true)]
    Loop { delivery: bare::Delivery, address: SocketAddr },
    /// Becomes a server under test.
    #[command(name = process::EXEC_COMMAND, hide = true)]
    Exec {
        #[arg(last = true)]
        command: Vec<String>,
    },
}

/// Some measurement failed.
const FAILED: u8 = 1;
/// The bench cannot run.
const CANNOT: u8 = 2;
/// A goal was missed, and `--enforce` was given.
const SHORT: u8 = 3;

fn main() -> ExitCode {
    let options = Options::parse();
    let outcome = match &options.internal {
        Some(Internal::Exec { command }) => Err(process::replace_by(command).to_string()),
        Some(Internal::Loop { delivery, address }) => serve(*delivery, *address),
        None => run(&options),
    };
    outcome.unwrap_or_else(|error| {
        eprintln!("bench: {error}");
        ExitCode::from(CANNOT)
    })
}

fn serve(delivery: bare::Delivery, address: SocketAddr) -> Result<ExitCode, String> {
    TcpListener::bind(address)
        .and_then(|listener| bare::BareLoop::new(listener, delivery))
        .and_then(bare::BareLoop::run)
        .map(|()| ExitCode::SUCCESS)
        .map_err(|error| error.to_string())
}

fn run(options: &Options) -> Result<ExitCode, String> {
    if cfg!(debug_assertions) {
        return Err("figures of a debug build mean nothing: run it with --release".to_owned());
    }
    let machine = Machine::look();
    let plan = plan(options, machine.files);
    let (mut results, mut table) = (Results::default(), Table::default());
    let mut founding = Founding::default();
    let binaries = binaries()?;
    let starter = Starter {
        oyez: options.oyez.clone().unwrap_or_else(|| binaries.join("oyez")),
        oyez_workers: options.oyez_workers,
        rivals: binaries.with_file_name("rivals"),
        folder: fresh_folder(&binaries.with_file_name("bench"))?,
    };
    let targets = targets(options, &starter, &mut results)?;
    let meter = BusyMeter::start();
    for group in groups(options) {
        match group {
            Group::Serving(scenario) => {
                measure(scenario, &starter, &targets, &plan, &mut results);
            }
            Group::Keeping(keeping) if targets.contains(&Target::Oyez) => {
                keep(keeping, &starter, &plan, &mut table);
            }
            Group::Keeping(_) => {}
            Group::Lobby => founding.measure(options, &starter, &binaries),
        }
    }
    let heading = Heading { busy: meter.others(machine.cores), machine, command: command_line() };
    let form = if options.markdown { Form::Markdown } else { Form::Plain };
    let serving = results.table(&targets, plan.repeats, form);
    println!("{}{serving}{}{}", heading.text(form), table.text(form), founding.text(form));
    Ok(if results.failed() || table.failed() || founding.failed() {
        ExitCode::from(FAILED)
    } else if options.enforce && (results.falls_short() || table.falls_short()) {
        ExitCode::from(SHORT)
    } else {
        ExitCode::SUCCESS
    })
}

fn plan(options: &Options, files: u64) -> Plan {
    let mut plan = if options.quick { Plan::quick(files) } else { Plan::whole(files) };
    if let Some(seconds) = options.seconds {
        plan.time = Duration::from_secs_f64(seconds.clamp(0.1, 60.0));
    }
    if let Some(repeats) = options.repeats {
        plan.repeats = repeats.max(1);
    }
    plan
}

/// The targets that are there, built and installed.
fn targets(
    options: &Options,
    starter: &Starter,
    results: &mut Results,
) -> Result<Vec<Target>, String> {
    let mut wanted = options.only.clone();
    if wanted.is_empty() {
        wanted = vec![Target::Bare, Target::Coalesced, Target::Oyez];
    }
    if options.rivals {
        wanted.extend([Target::Sockudo, Target::Soketi]);
    }
    let mut seen = Vec::new();
    wanted.retain(|target| !seen.contains(target) && (seen.push(*target), true).1);
    if groups(options).iter().all(|group| *group == Group::Lobby) {
        wanted.clear();
    }
    if wanted.contains(&Target::Oyez) && options.oyez.is_none() {
        build("oyez")?;
    }
    for target in &wanted {
        if let Some(rival) = target.rival()
            && let Err(why) = rival.install(&starter.rivals)
        {
            results.miss(*target, why);
        }
    }
    wanted.retain(|target| !results.is_absent(*target));
    Ok(wanted)
}

fn build(package: &str) -> Result<(), String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    if let Some(bench) = std::env::var_os("CARGO_MANIFEST_DIR") {
        command.current_dir(bench);
    }
    let status = command
        .args(["build", "--release", "--package", package])
        .status()
        .map_err(|error| format!("cannot build {package}: {error}"))?;
    status.success().then_some(()).ok_or_else(|| format!("building {package}: {status}"))
}

fn groups(options: &Options) -> Vec<Group> {
    match options.scenario.as_slice() {
        [] => Group::all(),
        wanted => wanted.to_vec(),
    }
}

/// What became of the founding app.
#[derive(Default)]
struct Founding(Option<Result<lobby::Report, String>>);

impl Founding {
    fn measure(&mut self, options: &Options, starter: &Starter, binaries: &Path) {
        let run = || {
            let binary = match &options.lobby.lobby {
                Some(binary) => binary.clone(),
                None => {
                    build("lobby")?;
                    binaries.join("lobby")
                }
            };
            let binary = std::path::absolute(binary).map_err(|error| error.to_string())?;
            let folder = starter.fresh_folder("lobby").map_err(|trouble| trouble.to_string())?;
            lobby::measure(&options.lobby, options.seconds, &binary, &folder)
                .map_err(|trouble| trouble.to_string())
        };
        self.0 = Some(run());
    }

    fn failed(&self) -> bool {
        self.0.as_ref().is_some_and(|run| run.as_ref().map_or(true, lobby::Report::failed))
    }

    fn text(&self, form: Form) -> String {
        match &self.0 {
            None => String::new(),
            Some(Ok(report)) => report.text(form),
            Some(Err(what)) => format!("FAILED the founding app: {what}\n"),
        }
    }
}

fn keep(keeping: Keeping, starter: &Starter, plan: &Plan, table: &mut Table) {
    let repeats = if keeping.is_steady() { 1 } else { plan.repeats };
    for repeat in 1..=repeats {
        let place = format!("{keeping:?} {repeat}/{repeats}");
        match keeping.measure(&Run { starter, plan, repeat }) {
            Ok(figures) => {
                for (row, side, value) in &figures {
                    eprintln!("{place} {:>9} {row}: {}", row.figure(*value), side.name());
                }
                table.add(&figures);
            }
            Err(trouble) => {
                eprintln!("{place} FAILED: {trouble}");
                table.fail(format!("{place}: {trouble}"));
                return;
            }
        }
    }
}

fn measure(
    scenario: Scenario,
    starter: &Starter,
    targets: &[Target],
    plan: &Plan,
    results: &mut Results,
) {
    let repeats = if scenario == Scenario::Idle { 1 } else { plan.repeats };
    let mut running = targets.to_vec();
    for repeat in 1..=repeats {
        running.retain(|target| {
            let figures = scenario.measure(starter, *target, plan);
            let place = format!("{scenario:?} {repeat}/{repeats}");
            record(results, *target, &place, figures).is_some()
        });
    }
    if scenario == Scenario::Idle {
        storms(starter, targets, plan, results);
    }
}

/// All storms are raised before the first is waited for: one calm serves all.
fn storms(starter: &Starter, targets: &[Target], plan: &Plan, results: &mut Results) {
    let mut raised = Vec::new();
    for target in targets {
        let (figures, storm) = match Storm::raise(starter, *target, plan) {
            Ok((figures, storm)) => (Ok(figures), Some(storm)),
            Err(trouble) => (Err(trouble), None),
        };
        record(results, *target, "Idle", figures);
        raised.extend(storm.map(|storm| (*target, storm)));
    }
    for (target, storm) in raised {
        record(results, target, "Storm", storm.settle(plan));
    }
}

fn record(
    results: &mut Results,
    target: Target,
    place: &str,
    figures: Result<Vec<scenarios::Figure>, trouble::Trouble>,
) -> Option<()> {
    match figures {
        Ok(figures) => {
            for (metric, value) in &figures {
                eprintln!("{place} {:9} {:>7} {metric}", target.name(), metric.figure(*value));
            }
            results.add(target, &figures);
            Some(())
        }
        Err(trouble) => {
            eprintln!("{place} {:9} FAILED: {trouble}", target.name());
            results.fail(target, format!("{place}: {trouble}"));
            None
        }
    }
}

/// The folder of this binary, where Cargo puts the others.
fn binaries() -> Result<PathBuf, String> {
    let bench = std::env::current_exe().map_err(|error| error.to_string())?;
    Ok(bench.parent().map(Path::to_path_buf).unwrap_or_default())
}

/// An empty folder: nothing of a former run is measured, and old logs do not pile up.
fn fresh_folder(path: &Path) -> Result<PathBuf, String> {
    let _ = std::fs::remove_dir_all(path);
    std::fs::create_dir_all(path).map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(path.to_path_buf())
}

fn command_line() -> String {
    let mut line = "cargo run --release -p oyez-bench".to_owned();
    for (number, argument) in std::env::args().skip(1).enumerate() {
        line.push_str(if number == 0 { " -- " } else { " " });
        line.push_str(&argument);
    }
    line
}
