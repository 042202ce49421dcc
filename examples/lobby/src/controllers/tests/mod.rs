// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the app does, on a real database with a real Oyez.

mod chat;
mod cleaning;
mod house;
mod lobby;
mod presence;
mod table;
