// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Wrongs`]: everything that a page has shown and that was not true, or not shown and should
//! have. Each kind is counted, and its first case kept in words. One is enough to fail a run.

use std::collections::BTreeMap;
use std::fmt;

/// A way to be wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Wrong {
    /// A list of players that the database never held.
    NeverTrue,
    /// A list that is older than one that the page had shown before.
    WentBack,
    /// A list that was shown before it was true.
    TooEarly,
    /// A change that an open page has not shown to the end.
    NeverShown,
    /// A page that was loaded after somebody had joined, and was made as if they had not.
    OldPage,
    /// Numbers of messages with a hole, or not the last fifty.
    Hole,
    /// Fewer messages than the page had shown before.
    MessagesWentBack,
    /// A message that says something else than it said before, or than the database says.
    OtherMessage,
    /// At rest, a page's players were not those of the database.
    PlayersAtRest,
    /// At rest, a page's messages were not those of the database.
    MessagesAtRest,
    /// At rest, a page's open games were not those of the database.
    GamesAtRest,
    /// At rest, a page's members were not those whose pages are open.
    MembersAtRest,
    /// At rest, two pages of a game showed different tables.
    TableAtRest,
    /// A page that was right at rest and became wrong again, although nothing changed.
    AfterRest,
}

impl Wrong {
    const fn text(self) -> &'static str {
        match self {
            Self::NeverTrue => "lists of players that the database never held",
            Self::WentBack => "lists of players older than one shown before",
            Self::TooEarly => "lists of players shown before they were true",
            Self::NeverShown => "changes that an open page did not show",
            Self::OldPage => "pages made as if their player had not joined yet",
            Self::Hole => "messages with a hole, or not the last fifty",
            Self::MessagesWentBack => "messages fewer than shown before",
            Self::OtherMessage => "messages that say something else than before",
            Self::PlayersAtRest => "pages at rest whose players are not those of the database",
            Self::MessagesAtRest => "pages at rest whose messages are not those of the database",
            Self::GamesAtRest => "pages at rest whose open games are not those of the database",
            Self::MembersAtRest => "pages at rest whose members are not those who are there",
            Self::TableAtRest => "pages at rest whose table is not that of the others",
            Self::AfterRest => "pages that became wrong after they were right at rest",
        }
    }
}

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Wrongs(BTreeMap<Wrong, (u64, String)>);

impl Wrongs {
    /// One more.
    pub(crate) fn add(&mut self, wrong: Wrong, example: impl FnOnce() -> String) {
        self.0.entry(wrong).or_insert_with(|| (0, example())).0 += 1;
    }
}

impl fmt::Display for Wrongs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (wrong, (count, example)) in &self.0 {
            writeln!(f, "{count} {}; the first: {example}", wrong.text())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cases_are_counted_and_the_first_is_told() {
        let mut wrongs = Wrongs::default();
        assert_eq!(wrongs.to_string(), "");
        wrongs.add(Wrong::Hole, || "7 after 5".to_owned());
        wrongs.add(Wrong::Hole, || "9 after 7".to_owned());
        let text = wrongs.to_string();
        assert_eq!(text, "2 messages with a hole, or not the last fifty; the first: 7 after 5\n");
    }
}
