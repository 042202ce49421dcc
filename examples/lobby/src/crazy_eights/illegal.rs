// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Illegal`]: what the rules do not allow, as it is said to the player.

use super::card::{Card, Rank, Suit};
use super::player::PlayerId;
use super::{PLAYERS_MAX, PLAYERS_MIN};

/// Why something was refused and what to do instead. Nothing has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Illegal {
    /// For a deal.
    #[error("Crazy Eights is for {PLAYERS_MIN} to {PLAYERS_MAX} players, and here are {0}.")]
    Players(usize),
    /// For a deal.
    #[error("Player {0} cannot sit on two seats.")]
    SeatedTwice(PlayerId),
    /// For the next round.
    #[error("This round is still being played: finish it first.")]
    StillPlaying,
    /// Everything but the next round.
    #[error("The game is over: start another round to play on.")]
    Over,
    /// Whoever asks has no seat.
    #[error("You do not play in this game: you can join the next one.")]
    NotAPlayer,
    /// Whoever asks has left.
    #[error("You have left this game: you can join the next one.")]
    Left,
    /// To play, draw or pass.
    #[error("It is not your turn: wait until it is.")]
    NotYourTurn,
    /// To play a card.
    #[error("You do not hold {0}: play one of your own cards.")]
    NotHeld(Card),
    /// To play a card.
    #[error(
        "{card} does not fit: play {}, another {} or any eight. If you have none, draw a card, \
         and pass when there is none to draw.",
        suit.name(),
        rank.name()
    )]
    DoesNotFit {
        /// What was to be played.
        card: Card,
        /// The suit to follow.
        suit: Suit,
        /// The rank of the pile's top.
        rank: Rank,
    },
    /// To play an eight that is not the last card.
    #[error("Choose the suit that shall follow your eight.")]
    SuitMissing,
    /// To play a card that is not an eight.
    #[error("Only an eight lets you choose a suit: play {0} without one.")]
    SuitUnasked(Card),
    /// To draw.
    #[error("There is no card to draw: play one that fits, or pass if you have none.")]
    NothingToDraw,
    /// To pass.
    #[error("You can pass only when there is no card to draw: play or draw one.")]
    CanDraw,
    /// To pass.
    #[error("You can pass only when you have no card to play: play one that fits.")]
    CanPlay,
    /// To call.
    #[error("You have said “last card” already: once is enough.")]
    CalledAlready,
    /// To call.
    #[error(
        "Say “last card” when it is your turn and you hold two cards, or when you have just \
         played down to one and the next player has done nothing yet."
    )]
    NothingToCall,
    /// To catch.
    #[error("You cannot catch yourself: say “last card” before somebody else catches you.")]
    CatchYourself,
    /// To catch.
    #[error(
        "Nobody can be caught now: only who came down to one card without saying “last card”, and \
         only until the next player has done something."
    )]
    NobodyToCatch,
    /// To skip.
    #[error("Player {0} is on turn and not away: wait for them.")]
    NotAway(PlayerId),
    /// To skip.
    #[error("Everybody is away: the game waits until somebody is back.")]
    EverybodyAway,
}
