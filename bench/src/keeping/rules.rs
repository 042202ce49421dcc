// SPDX-License-Identifier: MIT OR Apache-2.0
//! The rules for channels that servers of this module are started with, one for each way of
//! keeping, and the names of the rooms that they match.

use crate::traffic::RoomNames;

/// Every event survives a power cut before it is answered.
pub(crate) const DURABLE: RoomNames = RoomNames("durable");
/// Events are kept in memory only.
pub(crate) const MEMORY: RoomNames = RoomNames("memory");
/// Their truth is asked for.
pub(crate) const RESOLVED: RoomNames = RoomNames("resolved");

/// Events that a channel keeps where a scenario says nothing else; the server's own default.
pub(crate) const KEPT: u32 = 100;

/// The rules in which channels keep so many events, as text of a config file.
pub(crate) fn keeping(events: u32) -> String {
    let rule = |names: RoomNames, durable: bool| {
        format!(
            "[[apps.channels]]\nmatch = \"{}-*\"\nhistory = {{ events = {events}, age = \"1h\" }}\n\
             durable = {durable}\n",
            names.0
        )
    };
    format!("{}{}", rule(DURABLE, true), rule(MEMORY, false))
}

/// The rule in which channels have a truth that is asked for at `url`.
pub(crate) fn asking(url: &str, event: &str) -> String {
    format!(
        "[[apps.channels]]\nmatch = \"{}-*\"\ntruth = {{ event = \"{event}\", url = \"{url}\" }}\n",
        RESOLVED.0
    )
}
