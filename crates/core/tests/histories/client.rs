// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Client`]: one connection and what it hears on each of its channels.

use std::collections::BTreeMap;

use oyez_core::{AppIndex, Place, UserPresence};
use oyez_protocol::socket_id::SocketId;

use crate::heard::{Heard, Info, User};
use crate::reference::{Begin, Entry};

#[derive(Debug)]
pub(crate) struct Client {
    pub(crate) place: Place,
    pub(crate) socket: SocketId,
    pub(crate) app: AppIndex,
    /// By the channel's number in the reference.
    pub(crate) subscriptions: BTreeMap<usize, Subscription>,
    /// As whom it is signed in, by the number in the reference.
    pub(crate) user: Option<usize>,
    /// Whom it watches, and the last word about them.
    pub(crate) watching: BTreeMap<usize, Option<UserPresence>>,
    /// Its connection is about to be closed.
    pub(crate) is_told_to_go: bool,
}

/// One subscription of a client.
#[derive(Debug)]
pub(crate) struct Subscription {
    pub(crate) state: State,
    pub(crate) user: Option<User>,
    /// The members as a client counts them: the snapshot and every change since.
    pub(crate) members: Option<BTreeMap<User, Info>>,
    /// How many they are, as it was told last.
    pub(crate) count: Option<usize>,
    /// The last offset of the channel's log that it knows of.
    offset: Option<u64>,
    /// The first entry of the reference's log that it has not heard.
    next: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// Its home has not answered.
    Pending,
    /// It has left before its home answered.
    Leaving,
    /// It hears the channel.
    Live,
}

impl Client {
    pub(crate) fn new(place: Place, socket: SocketId, app: AppIndex) -> Client {
        Client {
            place,
            socket,
            app,
            subscriptions: BTreeMap::new(),
            user: None,
            watching: BTreeMap::new(),
            is_told_to_go: false,
        }
    }
}

impl Subscription {
    pub(crate) fn pending() -> Subscription {
        Subscription {
            state: State::Pending,
            user: None,
            members: None,
            count: None,
            offset: None,
            next: 0,
        }
    }

    pub(crate) fn begin(user: Option<User>, begin: &Begin) -> Subscription {
        let Heard::Succeeded { cut, members } = begin.frames[0].as_ref() else {
            panic!("the acknowledgement is first")
        };
        Subscription {
            state: State::Live,
            user,
            members: members.clone(),
            count: None,
            offset: cut.as_ref().map(|cut| cut.offset),
            next: begin.position,
        }
    }

    /// G1 to G4: the next frame is the next entry of the log that is not kept from it.
    pub(crate) fn hear(&mut self, heard: &Heard, log: &[Entry], socket: SocketId) {
        if let Heard::Count(count) = heard {
            self.count = Some(*count);
            return;
        }
        while let Some(entry) = log.get(self.next).filter(|e| e.exclude == Some(socket)) {
            self.offset = advance(self.offset, &entry.heard);
            self.next += 1;
        }
        let entry = log.get(self.next).expect("nothing is heard that was not said");
        assert_eq!(*heard, entry.heard, "everything is heard, once and in order");
        self.offset = advance(self.offset, heard);
        if let Heard::Event { offset: Some(offset), .. } = heard {
            assert_eq!(self.offset, Some(*offset), "offsets leave no hole");
        }
        self.next += 1;
        self.change(heard);
    }

    /// Counts the members as `pusher-js` does.
    fn change(&mut self, heard: &Heard) {
        let (Heard::Added { user, .. } | Heard::Removed { user }) = heard else { return };
        assert_ne!(self.user, Some(*user), "P-031: nobody hears of itself");
        let members = self.members.as_mut().expect("P-029: the snapshot comes first");
        if let Heard::Added { user, info } = heard {
            assert_eq!(members.insert(*user, *info), None, "P-030: only its first connection");
        } else {
            assert!(members.remove(user).is_some(), "P-030: only its last connection");
        }
    }

    /// Nothing is left that it ought to have heard.
    pub(crate) fn check_rest(&self, log: &[Entry], socket: SocketId) {
        assert_eq!(self.state, State::Live, "every subscription is answered");
        let missing = log[self.next..].iter().find(|entry| entry.exclude != Some(socket));
        assert!(missing.is_none(), "never heard: {missing:?}");
    }
}

/// An event from the backend takes an offset, whether one hears it or not.
fn advance(offset: Option<u64>, heard: &Heard) -> Option<u64> {
    match heard {
        Heard::Event { offset: Some(_), .. } => offset.map(|offset| offset + 1),
        _ => offset,
    }
}
