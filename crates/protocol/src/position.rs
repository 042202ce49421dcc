// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Position`]: a place in a channel's log, `(epoch, term, offset)`.
//!
//! An [`Epoch`] names a numbering, a [`Term`] the authority that gave the numbers. Two positions
//! that are equal mean the same event, on every machine and after every restart.

use std::fmt;

use rand::{Rng, RngExt};

/// Eight letters and digits.
type Name = [u8; 8];

const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Names a numbering: new only when a channel's offsets start again at 1.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Epoch(Name);

/// Names an authority: new at every start of a server, so that history which a store lost is
/// always noticed.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Term(Name);

/// The place of an event in its channel's log: 1, 2, 3, …, and 0 before the first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Offset(u64);

/// A place in a channel's log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Position {
    /// The numbering.
    pub epoch: Epoch,
    /// The authority.
    pub term: Term,
    /// The event that was last.
    pub offset: Offset,
}

/// The text is not the name of an epoch or a term.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be eight letters and digits, as the server gave them")]
pub struct NameError;

fn random(rng: &mut impl Rng) -> Name {
    std::array::from_fn(|_| ALPHABET[rng.random_range(0..ALPHABET.len())])
}

fn parse(text: &str) -> Result<Name, NameError> {
    let name = Name::try_from(text.as_bytes()).map_err(|_| NameError)?;
    if name.iter().all(u8::is_ascii_alphanumeric) { Ok(name) } else { Err(NameError) }
}

fn text(name: &Name) -> &str {
    std::str::from_utf8(name).expect("made of letters and digits")
}

macro_rules! name {
    ($kind:ident) => {
        impl $kind {
            /// A new one. Whoever gives the same source twice gets the same name twice.
            pub fn random(rng: &mut impl Rng) -> $kind {
                $kind(random(rng))
            }

            /// Reads one that was given out by a server.
            pub fn parse(text: &str) -> Result<$kind, NameError> {
                parse(text).map($kind)
            }

            /// As it stands in messages.
            pub fn as_str(&self) -> &str {
                text(&self.0)
            }
        }

        impl fmt::Display for $kind {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl fmt::Debug for $kind {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

name!(Epoch);
name!(Term);

impl Offset {
    /// Before the first event.
    pub const ZERO: Offset = Offset(0);

    /// The greatest: up to it a number is exact in JavaScript.
    pub const MAX: Offset = Offset((1 << 53) - 1);

    /// The offset of that number; `None` above [`Offset::MAX`].
    pub fn new(number: u64) -> Option<Offset> {
        (number <= Offset::MAX.0).then_some(Offset(number))
    }

    /// Reads a whole number of decimal digits; `None` for anything else, and above
    /// [`Offset::MAX`].
    pub fn parse(text: &str) -> Option<Offset> {
        // `str::parse` alone would take a plus sign.
        let is_digits = text.bytes().all(|b| b.is_ascii_digit());
        text.parse().ok().filter(|_| is_digits).and_then(Offset::new)
    }

    /// As a number.
    pub fn get(self) -> u64 {
        self.0
    }

    /// The one after it.
    #[must_use]
    pub fn next(self) -> Offset {
        debug_assert!(self < Offset::MAX, "a channel has fewer than 2^53 events");
        Offset(self.0 + 1)
    }

    /// The one before it; zero stays zero.
    #[must_use]
    pub fn before(self) -> Offset {
        Offset(self.0.saturating_sub(1))
    }

    /// How many events lie after `earlier`, up to and with this one.
    pub fn since(self, earlier: Offset) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

impl fmt::Display for Offset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;

    #[test]
    fn a_name_reads_back_and_others_are_refused() {
        let epoch = Epoch::random(&mut rand::rngs::StdRng::seed_from_u64(1));
        assert_eq!(Epoch::parse(epoch.as_str()), Ok(epoch));
        for bad in ["", "k3Vd9Qw", "k3Vd9Qw22", "k3Vd9Qw-", "k3Vd9Qé"] {
            assert_eq!(Term::parse(bad), Err(NameError), "{bad:?}");
        }
    }

    #[test]
    fn t015_offsets_end_below_two_to_the_53() {
        assert_eq!(Offset::new(1 << 53), None);
        assert_eq!(Offset::new((1 << 53) - 1), Some(Offset::MAX));
        assert_eq!(Offset::parse("9007199254740991"), Some(Offset::MAX));
        assert_eq!(Offset::parse("041"), Offset::new(41));
        for lie in ["", "-1", "+1", "-0", "1.0", "1e3", " 1", "9007199254740992", "1²"] {
            assert_eq!(Offset::parse(lie), None, "{lie:?}");
        }
        assert_eq!(Offset::parse(&"9".repeat(100_000)), None);
    }
}
