// SPDX-License-Identifier: MIT OR Apache-2.0
//! Settings: from the config file, `OYEZ_…` variables and flags to the server's [`Options`].
//!
//! Flags win over variables, variables over the file, the file over the defaults. Everything that
//! is wrong is found in one go and told by its place. [`load`] only reads: it creates no file.

mod doubts;
mod environment;
mod file;
mod given;
mod key;
mod keys;
mod problem;
mod report;
mod rule;
mod unknown;
mod unsupported;

#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use oyez_server::options::Options;

pub use environment::Environment;
pub use key::Row;
pub use keys::{DATA_DIR, reference};
pub use problem::{Place, Problem, Problems};
pub use report::{manual, understood};

use given::Given;

/// The config file that is taken when none is named and it exists.
pub const FILE: &str = "oyez.toml";

/// Where settings are looked for.
#[derive(Clone, Default)]
pub struct Sources {
    /// The config file; `None` is development mode.
    pub file: Option<PathBuf>,
    /// Variables.
    pub environment: Environment,
    /// `--listen`.
    pub listen: Option<String>,
    /// `--data`.
    pub data: Option<String>,
}

/// Settings that can be used.
#[derive(Clone, Debug)]
pub struct Config {
    /// What the server is started with. In development mode it has no app yet: see
    /// [`crate::development`].
    pub options: Options,
    /// How the server is run.
    pub mode: Mode,
    /// What is allowed and probably not meant.
    pub warnings: Vec<Problem>,
}

/// How a server is run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mode {
    /// By a config file that names its apps.
    File(PathBuf),
    /// Without one, for this machine only, with an app that Oyez makes.
    Development,
}

impl Sources {
    /// The named file, or [`FILE`] of the working directory if there is one.
    pub fn file_or_here(named: Option<PathBuf>) -> Option<PathBuf> {
        named.or_else(|| Some(PathBuf::from(FILE)).filter(|file| file.exists()))
    }
}

/// Reads everything.
pub fn load(sources: &Sources) -> Result<Config, Problems> {
    let mut options = match sources.file {
        Some(_) => keys::base(),
        None => keys::development_base(),
    };
    let (mut problems, mut warnings, mut rules) = (Vec::new(), Vec::new(), Vec::new());
    if let Some(path) = &sources.file {
        let text = read(path)?;
        rules = file::read(path, &text, &mut options, &mut problems, &mut warnings);
    }
    sources.environment.apply(&mut options, &mut problems, &mut warnings);
    let flags = [("--listen", "listen", &sources.listen), ("--data", "data_dir", &sources.data)];
    for (flag, name, value) in flags {
        let key = keys::SERVER.iter().find(|key| key.name == name);
        if let (Some(key), Some(value)) = (key, value)
            && let Err(text) = (key.read)(&mut options, &Given::Text(value))
        {
            problems.push(Problem::new(Place::Flag(flag), text));
        }
    }
    let mode = match &sources.file {
        Some(path) => Mode::File(path.clone()),
        None => {
            if !options.listen.ip().is_loopback() {
                problems.push(Problem::new(listen_place(sources), not_public(&options)));
            }
            if options.data_dir.is_none() {
                let text = "development mode keeps its app's credentials in a folder: name one";
                problems.push(Problem::new(data_place(sources), text));
            }
            Mode::Development
        }
    };
    let mut found = doubts::Found { problems: &mut problems, warnings: &mut warnings };
    doubts::look(&options, &rules, &mut found);
    for findings in [&mut problems, &mut warnings] {
        findings.sort_by_key(|finding| finding.place.line());
    }
    Problems::check(problems)?;
    Ok(Config { options, mode, warnings })
}

fn not_public(options: &Options) -> String {
    format!(
        "{} can be reached from other machines, and development mode shows its secret to whoever \
         opens its page. Name your apps in a config file first: run `oyez new-app >> {FILE}`, then \
         start `oyez` again",
        options.listen
    )
}

fn listen_place(sources: &Sources) -> Place {
    match &sources.listen {
        Some(_) => Place::Flag("--listen"),
        None if sources.environment.has("listen") => Place::Variable("OYEZ_LISTEN".to_owned()),
        None => Place::Default,
    }
}

fn data_place(sources: &Sources) -> Place {
    match &sources.data {
        Some(_) => Place::Flag("--data"),
        None => Place::Variable("OYEZ_DATA_DIR".to_owned()),
    }
}

/// The text of a config file.
fn read(path: &Path) -> Result<String, Problem> {
    let at = || Place::File(path.to_owned());
    let bytes = std::fs::read(path).map_err(|error| {
        let text = match error.kind() {
            std::io::ErrorKind::NotFound => {
                "there is no such file; `oyez new-app` prints what a first one needs".to_owned()
            }
            _ => format!("cannot be read: {error}"),
        };
        Problem::new(at(), text)
    })?;
    String::from_utf8(bytes).map_err(|_| Problem::new(at(), "is not UTF-8 text"))
}
