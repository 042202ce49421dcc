// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Worker`]: the sockets of one worker, as the contract of [`Command::Subscribe`] has them: for
//! each `Subscribed` exactly one `Unsubscribe`, and a client that leaves before its home has
//! answered only marks its subscription.
//!
//! Each [`Client`] hears its frames as a browser would and compares them with the reference's log.

use std::collections::BTreeMap;

use oyez_core::{AppIndex, Command, Place, UserPresence, WorkerId};

use crate::client::{Client, State, Subscription};
use crate::heard::User;
use crate::names;
use crate::reference::{Letter, Reference};

#[derive(Debug)]
pub(crate) struct Worker {
    pub(crate) id: WorkerId,
    seats: Vec<Seat>,
    connections: u32,
}

#[derive(Debug, Default)]
struct Seat {
    serial: u32,
    client: Option<Client>,
}

impl Worker {
    pub(crate) fn new(id: WorkerId, seats: usize) -> Worker {
        Worker { id, seats: (0..seats).map(|_| Seat::default()).collect(), connections: 0 }
    }

    /// The clients that are connected.
    pub(crate) fn clients(&self) -> impl Iterator<Item = &Client> {
        self.seats.iter().filter_map(|seat| seat.client.as_ref())
    }

    /// The client in that seat.
    pub(crate) fn client(&mut self, slot: u32) -> Option<&mut Client> {
        self.seats[slot as usize].client.as_mut()
    }

    fn at(&mut self, place: Place) -> Option<&mut Client> {
        self.client(place.slot).filter(|client| client.place == place)
    }

    /// Seats somebody, if a seat is free. Seats are taken again and again.
    pub(crate) fn connect(&mut self, app: AppIndex) -> Option<Place> {
        let slot = self.seats.iter().position(|seat| seat.client.is_none())?;
        let seat = &mut self.seats[slot];
        seat.serial += 1;
        let place = Place { worker: self.id, slot: slot as u32, serial: seat.serial };
        let socket = names::socket_id(self.id, self.connections);
        self.connections += 1;
        seat.client = Some(Client::new(place, socket, app));
        Some(place)
    }

    /// A connection is no more, without a word. Answers what homes must be told.
    pub(crate) fn die(&mut self, slot: u32, reference: &Reference) -> Vec<Command> {
        let Some(client) = self.seats[slot as usize].client.take() else { return Vec::new() };
        let place = client.place;
        let mut commands = Vec::new();
        for (channel, subscription) in client.subscriptions {
            // What its home has not answered yet is answered to nobody.
            if subscription.state == State::Live {
                commands.push(leave(reference, channel, place, subscription.user));
            }
        }
        if let Some(user) = client.user {
            commands.push(Command::SignOut { key: reference.users[user].key.clone(), place });
        }
        for user in client.watching.into_keys() {
            commands.push(Command::Unwatch { key: reference.users[user].key.clone(), place });
        }
        commands
    }

    /// The client of that seat no longer wants the channel. Answers what its home must be told.
    pub(crate) fn unsubscribe(
        &mut self,
        slot: u32,
        channel: usize,
        reference: &Reference,
    ) -> Option<Command> {
        let client = self.client(slot)?;
        let subscription = client.subscriptions.get_mut(&channel)?;
        match subscription.state {
            State::Leaving => None,
            State::Pending => {
                subscription.state = State::Leaving;
                None
            }
            State::Live => {
                let user = subscription.user;
                client.subscriptions.remove(&channel);
                Some(leave(reference, channel, client.place, user))
            }
        }
    }

    /// Reads a letter of a home. Answers what that home must be told.
    pub(crate) fn read(&mut self, letter: Letter, reference: &Reference) -> Option<Command> {
        match letter {
            Letter::Event { channel, heard, exclude } => {
                for client in self.seats.iter_mut().filter_map(|seat| seat.client.as_mut()) {
                    let socket = client.socket;
                    if let Some(subscription) = client.subscriptions.get_mut(&channel)
                        && subscription.state == State::Live
                        && exclude != Some(socket)
                    {
                        subscription.hear(&heard, &reference.channels[channel].log, socket);
                    }
                }
                None
            }
            Letter::Subscribed { channel, place, user, begin } => {
                let leave = || Some(leave(reference, channel, place, user));
                let Some(client) = self.at(place) else { return leave() };
                let Some(subscription) = client.subscriptions.get_mut(&channel) else {
                    return leave();
                };
                match subscription.state {
                    State::Live => panic!("a subscription is answered twice"),
                    State::Leaving => {
                        client.subscriptions.remove(&channel);
                        leave()
                    }
                    State::Pending => {
                        *subscription = Subscription::begin(user, &begin);
                        None
                    }
                }
            }
            Letter::Refused { channel, place } => {
                if let Some(client) = self.at(place) {
                    let subscription = client.subscriptions.remove(&channel);
                    let state = subscription.expect("whoever is answered has asked").state;
                    assert_ne!(state, State::Live, "a subscription is answered twice");
                }
                None
            }
            Letter::Word { place, user, presence } => {
                self.word(place, user, presence, reference);
                None
            }
            Letter::Close { place } => {
                if let Some(client) = self.at(place) {
                    client.is_told_to_go = true;
                }
                None
            }
        }
    }

    fn word(&mut self, place: Place, user: User, presence: UserPresence, reference: &Reference) {
        let Some(client) = self.at(place) else { return };
        let is_it = |(at, _): &(&usize, &mut Option<UserPresence>)| {
            reference.users[**at].is(&names::user_id(user))
        };
        let (_, word) = client.watching.iter_mut().find(is_it).expect("whoever is watched");
        *word = Some(presence);
    }

    /// Everybody's words at rest: nothing is on its way and nothing is due.
    pub(crate) fn check_rest(&self, reference: &Reference, truth: &Truth) {
        for client in self.clients() {
            for (channel, subscription) in &client.subscriptions {
                let log = &reference.channels[*channel].log;
                subscription.check_rest(log, client.socket);
                let channel_truth = &truth.channels[*channel];
                if let Some(members) = &subscription.members {
                    assert_eq!(*members, channel_truth.members, "T-029: {channel}");
                }
                if reference.counts(*channel) {
                    let total = channel_truth.per_worker.iter().sum::<u32>() as usize;
                    assert_eq!(subscription.count, Some(total), "P-053: {channel}");
                }
            }
            for (user, word) in &client.watching {
                let expected = match truth.signed_in.contains_key(user) {
                    true => UserPresence::Online,
                    false => UserPresence::Offline,
                };
                assert_eq!(*word, Some(expected), "P-058: user {user}");
            }
        }
    }
}

/// What the sockets that are alive make true, whatever anybody was told.
#[derive(Debug)]
pub(crate) struct Truth {
    pub(crate) channels: Vec<ChannelTruth>,
    /// Users by how many connections they have.
    pub(crate) signed_in: BTreeMap<usize, u32>,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct ChannelTruth {
    pub(crate) per_worker: Vec<u32>,
    pub(crate) members: BTreeMap<User, crate::heard::Info>,
}

fn leave(reference: &Reference, channel: usize, place: Place, user: Option<User>) -> Command {
    let key = reference.channels[channel].key.clone();
    Command::Unsubscribe { key, place, user: user.map(names::user_id) }
}
