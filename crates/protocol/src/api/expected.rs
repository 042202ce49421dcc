// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Condition`] and [`Expected`]: what a caller takes for granted of a channel. Nothing is done
//! when it is not so.

use serde_json::value::RawValue;

use super::ApiError;
use super::fields::At;
use crate::position::{Epoch, NameError, Offset, Term};

/// Which name a caller expects.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Expected<T> {
    /// Any: it said nothing.
    #[default]
    Any,
    /// This one.
    This(T),
    /// One that no server gave out: the channel never has it.
    Foreign,
}

/// What must be true of a channel's truth for a call to be done (`if_version`, `if_epoch`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Condition {
    /// Its version; 0 when there must be none.
    pub version: Option<Offset>,
    /// Its numbering.
    pub epoch: Expected<Epoch>,
}

/// What an `epoch`, `term` or `if_epoch` must be.
pub(super) const NAME: &str = "a string, as the server gave it";

impl<T: PartialEq> Expected<T> {
    /// Whether what is there may be there.
    pub fn admits(&self, actual: &T) -> bool {
        match self {
            Expected::Any => true,
            Expected::This(expected) => expected == actual,
            Expected::Foreign => false,
        }
    }
}

impl<T> Expected<T> {
    fn of(parsed: Result<T, NameError>) -> Expected<T> {
        parsed.map_or(Expected::Foreign, Expected::This)
    }
}

impl Expected<Epoch> {
    /// The epoch of that name.
    pub fn epoch(name: &str) -> Expected<Epoch> {
        Expected::of(Epoch::parse(name))
    }
}

impl Expected<Term> {
    /// The term of that name.
    pub fn term(name: &str) -> Expected<Term> {
        Expected::of(Term::parse(name))
    }
}

impl Condition {
    /// Whether there is none.
    pub fn is_none(&self) -> bool {
        *self == Condition::default()
    }

    pub(super) fn read(
        at: At,
        if_version: Option<&RawValue>,
        if_epoch: Option<&RawValue>,
    ) -> Result<Condition, ApiError> {
        let version = if_version.map(|raw| at.offset("if_version", raw)).transpose()?;
        let epoch = match if_epoch {
            None => Expected::Any,
            Some(raw) => Expected::epoch(&at.string("if_epoch", raw, NAME)?),
        };
        Ok(Condition { version, epoch })
    }

    /// The field that states it.
    pub(super) fn field(&self) -> &'static str {
        if self.version.is_some() { "if_version" } else { "if_epoch" }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn t025_a_foreign_epoch_is_never_the_channels() {
        let epoch = Epoch::parse("k3Vd9Qw2").expect("of our form");
        assert!(Expected::Any.admits(&epoch) && Expected::epoch("k3Vd9Qw2").admits(&epoch));
        for other in ["k3Vd9Qw3", "", "k3Vd9Qw", "é", "k3vd9qw2"] {
            assert!(!Expected::epoch(other).admits(&epoch), "{other}");
        }
        assert_eq!(Expected::term("?"), Expected::Foreign);
    }
}
