// SPDX-License-Identifier: MIT OR Apache-2.0
//! What may be seen of a game: the table by everybody ([`TableView`], the `GAME_STATE` event),
//! a hand by its owner ([`HandView`], the `HAND` event). A [`TableView`] names no card but the top
//! of the pile and the card played last.

use serde::Serialize;

use super::card::{Card, Suit};
use super::game::Game;
use super::last::Last;
use super::player::PlayerId;
use super::table::Phase;

/// Where a game is on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Nothing has been dealt yet.
    Lobby,
    /// Somebody is on turn.
    Playing,
    /// With a winner or without.
    Finished,
}

/// What everybody may see. `P` is how a player is shown: a [`SeatView`] and what the app knows
/// besides, such as a name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TableView<P> {
    /// Where the game is on its way.
    pub status: Status,
    /// How many times the game has changed; 0 before the first deal.
    #[serde(rename = "move")]
    pub moves: u64,
    /// In the order of play.
    pub players: Vec<P>,
    /// Who is on turn.
    pub turn: Option<PlayerId>,
    /// The top of the pile.
    pub top: Option<Card>,
    /// The suit to follow; also that of the last card when the game is over.
    pub suit: Option<Suit>,
    /// The cards of the stock. At 0 the next draw takes from the pile, if that has more than its
    /// top.
    pub stock: usize,
    /// Who can be caught.
    pub catchable: Option<PlayerId>,
    /// Who won.
    pub winner: Option<PlayerId>,
    /// How many points the winner won in this round.
    pub won: Option<u32>,
    /// What happened last.
    pub last: Option<Last>,
}

impl<P> TableView<P> {
    /// Before the first deal.
    pub fn lobby(players: Vec<P>) -> Self {
        Self {
            status: Status::Lobby,
            moves: 0,
            players,
            turn: None,
            top: None,
            suit: None,
            stock: 0,
            catchable: None,
            winner: None,
            won: None,
            last: None,
        }
    }
}

/// What everybody may see of a player.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct SeatView {
    /// Who it is.
    pub id: PlayerId,
    /// How many cards they hold.
    pub cards: usize,
    /// What they won in all rounds at this table.
    pub points: u32,
    /// Whether they have left this round.
    pub left: bool,
    /// Whether they have said "last card" and it counts.
    pub called: bool,
}

/// What a player may see of their own hand, and what they may do with it now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct HandView {
    /// How many times the game has changed.
    #[serde(rename = "move")]
    pub moves: u64,
    /// Their cards, by suit and rank.
    pub cards: Vec<Card>,
    /// Those of them that may be played now, in the same order. None when not on turn.
    pub playable: Vec<Card>,
    /// Whether they may draw.
    pub may_draw: bool,
    /// Whether they may pass.
    pub may_pass: bool,
    /// Whether they may say "last card".
    pub may_call: bool,
}

impl Game {
    /// What everybody may see; `show` makes of each seat what is shown of its player.
    pub fn table<P>(&self, show: impl FnMut(SeatView) -> P) -> TableView<P> {
        let (status, round, won) = match self.0.phase {
            Phase::Playing(round) => (Status::Playing, Some(round), None),
            Phase::Finished(won) => (Status::Finished, None, won),
        };
        TableView {
            status,
            moves: self.moves(),
            players: self.seats().map(show).collect(),
            turn: round.map(|round| round.turn),
            top: Some(self.0.top()),
            suit: Some(self.0.suit),
            stock: self.0.stock.len(),
            catchable: round.and_then(|round| round.catchable),
            winner: won.map(|won| won.player),
            won: won.map(|won| won.points),
            last: Some(self.0.last),
        }
    }

    /// What everybody may see of the players, in the order of play; those who left are there too.
    pub fn seats(&self) -> impl Iterator<Item = SeatView> {
        self.0.seats.iter().map(|seat| SeatView {
            id: seat.player,
            cards: seat.hand.len(),
            points: seat.points,
            left: seat.left,
            called: seat.called,
        })
    }

    /// What `player` may see of their own hand: show it to nobody else. `None` for somebody who
    /// has no seat.
    pub fn hand(&self, player: PlayerId) -> Option<HandView> {
        let mut cards = self.0.seat(player)?.hand.clone();
        cards.sort_unstable();
        let playable =
            cards.iter().copied().filter(|card| self.0.may_play(player, *card).is_ok()).collect();
        Some(HandView {
            moves: self.moves(),
            cards,
            playable,
            may_draw: self.0.may_draw(player).is_ok(),
            may_pass: self.0.may_pass(player).is_ok(),
            may_call: self.0.may_call(player).is_ok(),
        })
    }
}
