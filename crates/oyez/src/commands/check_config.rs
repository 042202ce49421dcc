// SPDX-License-Identifier: MIT OR Apache-2.0
//! `oyez check-config`.

use oyez::config::{self, Environment, Mode, Sources};

use super::print;
use crate::cli::CheckArgs;
use crate::failure::Failure;

/// Prints the settings as understood, or everything that is wrong with them.
pub(crate) fn run(args: &CheckArgs) -> Result<(), Failure> {
    if args.keys {
        print::text(&config::manual())?;
        return Ok(());
    }
    let sources = Sources {
        file: Sources::file_or_here(args.config.clone()),
        environment: Environment::of_process(),
        ..Sources::default()
    };
    let config = config::load(&sources)?;
    print::text(&config::understood(&config))?;
    for warning in &config.warnings {
        print::note(&format!("warning: {warning}"));
    }
    match &config.mode {
        Mode::File(path) => print::note(&format!("{}: the settings can be used", path.display())),
        Mode::Development => print::note("the settings can be used"),
    }
    Ok(())
}
