// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Problem`]: one thing that is wrong or doubtful in the settings, and where it stands.
//!
//! Promises: a text says what, where and what to do. It never holds a secret, nor a line of the
//! file, because any line might hold one.

use std::fmt;
use std::path::{Path, PathBuf};

/// Where a setting came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// A line of the config file; lines count from 1.
    Line(PathBuf, usize),
    /// The config file as a whole.
    File(PathBuf),
    /// An environment variable, by its name.
    Variable(String),
    /// A flag of the command line, by its name.
    Flag(&'static str),
    /// Nobody said anything: the default applies.
    Default,
}

/// One finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where it stands.
    pub place: Place,
    /// What is wrong and what to do.
    pub text: String,
}

/// Everything that keeps the settings from being used; never empty.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct Problems(Vec<Problem>);

impl Place {
    /// What findings are sorted by: those of the file come first, by line.
    pub(super) fn line(&self) -> usize {
        match self {
            Place::File(_) => 0,
            Place::Line(_, line) => *line,
            Place::Variable(_) | Place::Flag(_) | Place::Default => usize::MAX,
        }
    }
}

impl Problem {
    /// A finding at that place.
    pub fn new(place: Place, text: impl Into<String>) -> Problem {
        Problem { place, text: text.into() }
    }
}

impl Problems {
    /// `Err` when there are any.
    pub(crate) fn check(problems: Vec<Problem>) -> Result<(), Problems> {
        if problems.is_empty() { Ok(()) } else { Err(Problems(problems)) }
    }

    /// All findings: those of the file by line, then those of variables and flags.
    pub fn all(&self) -> &[Problem] {
        &self.0
    }
}

impl From<Problem> for Problems {
    fn from(problem: Problem) -> Problems {
        Problems(vec![problem])
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Line(path, line) => write!(f, "{}:{line}", path.display()),
            Place::File(path) => write!(f, "{}", path.display()),
            Place::Variable(name) => write!(f, "environment variable {name}"),
            Place::Flag(name) => f.write_str(name),
            Place::Default => f.write_str("default"),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.text)
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, problem) in self.0.iter().enumerate() {
            if at > 0 {
                f.write_str("\n")?;
            }
            problem.fmt(f)?;
        }
        Ok(())
    }
}

/// The text of a config file, for turning positions in it into places.
#[derive(Clone, Copy)]
pub(super) struct Source<'a> {
    pub(super) path: &'a Path,
    pub(super) text: &'a str,
}

impl Source<'_> {
    /// The line on which that byte stands.
    pub(super) fn place(&self, byte: usize) -> Place {
        let before = &self.text.as_bytes()[..byte.min(self.text.len())];
        let line = 1 + before.iter().filter(|&&b| b == b'\n').count();
        Place::Line(self.path.to_owned(), line)
    }
}
