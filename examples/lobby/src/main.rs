// SPDX-License-Identifier: MIT OR Apache-2.0
//! Starts the founding app, prints where it is, and ends it gently.

use std::error::Error;
use std::io::IsTerminal as _;
use std::process::ExitCode;

use clap::Parser;
use lobby::Config;
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::filter::LevelFilter;

#[tokio::main]
async fn main() -> ExitCode {
    tracing_subscriber::fmt()
        .with_max_level(LevelFilter::INFO)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .init();
    match run(Config::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("lobby: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(config: Config) -> Result<(), Box<dyn Error>> {
    let (mut terminate, mut interrupt) =
        (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let oyez = lobby::start(config).await?;
    println!("The lobby is open: http://{}/", oyez.address());
    tokio::select! {
        ended = oyez.ended() => ended?,
        _ = terminate.recv() => oyez.drain().await?,
        _ = interrupt.recv() => oyez.drain().await?,
    }
    Ok(())
}
