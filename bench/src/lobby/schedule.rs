// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Schedule`]: what is due when, fixed before the load begins, whatever the app then does. First
//! everybody joins, half of the lobbies one by one and half of them all at the same instant; then
//! changes go round the lobbies; and all the time somebody says something, half of it in the
//! liveliest lobbies.

use std::time::Duration;

/// Players of a lobby, its host included.
pub(crate) const SEATS: u32 = 5;

/// One lobby in so many is a lively one, and at least one.
const LIVELY_ONE_IN: u32 = 20;

/// How much is to happen.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Shape {
    pub(crate) lobbies: u32,
    /// Changes of players per second, joining included.
    pub(crate) changes: u32,
    /// Messages per second.
    pub(crate) chats: u32,
    /// How long, at least: everybody joins even if that takes longer.
    pub(crate) time: Duration,
}

/// What is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Due {
    /// Who has that seat of that lobby joins.
    Join {
        /// Of which lobby.
        lobby: u32,
        /// 0 is the host's, who is there from the beginning.
        seat: u32,
    },
    /// Something else changes in that lobby: somebody gets ready, or not, leaves, or comes back.
    Change {
        /// In which lobby.
        lobby: u32,
    },
    /// Somebody says something.
    Chat {
        /// In which lobby.
        lobby: u32,
    },
}

/// In the order of time, counted from the beginning of the load.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Schedule(pub(crate) Vec<(Duration, Due)>);

impl Schedule {
    /// Of that shape.
    pub(crate) fn new(shape: &Shape) -> Self {
        let mut steps = joins(shape);
        let joins = u32::try_from(steps.len()).expect("there are few lobbies");
        for number in joins..total(shape.changes, shape.time) {
            let lobby = (number - joins) % shape.lobbies;
            steps.push((at(number, shape.changes), Due::Change { lobby }));
        }
        for number in 0..total(shape.chats, shape.time) {
            let lobby = speaking(number, shape.lobbies);
            steps.push((at(number, shape.chats), Due::Chat { lobby }));
        }
        steps.sort_by_key(|(at, _)| *at);
        Self(steps)
    }

    /// Changes of players in it.
    pub(crate) fn changes(&self) -> usize {
        self.0.iter().filter(|(_, due)| !matches!(due, Due::Chat { .. })).count()
    }
}

/// In turns: one lobby whose players all join at once, at the instant of the first; and one of
/// each of four lobbies, one after the other.
fn joins(shape: &Shape) -> Vec<(Duration, Due)> {
    let guests = SEATS - 1;
    let calm = shape.lobbies / 2;
    let mut rushes = calm..shape.lobbies;
    let mut singles = (1..SEATS).flat_map(|seat| (0..calm).map(move |lobby| (lobby, seat)));
    let mut steps = Vec::new();
    let mut number = 0;
    loop {
        let before = steps.len();
        if let Some(lobby) = rushes.next() {
            let instant = at(number, shape.changes);
            steps.extend((1..SEATS).map(|seat| (instant, Due::Join { lobby, seat })));
            number += guests;
        }
        for (lobby, seat) in singles.by_ref().take(guests as usize) {
            steps.push((at(number, shape.changes), Due::Join { lobby, seat }));
            number += 1;
        }
        if steps.len() == before {
            return steps;
        }
    }
}

fn speaking(number: u32, lobbies: u32) -> u32 {
    let lively = (lobbies / LIVELY_ONE_IN).max(1);
    let turn = number / 2;
    if number.is_multiple_of(2) {
        // Of both halves of the lobbies.
        turn % lively * (lobbies / lively)
    } else {
        turn % lobbies
    }
}

fn at(number: u32, rate: u32) -> Duration {
    Duration::from_secs(1) * number / rate
}

fn total(rate: u32, time: Duration) -> u32 {
    (f64::from(rate) * time.as_secs_f64()) as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn shape(lobbies: u32, seconds: u64) -> Shape {
        Shape { lobbies, changes: 200, chats: 100, time: Duration::from_secs(seconds) }
    }

    #[test]
    fn everybody_joins_once_at_the_fixed_rate_even_if_that_takes_longer() {
        for lobbies in [1, 2, 7, 1_000] {
            let Schedule(steps) = Schedule::new(&shape(lobbies, 1));
            let mut seats: Vec<_> = steps
                .iter()
                .filter_map(|(_, due)| match due {
                    Due::Join { lobby, seat } => Some((*lobby, *seat)),
                    Due::Change { .. } | Due::Chat { .. } => None,
                })
                .collect();
            seats.sort_unstable();
            let all = (0..lobbies).flat_map(|lobby| (1..SEATS).map(move |seat| (lobby, seat)));
            assert_eq!(seats, all.collect::<Vec<_>>());
            let last = steps.iter().rfind(|(_, due)| matches!(due, Due::Join { .. }));
            // The last four may share the instant of the first of them.
            let early = f64::from(lobbies * 4) / 200.0 - last.unwrap().0.as_secs_f64();
            assert!(early > 0.0 && early < 4.5 / 200.0, "{lobbies}: {early}");
        }
    }

    #[test]
    fn half_of_the_lobbies_are_joined_by_all_at_the_same_instant() {
        let Schedule(steps) = Schedule::new(&shape(10, 1));
        let mut instants: BTreeMap<u32, Vec<Duration>> = BTreeMap::new();
        for (at, due) in &steps {
            if let Due::Join { lobby, .. } = due {
                instants.entry(*lobby).or_default().push(*at);
            }
        }
        for (lobby, instants) in instants {
            let same = instants.iter().all(|at| *at == instants[0]);
            assert_eq!(same, lobby >= 5, "{lobby}: {instants:?}");
        }
    }

    #[test]
    fn changes_and_messages_go_on_at_their_rates_to_the_end() {
        let schedule = Schedule::new(&shape(10, 3));
        assert_eq!(schedule.changes(), 600);
        assert_eq!(schedule.0.len(), 900);
        assert!(schedule.0.is_sorted_by_key(|(at, _)| *at));
        assert!(schedule.0.last().unwrap().0 < Duration::from_secs(3));
    }

    #[test]
    fn half_of_what_is_said_is_said_in_lively_lobbies() {
        let mut said = BTreeMap::new();
        for number in 0..4_000 {
            *said.entry(speaking(number, 100)).or_insert(0) += 1;
        }
        assert_eq!(said.len(), 100, "something is said everywhere");
        let lively: Vec<_> = said.iter().filter(|(_, count)| **count > 100).collect();
        assert_eq!(lively.len(), 5, "{lively:?}");
        assert_eq!(speaking(0, 1), 0);
        assert_eq!(speaking(1, 1), 0);
    }
}
