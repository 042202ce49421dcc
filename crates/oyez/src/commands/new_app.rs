// SPDX-License-Identifier: MIT OR Apache-2.0
//! `oyez new-app`.

use oyez::credentials::{AppName, NewApp};

use super::print;
use crate::cli::NewAppArgs;
use crate::failure::Failure;

/// Prints an `[[apps]]` block.
pub(crate) fn run(args: &NewAppArgs) -> Result<(), Failure> {
    let name = args.name.as_deref().map(AppName::parse).transpose().map_err(Failure::misasked)?;
    let app = NewApp::generate(name).map_err(Failure::impossible)?;
    // A blank line first, so that it can be appended to a file.
    print::text(&format!("\n{app}"))?;
    Ok(())
}
