// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Card`]: a rank and a suit, written as "TH" for the ten of hearts.

use std::fmt::{self, Display};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// One of the four suits, written as its first letter: "C", "D", "H", "S".
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Suit {
    /// ♣
    Clubs,
    /// ♦
    Diamonds,
    /// ♥
    Hearts,
    /// ♠
    Spades,
}

impl Suit {
    /// All suits, in their order.
    pub const ALL: [Self; 4] = [Self::Clubs, Self::Diamonds, Self::Hearts, Self::Spades];

    /// What players call it: "hearts".
    pub fn name(self) -> &'static str {
        match self {
            Self::Clubs => "clubs",
            Self::Diamonds => "diamonds",
            Self::Hearts => "hearts",
            Self::Spades => "spades",
        }
    }

    fn letter(self) -> char {
        match self {
            Self::Clubs => 'C',
            Self::Diamonds => 'D',
            Self::Hearts => 'H',
            Self::Spades => 'S',
        }
    }
}

impl Display for Suit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.letter())
    }
}

impl FromStr for Suit {
    type Err = NotASuit;

    fn from_str(text: &str) -> Result<Self, NotASuit> {
        let mut letters = text.chars();
        let (Some(letter), None) = (letters.next(), letters.next()) else { return Err(NotASuit) };
        Self::ALL.into_iter().find(|suit| suit.letter() == letter).ok_or(NotASuit)
    }
}

impl TryFrom<String> for Suit {
    type Error = NotASuit;

    fn try_from(text: String) -> Result<Self, NotASuit> {
        text.parse()
    }
}

impl From<Suit> for String {
    fn from(suit: Suit) -> Self {
        suit.to_string()
    }
}

/// A text that names no suit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("This is not a suit: write C for clubs, D for diamonds, H for hearts or S for spades.")]
pub struct NotASuit;

/// One of the thirteen ranks, written as one of "A23456789TJQK".
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rank {
    /// A, counts 1.
    Ace,
    /// 2
    Two,
    /// 3
    Three,
    /// 4
    Four,
    /// 5
    Five,
    /// 6
    Six,
    /// 7
    Seven,
    /// 8, fits on everything and counts 50.
    Eight,
    /// 9
    Nine,
    /// T, counts 10.
    Ten,
    /// J, counts 10.
    Jack,
    /// Q, counts 10.
    Queen,
    /// K, counts 10.
    King,
}

impl Rank {
    /// All ranks, in their order.
    pub const ALL: [Self; 13] = [
        Self::Ace,
        Self::Two,
        Self::Three,
        Self::Four,
        Self::Five,
        Self::Six,
        Self::Seven,
        Self::Eight,
        Self::Nine,
        Self::Ten,
        Self::Jack,
        Self::Queen,
        Self::King,
    ];

    /// What players call it: "queen".
    pub fn name(self) -> &'static str {
        self.written().1
    }

    /// What a card of this rank is worth to the winner when somebody else holds it.
    pub fn points(self) -> u32 {
        self.written().2
    }

    fn letter(self) -> char {
        self.written().0
    }

    /// The table of ranks: letter, name, points.
    fn written(self) -> (char, &'static str, u32) {
        match self {
            Self::Ace => ('A', "ace", 1),
            Self::Two => ('2', "two", 2),
            Self::Three => ('3', "three", 3),
            Self::Four => ('4', "four", 4),
            Self::Five => ('5', "five", 5),
            Self::Six => ('6', "six", 6),
            Self::Seven => ('7', "seven", 7),
            Self::Eight => ('8', "eight", 50),
            Self::Nine => ('9', "nine", 9),
            Self::Ten => ('T', "ten", 10),
            Self::Jack => ('J', "jack", 10),
            Self::Queen => ('Q', "queen", 10),
            Self::King => ('K', "king", 10),
        }
    }
}

impl Display for Rank {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.letter())
    }
}

/// A card. Cards are ordered by suit, then by rank, as one sorts a hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Card {
    /// Its suit.
    pub suit: Suit,
    /// Its rank.
    pub rank: Rank,
}

impl Card {
    /// What it is worth to the winner when somebody else holds it.
    pub fn points(self) -> u32 {
        self.rank.points()
    }

    /// Whether it fits on everything and chooses the suit to follow.
    pub fn is_eight(self) -> bool {
        self.rank == Rank::Eight
    }
}

/// As it is written everywhere: "TH".
impl Display for Card {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.rank, self.suit)
    }
}

impl FromStr for Card {
    type Err = NotACard;

    fn from_str(text: &str) -> Result<Self, NotACard> {
        let mut letters = text.chars();
        let letter = letters.next().ok_or(NotACard)?;
        let rank = Rank::ALL.into_iter().find(|rank| rank.letter() == letter).ok_or(NotACard)?;
        let suit = letters.as_str().parse().map_err(|NotASuit| NotACard)?;
        Ok(Self { suit, rank })
    }
}

impl TryFrom<String> for Card {
    type Error = NotACard;

    fn try_from(text: String) -> Result<Self, NotACard> {
        text.parse()
    }
}

impl From<Card> for String {
    fn from(card: Card) -> Self {
        card.to_string()
    }
}

/// A text that names no card.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "This is not a card: write its rank (A 2 3 4 5 6 7 8 9 T J Q K) and then its suit (C D H S), \
     as in TH for the ten of hearts."
)]
pub struct NotACard;
