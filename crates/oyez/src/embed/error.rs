// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`CallError`]: why a call of an embedding program was not done.

use oyez_protocol::api::ErrorCode;
use oyez_protocol::socket_id::SocketIdError;
use oyez_server::{Reply, ServerEnded};
use serde::Deserialize;
use serde_json::Value;

/// Why a call was not done. Unless it says otherwise nothing of it was.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CallError {
    /// The server is about to stop.
    #[error("the server is shutting down")]
    Draining,
    /// The server ended before it answered: whether the call was done is not known.
    #[error(transparent)]
    Ended(#[from] ServerEnded),
    /// The truth is not of the version or epoch that the call expects.
    #[error("the channel's truth has version {} of epoch {}", .0.version, .0.epoch)]
    Mismatch(Box<Mismatch>),
    /// The channel remembers nothing: no rule gives it memory.
    #[error("{0}")]
    NoMemory(String),
    /// A patch does not apply to the truth that is there.
    #[error("{0}")]
    DoesNotApply(String),
    /// Data, truth or call are larger than a limit, which the text names.
    #[error("{0}")]
    TooLarge(String),
    /// Something is used up for the moment: channels, memory or idempotency keys. The text names
    /// the limit.
    #[error("{0}")]
    Full(String),
    /// The idempotency key was used for a call with another body.
    #[error("{0}")]
    KeyConflict(String),
    /// That part of the channel's history is gone, or never was.
    #[error("{0}")]
    HistoryGone(String),
    /// The journal cannot be written: nothing becomes durable any more, and the server ends.
    #[error("{0}")]
    JournalFailed(String),
    /// The call cannot be: a name that is none, an attribute that the channel does not have.
    #[error("{text}")]
    Invalid {
        /// Short and stable; as in answers of the HTTP API.
        code: String,
        /// What is wrong, and what to do.
        text: String,
    },
    /// A value of the program cannot be JSON, or what is there is not of the type that was asked
    /// for.
    #[error(transparent)]
    Json(#[from] serde_json::Error),
}

/// What a channel's truth is instead of what a call expected.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Mismatch {
    /// The channel's numbering.
    pub epoch: String,
    /// The version; 0 when there is no truth.
    pub version: u64,
    /// The truth, if there is one. Its `null` is [`Value::Null`].
    #[serde(default, deserialize_with = "present")]
    pub data: Option<Value>,
}

/// A field that is there, `null` or not.
fn present<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(from).map(Some)
}

#[derive(Deserialize)]
struct Body {
    error: String,
    #[serde(default)]
    code: String,
}

impl CallError {
    /// Why that reply is no success.
    pub(super) fn of(reply: &Reply) -> CallError {
        let Body { error: text, code } = match serde_json::from_slice(&reply.body) {
            Ok(body) => body,
            Err(error) => return error.into(),
        };
        match (reply.status, &*code) {
            (_, "draining") => CallError::Draining,
            (_, "version_mismatch") => match serde_json::from_slice(&reply.body) {
                Ok(mismatch) => CallError::Mismatch(Box::new(mismatch)),
                Err(error) => error.into(),
            },
            (_, "no_memory") => CallError::NoMemory(text),
            (_, "journal_failed") => CallError::JournalFailed(text),
            (_, "idempotency_conflict") => CallError::KeyConflict(text),
            (_, "history_gone") => CallError::HistoryGone(text),
            (413, _) => CallError::TooLarge(text),
            (422, _) => CallError::DoesNotApply(text),
            (503, _) => CallError::Full(text),
            _ => CallError::Invalid { code, text },
        }
    }

    pub(super) fn bad_socket_id(error: SocketIdError) -> CallError {
        let code = ErrorCode::BadSocketId.name().to_owned();
        CallError::Invalid { code, text: format!("the socket id {error}") }
    }

    /// Whether this says that the channel holds no truth.
    pub(super) fn is_no_truth(&self) -> bool {
        matches!(self, CallError::Invalid { code, .. } if code == "no_truth")
    }
}
