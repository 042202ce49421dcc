// SPDX-License-Identifier: MIT OR Apache-2.0
//! `chaos`: plays scenarios and says what was wrong.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Duration;

use clap::Parser;
use oyez_chaos::scenarios::{Scenario, Settings};

/// How many violations of a scenario are shown.
const SHOWN: usize = 5;

/// Drives the real server through crashes, power cuts and full disks, and checks what everybody
/// saw.
#[derive(Parser)]
struct Args {
    /// Everything that is left to chance follows from it; a random one if it is not given.
    #[arg(long)]
    seed: Option<u64>,
    /// Seconds of load for all scenarios together.
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// Only these scenarios: slow-readers, kill, pause, full-disk, restore, power-cut, disk-fault.
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
    /// The server; it is built if this is not given.
    #[arg(long)]
    oyez: Option<PathBuf>,
}

fn main() -> ExitCode {
    let args = Args::parse();
    let program = args.oyez.clone().map_or_else(build, Ok);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    match (program, runtime) {
        (Ok(program), Ok(runtime)) => runtime.block_on(play(&args, program)),
        (Err(error), _) => fail(&error),
        (_, Err(error)) => fail(&error.to_string()),
    }
}

fn fail(error: &str) -> ExitCode {
    eprintln!("chaos: {error}");
    ExitCode::FAILURE
}

async fn play(args: &Args, program: PathBuf) -> ExitCode {
    let wanted = |scenario: &Scenario| {
        args.only.is_empty() || args.only.iter().any(|name| name == scenario.name())
    };
    let scenarios: Vec<_> = Scenario::ALL.into_iter().filter(wanted).collect();
    if scenarios.is_empty() {
        return fail("there is no such scenario");
    }
    let seed = args.seed.unwrap_or_else(rand::random);
    let load = Duration::from_secs(args.seconds) / scenarios.len() as u32;
    let mut code = ExitCode::SUCCESS;
    for scenario in scenarios {
        println!("{} with seed {seed}, {} s", scenario.name(), load.as_secs());
        let settings = Settings { seed, load, program: program.clone() };
        match scenario.play(&settings).await {
            Ok(outcome) => {
                println!("  {}", outcome.verdict.counts);
                let violations = &outcome.verdict.violations;
                for violation in violations.iter().take(SHOWN) {
                    println!("  violated {violation}");
                }
                if !violations.is_empty() {
                    println!("  {} violations, seed {seed}", violations.len());
                    code = ExitCode::FAILURE;
                }
            }
            Err(error) => {
                println!("  failed with seed {seed}: {error}");
                code = ExitCode::FAILURE;
            }
        }
    }
    code
}

/// Builds the server, as this program was built.
fn build() -> Result<PathBuf, String> {
    let own = std::env::current_exe().map_err(|error| error.to_string())?;
    let folder = own.parent().unwrap_or(Path::new("."));
    let mut command = Command::new("cargo");
    command.args(["build", "-q", "-p", "oyez"]);
    if folder.ends_with("release") {
        command.arg("--release");
    }
    match command.status() {
        Ok(status) if status.success() => Ok(folder.join("oyez")),
        Ok(_) => Err("the server does not build".to_owned()),
        Err(error) => Err(format!("cargo cannot be run: {error}; give --oyez")),
    }
}
