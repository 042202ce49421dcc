// SPDX-License-Identifier: MIT OR Apache-2.0
//! The rows of the table: what each figure is, its unit, and the goal that `design.md` 8 sets.

use std::fmt;

/// One figure that is measured for each target. The table's rows stand in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Metric {
    /// Server CPU per delivery, microseconds: 1,000 subscribers, 8 publishes in flight.
    Fanout8,
    /// The same with one in flight.
    Fanout1,
    /// Server CPU per publish, microseconds: 10 subscribers, 8 in flight.
    Small8,
    /// Server CPU per publish, microseconds: 1,000 rooms of 5, 8 in flight.
    Rooms8,
    /// Server CPU per connect and subscribe, microseconds.
    Connect,
    /// Resident memory of the server that nobody has connected to, MB.
    Empty,
    /// Resident memory per idle subscribed connection, KB, at so many connections of one channel.
    IdlePerConnection(u32),
    /// What each further connection adds between two such numbers, KB.
    IdleSlope(u32, u32),
    /// Resident memory per idle subscribed connection, KB, in rooms of five.
    IdleInRooms(u32),
    /// Resident memory so many seconds after so many connections have gone, MB.
    AfterStorm {
        /// How many there were.
        connections: u32,
        /// How long ago they went.
        seconds: u32,
    },
    /// Latency of deliveries at a fixed load, milliseconds, tenths of a percentile.
    Latency {
        /// 500 is the median, 999 the 99.9th percentile.
        per_mille: u32,
    },
    /// Thousands of deliveries per second: 1,000 subscribers, 8 publishes in flight.
    Rate8,
    /// Percent of one processor that the load generator used meanwhile: where it comes near 100,
    /// the rate is the generator's and not the server's.
    Generator8,
}

/// What Oyez has to reach.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Goal {
    /// So many times the bare loop of the same run.
    TimesBare(f64),
    /// An absolute bound, in the row's unit.
    AtMost(f64),
    /// For information.
    None,
}

impl Metric {
    /// The goal, as `design.md` 8 and the memory goals of the drop-in server have it.
    pub(crate) const fn goal(self) -> Goal {
        match self {
            Self::Fanout8 => Goal::TimesBare(0.4),
            Self::Fanout1 => Goal::TimesBare(1.0),
            Self::Small8 => Goal::TimesBare(0.8),
            Self::Rooms8 => Goal::TimesBare(1.2),
            Self::Connect => Goal::TimesBare(1.6),
            Self::IdlePerConnection(5_000 | 15_000) => Goal::AtMost(1.0),
            Self::Empty => Goal::AtMost(10.0),
            Self::AfterStorm { .. } => Goal::AtMost(30.0),
            Self::IdlePerConnection(_)
            | Self::IdleSlope(..)
            | Self::IdleInRooms(_)
            | Self::Latency { .. }
            | Self::Rate8
            | Self::Generator8 => Goal::None,
        }
    }

    /// A figure of this row as text, without the unit.
    pub(crate) fn figure(self, value: f64) -> String {
        let digits = match value.abs() {
            ..10.0 => 2,
            ..100.0 => 1,
            _ => 0,
        };
        // No "-0.00" for what rounds to nothing.
        format!("{:.digits$}", if value.abs() < 0.005 { 0.0 } else { value })
    }
}

impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let n = |number: &u32| thousands(u64::from(*number));
        match self {
            Self::Fanout8 => f.write_str("µs per delivery, 1,000 subscribers, 8 in flight"),
            Self::Fanout1 => f.write_str("µs per delivery, 1,000 subscribers, 1 in flight"),
            Self::Small8 => f.write_str("µs per publish, 10 subscribers, 8 in flight"),
            Self::Rooms8 => f.write_str("µs per publish, 1,000 rooms of 5, 8 in flight"),
            Self::Connect => f.write_str("µs per connect + subscribe"),
            Self::IdlePerConnection(at) => {
                write!(f, "KB per idle connection, {} in one channel", n(at))
            }
            Self::IdleSlope(from, to) => {
                write!(f, "KB for each further one, {} to {}", n(from), n(to))
            }
            Self::IdleInRooms(at) => write!(f, "KB per idle connection, {} in rooms of 5", n(at)),
            Self::Empty => f.write_str("MB, empty server"),
            Self::AfterStorm { connections, seconds } => {
                write!(f, "MB, {seconds} s after {} connections have gone", n(connections))
            }
            Self::Rate8 => f.write_str("thousand deliveries/s, 1,000 subscribers, 8 in flight"),
            Self::Generator8 => f.write_str("% of a core that the load generator used for it"),
            Self::Latency { per_mille } => {
                write!(f, "ms latency, p{}", f64::from(*per_mille) / 10.0)?;
                write!(f, ", {} publishes/s to 1,000", crate::scenarios::FIXED_RATE)
            }
        }
    }
}

/// A number with a comma at every third digit.
pub(crate) fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_keep_three_digits() {
        let figure = |value| Metric::Fanout8.figure(value);
        assert_eq!(
            [0.0, -0.001, 0.274, 4.219, 37.86, 205.4].map(figure),
            ["0.00", "0.00", "0.27", "4.22", "37.9", "205"]
        );
    }

    #[test]
    fn thousands_are_set_apart() {
        assert_eq!(
            [0, 999, 1000, 15_000, 1_234_567].map(thousands),
            ["0", "999", "1,000", "15,000", "1,234,567"]
        );
    }
}
