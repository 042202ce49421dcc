// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Failure`]: why a question got neither a truth nor a clear "none".
//!
//! Its text goes to logs and the console. It never holds a query, a secret, or a piece of an
//! answer, which may be as private as the channel.

use std::time::Duration;

use hyper::StatusCode;

use super::DEPTH;
use crate::outgoing::program::Broken;

/// Why a source did not say what is true.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    /// There was no connection, or it broke.
    #[error("{0}")]
    Connection(String),
    /// It took too long, from connecting to the last byte.
    #[error("it did not answer within {0:?}")]
    NoAnswer(Duration),
    /// An answer that is neither 200 nor 404.
    #[error("it answered {0}{hint}", hint = hint(*.0))]
    Status(StatusCode),
    /// Too many bytes.
    #[error("its answer is longer than {0} bytes")]
    TooLong(usize),
    /// Not UTF-8.
    #[error("its answer is not UTF-8")]
    Encoding,
    /// Not JSON. The reason names a line and a column, not what is there.
    #[error("its answer is not JSON: {0}")]
    Json(#[source] serde_json::Error),
    /// More levels than a parser takes.
    #[error("its answer is nested more than {DEPTH} levels deep")]
    TooDeep,
    /// `Oyez-Version` says something else.
    #[error("its header Oyez-Version is not a whole number")]
    Version,
    /// A closure gave an error: its text.
    #[error("the closure failed: {0}")]
    Closure(String),
    /// A closure came to no end.
    #[error(transparent)]
    Broken(#[from] Broken),
    /// A closure's earlier calls have not returned, although their time is over.
    #[error("{0} calls of the closure have not returned: does it block its runtime?")]
    Stuck(usize),
    /// We panicked.
    #[error("asking ended by a bug of Oyez: please report this")]
    Bug,
}

/// What failures are counted under.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FailureKind {
    /// There was no connection, or it broke.
    Connection,
    /// No answer in time, or earlier calls have not returned.
    NoAnswer,
    /// A status that is neither 200 nor 404; redirects too.
    Status,
    /// Too long, too deep, not JSON.
    Content,
    /// A closure's error or panic.
    Closure,
    /// A panic of our own.
    Bug,
}

impl FailureKind {
    /// All kinds, in the order of their counters.
    pub(crate) const ALL: [FailureKind; 6] = [
        FailureKind::Connection,
        FailureKind::NoAnswer,
        FailureKind::Status,
        FailureKind::Content,
        FailureKind::Closure,
        FailureKind::Bug,
    ];

    /// The label in metrics.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            FailureKind::Connection => "connection",
            FailureKind::NoAnswer => "no_answer",
            FailureKind::Status => "status",
            FailureKind::Content => "content",
            FailureKind::Closure => "closure",
            FailureKind::Bug => "bug",
        }
    }
}

impl Failure {
    /// What it is counted under.
    pub(super) fn kind(&self) -> FailureKind {
        match self {
            Failure::Connection(_) => FailureKind::Connection,
            Failure::NoAnswer(_) | Failure::Broken(Broken::NoAnswer(_)) | Failure::Stuck(_) => {
                FailureKind::NoAnswer
            }
            Failure::Status(_) => FailureKind::Status,
            Failure::TooLong(_)
            | Failure::Encoding
            | Failure::Json(_)
            | Failure::TooDeep
            | Failure::Version => FailureKind::Content,
            Failure::Closure(_) | Failure::Broken(Broken::Panic(_) | Broken::RuntimeEnded) => {
                FailureKind::Closure
            }
            Failure::Bug => FailureKind::Bug,
        }
    }
}

fn hint(status: StatusCode) -> &'static str {
    if status.is_redirection() {
        ", and redirects are not followed: configure the URL that it leads to"
    } else if status.is_success() {
        ": a truth is 200 with JSON, no truth is 404"
    } else {
        ""
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_has_a_counter_and_a_label_of_its_own() {
        assert!(FailureKind::ALL.iter().enumerate().all(|(at, kind)| *kind as usize == at));
        let names: std::collections::HashSet<_> = FailureKind::ALL.map(FailureKind::name).into();
        assert_eq!(names.len(), FailureKind::ALL.len());
    }
}
