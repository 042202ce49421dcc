// SPDX-License-Identifier: MIT OR Apache-2.0
//! The HTTP API's side of the protocol (section 6): who signed a request, what its body asks for,
//! and how a refusal reads.
//!
//! Bytes in, values out. Nothing here does I/O, reads a clock or knows a channel's state; JSON of
//! any depth is text until somebody asks for a field of it.

mod command;
mod error;
mod event_name;
mod expected;
mod fields;
mod history;
mod info;
mod inspect;
mod path;
mod query;
mod signature;
mod trigger;
mod truth;

pub use command::{Changed, ChannelCommand, Forget};
pub use error::{ApiError, ErrorCode};
pub use expected::{Condition, Expected};
pub use history::{HistoryGone, HistoryPage, ReadHistory, write_position};
pub use info::{Info, InfoOf};
pub use inspect::{ListChannels, channel_info};
pub use path::decode_segment;
pub use query::{Query, QueryError};
pub use signature::{CLOCK_TOLERANCE, SignatureError, SignedRequest};
pub use trigger::{Action, Batch, Trigger};
pub use truth::{
    ChangeOutcome, Freshness, ReadTruth, TruthCall, TruthChange, TruthChanged, TruthOperation,
    TruthView, VersionMismatch,
};
