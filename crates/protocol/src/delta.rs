// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`DeltaKind`], [`Deltas`] and [`Checksum`]: how a change of a truth may be sent instead of the
//! whole new value.

use std::fmt;

/// A way of writing what changed in a JSON value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DeltaKind {
    /// A merge patch (RFC 7396).
    Merge,
    /// A list of operations (RFC 6902).
    Patch,
}

/// Which kinds a client can apply.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Deltas(u8);

/// 32 bits by which a client sees that its value is the server's; written as eight hexadecimal
/// digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Checksum(pub u32);

impl DeltaKind {
    /// Both kinds.
    pub const ALL: [DeltaKind; 2] = [DeltaKind::Merge, DeltaKind::Patch];

    /// As it stands in messages.
    pub const fn name(self) -> &'static str {
        match self {
            DeltaKind::Merge => "merge",
            DeltaKind::Patch => "patch",
        }
    }

    /// The kind of that name.
    pub fn named(name: &str) -> Option<DeltaKind> {
        DeltaKind::ALL.into_iter().find(|kind| kind.name() == name)
    }

    const fn bit(self) -> u8 {
        1 << self as u8
    }
}

impl Deltas {
    /// None: whole values only.
    pub const NONE: Deltas = Deltas(0);

    /// These and that kind.
    #[must_use]
    pub const fn with(self, kind: DeltaKind) -> Deltas {
        Deltas(self.0 | kind.bit())
    }

    /// Whether that kind is among them.
    pub const fn has(self, kind: DeltaKind) -> bool {
        self.0 & kind.bit() != 0
    }

    /// Whether there is none.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }
}

impl fmt::Display for Checksum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn t027_a_set_of_kinds_holds_what_was_put_in() {
        let merge = Deltas::NONE.with(DeltaKind::Merge);
        assert!(merge.has(DeltaKind::Merge) && !merge.has(DeltaKind::Patch));
        assert!(Deltas::NONE.is_empty() && !merge.is_empty());
        assert_eq!(DeltaKind::ALL.map(|kind| DeltaKind::named(kind.name())).len(), 2);
        assert_eq!(DeltaKind::named("patch"), Some(DeltaKind::Patch));
        assert_eq!(DeltaKind::named("fossil"), None);
        assert_eq!(Checksum(0xa1b_2c3d).to_string(), "0a1b2c3d");
    }
}
