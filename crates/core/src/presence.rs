// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Presence`]: which users are on a presence channel, each with however many connections.

use indexmap::IndexMap;
use oyez_protocol::user::{Member, UserId};

use crate::occupancy::{Expiry, News, Occupancy};
use crate::time::Millis;

/// The members of a channel, in the order in which they came.
#[derive(Debug, Default)]
pub(crate) struct Presence {
    users: IndexMap<UserId, Attendance, foldhash::fast::FixedState>,
    present: usize,
}

#[derive(Debug)]
struct Attendance {
    /// As its first connection described it; a later one changes nothing.
    member: Member,
    connections: u32,
    /// Of the webhook, which waits before it says goodbye.
    occupancy: Occupancy,
}

/// A user's connection came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Joined {
    /// The first one: the others are told; the webhook perhaps.
    First(News),
    /// Another one: nobody needs to know.
    Again,
}

/// A user's connection went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Left {
    /// The last one: the others are told; if a time is given, look then for the webhook.
    Last(Option<Millis>),
    /// Others remain, or it never was here.
    Remains,
}

/// There are as many members as may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Full;

impl Presence {
    pub(crate) fn join(&mut self, member: &Member, limit: usize) -> Result<Joined, Full> {
        if let Some(attendance) = self.users.get_mut(&member.user_id).filter(|a| a.connections > 0)
        {
            attendance.connections += 1;
            return Ok(Joined::Again);
        }
        if self.present >= limit {
            return Err(Full);
        }
        self.present += 1;
        let attendance = self.users.entry(member.user_id.clone()).or_insert_with(|| Attendance {
            member: member.clone(),
            connections: 0,
            occupancy: Occupancy::default(),
        });
        attendance.member = member.clone();
        attendance.connections = 1;
        Ok(Joined::First(attendance.occupancy.arrive()))
    }

    /// `goodbye` is when the webhook shall be told.
    pub(crate) fn leave(&mut self, user: &UserId, goodbye: Millis) -> Left {
        let Some(attendance) = self.users.get_mut(user).filter(|a| a.connections > 0) else {
            return Left::Remains;
        };
        attendance.connections -= 1;
        if attendance.connections > 0 {
            return Left::Remains;
        }
        self.present -= 1;
        Left::Last(attendance.occupancy.leave(goodbye))
    }

    /// A timer for the webhook of a user who left.
    pub(crate) fn expire(&mut self, user: &UserId, now: Millis) -> Expiry {
        let Some(attendance) = self.users.get_mut(user) else { return Expiry::Nothing };
        let expiry = attendance.occupancy.expire(now);
        if expiry == Expiry::Gone {
            self.users.shift_remove(user);
        }
        expiry
    }

    /// Who is here now.
    pub(crate) fn members(&self) -> impl Iterator<Item = &Member> + Clone {
        self.users.values().filter(|a| a.connections > 0).map(|a| &a.member)
    }

    /// How many users are here now.
    pub(crate) fn count(&self) -> usize {
        self.present
    }

    /// Whether not even a goodbye is left to say.
    pub(crate) fn is_empty(&self) -> bool {
        self.users.is_empty()
    }
}
