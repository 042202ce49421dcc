// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`History`]: every list of players that was true of one game, in the order of the database's
//! commits; and [`History::places`], which finds what a page showed in it. Pure.

use super::database::Logged;
use super::message::Listed;
use super::moment::Moment;
use super::room::Change;
use super::view::{ListId, Shown};
use super::wrong::Wrong;
use std::collections::BTreeMap;

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct History {
    /// When each became true, at the latest; never earlier than the one before.
    pub(crate) lists: Vec<(Moment, ListId)>,
    /// What made it true: whose change.
    pub(crate) changes: Vec<(i64, Change)>,
}

impl History {
    /// From what was written down. Gives the last list, too. The first to join is the host, and
    /// stays it.
    pub(crate) fn replay(
        log: &[Logged],
        names: &BTreeMap<i64, String>,
        shown: &mut Shown,
    ) -> (Self, Vec<Listed>) {
        let mut history = Self::default();
        let mut list: Vec<Listed> = Vec::new();
        let host = log.first().map(|first| first.user);
        for Logged { user, change, time } in log {
            match change {
                Change::Join => list.push(Listed {
                    id: *user,
                    username: names.get(user).cloned().unwrap_or_default(),
                    ready: false,
                    host: host == Some(*user),
                    playing: false,
                }),
                Change::Leave => list.retain(|player| player.id != *user),
                Change::Ready | Change::Unready => {
                    for player in list.iter_mut().filter(|player| player.id == *user) {
                        player.ready = *change == Change::Ready;
                    }
                }
            }
            history.lists.push((*time, shown.id_of(list.clone())));
            history.changes.push((*user, *change));
        }
        (history, list)
    }

    /// Which list of the history each of the shown ones was, or what is wrong with it. A list that
    /// was true more than once is taken for the latest that it can have been.
    pub(crate) fn places(&self, shown: &[(Moment, ListId)]) -> Vec<Result<usize, Wrong>> {
        let mut earliest = 0;
        let mut places: Vec<Result<usize, Wrong>> = Vec::with_capacity(shown.len());
        for (moment, id) in shown {
            let is_it = |place: &usize| self.lists[*place].1 == *id;
            let place = (earliest..self.lists.len()).find(is_it);
            places.push(match place {
                Some(place) if self.lists[place].0 > *moment => Err(Wrong::TooEarly),
                Some(place) => {
                    earliest = place;
                    Ok(place)
                }
                None if (0..earliest).any(|place| is_it(&place)) => Err(Wrong::WentBack),
                None => Err(Wrong::NeverTrue),
            });
        }
        let mut latest = self.lists.len().saturating_sub(1);
        for ((moment, id), place) in shown.iter().zip(&mut places).rev() {
            if let Ok(place) = place {
                let can_be = |at: &usize| self.lists[*at].1 == *id && self.lists[*at].0 <= *moment;
                latest = (*place..=latest).rev().find(can_be).unwrap_or(*place);
                *place = latest;
            }
        }
        places
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> Moment {
        Moment::of_millis(millis).unwrap()
    }

    fn log(changes: &[(i64, Change)]) -> Vec<Logged> {
        let logged = |(place, (user, change)): (usize, &(i64, Change))| Logged {
            user: *user,
            change: *change,
            time: at(10 * (i64::try_from(place).unwrap() + 1)),
        };
        changes.iter().enumerate().map(logged).collect()
    }

    const CHANGES: [(i64, Change); 6] = [
        (1, Change::Join),
        (2, Change::Join),
        (2, Change::Ready),
        (3, Change::Join),
        (2, Change::Leave),
        (2, Change::Join),
    ];

    fn history(changes: &[(i64, Change)]) -> (History, Vec<Listed>) {
        let names = BTreeMap::from([(1, "ann".to_owned()), (2, "bob".to_owned())]);
        History::replay(&log(changes), &names, &mut Shown::default())
    }

    /// What was true at those places, shown at those milliseconds.
    fn shown(history: &History, places: &[(usize, i64)]) -> Vec<(Moment, ListId)> {
        places.iter().map(|(place, millis)| (at(*millis), history.lists[*place].1)).collect()
    }

    #[test]
    fn changes_lead_to_the_list_in_the_order_of_joining() {
        let (history, list) = history(&CHANGES);
        let list: Vec<_> = list.iter().map(|p| (p.id, p.ready, p.host)).collect();
        assert_eq!(list, [(1, false, true), (3, false, false), (2, false, false)]);
        assert_eq!(history.changes, CHANGES);
        assert_eq!(history.lists.len(), 6);
    }

    #[test]
    fn a_page_may_skip_lists_but_not_go_back() {
        let (history, _) = history(&CHANGES);
        let page = shown(&history, &[(0, 15), (3, 45), (5, 65)]);
        assert_eq!(history.places(&page), [Ok(0), Ok(3), Ok(5)]);
        let page = shown(&history, &[(3, 45), (2, 50), (4, 55)]);
        assert_eq!(history.places(&page), [Ok(3), Err(Wrong::WentBack), Ok(4)]);
    }

    #[test]
    fn a_list_must_have_been_true_by_then() {
        let (history, _) = history(&CHANGES);
        let page = shown(&history, &[(1, 19)]);
        assert_eq!(history.places(&page), [Err(Wrong::TooEarly)]);
        let mut others = Shown::default();
        others.id_of(Vec::new());
        let (longer, _) = History::replay(&log(&CHANGES), &BTreeMap::new(), &mut others);
        let page = [(at(100), others.id_of(Vec::new())), (at(101), longer.lists[0].1)];
        assert_eq!(longer.places(&page), [Err(Wrong::NeverTrue), Ok(0)]);
    }

    #[test]
    fn a_list_that_was_true_twice_is_the_latest_that_it_can_have_been() {
        let toggled =
            [(1, Change::Join), (1, Change::Ready), (1, Change::Unready), (1, Change::Ready)];
        let (history, _) = history(&toggled);
        let page = shown(&history, &[(0, 15), (1, 25), (2, 35), (3, 45)]);
        assert_eq!(history.places(&page), [Ok(0), Ok(1), Ok(2), Ok(3)]);
        // The list of place 1, shown when that of place 3 was not true yet.
        let page = shown(&history, &[(1, 39)]);
        assert_eq!(history.places(&page), [Ok(1)]);
        let page = shown(&history, &[(1, 41)]);
        assert_eq!(history.places(&page), [Ok(3)]);
    }
}
