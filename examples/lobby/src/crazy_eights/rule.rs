// SPDX-License-Identifier: MIT OR Apache-2.0
//! The rules: who may do what, now. They only look; [`super::game`] and [`super::view`] both ask
//! them, so that what a page offers is what is allowed.

use super::card::{Card, Suit};
use super::illegal::Illegal;
use super::player::{PlayerId, Seat};
use super::table::{Phase, Round, Table};

impl Table {
    /// How the round stands, if it is being played.
    pub(super) fn round(&self) -> Result<Round, Illegal> {
        match self.phase {
            Phase::Playing(round) => Ok(round),
            Phase::Finished(_) => Err(Illegal::Over),
        }
    }

    /// The round, and the seat of a player who is in play.
    pub(super) fn playing(&self, player: PlayerId) -> Result<(Round, &Seat), Illegal> {
        let seat = self.seat(player).ok_or(Illegal::NotAPlayer)?;
        let round = self.round()?;
        if seat.left { Err(Illegal::Left) } else { Ok((round, seat)) }
    }

    /// The round, and the seat of the player who is on turn.
    fn on_turn(&self, player: PlayerId) -> Result<(Round, &Seat), Illegal> {
        let (round, seat) = self.playing(player)?;
        if round.turn == player { Ok((round, seat)) } else { Err(Illegal::NotYourTurn) }
    }

    /// Whether a card may lie on the pile as it is.
    fn fits(&self, card: Card) -> bool {
        card.is_eight() || card.suit == self.suit || card.rank == self.top().rank
    }

    pub(super) fn may_play(&self, player: PlayerId, card: Card) -> Result<Round, Illegal> {
        let (round, seat) = self.on_turn(player)?;
        if !seat.hand.contains(&card) {
            return Err(Illegal::NotHeld(card));
        }
        if !self.fits(card) {
            let (suit, rank) = (self.suit, self.top().rank);
            return Err(Illegal::DoesNotFit { card, suit, rank });
        }
        Ok(round)
    }

    /// The suit to follow after `card`, with the one that was chosen. It need not be chosen for
    /// the last card of a hand, which nothing follows.
    pub(super) fn may_choose(
        &self,
        player: PlayerId,
        card: Card,
        chosen: Option<Suit>,
    ) -> Result<Suit, Illegal> {
        let (_, seat) = self.on_turn(player)?;
        match chosen {
            Some(_) if !card.is_eight() => Err(Illegal::SuitUnasked(card)),
            Some(suit) => Ok(suit),
            None if card.is_eight() && seat.hand.len() > 1 => Err(Illegal::SuitMissing),
            None => Ok(card.suit),
        }
    }

    /// Also with a card that could be played.
    pub(super) fn may_draw(&self, player: PlayerId) -> Result<Round, Illegal> {
        let (round, _) = self.on_turn(player)?;
        if self.drawable() == 0 { Err(Illegal::NothingToDraw) } else { Ok(round) }
    }

    /// Only when nothing else is possible, so that a round of passes is a blocked game.
    pub(super) fn may_pass(&self, player: PlayerId) -> Result<Round, Illegal> {
        let (round, seat) = self.on_turn(player)?;
        if self.drawable() > 0 {
            return Err(Illegal::CanDraw);
        }
        if seat.hand.iter().any(|card| self.fits(*card)) {
            return Err(Illegal::CanPlay);
        }
        Ok(round)
    }

    /// On turn with two cards, or with one as long as one can be caught.
    pub(super) fn may_call(&self, player: PlayerId) -> Result<Round, Illegal> {
        let (round, seat) = self.playing(player)?;
        if seat.called {
            return Err(Illegal::CalledAlready);
        }
        let before = round.turn == player && seat.hand.len() == 2;
        let after = round.catchable == Some(player);
        if before || after { Ok(round) } else { Err(Illegal::NothingToCall) }
    }

    /// The round, and who is caught.
    pub(super) fn may_catch(&self, player: PlayerId) -> Result<(Round, PlayerId), Illegal> {
        let (round, _) = self.playing(player)?;
        match round.catchable {
            Some(caught) if caught == player => Err(Illegal::CatchYourself),
            Some(caught) => Ok((round, caught)),
            None => Err(Illegal::NobodyToCatch),
        }
    }

    /// `is_away` tells who is.
    pub(super) fn may_skip(&self, is_away: impl Fn(PlayerId) -> bool) -> Result<Round, Illegal> {
        let round = self.round()?;
        if !is_away(round.turn) {
            return Err(Illegal::NotAway(round.turn));
        }
        if self.in_play().all(|seat| is_away(seat.player)) {
            return Err(Illegal::EverybodyAway);
        }
        Ok(round)
    }
}
