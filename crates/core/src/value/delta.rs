// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Difference`]: the ways to say what changed between two values that are worth it.

mod align;
mod merge;
mod patch;
mod print;

use std::sync::Arc;

use oyez_protocol::delta::{DeltaKind, Deltas};

use super::Value;

/// Values up to this many bytes are always sent whole: a delta would save nothing that counts.
const SMALLEST: usize = 512;

/// Above as many bytes values are sent whole: a home has no time to compare them.
const LARGEST: usize = 256 << 10;

/// A delta must be shorter than this part of the whole text, in percent.
const WORTH_PERCENT: usize = 60;

/// What changed, written in one way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delta {
    /// In which way.
    pub kind: DeltaKind,
    /// The compact JSON text of the merge patch or of the list of operations.
    pub text: Arc<str>,
}

/// What changed from one value to another, in each way that is worth sending.
#[derive(Clone, Debug, Default)]
pub struct Difference {
    deltas: [Option<Delta>; 2],
}

impl Difference {
    /// Compares two values.
    ///
    /// Each delta, applied to `old`, gives a value that is the [`same`](Value::same) as `new`. It
    /// is shorter than 60 % of the text of `new`, which is longer than 512 bytes; values above
    /// 256 KiB are not compared. Costs time in proportion to the size of both.
    pub fn between(old: &Value<'_>, new: &Value<'_>) -> Difference {
        if new.text().len() <= SMALLEST || new.text().len().max(old.text().len()) > LARGEST {
            return Difference::default();
        }
        Difference::below(old, new, (new.text().len() * WORTH_PERCENT).div_ceil(100))
    }

    /// The deltas of less than that many bytes.
    pub(super) fn below(old: &Value<'_>, new: &Value<'_>, bytes: usize) -> Difference {
        let (old_tree, new_tree) = (old.tree(), new.tree());
        let delta = |kind, text: Option<Vec<u8>>| {
            let text = String::from_utf8(text?).expect("JSON is written from strings");
            Some(Delta { kind, text: text.into() })
        };
        let difference = Difference {
            deltas: [
                delta(DeltaKind::Merge, merge::between(&old_tree, &new_tree, bytes)),
                delta(DeltaKind::Patch, patch::between(&old_tree, &new_tree, bytes)),
            ],
        };
        debug_assert!(difference.deltas.iter().flatten().all(|delta| delta.leads(old, new)));
        difference
    }

    /// All that are worth it.
    pub fn all(&self) -> impl Iterator<Item = &Delta> {
        self.deltas.iter().flatten()
    }

    /// The shortest one of the kinds that a client can apply.
    pub fn shortest(&self, among: Deltas) -> Option<&Delta> {
        let of_those = |delta: &&Delta| among.has(delta.kind);
        self.deltas.iter().flatten().filter(of_those).min_by_key(|delta| delta.text.len())
    }
}

impl Delta {
    /// Whether it makes the one value of the other.
    pub(super) fn leads(&self, old: &Value<'_>, new: &Value<'_>) -> bool {
        match self.kind {
            DeltaKind::Merge => super::merge(old, &Value::held(&self.text)).same(new),
            DeltaKind::Patch => super::Patch::parse(&self.text, usize::MAX)
                .and_then(|patch| patch.apply(old, usize::MAX))
                .is_ok_and(|value| value.same(new)),
        }
    }
}
