// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Failure`]: why a question got neither a truth nor a clear "none".
//!
//! Its text goes to logs and the console. It never holds a query, a secret, or a piece of an
//! answer, which may be as private as the channel.

use std::time::Duration;

use hyper::StatusCode;

use super::DEPTH;

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
    /// A closure panicked: the message.
    #[error("the closure panicked: {0}")]
    Panic(String),
    /// A closure's earlier calls have not returned, although their time is over.
    #[error("{0} calls of the closure have not returned: does it block its runtime?")]
    Stuck(usize),
    /// A closure has nowhere to run.
    #[error("the runtime of the embedding program has ended")]
    RuntimeEnded,
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
            Failure::NoAnswer(_) | Failure::Stuck(_) => FailureKind::NoAnswer,
            Failure::Status(_) => FailureKind::Status,
            Failure::TooLong(_)
            | Failure::Encoding
            | Failure::Json(_)
            | Failure::TooDeep
            | Failure::Version => FailureKind::Content,
            Failure::Closure(_) | Failure::Panic(_) | Failure::RuntimeEnded => FailureKind::Closure,
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

/// Bytes of a foreign text that a reason may hold.
const FOREIGN_TEXT: usize = 200;

/// A text of an embedding app as one short line.
pub(super) fn one_line(text: &str) -> String {
    let mut line = String::new();
    for word in text.split(|c: char| c.is_control() || c.is_whitespace()).filter(|w| !w.is_empty())
    {
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
        if line.len() > FOREIGN_TEXT {
            line.truncate(line.floor_char_boundary(FOREIGN_TEXT));
            line.push('…');
            break;
        }
    }
    line
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

    #[test]
    fn a_foreign_text_becomes_one_short_line() {
        assert_eq!(one_line(" two\r\n lines\u{7}\t"), "two lines");
        let long = one_line(&"ä".repeat(1_000));
        assert!(long.len() <= FOREIGN_TEXT + '…'.len_utf8() && long.ends_with('…'), "{long}");
    }
}
