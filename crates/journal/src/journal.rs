// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Journal`]: the seam behind which it is decided what durable means.

use oyez_core::Append;

use crate::error::JournalError;

/// Makes appends durable. One thread drives it; another engine can stand behind it.
pub trait Journal: Send {
    /// Makes all records of these appends durable before it returns, or none of them, in this
    /// order.
    ///
    /// # Errors
    /// After an error nobody knows which of the appends survive, and the journal is dead: nothing
    /// is tried again, least of all a sync, since a disk that failed to sync once may answer "done"
    /// the next time without having written anything.
    fn commit(&mut self, appends: &[Append]) -> Result<(), JournalError>;

    /// What it holds on disk, in bytes; 0 when that cannot be told.
    fn bytes(&self) -> u64;
}
