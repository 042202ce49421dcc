// SPDX-License-Identifier: MIT OR Apache-2.0
//! The program `oyez`: the server, and small clients for it.

mod cli;
mod client;
mod clock;
mod commands;
mod failure;
mod log;
mod serve;

use std::process::ExitCode;

use clap::Parser;

use cli::{Cli, Command};

fn main() -> ExitCode {
    let command = Cli::parse().asked().unwrap_or_else(|error| error.exit());
    let done = match command {
        Command::Serve(args) => serve::run(&args),
        Command::CheckConfig(args) => commands::check_config::run(&args),
        Command::NewApp(args) => commands::new_app::run(&args),
        Command::Trigger(args) => commands::trigger::run(&args),
        Command::Tail(args) => commands::tail::run(&args),
        Command::Channels(args) => commands::channels::run(&args),
        Command::Truth(args) => commands::truth::run(&args.command),
        Command::History(args) => commands::history::run(&args),
        Command::Forget(args) => commands::forget::run(&args),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}
