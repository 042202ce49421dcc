// SPDX-License-Identifier: MIT OR Apache-2.0
//! The founding app: people register, make a game, share its link, see each other join, chat and
//! play a card game to its end. Everything that a page shows is a truth of the server.

pub mod crazy_eights;
