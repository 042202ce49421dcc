// SPDX-License-Identifier: MIT OR Apache-2.0
//! What survives: the [`Journal`] that makes the appends of homes durable, [`Redb`] that does it
//! on this machine's disk, and the [`Committer`], the one thread that drives a journal.
//!
//! Homes decide, the journal remembers. It never orders, merges or judges what homes say, and
//! never says that something is durable before it would survive `kill -9` and a power cut.

mod apps;
mod changes;
mod codec;
mod committer;
mod error;
#[cfg(any(test, feature = "faults"))]
pub mod fault;
mod folder;
#[cfg(any(test, feature = "faults"))]
pub mod fuzzing;
mod journal;
mod pending;
mod recover;
mod redb;
mod stats;
mod stored;
#[cfg(test)]
mod tests;

pub use committer::{Appender, Committer, Report};
pub use error::{JournalError, OpenError};
pub use journal::Journal;
pub use recover::TERMS_KEPT;
pub use redb::Redb;
pub use stats::{COMMIT_BUCKETS, Stats};
