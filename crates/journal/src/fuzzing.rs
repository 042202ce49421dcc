// SPDX-License-Identifier: MIT OR Apache-2.0
//! The readers of the file's rows, for a fuzzer outside of this crate.

use crate::stored::{self, Kept};

/// Reads the bytes as everything that may stand in a row. What can be read is the same when it is
/// written and read again.
///
/// # Panics
/// When a reader takes bytes for something that it would not have written.
pub fn read_anything(bytes: &[u8]) {
    if let Ok(kept) = stored::kept(bytes) {
        let mut again = Vec::new();
        match &kept {
            Kept::Entry { app, channel, entry } => {
                stored::put_entry(&mut again, app, channel, entry)
            }
            Kept::Answer { app, answer } => stored::put_answer(&mut again, app, answer),
        }
        let written = stored::kept(&again).expect("what was written can be read");
        assert_eq!(format!("{kept:?}"), format!("{written:?}"));
    }
    if let Ok(identity) = stored::identity(bytes) {
        let mut again = Vec::new();
        stored::put_identity(&mut again, &identity);
        assert_eq!(stored::identity(&again).expect("what was written can be read"), identity);
    }
    if let Ok(terms) = stored::terms(bytes) {
        let mut again = Vec::new();
        stored::put_terms(&mut again, &terms);
        assert_eq!(again, bytes);
    }
    let _ = stored::app_and_channel(bytes);
}
