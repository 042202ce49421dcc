// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`SocketId`]: the name of one WebSocket connection, `123.456`.

use std::fmt;

use rand::RngExt;

/// Names one connection, unguessable and unique in a cluster: 106 random bits, written as two
/// decimal numbers with a dot between, as the server libraries demand (`^\d+\.\d+$`).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct SocketId {
    high: u64,
    low: u64,
}

/// Each half stays exact as a number in JavaScript.
const HALF: std::ops::Range<u64> = 1..(1 << 53);

/// The text is not of the form `123.456`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be two decimal numbers with a dot between, like \"123.456\"")]
pub struct SocketIdError;

impl SocketId {
    /// A new id from the thread's cryptographic random source.
    pub fn random() -> SocketId {
        let mut rng = rand::rng();
        SocketId { high: rng.random_range(HALF), low: rng.random_range(HALF) }
    }

    /// Reads an id that somebody sent. An id of the right form that this server could not have
    /// given out is no error: it is the id of nobody.
    pub fn parse(text: &str) -> Result<SocketId, SocketIdError> {
        let (high, low) = text.split_once('.').ok_or(SocketIdError)?;
        let digits = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
        if !digits(high) || !digits(low) {
            return Err(SocketIdError);
        }
        // What does not fit or is not written as we write it is nobody's: 0 is never given out.
        let half = |s: &str| if s.starts_with('0') { 0 } else { s.parse().unwrap_or(0) };
        Ok(SocketId { high: half(high), low: half(low) })
    }
}

impl fmt::Display for SocketId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (mut high, mut low) = (itoa::Buffer::new(), itoa::Buffer::new());
        f.write_str(high.format(self.high))?;
        f.write_str(".")?;
        f.write_str(low.format(self.low))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p002_two_million_ids_hold_no_duplicate() {
        let mut ids: Vec<_> =
            (0..2_000_000).map(|_| SocketId::random()).map(|i| (i.high, i.low)).collect();
        ids.sort_unstable();
        assert!(ids.windows(2).all(|w| w[0] != w[1]));
    }

    #[test]
    fn an_id_reads_back() {
        let id = SocketId::random();
        assert_eq!(SocketId::parse(&id.to_string()), Ok(id));
    }

    #[test]
    fn other_forms_are_refused() {
        for bad in ["", ".", "1", "1.", ".1", "1.2.3", "a.1", "-1.2", "1. 2", "1.2\n", "1:2"] {
            assert_eq!(SocketId::parse(bad), Err(SocketIdError), "{bad:?}");
        }
        assert!(SocketId::parse("00123.456").is_ok());
        assert!(SocketId::parse("99999999999999999999999999.1").is_ok());
    }
}
