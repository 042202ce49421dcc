// SPDX-License-Identifier: MIT OR Apache-2.0
//! Crazy Eights as we play them: the rules and nothing else.
//!
//! A [`Game`] is what lies on the table. It is dealt, acted on, left, skipped and looked at; what
//! is against the rules is refused with an [`Illegal`] whose text is for the player, and changes
//! nothing. Nothing here does I/O, looks at a clock or makes chance of its own: whoever calls
//! brings the random numbers. A game is stored as JSON and is checked when it is read back.
//!
//! ```
//! use lobby::crazy_eights::{Action, Game, PlayerId};
//!
//! let (ann, bob) = (PlayerId(1), PlayerId(2));
//! let mut rng = rand::rng();
//! let mut game = Game::deal(&[ann, bob], &mut rng)?;
//! game.act(ann, Action::Draw, &mut rng)?;
//! assert!(game.act(bob, Action::Draw, &mut rng).is_err(), "it is not Bob's turn");
//! assert_eq!(game.hand(ann).expect("Ann has a seat").cards.len(), 8);
//! assert_eq!(game.table(|seat| seat).turn, Some(ann));
//! # Ok::<(), lobby::crazy_eights::Illegal>(())
//! ```
//!
//! | file | holds |
//! |---|---|
//! | `card`, `deck` | the 52 cards and how they are written |
//! | `player`, `last` | who sits where; what happened last |
//! | `action`, `illegal` | what a player may want; why they may not have it |
//! | `table` | the cards and the turn, and what must be true of them at any time |
//! | `rule` | who may do what, now; changes nothing |
//! | `game` | what then happens |
//! | `view` | what everybody may see, and what a hand's owner may see |

mod action;
mod card;
mod deck;
mod game;
mod illegal;
mod last;
mod player;
mod rule;
mod table;
mod view;

#[cfg(test)]
mod tests;

pub use action::Action;
pub use card::{Card, NotACard, NotASuit, Rank, Suit};
pub use deck::DECK_CARDS;
pub use game::Game;
pub use illegal::Illegal;
pub use last::Last;
pub use player::PlayerId;
pub use table::Inconsistent;
pub use view::{HandView, SeatView, Status, TableView};

/// The fewest players of a game.
pub const PLAYERS_MIN: usize = 2;

/// The most players of a game.
pub const PLAYERS_MAX: usize = 6;

/// The cards dealt to each of two players.
pub const HAND_OF_TWO: usize = 7;

/// The cards dealt to each of three players or more.
pub const HAND_OF_MORE: usize = 5;

/// The cards that a caught player must draw; fewer if there are no more.
pub const CAUGHT_CARDS: usize = 2;
