// SPDX-License-Identifier: MIT OR Apache-2.0
//! Who on this worker hears which channel: [`Subscriptions`] of one connection and
//! [`LocalChannels`] of all, each pointing at the other, so that joining, leaving and delivering
//! take no search however many there are.

use hashbrown::hash_map::Entry;
use oyez_core::{ChannelKey, KeyMap, Speaks};
use oyez_protocol::delta::{Checksum, DeltaKind};
use oyez_protocol::message::Aware;
use oyez_protocol::position::Offset;
use oyez_protocol::user::UserId;
use slab::Slab;

/// A channel that somebody on this worker is subscribed to, or about to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct LocalId(u32);

/// The channels of a worker.
#[derive(Debug, Default)]
pub(crate) struct LocalChannels {
    ids: KeyMap<LocalId>,
    channels: Slab<LocalChannel>,
}

#[derive(Debug)]
struct LocalChannel {
    key: ChannelKey,
    subscribers: Vec<Subscriber>,
    /// Subscriptions, whether they hear it already or not.
    held: u32,
    /// On channels with memory.
    place: Option<LogPlace>,
}

/// A connection that hears a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Subscriber {
    pub(crate) slot: u32,
    pub(crate) view: View,
    pub(crate) pace: Pace,
}

/// How a subscriber sees the channel's log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct View(u8);

/// Whether a subscriber keeps up with what is published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pace {
    /// It is due every frame.
    Live,
    /// It is due nothing: it will ask for what it missed when it has room.
    Behind,
}

/// Where this worker is in a channel's log: what came in its queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LogPlace {
    pub(crate) offset: Offset,
    /// Of the truth, where it is known.
    pub(crate) sum: Option<Checksum>,
}

impl View {
    const COUNTS: u8 = 1;
    const MERGE: u8 = 2;
    const PATCH: u8 = 4;
    const MISSED_TRUTH: u8 = 8;

    /// As a client has described itself.
    pub(crate) fn of(aware: Option<&Aware>) -> View {
        let Some(aware) = aware else { return View::default() };
        let bit = |kind, bit| if aware.deltas.has(kind) { bit } else { 0 };
        let deltas = bit(DeltaKind::Merge, View::MERGE) | bit(DeltaKind::Patch, View::PATCH);
        View(View::COUNTS | deltas)
    }

    /// Whether it counts offsets.
    pub(crate) fn counts(self) -> bool {
        self.0 & View::COUNTS != 0
    }

    /// Whether it can apply changes of that kind now.
    pub(crate) fn takes(self, kind: DeltaKind) -> bool {
        let bit = match kind {
            DeltaKind::Merge => View::MERGE,
            DeltaKind::Patch => View::PATCH,
        };
        self.0 & bit != 0 && !self.lacks_truth()
    }

    /// Whether the newest truth was kept from it, because it had said that itself: nothing that
    /// builds on that truth is of use to it.
    pub(crate) fn lacks_truth(self) -> bool {
        self.0 & View::MISSED_TRUTH != 0
    }

    /// The same view after a new truth, which was kept from it or not.
    #[must_use]
    pub(crate) fn after_truth(self, is_excluded: bool) -> View {
        let bit = if is_excluded { View::MISSED_TRUTH } else { 0 };
        View(self.0 & !View::MISSED_TRUTH | bit)
    }

    pub(crate) fn speaks(self) -> Speaks {
        if self.counts() { Speaks::Oyez } else { Speaks::Pusher }
    }
}

/// One subscription of a connection.
#[derive(Debug)]
pub(crate) struct Subscription {
    channel: LocalId,
    pub(crate) state: State,
    pub(crate) view: View,
    /// As whom, on presence channels.
    pub(crate) user: Option<UserId>,
}

/// How far a subscription is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// Its home has not answered.
    Pending,
    /// The client has left before its home answered: when it does, leave.
    Leaving,
    /// The same, and then it came back: leave, and subscribe again.
    Returning,
    /// It hears the channel; this is its place among the channel's subscribers.
    Live(u32),
}

/// The subscriptions of one connection, sorted by channel.
#[derive(Debug, Default)]
pub(crate) struct Subscriptions(Vec<Subscription>);

impl LocalChannels {
    pub(crate) fn find(&self, key: &ChannelKey) -> Option<LocalId> {
        self.ids.get(key).copied()
    }

    pub(crate) fn key(&self, id: LocalId) -> &ChannelKey {
        &self.channels[id.0 as usize].key
    }

    /// Who hears it.
    pub(crate) fn subscribers(&self, id: LocalId) -> &[Subscriber] {
        &self.channels[id.0 as usize].subscribers
    }

    /// The one of that place among them.
    pub(crate) fn subscriber_mut(&mut self, id: LocalId, place: u32) -> Option<&mut Subscriber> {
        self.channels[id.0 as usize].subscribers.get_mut(place as usize)
    }

    /// Where this worker is in the channel's log.
    pub(crate) fn log_place(&self, id: LocalId) -> Option<LogPlace> {
        self.channels[id.0 as usize].place
    }

    /// It is there now.
    pub(crate) fn move_log(&mut self, id: LocalId, place: LogPlace) {
        self.channels[id.0 as usize].place = Some(place);
    }

    /// Holds the channel for one more subscription.
    pub(crate) fn hold(&mut self, key: &ChannelKey) -> LocalId {
        let id = match self.ids.entry(key.clone()) {
            Entry::Occupied(entry) => *entry.get(),
            Entry::Vacant(entry) => {
                let key = key.clone();
                let channel = LocalChannel { key, subscribers: Vec::new(), held: 0, place: None };
                *entry.insert(LocalId(self.channels.insert(channel) as u32))
            }
        };
        self.channels[id.0 as usize].held += 1;
        id
    }

    /// Lets go of what [`LocalChannels::hold`] held.
    pub(crate) fn release(&mut self, id: LocalId) {
        let channel = &mut self.channels[id.0 as usize];
        channel.held -= 1;
        if channel.held == 0 {
            let key = self.channels.remove(id.0 as usize).key;
            self.ids.remove(&key);
            if self.ids.len() * 8 < self.ids.capacity() {
                self.ids.shrink_to_fit();
            }
        }
    }

    /// A connection hears the channel from now on; answers its place.
    pub(crate) fn join(&mut self, id: LocalId, slot: u32, view: View) -> u32 {
        let subscribers = &mut self.channels[id.0 as usize].subscribers;
        subscribers.push(Subscriber { slot, view, pace: Pace::Live });
        (subscribers.len() - 1) as u32
    }

    /// It no longer does. If another connection took its place, its slot is answered: that
    /// connection's subscription must be told with [`Subscriptions::moved`].
    pub(crate) fn leave(&mut self, id: LocalId, place: u32) -> Option<u32> {
        let subscribers = &mut self.channels[id.0 as usize].subscribers;
        subscribers.swap_remove(place as usize);
        if subscribers.len() * 4 < subscribers.capacity() {
            subscribers.shrink_to(subscribers.len() * 2);
        }
        subscribers.get(place as usize).map(|other| other.slot)
    }
}

impl Subscriptions {
    fn at(&self, channel: LocalId) -> Result<usize, usize> {
        self.0.binary_search_by_key(&channel, |subscription| subscription.channel)
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn get_mut(&mut self, channel: LocalId) -> Option<&mut Subscription> {
        let at = self.at(channel).ok()?;
        self.0.get_mut(at)
    }

    /// Adds one that its home has not answered yet.
    pub(crate) fn insert(&mut self, channel: LocalId, view: View) {
        if let Err(at) = self.at(channel) {
            if self.0.is_empty() {
                // Most connections have one: do not pay for four.
                self.0.reserve_exact(1);
            }
            self.0.insert(at, Subscription { channel, state: State::Pending, view, user: None });
        }
    }

    pub(crate) fn remove(&mut self, channel: LocalId) -> Option<Subscription> {
        let at = self.at(channel).ok()?;
        let subscription = self.0.remove(at);
        if self.0.is_empty() {
            self.0 = Vec::new();
        }
        Some(subscription)
    }

    /// Its place among the channel's subscribers is another one now.
    pub(crate) fn moved(&mut self, channel: LocalId, place: u32) {
        if let Some(subscription) = self.get_mut(channel) {
            subscription.state = State::Live(place);
        }
    }

    /// All of them.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (LocalId, &Subscription)> {
        self.0.iter().map(|subscription| (subscription.channel, subscription))
    }

    /// Takes the last one.
    pub(crate) fn pop(&mut self) -> Option<(LocalId, Subscription)> {
        self.0.pop().map(|subscription| (subscription.channel, subscription))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use oyez_core::{AppIndex, KeySpace};
    use oyez_protocol::channel::ChannelName;

    #[test]
    fn joining_and_leaving_at_random_keeps_every_place_right() {
        use rand::{RngExt, SeedableRng, rngs::StdRng};
        const SEED: u64 = 7;
        let mut rng = StdRng::seed_from_u64(SEED);
        let space = KeySpace::new(1);
        let keys: Vec<_> = (0..5)
            .map(|i| ChannelName::parse(&format!("c{i}"), 164).expect("a valid name"))
            .map(|name| space.key(AppIndex(0), name))
            .collect();
        let mut channels = LocalChannels::default();
        let mut connections: Vec<Subscriptions> =
            (0..20).map(|_| Subscriptions::default()).collect();
        for _ in 0..10_000 {
            let (slot, key) = (rng.random_range(0..20_u32), &keys[rng.random_range(0..5)]);
            let held = channels.find(key).filter(|id| connections[slot as usize].at(*id).is_ok());
            match held {
                None => {
                    let id = channels.hold(key);
                    connections[slot as usize].insert(id, View::default());
                    let place = channels.join(id, slot, View::default());
                    connections[slot as usize].moved(id, place);
                }
                Some(id) => {
                    let subscription = connections[slot as usize].remove(id).expect("held");
                    let State::Live(place) = subscription.state else { panic!("live") };
                    if let Some(other) = channels.leave(id, place) {
                        connections[other as usize].moved(id, place);
                    }
                    channels.release(id);
                }
            }
            for (slot, subscriptions) in connections.iter().enumerate() {
                for subscription in &subscriptions.0 {
                    let State::Live(place) = subscription.state else {
                        panic!("live, seed {SEED}")
                    };
                    let subscribers = channels.subscribers(subscription.channel);
                    assert_eq!(subscribers[place as usize].slot, slot as u32, "seed {SEED}");
                }
            }
        }
    }
}
