// SPDX-License-Identifier: MIT OR Apache-2.0
//! What random players try.

use std::collections::BTreeSet;

use proptest::collection::btree_set;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use rand::rngs::StdRng;

use super::super::{Action, Card, DECK_CARDS, Game, Illegal, PlayerId, Suit, deck};
use super::{card, players};

/// What somebody tries. Much of it is illegal.
#[derive(Clone, Debug)]
pub(super) enum Attempt {
    Act(Who, Wish),
    Leave(Who),
    /// These are away, and with `Who::OnTurn` whoever is on turn is, too.
    Skip(Option<Who>, BTreeSet<PlayerId>),
}

#[derive(Clone, Debug)]
pub(super) enum Who {
    OnTurn,
    /// By number, and there may be no such player.
    Player(PlayerId),
}

#[derive(Clone, Debug)]
pub(super) enum Wish {
    /// One of the cards that the hand says are playable, with the suit if it is an eight.
    PlayFitting(usize, Suit),
    PlayHeld(usize, Option<Suit>),
    PlayAny(Card, Option<Suit>),
    Draw,
    Pass,
    Call,
    Catch,
}

fn player() -> impl Strategy<Value = PlayerId> {
    (1..=7_i64).prop_map(PlayerId)
}

fn who() -> impl Strategy<Value = Who> {
    prop_oneof![4 => Just(Who::OnTurn), 1 => player().prop_map(Who::Player)]
}

fn suit() -> impl Strategy<Value = Suit> {
    select(&Suit::ALL[..])
}

fn wish() -> impl Strategy<Value = Wish> {
    let cards: Vec<Card> = deck::sorted().collect();
    prop_oneof![
        8 => (any::<usize>(), suit()).prop_map(|(nth, suit)| Wish::PlayFitting(nth, suit)),
        2 => (any::<usize>(), option::of(suit())).prop_map(|(nth, suit)| Wish::PlayHeld(nth, suit)),
        1 => (select(cards), option::of(suit())).prop_map(|(card, suit)| Wish::PlayAny(card, suit)),
        8 => Just(Wish::Draw),
        3 => Just(Wish::Pass),
        3 => Just(Wish::Call),
    ]
}

pub(super) fn attempt() -> impl Strategy<Value = Attempt> {
    let skipped = (option::of(Just(Who::OnTurn)), btree_set(player(), 0..6));
    prop_oneof![
        60 => (who(), wish()).prop_map(|(who, wish)| Attempt::Act(who, wish)),
        4 => player().prop_map(|player| Attempt::Act(Who::Player(player), Wish::Catch)),
        4 => player().prop_map(|player| Attempt::Act(Who::Player(player), Wish::Call)),
        1 => who().prop_map(Attempt::Leave),
        4 => skipped.prop_map(|(who, away)| Attempt::Skip(who, away)),
    ]
}

impl Who {
    /// When it is over, the first one stands for whoever was on turn.
    fn of(&self, game: &Game) -> PlayerId {
        match self {
            Self::OnTurn => game.turn().unwrap_or(PlayerId(1)),
            Self::Player(player) => *player,
        }
    }
}

impl Wish {
    fn action(&self, game: &Game, player: PlayerId) -> Action {
        let hand = game.hand(player);
        let nth = |cards: Vec<Card>, nth: usize| match cards.len() {
            0 => card("AS"),
            count => cards[nth % count],
        };
        match self {
            Self::PlayFitting(index, suit) => {
                let card = nth(hand.map(|hand| hand.playable).unwrap_or_default(), *index);
                Action::Play { card, suit: card.is_eight().then_some(*suit) }
            }
            Self::PlayHeld(index, suit) => {
                let card = nth(hand.map(|hand| hand.cards).unwrap_or_default(), *index);
                Action::Play { card, suit: *suit }
            }
            Self::PlayAny(card, suit) => Action::Play { card: *card, suit: *suit },
            Self::Draw => Action::Draw,
            Self::Pass => Action::Pass,
            Self::Call => Action::Call,
            Self::Catch => Action::Catch,
        }
    }
}

/// How many cards whoever begins draws at first: in many games so many that none is left.
pub(super) fn drawn() -> impl Strategy<Value = usize> {
    prop_oneof![2 => Just(0), 1 => 0..DECK_CARDS, 1 => Just(DECK_CARDS)]
}

pub(super) fn dealt(count: i64, drawn: usize, rng: &mut StdRng) -> Game {
    let mut game = Game::deal(&players(count), rng).unwrap();
    for _ in 0..drawn.min(game.0.drawable()) {
        game.act(PlayerId(1), Action::Draw, rng).unwrap();
    }
    game
}

pub(super) fn attempt_on(
    game: &mut Game,
    attempt: &Attempt,
    rng: &mut StdRng,
) -> Result<(), Illegal> {
    match attempt {
        Attempt::Act(who, wish) => {
            let player = who.of(game);
            game.act(player, wish.action(game, player), rng)
        }
        Attempt::Leave(who) => game.leave(who.of(game), rng),
        Attempt::Skip(who, away) => {
            let on_turn = who.iter().map(|who| who.of(game));
            game.skip(&away.iter().copied().chain(on_turn).collect())
        }
    }
}
