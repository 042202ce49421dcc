// SPDX-License-Identifier: MIT OR Apache-2.0
//! The judgement: everything that every page showed, from first to last, held against the
//! database. It gives the time from each commit to each page, and whatever was wrong.

use super::database::Facts;
use super::deed::{Act, Deed};
use super::history::History;
use super::message::Listed;
use super::moment::Moment;
use super::people::People;
use super::room::Change;
use super::view::View;
use super::wrong::{Wrong, Wrongs};
use crate::trouble::Trouble;
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

/// From when a time counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum From {
    /// The moment before the commit that the database holds.
    Commit,
    /// The moment of the schedule.
    Due,
}

/// What took some time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Span {
    /// Until one page showed it; once for each page that was open.
    ToPage(From, Act),
    /// Until whoever did it was answered, since it was due.
    ToAnswer(Act),
    /// From subscribing until the page showed what had been true by then.
    ToPlayers,
    ToMessages,
    /// By how much the load generator itself was late.
    Late,
}

/// What was found.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    /// Microseconds, in rising order.
    pub(crate) times: BTreeMap<Span, Vec<u32>>,
    /// Changes that a page has not shown because it was closed before.
    pub(crate) unseen: u64,
    /// Pages that opened, and those of them that first showed something older than what was true
    /// when they subscribed.
    pub(crate) opened: u64,
    pub(crate) began_older: u64,
}

/// When each change of a game was due, by user and kind, in the order of being done.
type Dues = HashMap<(i64, Change), VecDeque<Moment>>;

impl Findings {
    /// Of a run that came to rest at that moment.
    pub(crate) fn of(people: &mut People, facts: &Facts, rest: Moment) -> Result<Self, Trouble> {
        let mut wrongs = std::mem::take(&mut people.wrongs);
        let mut findings = Self::default();
        let mut dues = dues(people);
        for (lobby, room) in people.rooms.iter().enumerate() {
            let shown = &mut people.shown[lobby];
            let log = facts.changes.get(&room.id).map_or(&[][..], Vec::as_slice);
            let (history, list) = History::replay(log, &facts.names, shown);
            let players = facts.players.get(&room.id).map_or(&[][..], Vec::as_slice);
            if list != players {
                let text = format!("{list:?} written down, but it is {players:?}");
                return Err(Trouble::unexpected(format!("game {}", room.id), text.as_bytes()));
            }
            let dues: Vec<Option<Moment>> = history
                .changes
                .iter()
                .map(|change| dues.get_mut(lobby)?.get_mut(change)?.pop_front())
                .collect();
            let messages = facts.messages.get(&room.id).map_or(&[][..], Vec::as_slice);
            for message in messages {
                if !shown.is_same(message) {
                    wrongs.add(Wrong::OtherMessage, || format!("{message:?}"));
                }
            }
            let said: Vec<Moment> = messages
                .iter()
                .map(|message| Moment::of_millis(message.time).unwrap_or_default())
                .collect();
            let due_of = due_by_number(&people.deeds, lobby, said.len());
            for view in people.views.iter().filter(|view| view.lobby == lobby.try_into().ok()) {
                findings.players(view, &history, &dues, &mut wrongs);
                findings.messages(view, &said, &due_of, &mut wrongs);
            }
        }
        for deed in &people.deeds {
            if let Some(answered) = deed.answered {
                findings.time(Span::ToAnswer(deed.act), answered.since(deed.due));
            }
        }
        findings.times.insert(Span::Late, std::mem::take(&mut people.late));
        at_rest(people, facts, rest, &mut wrongs);
        findings.times.values_mut().for_each(|times| times.sort_unstable());
        people.wrongs = wrongs;
        Ok(findings)
    }

    fn time(&mut self, span: Span, micros: u32) {
        self.times.entry(span).or_default().push(micros);
    }

    fn players(
        &mut self,
        view: &View,
        history: &History,
        dues: &[Option<Moment>],
        wrongs: &mut Wrongs,
    ) {
        let Some(asked) = view.asked_players else { return };
        let mut shown = Vec::new();
        for (place, (moment, id)) in history.places(&view.players).into_iter().zip(&view.players) {
            match place {
                Ok(place) => shown.push((*moment, place)),
                Err(wrong) => {
                    let player = view.player;
                    wrongs.add(wrong, || format!("page of player {player}: {id:?} at {moment:?}"));
                }
            }
        }
        let commits: Vec<Moment> = history.lists.iter().map(|(commit, _)| *commit).collect();
        self.opened(Span::ToPlayers, (view, asked), &commits, &shown);
        let acts = history.changes.iter().map(|(_, change)| Act::Change(*change));
        let changes: Vec<_> = commits.iter().copied().zip(dues.iter().copied()).zip(acts).collect();
        self.shown((view, asked), &changes, &shown, wrongs);
    }

    fn messages(
        &mut self,
        view: &View,
        said: &[Moment],
        dues: &[Option<Moment>],
        wrongs: &mut Wrongs,
    ) {
        let Some(asked) = view.asked_messages else { return };
        // Of no messages there is nothing to be late with.
        let shown: Vec<(Moment, usize)> = view
            .messages
            .iter()
            .filter_map(|(moment, last)| Some((*moment, usize::try_from(*last - 1).ok()?)))
            .collect();
        self.opened(Span::ToMessages, (view, asked), said, &shown);
        let changes: Vec<_> = said
            .iter()
            .copied()
            .zip(dues.iter().copied())
            .zip(std::iter::repeat(Act::Chat))
            .collect();
        self.shown((view, asked), &changes, &shown, wrongs);
    }

    /// How long a page took to show what was true when it subscribed, or something newer.
    fn opened(
        &mut self,
        span: Span,
        (_, asked): (&View, Moment),
        commits: &[Moment],
        shown: &[(Moment, usize)],
    ) {
        let Some(current) = commits.iter().rposition(|commit| *commit < asked) else { return };
        let Some(at) = shown.iter().position(|(_, place)| *place >= current) else { return };
        self.opened += 1;
        self.began_older += u64::from(at > 0);
        self.time(span, shown[at].0.since(asked));
    }

    /// How long each change took to be shown on a page that had subscribed before it.
    fn shown(
        &mut self,
        (view, asked): (&View, Moment),
        changes: &[((Moment, Option<Moment>), Act)],
        shown: &[(Moment, usize)],
        wrongs: &mut Wrongs,
    ) {
        let mut at = 0;
        for (place, ((commit, due), act)) in changes.iter().enumerate() {
            while shown.get(at).is_some_and(|(_, shown)| *shown < place) {
                at += 1;
            }
            match (shown.get(at), view.closed) {
                (Some((moment, _)), _) if *commit >= asked => {
                    // Without a due moment it was before the load.
                    if let Some(due) = due {
                        self.time(Span::ToPage(From::Commit, *act), moment.since(*commit));
                        self.time(Span::ToPage(From::Due, *act), moment.since(*due));
                    }
                }
                (Some(_), _) => {}
                (None, Some(closed)) => {
                    self.unseen += u64::from(*commit >= asked && *commit <= closed);
                }
                (None, None) => {
                    let player = view.player;
                    wrongs.add(Wrong::NeverShown, || {
                        format!(
                            "{act:?}, change {place} of its kind, on the page of player {player}"
                        )
                    });
                }
            }
        }
    }
}

fn dues(people: &People) -> Vec<Dues> {
    let mut dues: Vec<Dues> = people.rooms.iter().map(|_| Dues::new()).collect();
    for Deed { act, lobby, player, due, .. } in &people.deeds {
        if let Act::Change(change) = act {
            let id = people.players[*player as usize].id;
            dues[*lobby as usize].entry((id, *change)).or_default().push_back(*due);
        }
    }
    dues
}

fn due_by_number(deeds: &[Deed], lobby: usize, messages: usize) -> Vec<Option<Moment>> {
    let mut dues = vec![None; messages];
    for deed in deeds.iter().filter(|deed| deed.lobby as usize == lobby && deed.act == Act::Chat) {
        let place = usize::try_from(deed.number - 1).ok();
        if let Some(due) = place.and_then(|place| dues.get_mut(place)) {
            *due = Some(deed.due);
        }
    }
    dues
}

/// What the open pages show at the end, exactly.
fn at_rest(people: &People, facts: &Facts, rest: Moment, wrongs: &mut Wrongs) {
    for player in &people.players {
        let Some(view) = player.page.view.map(|view| &people.views[view]) else { continue };
        let name = || player.name.clone();
        let Some(lobby) = player.lobby else {
            if view.games.as_ref() != Some(&facts.open_games) {
                wrongs.add(Wrong::GamesAtRest, name);
            }
            continue;
        };
        let (room, shown) = (&people.rooms[lobby as usize], &people.shown[lobby as usize]);
        let players = facts.players.get(&room.id).map_or(&[][..], Vec::as_slice);
        let is_right = |list: &[Listed]| list == players;
        if !view.players.last().is_some_and(|(_, id)| is_right(shown.list(*id))) {
            wrongs.add(Wrong::PlayersAtRest, name);
        }
        let after = view.players.iter().filter(|(moment, _)| *moment > rest);
        if after.clone().any(|(_, id)| !is_right(shown.list(*id))) {
            wrongs.add(Wrong::AfterRest, name);
        }
        if !room.has(player.seat) {
            continue;
        }
        let messages = facts.messages.get(&room.id).map_or(0, Vec::len);
        let is_last = |last: i64| usize::try_from(last).is_ok_and(|last| last == messages);
        if !view.messages.last().is_some_and(|(_, last)| is_last(*last)) {
            wrongs.add(Wrong::MessagesAtRest, name);
        }
        let seats = (0..super::schedule::SEATS).filter(|seat| room.has(*seat));
        let neighbours = seats.map(|seat| &people.players[People::at(lobby, seat) as usize]);
        let there: BTreeSet<i64> = neighbours
            .clone()
            .filter(|player| player.page.is_open())
            .map(|player| player.id)
            .collect();
        if view.members != there {
            wrongs.add(Wrong::MembersAtRest, name);
        }
        let mut tables = neighbours.filter_map(|other| other.page.view);
        if view.table.is_none() || tables.any(|other| people.views[other].table != view.table) {
            wrongs.add(Wrong::TableAtRest, name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> Moment {
        Moment::of_millis(millis).unwrap()
    }

    /// Three messages, said at 10, 20 and 30, due a millisecond earlier.
    fn messages(view: &View) -> (Findings, String) {
        let (mut findings, mut wrongs) = (Findings::default(), Wrongs::default());
        let dues = [9, 19, 29].map(|due| Some(at(due)));
        findings.messages(view, &[10, 20, 30].map(at), &dues, &mut wrongs);
        (findings, wrongs.to_string())
    }

    fn view(asked: i64, shown: &[(i64, i64)]) -> View {
        let mut view = View::new(7, Some(0));
        view.asked_messages = Some(at(asked));
        view.messages = shown.iter().map(|(millis, last)| (at(*millis), *last)).collect();
        view
    }

    #[test]
    fn every_change_is_timed_on_every_page_that_was_there_before_it() {
        let (findings, wrongs) = messages(&view(5, &[(6, 0), (12, 1), (34, 3)]));
        assert_eq!(wrongs, "");
        let chat = |from| findings.times[&Span::ToPage(from, Act::Chat)].clone();
        assert_eq!(chat(From::Commit), [2_000, 14_000, 4_000]);
        assert_eq!(chat(From::Due), [3_000, 15_000, 5_000]);
        assert!(!findings.times.contains_key(&Span::ToMessages), "nothing was said before");
    }

    #[test]
    fn a_page_that_opens_late_is_timed_from_its_subscription() {
        let (findings, wrongs) = messages(&view(25, &[(26, 1), (28, 2), (31, 3)]));
        assert_eq!(wrongs, "");
        assert_eq!(findings.times[&Span::ToMessages], [3_000]);
        assert_eq!((findings.opened, findings.began_older), (1, 1));
        assert_eq!(findings.times[&Span::ToPage(From::Commit, Act::Chat)], [1_000]);
    }

    #[test]
    fn what_an_open_page_did_not_show_is_wrong_and_of_a_closed_one_it_is_not() {
        let mut view = view(5, &[(12, 1)]);
        let (_, wrongs) = messages(&view);
        assert!(wrongs.starts_with("2 changes that an open page did not show"), "{wrongs}");
        view.closed = Some(at(25));
        let (findings, wrongs) = messages(&view);
        assert_eq!((findings.unseen, wrongs.as_str()), (1, ""));
    }
}
