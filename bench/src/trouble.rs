// SPDX-License-Identifier: MIT OR Apache-2.0
//! Everything that can go wrong while a target is driven. Each is the end of that measurement:
//! the table says it in words instead of a number, and the run ends with a failure.

use crate::wire::BadFrame;
use std::io;
use std::time::Duration;

/// Why a measurement has no result.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Trouble {
    /// A subscriber got a publish twice, or one that was already complete.
    #[error("subscriber {subscriber} got publish {publish} twice or after it was complete")]
    Duplicate {
        /// Which subscriber.
        subscriber: usize,
        /// The number of the publish.
        publish: u32,
    },
    /// A subscriber got a publish of a channel to which it is not subscribed.
    #[error("subscriber {subscriber} of room {room} got a publish of another room")]
    WrongRoom {
        /// Which subscriber.
        subscriber: usize,
        /// The room to which it is subscribed.
        room: u32,
    },
    /// Nothing came for a while although something was due: a lost delivery, or a hung server.
    #[error("no progress for {} s: {detail}", waited.as_secs())]
    Stalled {
        /// How long was waited.
        waited: Duration,
        /// What was still due.
        detail: String,
    },
    /// The server ended a connection that should have lived.
    #[error("the server closed {who}: {detail}")]
    Closed {
        /// Whose connection.
        who: String,
        /// The close code, or how the connection ended.
        detail: String,
    },
    /// The server answered something else than what the bench asked for.
    #[error("{who} got an unexpected answer: {answer}")]
    Unexpected {
        /// Who got it.
        who: String,
        /// Its first bytes.
        answer: String,
    },
    /// Bytes that are not a frame.
    #[error("subscriber {subscriber}: {source}")]
    Frame {
        /// Which subscriber.
        subscriber: usize,
        /// What was wrong.
        source: BadFrame,
    },
    /// The server could not be started, or it is gone.
    #[error("{0}")]
    Server(String),
    /// The database of the app under test could not be read.
    #[error("the app's database: {0}")]
    Database(#[from] sqlx::Error),
    /// The machine said no.
    #[error("{what}: {source}")]
    Io {
        /// What was tried.
        what: &'static str,
        /// What the system answered.
        source: io::Error,
    },
}

impl Trouble {
    /// For `map_err`: an I/O error with what was tried.
    pub(crate) fn io(what: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { what, source }
    }

    /// An unexpected answer, cut to what fits a line.
    pub(crate) fn unexpected(who: impl Into<String>, answer: &[u8]) -> Self {
        const SHOWN: usize = 300;
        let shown = String::from_utf8_lossy(&answer[..answer.len().min(SHOWN)]);
        Self::Unexpected { who: who.into(), answer: shown.escape_debug().to_string() }
    }
}
