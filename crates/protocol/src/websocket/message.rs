// SPDX-License-Identifier: MIT OR Apache-2.0
//! A message that does not lie whole in one piece of input: its parts, joined.
//!
//! Text is checked as it comes: what is kept is always valid, and a byte that can no longer become
//! valid is an error at once. Memory follows what has arrived, never what was announced.

use super::ProtocolError;

/// The longest encoding of a character, in bytes.
const CHAR_MAX: usize = 4;

/// The parts of one message so far.
#[derive(Debug)]
pub(super) enum Message {
    Text { text: String, cut: CutChar },
    Binary(Vec<u8>),
}

/// The first bytes of a character whose others have not come yet.
#[derive(Debug, Default)]
pub(super) struct CutChar {
    bytes: [u8; CHAR_MAX],
    len: usize,
}

impl Message {
    pub(super) fn text() -> Self {
        Self::Text { text: String::new(), cut: CutChar::default() }
    }

    pub(super) fn binary() -> Self {
        Self::Binary(Vec::new())
    }

    /// Bytes that have come.
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Text { text, cut } => text.len() + cut.len,
            Self::Binary(bytes) => bytes.len(),
        }
    }

    /// Bytes of heap that are held.
    pub(super) fn capacity(&self) -> usize {
        match self {
            Self::Text { text, .. } => text.capacity(),
            Self::Binary(bytes) => bytes.capacity(),
        }
    }

    /// Joins unmasked bytes to the message, which will have no more than `most` bytes in all.
    pub(super) fn append(&mut self, bytes: &[u8], most: usize) -> Result<(), ProtocolError> {
        match self {
            Self::Binary(all) => {
                all.reserve_exact(growth(all.len(), all.capacity(), bytes.len(), most));
                all.extend_from_slice(bytes);
                Ok(())
            }
            Self::Text { text, cut } => {
                let arriving = cut.len + bytes.len();
                text.reserve_exact(growth(text.len(), text.capacity(), arriving, most));
                let rest = cut.complete(bytes, text)?;
                let valid = match std::str::from_utf8(rest) {
                    Ok(_) => rest.len(),
                    Err(error) if error.error_len().is_none() => error.valid_up_to(),
                    Err(_) => return Err(ProtocolError::TextNotUtf8),
                };
                let (whole, start) = rest.split_at(valid);
                text.push_str(std::str::from_utf8(whole).expect("just found to be valid"));
                if !start.is_empty() {
                    cut.begin(start);
                }
                Ok(())
            }
        }
    }

    /// Checks that a message may end here, which is not within a character.
    pub(super) fn check_end(&self) -> Result<(), ProtocolError> {
        match self {
            Self::Text { cut, .. } if cut.len > 0 => Err(ProtocolError::TextNotUtf8),
            _ => Ok(()),
        }
    }
}

impl CutChar {
    /// Keeps the start of a character.
    fn begin(&mut self, start: &[u8]) {
        self.bytes[..start.len()].copy_from_slice(start);
        self.len = start.len();
    }

    /// Completes the character with the first of `bytes`, moves it to `text` and gives the rest.
    fn complete<'a>(
        &mut self,
        bytes: &'a [u8],
        text: &mut String,
    ) -> Result<&'a [u8], ProtocolError> {
        let mut rest = bytes;
        while self.len > 0 {
            let Some((&next, after)) = rest.split_first() else { break };
            rest = after;
            self.bytes[self.len] = next;
            self.len += 1;
            match std::str::from_utf8(&self.bytes[..self.len]) {
                Ok(character) => {
                    text.push_str(character);
                    self.len = 0;
                }
                Err(error) if error.error_len().is_none() => {}
                Err(_) => return Err(ProtocolError::TextNotUtf8),
            }
        }
        Ok(rest)
    }
}

/// By how much beyond `len` to grow a buffer for `arriving` more bytes: twofold, so that many small
/// parts cost linear time, but never beyond `most`, and not at all where there is room.
fn growth(len: usize, capacity: usize, arriving: usize, most: usize) -> usize {
    let needed = len + arriving;
    if needed <= capacity {
        return 0;
    }
    needed.max((capacity * 2).min(most)) - len
}
