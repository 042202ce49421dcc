// SPDX-License-Identifier: MIT OR Apache-2.0
//! The rows of the second table: what each figure is, its unit, beside what it stands, and the
//! goal.

use crate::metric::thousands;
use std::fmt;

/// Whose figure it is: the columns, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Side {
    /// This project's server.
    Oyez,
    /// The raw loop, one event per fdatasync.
    RawEach,
    /// The raw loop, as many events per fdatasync as are in flight beside it.
    RawTogether,
    /// Oyez with one thing less to do, which the row names.
    Less,
}

impl Side {
    /// All of them.
    pub(crate) const ALL: [Self; 4] = [Self::Oyez, Self::RawEach, Self::RawTogether, Self::Less];

    /// The heading of its column.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Oyez => "Oyez",
            Self::RawEach => "raw loop, 1 per fdatasync",
            Self::RawTogether => "raw loop, all in flight per fdatasync",
            Self::Less => "Oyez with less to do",
        }
    }

    /// In a verdict.
    pub(crate) const fn short(self) -> &'static str {
        match self {
            Self::Oyez => "",
            Self::RawEach => "1 per fdatasync: ",
            Self::RawTogether => "all per fdatasync: ",
            Self::Less => "",
        }
    }
}

/// Over how many channels durable publishes are spread, and in which calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Spread {
    /// Over 64 channels, so over all workers.
    Many,
    /// One channel.
    Hot,
    /// Over 64 channels, ten events per call.
    Batch,
}

impl Spread {
    /// Events of a `batch_events`.
    pub(crate) const BATCH: u32 = 10;
    /// Channels of [`Spread::Many`].
    pub(crate) const CHANNELS: u32 = 64;

    const fn name(self) -> &'static str {
        match self {
            Self::Many => "64 channels",
            Self::Hot => "1 channel",
            Self::Batch => "64 channels, batches of 10",
        }
    }
}

/// How clients that resume share channels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Sharing {
    /// Each has its own.
    Own,
    /// Ten share one.
    Ten,
    /// All share one.
    One,
}

impl Sharing {
    /// Clients of a channel, of so many clients.
    pub(crate) const fn clients(self, all: u32) -> u32 {
        match self {
            Self::Own => 1,
            Self::Ten => 10,
            Self::One => all,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Own => "a channel each",
            Self::Ten => "10 to a channel",
            Self::One => "all on one channel",
        }
    }
}

/// How long the bench's resolver takes to answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Resolver {
    /// Longer than the burst.
    Slow,
    /// No time.
    Instant,
}

/// One figure. The table's rows stand in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Row {
    /// Events per second.
    Rate(Spread, u16),
    /// Answers of publishes, milliseconds; of the raw loop a write and its sync.
    Answer {
        /// In flight.
        flight: u16,
        /// 500 is the median.
        per_mille: u32,
    },
    /// Server CPU per event, microseconds.
    Cpu(Spread, u16),
    /// KB that the server made the disk write per durable event.
    Written(Spread, u16),
    /// Appends of a commit.
    CommitSize(Spread, u16),
    /// Milliseconds of a commit.
    CommitTime(Spread, u16),
    /// Server CPU per delivery, microseconds: 1,000 subscribers, 8 in flight, with memory.
    Delivery,
    /// Server CPU per publish, microseconds: 10 subscribers, 8 in flight, with memory.
    SmallDelivery,
    /// Milliseconds from when the server answers until so many clients have all that they missed.
    Converged(Sharing, u32),
    /// Server CPU for that, milliseconds.
    ConvergedCpu(Sharing, u32),
    /// Milliseconds from the start of a killed server until it answers again.
    Restart(Sharing),
    /// Bytes of resident memory per remembered event.
    Remembered(Durability),
    /// Questions that a thousand `changed` cost.
    Questions(Resolver),
    /// Milliseconds that the burst took.
    Burst(Resolver),
}

/// What `durable` says in the rule of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Durability {
    /// `false`.
    Memory,
    /// `true`.
    Disk,
}

/// What Oyez has to reach.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Goal {
    /// So many times that side, or more.
    AtLeast(Side, f64),
    /// So many times that side, or less.
    AtMost(Side, f64),
    /// An absolute bound, in the row's unit.
    Bound(f64),
}

/// In flight where the goal of durable publishes is.
pub(crate) const GOAL_FLIGHT: u16 = 64;

/// Missed events of each client that resumes.
pub(crate) const MISSED: u32 = 50;

/// Bytes of the data of a remembered event.
pub(crate) const REMEMBERED_DATA: usize = 200;

/// `changed` of a burst.
pub(crate) const BURST: u32 = 1_000;

impl Row {
    /// The goals, as the issue of this step has them. Of the raw loop there are two readings: the
    /// first is what one publisher could have without a server, the second what the disk could do
    /// if all that is in flight were in every sync.
    pub(crate) const fn goals(self) -> &'static [Goal] {
        match self {
            Self::Rate(Spread::Many | Spread::Hot, GOAL_FLIGHT) => {
                &[Goal::AtLeast(Side::RawEach, 0.4), Goal::AtLeast(Side::RawTogether, 0.4)]
            }
            Self::Delivery => &[Goal::AtMost(Side::Less, 1.15)],
            Self::Converged(..) => &[Goal::AtMost(Side::Less, 2.0)],
            Self::Remembered(_) => &[Goal::Bound(450.0)],
            // Two, and the one of `settle`.
            Self::Questions(Resolver::Slow) => &[Goal::Bound(3.0)],
            _ => &[],
        }
    }

    /// A figure of this row as text, without the unit.
    pub(crate) fn figure(self, value: f64) -> String {
        if value.abs() >= 1_000.0 {
            return thousands(value.round().abs() as u64);
        }
        match self {
            Self::Questions(_) => format!("{value:.0}"),
            _ if value.abs() < 10.0 => format!("{value:.2}"),
            _ if value.abs() < 100.0 => format!("{value:.1}"),
            _ => format!("{value:.0}"),
        }
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const NOT_DURABLE: &str = "less: durable = false";
        const FORGETFUL: &str = "less: no memory";
        const MISSED_NOTHING: &str = "less: nothing missed";
        let n = |number: &u32| thousands(u64::from(*number));
        match self {
            Self::Rate(spread, flight) => {
                let spread = spread.name();
                write!(f, "durable events/s, {flight} in flight, {spread} ({NOT_DURABLE})")
            }
            Self::Answer { flight, per_mille } => {
                let percentile = f64::from(*per_mille) / 10.0;
                write!(
                    f,
                    "ms until a durable publish is answered, p{percentile}, {flight} in flight \
                     ({NOT_DURABLE})"
                )
            }
            Self::Cpu(spread, flight) => {
                let spread = spread.name();
                write!(f, "µs CPU per durable event, {flight} in flight, {spread} ({NOT_DURABLE})")
            }
            Self::Written(spread, flight) => {
                let spread = spread.name();
                write!(f, "KB written to disk per durable event, {flight} in flight, {spread}")
            }
            Self::CommitSize(spread, flight) => {
                write!(f, "appends per commit, {flight} in flight, {}", spread.name())
            }
            Self::CommitTime(spread, flight) => {
                write!(f, "ms per commit, {flight} in flight, {}", spread.name())
            }
            Self::Delivery => {
                write!(
                    f,
                    "µs CPU per delivery, memory, 1,000 subscribers, 8 in flight ({FORGETFUL})"
                )
            }
            Self::SmallDelivery => {
                write!(f, "µs CPU per publish, memory, 10 subscribers, 8 in flight ({FORGETFUL})")
            }
            Self::Converged(sharing, clients) => {
                let (clients, sharing) = (n(clients), sharing.name());
                write!(
                    f,
                    "ms until {clients} clients resumed {MISSED} events, {sharing} \
                     ({MISSED_NOTHING})"
                )
            }
            Self::ConvergedCpu(sharing, clients) => {
                let (clients, sharing) = (n(clients), sharing.name());
                write!(f, "ms CPU for that, {clients} clients, {sharing} ({MISSED_NOTHING})")
            }
            Self::Restart(sharing) => {
                write!(f, "ms until it answers again after kill -9, {}", sharing.name())
            }
            Self::Remembered(durability) => {
                let durable = *durability == Durability::Disk;
                write!(f, "bytes per remembered {REMEMBERED_DATA}-byte event, durable = {durable}")
            }
            Self::Questions(resolver) => {
                let burst = n(&BURST);
                let which = match resolver {
                    Resolver::Slow => "that takes 250 ms",
                    Resolver::Instant => "that takes no time",
                };
                write!(f, "calls for a burst of {burst} `changed`, resolver {which}")
            }
            Self::Burst(resolver) => {
                let which = if *resolver == Resolver::Slow { "slow" } else { "instant" };
                write!(f, "ms that the burst took, {which} resolver")
            }
        }
    }
}
