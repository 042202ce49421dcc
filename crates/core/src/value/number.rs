// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Number`]: a JSON number, as its text. It is compared as the decimal number that it is and
//! rounded to a double only where ECMAScript's way of writing is asked for.

use std::hash::{Hash, Hasher};

/// The text of a JSON number.
#[derive(Clone, Copy, Debug)]
pub(super) struct Number<'a>(pub(super) &'a str);

/// A number taken apart: the digits of `whole` and `fraction` in a row, without zeros at either
/// end, times ten to the power of `exponent`. Zero has no digits.
struct Decimal<'a> {
    negative: bool,
    whole: &'a [u8],
    fraction: &'a [u8],
    exponent: i64,
}

impl<'a> Number<'a> {
    /// The nearest double; infinite for a number beyond its range.
    pub(super) fn double(self) -> f64 {
        self.0.parse().expect("JSON numbers are Rust's")
    }

    /// Nothing for exponents that do not fit 64 bits.
    fn decimal(self) -> Option<Decimal<'a>> {
        let (negative, text) = match self.0.strip_prefix('-') {
            Some(text) => (true, text),
            None => (false, self.0),
        };
        let (digits, power) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let mut whole = whole.trim_start_matches('0');
        let mut fraction = fraction.trim_end_matches('0');
        let behind_point = fraction.len();
        if whole.is_empty() {
            fraction = fraction.trim_start_matches('0');
        }
        if whole.is_empty() && fraction.is_empty() {
            return Some(Decimal { negative: false, whole: b"", fraction: b"", exponent: 0 });
        }
        let mut before_point = 0;
        if fraction.is_empty() {
            let all = whole.len();
            whole = whole.trim_end_matches('0');
            before_point = all - whole.len();
        }
        let exponent = power
            .parse::<i64>()
            .ok()?
            .checked_sub(i64::try_from(behind_point).ok()?)?
            .checked_add(i64::try_from(before_point).ok()?)?;
        Some(Decimal { negative, whole: whole.as_bytes(), fraction: fraction.as_bytes(), exponent })
    }
}

impl Decimal<'_> {
    fn digits(&self) -> impl Iterator<Item = &u8> {
        self.whole.iter().chain(self.fraction)
    }
}

impl PartialEq for Number<'_> {
    fn eq(&self, other: &Number<'_>) -> bool {
        if self.0 == other.0 {
            return true;
        }
        let (Some(a), Some(b)) = (self.decimal(), other.decimal()) else { return false };
        a.negative == b.negative && a.exponent == b.exponent && a.digits().eq(b.digits())
    }
}

impl Eq for Number<'_> {}

impl Hash for Number<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        match self.decimal() {
            Some(decimal) => {
                decimal.negative.hash(state);
                decimal.exponent.hash(state);
                decimal.digits().for_each(|digit| digit.hash(state));
            }
            None => self.0.hash(state),
        }
    }
}
