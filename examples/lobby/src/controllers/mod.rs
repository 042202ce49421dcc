// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the app does: changes of the database, each in one transaction that is followed by
//! `changed`; and, in the files named `…_pusher`, the truths: functions from an id to what a page
//! shows.

pub(crate) mod audience;
pub(crate) mod chat;
pub(crate) mod chat_pusher;
pub(crate) mod game_pusher;
pub(crate) mod games_pusher;
pub(crate) mod lobby;
pub(crate) mod table;
pub(crate) mod table_pusher;

#[cfg(test)]
mod tests;
