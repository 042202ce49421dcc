// SPDX-License-Identifier: MIT OR Apache-2.0
//! Which items of an array are which items of another.

use super::print::Print;

/// How many pairs of items are compared in one comparison of two values. What is beyond is paired
/// by position.
const PAIRS: usize = 1 << 18;

/// What became of the items, from left to right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// The old item is the new one, or became it.
    Pair(usize, usize),
    /// The old item is gone.
    Remove,
    /// The new item was not there.
    Add(usize),
}

/// Finds equal items, within a budget.
pub(super) struct Aligner {
    pairs_left: usize,
}

impl Aligner {
    pub(super) fn new() -> Aligner {
        Aligner { pairs_left: PAIRS }
    }

    /// The steps from the old items to the new ones. Any sequence that this gives is right; it is
    /// short when equal items were found.
    pub(super) fn steps(&mut self, old: &[Print], new: &[Print]) -> Vec<Step> {
        let equal = |(old, new): &(&Print, &Print)| old.hash == new.hash;
        let front = old.iter().zip(new).take_while(equal).count();
        let (old_rest, new_rest) = (&old[front..], &new[front..]);
        let back = old_rest.iter().rev().zip(new_rest.iter().rev()).take_while(equal).count();
        let old_end = old.len() - back;
        let new_end = new.len() - back;

        let mut steps = Vec::with_capacity(old.len().max(new.len()));
        steps.extend((0..front).map(|at| Step::Pair(at, at)));
        let (mut i, mut j) = (front, front);
        for (old_at, new_at) in self.common(&old[front..old_end], &new[front..new_end]) {
            gap(&mut steps, i..front + old_at, j..front + new_at);
            steps.push(Step::Pair(front + old_at, front + new_at));
            (i, j) = (front + old_at + 1, front + new_at + 1);
        }
        gap(&mut steps, i..old_end, j..new_end);
        steps.extend((0..back).map(|at| Step::Pair(old_end + at, new_end + at)));
        steps
    }

    /// A longest common subsequence, as pairs of indexes; nothing when that costs too much.
    fn common(&mut self, old: &[Print], new: &[Print]) -> Vec<(usize, usize)> {
        let cells = (old.len() + 1) * (new.len() + 1);
        if old.is_empty() || new.is_empty() || cells > self.pairs_left {
            return Vec::new();
        }
        self.pairs_left -= cells;
        // longest[i][j]: of what is behind i and j. Below 2^18 cells a length fits 32 bits.
        let width = new.len() + 1;
        let mut longest = vec![0_u32; cells];
        for i in (0..old.len()).rev() {
            for j in (0..new.len()).rev() {
                longest[i * width + j] = if old[i].hash == new[j].hash {
                    longest[(i + 1) * width + j + 1] + 1
                } else {
                    longest[(i + 1) * width + j].max(longest[i * width + j + 1])
                };
            }
        }
        let mut pairs = Vec::new();
        let (mut i, mut j) = (0, 0);
        while i < old.len() && j < new.len() {
            if old[i].hash == new[j].hash {
                pairs.push((i, j));
                (i, j) = (i + 1, j + 1);
            } else if longest[(i + 1) * width + j] >= longest[i * width + j + 1] {
                i += 1;
            } else {
                j += 1;
            }
        }
        pairs
    }
}

/// Between two equal items: pairs by position, then what is left over.
fn gap(steps: &mut Vec<Step>, old: std::ops::Range<usize>, new: std::ops::Range<usize>) {
    let pairs = old.len().min(new.len());
    steps.extend((0..pairs).map(|at| Step::Pair(old.start + at, new.start + at)));
    steps.extend((pairs..old.len()).map(|_| Step::Remove));
    steps.extend((pairs..new.len()).map(|at| Step::Add(new.start + at)));
}
