// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Table`]: the cards, the seats and the turn, and what must be true of them at any time.
//!
//! It knows how cards move from here to there, and not whether they may.

use std::collections::BTreeSet;

use rand::Rng;
use rand::seq::SliceRandom;
use serde::{Deserialize, Serialize};

use super::card::{Card, Suit};
use super::deck;
use super::last::Last;
use super::player::{PlayerId, Seat};
use super::{PLAYERS_MAX, PLAYERS_MIN};

/// All of a game, as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Table {
    /// Counts every change, over all rounds at this table.
    pub(super) moves: u64,
    /// In the order of play.
    pub(super) seats: Vec<Seat>,
    /// Face down; the last one is its top.
    pub(super) stock: Vec<Card>,
    /// Face up; the last one is its top. Never empty.
    pub(super) pile: Vec<Card>,
    /// The suit to follow: the top's own unless that is an eight.
    pub(super) suit: Suit,
    /// Who began.
    pub(super) first: PlayerId,
    pub(super) phase: Phase,
    pub(super) last: Last,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Phase {
    Playing(Round),
    /// With the winner, if there is one.
    Finished(Option<Won>),
}

/// How a round stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Round {
    pub(super) turn: PlayerId,
    /// Came down to one card without saying so, and the next player has done nothing yet.
    pub(super) catchable: Option<PlayerId>,
    /// How many turns in a row ended with nothing to play and nothing to draw.
    pub(super) passes: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Won {
    pub(super) player: PlayerId,
    pub(super) points: u32,
}

impl Table {
    /// The top of the pile.
    pub(super) fn top(&self) -> Card {
        *self.pile.last().expect("the pile is never empty")
    }

    pub(super) fn seat(&self, player: PlayerId) -> Option<&Seat> {
        self.seats.iter().find(|seat| seat.player == player)
    }

    /// For a player who was found to have one.
    pub(super) fn seat_mut(&mut self, player: PlayerId) -> &mut Seat {
        self.seats.iter_mut().find(|seat| seat.player == player).expect("a player has a seat")
    }

    /// The seats of those who have not left.
    pub(super) fn in_play(&self) -> impl Iterator<Item = &Seat> {
        self.seats.iter().filter(|seat| !seat.left)
    }

    /// The seats that follow the one of `player` around the table, which is itself the last one.
    pub(super) fn seats_after(&self, player: PlayerId) -> impl Iterator<Item = &Seat> {
        let at = self.seats.iter().position(|seat| seat.player == player);
        let (before, after) = self.seats.split_at(at.map_or(0, |at| at + 1));
        after.iter().chain(before)
    }

    /// Who is on turn after `player`.
    pub(super) fn next_after(&self, player: PlayerId) -> PlayerId {
        self.seats_after(player).find(|seat| !seat.left).expect("somebody is in play").player
    }

    /// Who holds the fewest points, if nobody else holds as few.
    pub(super) fn lightest(&self) -> Option<&Seat> {
        let seat = self.in_play().min_by_key(|seat| seat.hand_points())?;
        let as_few = self.in_play().filter(|other| other.hand_points() == seat.hand_points());
        (as_few.count() == 1).then_some(seat)
    }

    /// How many cards can be drawn, those of the pile below its top included.
    pub(super) fn drawable(&self) -> usize {
        self.stock.len() + self.pile.len() - 1
    }

    /// Up to `count` cards from the stock go to `player`, whose call is void then. If the stock
    /// is empty, the pile but its top is shuffled into it.
    pub(super) fn draw(&mut self, player: PlayerId, count: usize, rng: &mut impl Rng) {
        for _ in 0..count {
            if self.stock.is_empty() {
                let top = self.pile.len() - 1;
                self.stock.extend(self.pile.drain(..top));
                self.stock.shuffle(rng);
            }
            let Some(card) = self.stock.pop() else { return };
            let seat = self.seat_mut(player);
            seat.hand.push(card);
            seat.called = false;
        }
    }

    /// The hand of `player` goes under the stock.
    pub(super) fn bury(&mut self, player: PlayerId, rng: &mut impl Rng) {
        let mut hand = std::mem::take(&mut self.seat_mut(player).hand);
        hand.shuffle(rng);
        self.stock.splice(..0, hand);
    }

    /// What must be true of every table.
    pub(super) fn check(&self) -> Result<(), Inconsistent> {
        let hands = self.seats.iter().flat_map(|seat| &seat.hand);
        if !deck::is_whole(self.stock.iter().chain(&self.pile).chain(hands).copied()) {
            return Err(Inconsistent::Cards);
        }
        let Some(top) = self.pile.last() else { return Err(Inconsistent::Pile) };
        if !top.is_eight() && self.suit != top.suit {
            return Err(Inconsistent::Suit);
        }
        self.check_seats()?;
        match self.phase {
            Phase::Playing(round) => self.check_round(round),
            Phase::Finished(Some(won)) if self.seat(won.player).is_none_or(|seat| seat.left) => {
                Err(Inconsistent::Winner(won.player))
            }
            Phase::Finished(_) => Ok(()),
        }
    }

    fn check_seats(&self) -> Result<(), Inconsistent> {
        if !(PLAYERS_MIN..=PLAYERS_MAX).contains(&self.seats.len()) {
            return Err(Inconsistent::Seats(self.seats.len()));
        }
        let mut players = BTreeSet::new();
        if let Some(seat) = self.seats.iter().find(|seat| !players.insert(seat.player)) {
            return Err(Inconsistent::SeatedTwice(seat.player));
        }
        if let Some(seat) = self.seats.iter().find(|seat| seat.left && !seat.hand.is_empty()) {
            return Err(Inconsistent::Left(seat.player));
        }
        if self.seat(self.first).is_none() {
            return Err(Inconsistent::First(self.first));
        }
        Ok(())
    }

    fn check_round(&self, round: Round) -> Result<(), Inconsistent> {
        let playing = self.in_play().count();
        if playing < PLAYERS_MIN {
            return Err(Inconsistent::Alone);
        }
        if self.seat(round.turn).is_none_or(|seat| seat.left) {
            return Err(Inconsistent::Turn(round.turn));
        }
        if let Some(seat) = self.in_play().find(|seat| seat.hand.is_empty()) {
            return Err(Inconsistent::EmptyHand(seat.player));
        }
        let called = |seat: &Seat| match seat.hand.len() {
            1 => true,
            2 => seat.player == round.turn,
            _ => false,
        };
        if let Some(seat) = self.seats.iter().find(|seat| seat.called && !called(seat)) {
            return Err(Inconsistent::Called(seat.player));
        }
        if let Some(player) = round.catchable
            && (player == round.turn
                // The card below the one just played is there to draw.
                || self.drawable() == 0
                || self.seat(player).is_none_or(|seat| seat.called || seat.hand.len() != 1))
        {
            return Err(Inconsistent::Catchable(player));
        }
        if round.passes > 0 && (self.drawable() > 0 || round.passes >= playing) {
            return Err(Inconsistent::Passes(round.passes));
        }
        Ok(())
    }
}

/// A stored game that no play can have led to: it was damaged or written by something else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Inconsistent {
    /// A card is missing or is there twice.
    #[error("stock, pile and hands are not each card of the deck once")]
    Cards,
    /// There is always a card to play on.
    #[error("the pile is empty")]
    Pile,
    /// Only an eight chooses.
    #[error("the suit to follow is not that of the top of the pile, which is not an eight")]
    Suit,
    /// Too few or too many.
    #[error("{0} seats, and a game has {PLAYERS_MIN} to {PLAYERS_MAX}")]
    Seats(usize),
    /// Every player has one.
    #[error("player {0} has two seats")]
    SeatedTwice(PlayerId),
    /// Their cards go under the stock.
    #[error("player {0} has left and holds cards")]
    Left(PlayerId),
    /// Whoever began has a seat.
    #[error("player {0}, who began, has no seat")]
    First(PlayerId),
    /// The last one left wins.
    #[error("fewer than {PLAYERS_MIN} players are left, and the game goes on")]
    Alone,
    /// Somebody in play is on turn.
    #[error("player {0} is on turn and not in play")]
    Turn(PlayerId),
    /// Whoever has no cards wins.
    #[error("player {0} holds no cards, and the game goes on")]
    EmptyHand(PlayerId),
    /// A call counts with one card, or on turn with two.
    #[error("player {0} has called with more than the last card")]
    Called(PlayerId),
    /// Has just played, down to one card, and not called.
    #[error("player {0} can be caught and has done nothing wrong")]
    Catchable(PlayerId),
    /// Everybody passed is the end, and nobody passes who can draw.
    #[error("{0} turns in a row were passed, which cannot be")]
    Passes(usize),
    /// Somebody who stayed.
    #[error("player {0} has won and does not play")]
    Winner(PlayerId),
}
