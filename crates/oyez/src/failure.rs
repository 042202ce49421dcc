// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Failure`]: why the program ends without having done what was asked, and its exit code.

use std::fmt::Display;
use std::process::ExitCode;

use crate::commands::print;

/// The end of a command that failed. Its text says what, to what, and what to do.
#[derive(Debug)]
pub(crate) struct Failure {
    kind: Kind,
    text: String,
}

/// What the exit code tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// 1: it could not be done.
    Impossible,
    /// 2: it was asked wrongly.
    Misasked,
}

impl Failure {
    /// It could not be done: exit code 1.
    pub(crate) fn impossible(text: impl Display) -> Failure {
        Failure { kind: Kind::Impossible, text: text.to_string() }
    }

    /// It was asked wrongly: exit code 2.
    pub(crate) fn misasked(text: impl Display) -> Failure {
        Failure { kind: Kind::Misasked, text: text.to_string() }
    }

    /// Says it on standard error and gives the exit code.
    pub(crate) fn report(self) -> ExitCode {
        print::note(&format!("oyez: {}", self.text.replace('\n', "\n      ")));
        match self.kind {
            Kind::Impossible => ExitCode::from(1),
            Kind::Misasked => ExitCode::from(2),
        }
    }

    #[cfg(test)]
    pub(crate) fn text(&self) -> &str {
        &self.text
    }
}

impl From<oyez::config::Problems> for Failure {
    fn from(problems: oyez::config::Problems) -> Failure {
        Failure::misasked(problems)
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Failure {
        Failure::impossible(error)
    }
}
