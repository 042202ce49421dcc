// SPDX-License-Identifier: MIT OR Apache-2.0
//! Medians, spreads and percentiles. Pure arithmetic over samples already taken.

/// The middle of some repetitions, and how far they lay apart.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Spread {
    /// The smallest sample.
    pub(crate) low: f64,
    /// The middle sample; between two middle ones, their mean.
    pub(crate) median: f64,
    /// The largest sample.
    pub(crate) high: f64,
}

impl Spread {
    /// Of at least one sample; `None` of none.
    pub(crate) fn of(samples: &[f64]) -> Option<Self> {
        let mut sorted = samples.to_vec();
        sorted.sort_by(f64::total_cmp);
        let (low, high) = (*sorted.first()?, *sorted.last()?);
        let middle = sorted.len() / 2;
        let median = if sorted.len() % 2 == 1 {
            sorted[middle]
        } else {
            f64::midpoint(sorted[middle - 1], sorted[middle])
        };
        Some(Self { low, median, high })
    }
}

/// The value at or below which `per_mille` thousandths of the samples lie (nearest rank). `sorted`
/// is in rising order; 0 when it is empty.
pub(crate) fn percentile(sorted: &[u32], per_mille: u32) -> u32 {
    let rank = (sorted.len() * per_mille as usize).div_ceil(1_000).max(1);
    sorted.get(rank - 1).copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle_sample_or_the_mean_of_two() {
        let median = |samples: &[f64]| Spread::of(samples).map(|spread| spread.median);
        assert_eq!(median(&[]), None);
        assert_eq!(median(&[3.0]), Some(3.0));
        assert_eq!(median(&[9.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&[4.0, 1.0, 2.0, 9.0]), Some(3.0));
        let spread = Spread::of(&[9.0, 1.0, 2.0]).unwrap();
        assert_eq!((spread.low, spread.high), (1.0, 9.0));
    }

    #[test]
    fn percentiles_are_nearest_ranks() {
        let sorted: Vec<u32> = (1..=1000).collect();
        assert_eq!(percentile(&sorted, 500), 500);
        assert_eq!(percentile(&sorted, 990), 990);
        assert_eq!(percentile(&sorted, 999), 999);
        assert_eq!(percentile(&sorted, 1_000), 1000);
        assert_eq!(percentile(&sorted, 0), 1);
        assert_eq!(percentile(&[7], 990), 7);
        assert_eq!(percentile(&[], 990), 0);
    }
}
