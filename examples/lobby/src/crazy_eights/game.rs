// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Game`]: what happens when somebody deals, acts, leaves or is skipped.
//!
//! Every operation is all or nothing: it asks the rules first, and from then on cannot fail.

use std::collections::BTreeSet;

use rand::{Rng, RngExt};
use serde::{Deserialize, Serialize};

use super::action::Action;
use super::card::{Card, Suit};
use super::deck;
use super::illegal::Illegal;
use super::last::Last;
use super::player::{PlayerId, Seat};
use super::table::{Inconsistent, Phase, Round, Table, Won};
use super::{CAUGHT_CARDS, HAND_OF_MORE, HAND_OF_TWO, PLAYERS_MAX, PLAYERS_MIN};

/// A game of Crazy Eights: being played, or finished.
///
/// Serialised, it holds everybody's cards: that is for the database, never for a page. It is
/// checked when it is deserialised, and refused as [`Inconsistent`] if no play can have led to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Table")]
pub struct Game(pub(super) Table);

impl TryFrom<Table> for Game {
    type Error = Inconsistent;

    fn try_from(table: Table) -> Result<Self, Inconsistent> {
        table.check()?;
        Ok(Self(table))
    }
}

impl Game {
    /// Deals the first round to these players, who sit and play in this order; the first of them
    /// begins. This is move 1.
    ///
    /// # Errors
    /// [`Illegal::Players`] and [`Illegal::SeatedTwice`].
    pub fn deal(players: &[PlayerId], rng: &mut impl Rng) -> Result<Self, Illegal> {
        let seats = seats(players)?;
        Ok(Self::begin(seats, players[0], 1, rng))
    }

    /// Deals the next round after this one to these players: those who were here keep their
    /// points, the moves count on, and it begins who sat next to the one who began.
    ///
    /// # Errors
    /// [`Illegal::StillPlaying`], [`Illegal::Players`] and [`Illegal::SeatedTwice`].
    pub fn again(&self, players: &[PlayerId], rng: &mut impl Rng) -> Result<Self, Illegal> {
        if !self.is_over() {
            return Err(Illegal::StillPlaying);
        }
        let mut seats = seats(players)?;
        for seat in &mut seats {
            seat.points = self.0.seat(seat.player).map_or(0, |before| before.points);
        }
        let mut after = self.0.seats_after(self.0.first).map(|seat| seat.player);
        let first = after.find(|player| players.contains(player)).unwrap_or(players[0]);
        Ok(Self::begin(seats, first, self.0.moves + 1, rng))
    }

    fn begin(mut seats: Vec<Seat>, first: PlayerId, moves: u64, rng: &mut impl Rng) -> Self {
        let mut stock = deck::shuffled(rng);
        let count = if seats.len() == PLAYERS_MIN { HAND_OF_TWO } else { HAND_OF_MORE };
        for seat in &mut seats {
            seat.hand = stock.split_off(stock.len() - count);
        }
        let start = stock.iter().rposition(|card| !card.is_eight());
        let start = start.expect("more cards are left than there are eights");
        let eights = stock.split_off(start + 1);
        let card = stock.pop().expect("the stock holds the card just found");
        for eight in eights {
            stock.insert(rng.random_range(0..=stock.len()), eight);
        }
        Self(Table {
            moves,
            seats,
            stock,
            pile: vec![card],
            suit: card.suit,
            first,
            phase: Phase::Playing(Round { turn: first, catchable: None, passes: 0 }),
            last: Last::Deal { player: first },
        })
    }

    /// Does what a player wants.
    ///
    /// # Errors
    /// Says why the rules do not allow it; nothing has changed then.
    pub fn act(
        &mut self,
        player: PlayerId,
        action: Action,
        rng: &mut impl Rng,
    ) -> Result<(), Illegal> {
        match action {
            Action::Play { card, suit } => self.play(player, card, suit),
            Action::Draw => self.draw(player, rng),
            Action::Pass => self.pass(player),
            Action::Call => self.call(player),
            Action::Catch => self.catch(player, rng),
        }
    }

    /// A player leaves for good: the cards go shuffled under the stock, and the turn goes on if
    /// it was theirs. The last one left wins, and as nobody else holds cards, no points.
    ///
    /// # Errors
    /// [`Illegal::NotAPlayer`], [`Illegal::Left`], and [`Illegal::Over`] as there is nothing to
    /// leave then; nothing has changed.
    pub fn leave(&mut self, player: PlayerId, rng: &mut impl Rng) -> Result<(), Illegal> {
        let (round, _) = self.0.playing(player)?;
        self.0.bury(player, rng);
        let seat = self.0.seat_mut(player);
        seat.left = true;
        seat.called = false;
        let next = self.0.next_after(player);
        if self.0.in_play().count() < PLAYERS_MIN {
            self.finish(Some(Won { player: next, points: 0 }));
            self.done(Last::Win { player: next, card: None, other: Some(player) });
            return Ok(());
        }
        self.0.phase = Phase::Playing(Round {
            turn: if round.turn == player { next } else { round.turn },
            catchable: round.catchable.filter(|catchable| *catchable != player),
            // There are the leaver's cards to draw now.
            passes: 0,
        });
        self.done(Last::Leave { player });
        Ok(())
    }

    /// The turn goes on from whoever is away to the next player who is not. For each of those
    /// whom it goes past this counts as a pass, so that it can block the game.
    ///
    /// # Errors
    /// [`Illegal::NotAway`] if whoever is on turn is not, [`Illegal::EverybodyAway`], and
    /// [`Illegal::Over`]; nothing has changed then.
    pub fn skip(&mut self, away: &BTreeSet<PlayerId>) -> Result<(), Illegal> {
        let mut round = self.0.may_skip(|player| away.contains(&player))?;
        let last = Last::Skip { player: round.turn };
        // Somebody is there, so this does not come around.
        for _ in 0..self.0.seats.len() {
            if !away.contains(&round.turn) {
                break;
            }
            let Some(next) = self.pass_on(round) else {
                self.block(last);
                return Ok(());
            };
            round = next;
        }
        self.0.phase = Phase::Playing(round);
        self.done(last);
        Ok(())
    }

    /// How many times this game has changed, over all rounds at this table, deals included.
    pub fn moves(&self) -> u64 {
        self.0.moves
    }

    /// Whether the round is finished, with a winner or without.
    pub fn is_over(&self) -> bool {
        self.turn().is_none()
    }

    /// Who is on turn; nobody when the game is over.
    pub fn turn(&self) -> Option<PlayerId> {
        self.0.round().ok().map(|round| round.turn)
    }

    /// Who won; nobody while it is played and after a blocked game with a tie.
    pub fn winner(&self) -> Option<PlayerId> {
        match self.0.phase {
            Phase::Finished(Some(won)) => Some(won.player),
            Phase::Finished(None) | Phase::Playing(_) => None,
        }
    }

    /// Those who have not left, in the order of play.
    pub fn players(&self) -> impl Iterator<Item = PlayerId> {
        self.0.in_play().map(|seat| seat.player)
    }

    fn play(&mut self, player: PlayerId, card: Card, chosen: Option<Suit>) -> Result<(), Illegal> {
        self.0.may_play(player, card)?;
        let suit = self.0.may_choose(player, card, chosen)?;
        let seat = self.0.seat_mut(player);
        seat.hand.retain(|held| *held != card);
        let (left, called) = (seat.hand.len(), seat.called);
        self.0.pile.push(card);
        self.0.suit = suit;
        if left == 0 {
            self.finish(Some(Won { player, points: self.points_against(player) }));
            self.done(Last::Win { player, card: Some(card), other: None });
            return Ok(());
        }
        self.0.phase = Phase::Playing(Round {
            turn: self.0.next_after(player),
            catchable: (left == 1 && !called).then_some(player),
            passes: 0,
        });
        self.done(Last::Play { player, card, suit: card.is_eight().then_some(suit) });
        Ok(())
    }

    fn draw(&mut self, player: PlayerId, rng: &mut impl Rng) -> Result<(), Illegal> {
        let round = self.0.may_draw(player)?;
        self.0.draw(player, 1, rng);
        self.0.phase = Phase::Playing(Round { catchable: None, ..round });
        self.done(Last::Draw { player });
        Ok(())
    }

    fn pass(&mut self, player: PlayerId) -> Result<(), Illegal> {
        let round = self.0.may_pass(player)?;
        let last = Last::Pass { player };
        match self.pass_on(round) {
            Some(round) => {
                self.0.phase = Phase::Playing(round);
                self.done(last);
            }
            None => self.block(last),
        }
        Ok(())
    }

    fn call(&mut self, player: PlayerId) -> Result<(), Illegal> {
        let round = self.0.may_call(player)?;
        self.0.seat_mut(player).called = true;
        let catchable = round.catchable.filter(|catchable| *catchable != player);
        self.0.phase = Phase::Playing(Round { catchable, ..round });
        self.done(Last::Call { player });
        Ok(())
    }

    fn catch(&mut self, player: PlayerId, rng: &mut impl Rng) -> Result<(), Illegal> {
        let (round, caught) = self.0.may_catch(player)?;
        self.0.draw(caught, CAUGHT_CARDS, rng);
        self.0.phase = Phase::Playing(Round { catchable: None, ..round });
        self.done(Last::Catch { player, other: caught });
        Ok(())
    }

    /// The turn ends without a card. If nobody could do anything since the last card, that is the
    /// end: then there is no next turn.
    fn pass_on(&mut self, round: Round) -> Option<Round> {
        let seat = self.0.seat_mut(round.turn);
        // Who called with two cards has still two, and must say it again.
        seat.called &= seat.hand.len() == 1;
        let passes = if self.0.drawable() == 0 { round.passes + 1 } else { 0 };
        let turn = self.0.next_after(round.turn);
        (passes < self.0.in_play().count()).then_some(Round { turn, catchable: None, passes })
    }

    /// Nobody can do anything. `last` is what led to it, and is told if nobody wins.
    fn block(&mut self, last: Last) {
        let won = self.0.lightest().map(|seat| Won {
            player: seat.player,
            // Each of the others holds more.
            points: self.points_against(seat.player) - seat.hand_points(),
        });
        self.finish(won);
        self.done(won.map_or(last, |won| Last::Win {
            player: won.player,
            card: None,
            other: None,
        }));
    }

    /// What the others hold, in points.
    fn points_against(&self, player: PlayerId) -> u32 {
        self.0.seats.iter().filter(|seat| seat.player != player).map(Seat::hand_points).sum()
    }

    fn finish(&mut self, won: Option<Won>) {
        if let Some(won) = won {
            self.0.seat_mut(won.player).points += won.points;
        }
        for seat in &mut self.0.seats {
            seat.called = false;
        }
        self.0.phase = Phase::Finished(won);
    }

    /// Every change ends here.
    fn done(&mut self, last: Last) {
        self.0.moves += 1;
        self.0.last = last;
    }
}

/// Empty seats for these players.
fn seats(players: &[PlayerId]) -> Result<Vec<Seat>, Illegal> {
    if !(PLAYERS_MIN..=PLAYERS_MAX).contains(&players.len()) {
        return Err(Illegal::Players(players.len()));
    }
    let mut seated = BTreeSet::new();
    if let Some(player) = players.iter().find(|player| !seated.insert(**player)) {
        return Err(Illegal::SeatedTwice(*player));
    }
    let seat = |player| Seat { player, hand: Vec::new(), points: 0, left: false, called: false };
    Ok(players.iter().copied().map(seat).collect())
}
