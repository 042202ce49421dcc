// SPDX-License-Identifier: MIT OR Apache-2.0
//! Everything that `--scenario` takes.

use crate::keeping::Keeping;
use crate::scenarios::Scenario;
use clap::ValueEnum;
use clap::builder::PossibleValue;

/// A group of rows of one of the two tables, or the founding app.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Group {
    /// Of the first: what serving costs beside a bare loop and rivals.
    Serving(Scenario),
    /// Of the second: what keeping costs.
    Keeping(Keeping),
    /// The founding app under load; only when it is asked for.
    Lobby,
}

impl Group {
    /// What is measured when nothing is asked for.
    pub(crate) fn all() -> Vec<Self> {
        Self::value_variants().iter().copied().filter(|group| *group != Self::Lobby).collect()
    }
}

impl ValueEnum for Group {
    fn value_variants<'a>() -> &'a [Self] {
        const ALL: &[Group] = &[
            Group::Serving(Scenario::Fanout8),
            Group::Serving(Scenario::Fanout1),
            Group::Serving(Scenario::Small8),
            Group::Serving(Scenario::Rooms8),
            Group::Serving(Scenario::Connect),
            Group::Serving(Scenario::Latency),
            Group::Serving(Scenario::Idle),
            Group::Keeping(Keeping::Durable),
            Group::Keeping(Keeping::Memory),
            Group::Keeping(Keeping::Resume),
            Group::Keeping(Keeping::Footprint),
            Group::Keeping(Keeping::Changed),
            Group::Lobby,
        ];
        ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        match self {
            Self::Serving(scenario) => scenario.to_possible_value(),
            Self::Keeping(keeping) => keeping.to_possible_value(),
            Self::Lobby => Some(PossibleValue::new("lobby").help("The founding app under load")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_scenario_of_both_tables_can_be_asked_for() {
        let all = Group::all().len();
        assert_eq!(all, Scenario::value_variants().len() + Keeping::value_variants().len());
    }
}
