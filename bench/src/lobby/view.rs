// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`View`]: what one page showed from its opening to its end, and when; and [`Shown`]: what all
//! pages of a game showed together, in which every list is kept once and every message is compared
//! with what it was on other pages and before.

use super::message::{Listed, OpenGame, Said};
use super::moment::Moment;
use super::wrong::{Wrong, Wrongs};
use serde_json::Value;
use std::collections::{BTreeSet, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};

/// The chat's truth is the last so many messages.
const WINDOW: i64 = 50;

/// A list of players among those that pages of its game showed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct ListId(u32);

/// See the module.
#[derive(Debug)]
pub(crate) struct View {
    /// Whose page.
    pub(crate) player: u32,
    /// The lobby; none of a home page.
    pub(crate) lobby: Option<u32>,
    /// When it subscribed to the players, and to the messages.
    pub(crate) asked_players: Option<Moment>,
    pub(crate) asked_messages: Option<Moment>,
    /// When it went away.
    pub(crate) closed: Option<Moment>,
    /// Every list of players.
    pub(crate) players: Vec<(Moment, ListId)>,
    /// The number of the last message, each time that there were messages; 0 when there is none.
    pub(crate) messages: Vec<(Moment, i64)>,
    /// Who is there.
    pub(crate) members: BTreeSet<i64>,
    /// The open games, on a home page.
    pub(crate) games: Option<Vec<OpenGame>>,
    /// What the table shows.
    pub(crate) table: Option<Value>,
}

impl View {
    /// A page of that player is about to open.
    pub(crate) fn new(player: u32, lobby: Option<u32>) -> Self {
        Self {
            player,
            lobby,
            asked_players: None,
            asked_messages: None,
            closed: None,
            players: Vec::new(),
            messages: Vec::new(),
            members: BTreeSet::new(),
            games: None,
            table: None,
        }
    }

    /// The messages are those: their numbers have no hole, none is missing at the end, none that
    /// was there before has changed.
    pub(crate) fn show_messages(
        &mut self,
        now: Moment,
        messages: &[Said],
        shown: &mut Shown,
        wrongs: &mut Wrongs,
    ) {
        let last = messages.last().map_or(0, |message| message.number);
        let before = self.messages.last().map_or(0, |(_, last)| *last);
        let first = (last - WINDOW).max(0) + 1;
        if !messages.iter().map(|message| message.number).eq(first..=last) {
            let numbers: Vec<i64> = messages.iter().map(|message| message.number).collect();
            wrongs.add(Wrong::Hole, || format!("player {}: {numbers:?}", self.player));
        }
        if last < before {
            let player = self.player;
            wrongs
                .add(Wrong::MessagesWentBack, || format!("player {player}: {last} after {before}"));
        }
        for message in messages {
            if !shown.is_same(message) {
                wrongs.add(Wrong::OtherMessage, || format!("{message:?}"));
            }
        }
        self.messages.push((now, last));
    }
}

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Shown {
    lists: Vec<Vec<Listed>>,
    ids: HashMap<Vec<Listed>, ListId>,
    /// By number.
    messages: HashMap<i64, u64>,
}

impl Shown {
    /// The id of that list.
    pub(crate) fn id_of(&mut self, list: Vec<Listed>) -> ListId {
        if let Some(id) = self.ids.get(&list) {
            return *id;
        }
        let id = ListId(u32::try_from(self.lists.len()).expect("a run has few changes"));
        self.lists.push(list.clone());
        self.ids.insert(list, id);
        id
    }

    /// The list of that id.
    pub(crate) fn list(&self, id: ListId) -> &[Listed] {
        &self.lists[id.0 as usize]
    }

    /// Whether the message of that number was never another one.
    pub(crate) fn is_same(&mut self, message: &Said) -> bool {
        let hash = hash(message);
        *self.messages.entry(message.number).or_insert(hash) == hash
    }
}

fn hash(value: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(number: i64, text: &str) -> Said {
        let (username, text) = ("ann".to_owned(), text.to_owned());
        Said { number, user_id: 1, username, text, time: 0 }
    }

    fn show(view: &mut View, shown: &mut Shown, messages: &[Said]) -> String {
        let mut wrongs = Wrongs::default();
        view.show_messages(Moment::now(), messages, shown, &mut wrongs);
        wrongs.to_string()
    }

    fn range(numbers: std::ops::RangeInclusive<i64>) -> Vec<Said> {
        numbers.map(|number| said(number, "hi")).collect()
    }

    #[test]
    fn the_last_fifty_without_holes_are_right() {
        let (mut view, mut shown) = (View::new(0, Some(0)), Shown::default());
        for messages in [Vec::new(), range(1..=1), range(1..=50), range(2..=51), range(99..=148)] {
            assert_eq!(show(&mut view, &mut shown, &messages), "");
        }
        let last: Vec<i64> = view.messages.iter().map(|(_, last)| *last).collect();
        assert_eq!(last, [0, 1, 50, 51, 148]);
    }

    #[test]
    fn holes_steps_back_and_other_texts_are_wrong() {
        let (mut view, mut shown) = (View::new(0, Some(0)), Shown::default());
        let mut hole = range(1..=3);
        hole.remove(1);
        assert!(show(&mut view, &mut shown, &hole).contains("hole"));
        assert!(show(&mut view, &mut shown, &range(2..=4)).contains("hole"), "50 and no fewer");
        assert!(show(&mut view, &mut shown, &range(1..=3)).contains("fewer"));
        let mut other = range(1..=4);
        other[0].text = "ho".to_owned();
        assert!(show(&mut view, &mut shown, &other).contains("something else"));
    }

    #[test]
    fn a_list_has_one_id() {
        let mut shown = Shown::default();
        let list = |ready| {
            vec![Listed { id: 1, username: "ann".to_owned(), ready, host: true, playing: false }]
        };
        let id = shown.id_of(list(false));
        assert_ne!(shown.id_of(list(true)), id);
        assert_eq!(shown.id_of(list(false)), id);
        assert_eq!(shown.list(id), list(false));
    }
}
