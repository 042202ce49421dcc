// SPDX-License-Identifier: MIT OR Apache-2.0
//! A short run of each scenario, with a fixed seed. Long ones are `chaos`'s own.

use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

use oyez_chaos::scenarios::{Scenario, Settings};

const SEED: u64 = 20_261_124;
const LOAD: Duration = Duration::from_secs(4);

/// The server, built once as these tests were.
fn program() -> PathBuf {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    let build = || {
        if let Some(program) = std::env::var_os("OYEZ_BIN") {
            return PathBuf::from(program);
        }
        let status = Command::new(env!("CARGO")).args(["build", "-q", "-p", "oyez"]).status();
        assert!(status.is_ok_and(|status| status.success()), "the server does not build");
        let own = std::env::current_exe().expect("a test has a path");
        own.ancestors().nth(2).expect("a test lies in a target folder").join("oyez")
    };
    PROGRAM.get_or_init(build).clone()
}

/// Plays a scenario; `needs` are counts without which the run has shown nothing.
#[track_caller]
fn play(scenario: Scenario, needs: &[&str]) {
    println!("{} with seed {SEED}", scenario.name());
    let settings = Settings { seed: SEED, load: LOAD, program: program() };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.expect("a runtime starts");
    let outcome = runtime.block_on(scenario.play(&settings)).expect("it can be played");
    println!("{}", outcome.verdict.counts);
    let violations: Vec<_> = outcome.verdict.violations.iter().map(ToString::to_string).collect();
    assert!(violations.is_empty(), "seed {SEED}: {violations:#?}");
    let always = ["acknowledged", "frames", "views", "resumed", "clients at rest"];
    for count in always.iter().chain(needs) {
        let counts = &outcome.verdict.counts;
        assert!(counts.0.keys().any(|what| what.starts_with(count)), "no {count}: {counts}");
    }
}

#[test]
fn g2_slow_readers_get_everything_or_are_told() {
    play(Scenario::SlowReaders, &[]);
}

#[test]
fn t008_t009_kill_9_under_load_loses_nothing_and_shows_nothing_that_is_lost() {
    play(Scenario::Kill, &["crashes", "resumed across terms"]);
}

#[test]
fn a_server_that_stops_and_goes_on_or_drains_and_starts_shows_everything() {
    play(Scenario::Pause, &[]);
}

#[test]
fn t011_a_full_disk_ends_the_server_and_loses_nothing() {
    play(Scenario::FullDisk, &["full disks", "journal failures"]);
}

#[test]
fn t017_a_restored_folder_shows_nobody_what_is_lost() {
    play(Scenario::Restore, &["restored", "reset: diverged"]);
}

#[test]
fn t010_a_power_cut_loses_nothing_and_shows_nothing_that_is_lost() {
    play(Scenario::PowerCut, &["power cuts", "resumed across terms"]);
}

#[test]
fn t009_t011_a_disk_that_fails_at_any_call_loses_nothing() {
    play(Scenario::DiskFault, &["disk faults", "journal failures"]);
}
