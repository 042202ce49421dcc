// SPDX-License-Identifier: MIT OR Apache-2.0
//! The HTTP API's side of the protocol (section 6): who signed a request, what its body asks for,
//! and how a refusal reads.
//!
//! Bytes in, values out. Nothing here does I/O, reads a clock or knows a channel's state; JSON of
//! any depth is text until somebody asks for a field of it.

mod error;
mod fields;
mod info;
mod inspect;
mod path;
mod query;
mod signature;
mod trigger;

pub use error::{ApiError, ErrorCode};
pub use info::{Info, InfoOf};
pub use inspect::{ListChannels, channel_info};
pub use path::decode_segment;
pub use query::{Query, QueryError};
pub use signature::{CLOCK_TOLERANCE, SignatureError, SignedRequest};
pub use trigger::Trigger;
