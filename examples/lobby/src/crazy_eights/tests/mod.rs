// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the rules promise, and how the tests lay a table. Players are 1, 2, 3 … by seat, and 1 is
//! on turn.

mod attempt;
mod cards;
mod deal;
mod end;
mod last_card;
mod random;

mod skip;
mod stored;
mod turn;
mod view;

use std::collections::BTreeSet;

use rand::SeedableRng;
use rand::rngs::StdRng;

use super::last::Last;
use super::player::Seat;
use super::table::{Phase, Round, Table};
use super::{Action, Card, Game, Illegal, PlayerId, Suit, deck};

/// Where the cards are that a test does not name.
#[derive(Clone, Copy, Debug)]
enum Rest {
    Stock,
    /// Below the named ones.
    Pile,
    /// With the player of this number, besides the named ones.
    Hand(i64),
}

/// A table with these cards; the last of the pile is its top, and an eight asks for its own suit.
#[track_caller]
fn lay(pile: &str, hands: &[&str], rest: Rest) -> Game {
    let mut pile = cards(pile);
    let mut seats: Vec<Seat> = (1..)
        .zip(hands)
        .map(|(number, hand)| Seat {
            player: PlayerId(number),
            hand: cards(hand),
            points: 0,
            left: false,
            called: false,
        })
        .collect();
    let named: BTreeSet<Card> =
        pile.iter().chain(seats.iter().flat_map(|seat| &seat.hand)).copied().collect();
    let unnamed = deck::sorted().filter(|card| !named.contains(card));
    let mut stock = Vec::new();
    match rest {
        Rest::Stock => stock.extend(unnamed),
        Rest::Pile => pile = unnamed.chain(pile).collect(),
        Rest::Hand(number) => {
            let seat = seats.iter_mut().find(|seat| seat.player == PlayerId(number)).unwrap();
            seat.hand.extend(unnamed);
        }
    }
    let suit = pile.last().unwrap().suit;
    let game = Game(Table {
        moves: 1,
        seats,
        stock,
        pile,
        suit,
        first: PlayerId(1),
        phase: Phase::Playing(Round { turn: PlayerId(1), catchable: None, passes: 0 }),
        last: Last::Deal { player: PlayerId(1) },
    });
    assert_eq!(game.0.check(), Ok(()));
    game
}

fn cards(text: &str) -> Vec<Card> {
    text.split_whitespace().map(card).collect()
}

fn card(text: &str) -> Card {
    text.parse().unwrap()
}

fn play(text: &str) -> Action {
    Action::Play { card: card(text), suit: None }
}

fn eight(text: &str, suit: Suit) -> Action {
    Action::Play { card: card(text), suit: Some(suit) }
}

fn players(count: i64) -> Vec<PlayerId> {
    (1..=count).map(PlayerId).collect()
}

fn away(numbers: &[i64]) -> BTreeSet<PlayerId> {
    numbers.iter().copied().map(PlayerId).collect()
}

fn rng() -> StdRng {
    StdRng::seed_from_u64(8)
}

/// The player does it, which is one move, and the table is as tables must be.
#[track_caller]
fn does(game: &mut Game, player: i64, action: Action) {
    let moves = game.moves();
    assert_eq!(game.act(PlayerId(player), action, &mut rng()), Ok(()));
    assert_eq!(game.moves(), moves + 1);
    assert_eq!(game.0.check(), Ok(()));
}

#[track_caller]
fn leaves(game: &mut Game, player: i64) {
    let moves = game.moves();
    assert_eq!(game.leave(PlayerId(player), &mut rng()), Ok(()));
    assert_eq!(game.moves(), moves + 1);
    assert_eq!(game.0.check(), Ok(()));
}

#[track_caller]
fn skips(game: &mut Game, numbers: &[i64]) {
    let moves = game.moves();
    assert_eq!(game.skip(&away(numbers)), Ok(()));
    assert_eq!(game.moves(), moves + 1);
    assert_eq!(game.0.check(), Ok(()));
}

/// The player is refused, and nothing has changed.
#[track_caller]
fn refused(game: &mut Game, player: i64, action: Action, why: Illegal) {
    let before = game.clone();
    assert_eq!(game.act(PlayerId(player), action, &mut rng()), Err(why));
    assert_eq!(*game, before);
}

#[track_caller]
fn held(game: &Game, player: i64) -> usize {
    game.0.seat(PlayerId(player)).unwrap().hand.len()
}

fn catchable(game: &Game) -> Option<i64> {
    game.0.round().unwrap().catchable.map(|player| player.0)
}

fn turn(game: &Game) -> i64 {
    game.turn().unwrap().0
}

fn called(game: &Game, player: i64) -> bool {
    game.0.seat(PlayerId(player)).unwrap().called
}
