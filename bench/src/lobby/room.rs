// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Room`]: one lobby as those who play in it believe it to be, from what the app has answered
//! them. It decides what changes next, so that the same list does not come twice as long as that
//! is possible: then it can be told which change a page has seen. What is really true is in the
//! database, and is compared later.

use super::message::Listed;
use super::moment::Moment;
use super::schedule::SEATS;
use std::collections::{BTreeMap, HashSet, VecDeque};

/// Every so many changes somebody leaves, and is back with the next.
const LEAVE_EVERY: u32 = 5;

/// What changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Change {
    /// Somebody joins.
    Join,
    /// A player leaves.
    Leave,
    /// A player is ready.
    Ready,
    /// A player is not ready any more.
    Unready,
}

/// A seat: whether somebody has it, and whether they are ready.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
struct Seat {
    joined: bool,
    ready: bool,
}

type Seats = [Seat; SEATS as usize];

/// See the module. Seat 0 is the host's, who never leaves.
#[derive(Debug, Clone)]
pub(crate) struct Room {
    /// The game's id.
    pub(crate) id: String,
    seats: Seats,
    /// What the lists said until now, whatever their order.
    seen: HashSet<Seats>,
    turn: u32,
    speaker: u32,
    /// The changes that the app has not answered yet.
    pub(crate) pending: u32,
    /// Who is about to leave, and so says nothing any more.
    pub(crate) leaving: Option<u32>,
    /// Messages of each seat that the app has not answered yet: nobody leaves in the middle of one.
    pub(crate) unsaid: [u32; SEATS as usize],
    /// Changes that are due and wait for the one before them: when each was.
    pub(crate) held: VecDeque<Moment>,
    /// The number of the last message that was answered.
    pub(crate) last_message: i64,
}

impl Room {
    /// A game that its host has just made. Rooms of different `turn` do not all do the same at the
    /// same time.
    pub(crate) fn new(id: String, turn: u32) -> Self {
        let mut seats = Seats::default();
        seats[0].joined = true;
        Self {
            id,
            seats,
            seen: HashSet::from([seats]),
            turn,
            speaker: 0,
            pending: 0,
            leaving: None,
            unsaid: [0; SEATS as usize],
            held: VecDeque::new(),
            last_message: 0,
        }
    }

    /// What changes next, and whose seat it is. Not to be asked while a change is pending.
    pub(crate) fn next(&mut self) -> (Change, u32) {
        if let Some(seat) = (0..SEATS).find(|seat| !self.seats[*seat as usize].joined) {
            return (Change::Join, seat);
        }
        self.turn += 1;
        let seats = (0..SEATS).map(|place| (place + self.turn) % SEATS);
        if self.turn.is_multiple_of(LEAVE_EVERY) {
            let leaves = seats.clone().filter(|seat| *seat != 0).find(|seat| {
                [self.with(*seat, Change::Leave), self.with(*seat, Change::Join)]
                    .iter()
                    .all(|seats| !self.seen.contains(seats))
            });
            if let Some(seat) = leaves {
                return (Change::Leave, seat);
            }
        }
        let toggle = |seat: u32| {
            let ready = self.seats[seat as usize].ready;
            (if ready { Change::Unready } else { Change::Ready }, seat)
        };
        let unseen =
            |(change, seat): &(Change, u32)| !self.seen.contains(&self.with(*seat, *change));
        seats.clone().map(toggle).find(unseen).unwrap_or_else(|| toggle(self.turn % SEATS))
    }

    /// The app has answered that this is done.
    pub(crate) fn done(&mut self, change: Change, seat: u32) {
        self.seats = self.with(seat, change);
        self.seen.insert(self.seats);
        self.leaving = None;
    }

    fn with(&self, seat: u32, change: Change) -> Seats {
        let mut seats = self.seats;
        seats[seat as usize] = match change {
            // Whoever comes back has to get ready again.
            Change::Join | Change::Unready => Seat { joined: true, ready: false },
            Change::Leave => Seat::default(),
            Change::Ready => Seat { joined: true, ready: true },
        };
        seats
    }

    /// Who says something next: every player in turn, if `may` says so, else the host.
    pub(crate) fn speaks(&mut self, may: impl Fn(u32) -> bool) -> u32 {
        self.speaker += 1;
        let mut seats = (0..SEATS).map(|place| (place + self.speaker) % SEATS);
        let stays = |seat: u32| self.has(seat) && self.leaving != Some(seat);
        seats.find(|seat| stays(*seat) && may(*seat)).unwrap_or(0)
    }

    /// Whether somebody has that seat.
    pub(crate) fn has(&self, seat: u32) -> bool {
        self.seats[seat as usize].joined
    }

    /// Whether a list shows what was answered, in whichever order. `id_of` is the user of a seat.
    pub(crate) fn agrees(&self, list: &[Listed], id_of: impl Fn(u32) -> i64) -> bool {
        let joined = (0..SEATS).filter(|seat| self.has(*seat));
        let expected: BTreeMap<i64, (bool, bool)> = joined
            .map(|seat| (id_of(seat), (self.seats[seat as usize].ready, seat == 0)))
            .collect();
        let shown: BTreeMap<i64, (bool, bool)> =
            list.iter().map(|player| (player.id, (player.ready, player.host))).collect();
        shown.len() == list.len() && shown == expected
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn full() -> Room {
        let mut room = Room::new("a".to_owned(), 0);
        for seat in 1..SEATS {
            assert_eq!(room.next(), (Change::Join, seat));
            room.done(Change::Join, seat);
        }
        room
    }

    #[test]
    fn no_list_comes_twice_for_as_long_as_a_run_lasts() {
        let mut room = full();
        let mut seen = HashSet::from([room.seats]);
        let mut kinds = HashSet::new();
        for number in 0..30 {
            let (change, seat) = room.next();
            room.done(change, seat);
            assert!(seen.insert(room.seats), "change {number}: {change:?} of {seat}");
            assert!(room.has(0), "the host stays");
            kinds.insert(change);
        }
        assert_eq!(kinds.len(), 4, "{kinds:?}");
    }

    #[test]
    fn when_all_lists_were_seen_it_goes_on() {
        let mut room = full();
        for _ in 0..500 {
            let (change, seat) = room.next();
            room.done(change, seat);
        }
    }

    #[test]
    fn players_speak_in_turn_and_strangers_do_not() {
        let mut room = full();
        room.done(Change::Leave, 2);
        let speakers: Vec<u32> = (0..5).map(|_| room.speaks(|seat| seat != 3)).collect();
        assert!(!speakers.contains(&2) && !speakers.contains(&3), "{speakers:?}");
        assert_eq!(room.speaks(|_| false), 0);
        room.leaving = Some(4);
        assert_ne!(room.speaks(|seat| seat == 4), 4, "who leaves says nothing any more");
    }

    #[test]
    fn a_list_agrees_whatever_its_order() {
        let mut room = full();
        room.done(Change::Ready, 3);
        let listed = |seat: i64| Listed {
            id: seat + 10,
            username: String::new(),
            ready: seat == 3,
            host: seat == 0,
            playing: false,
        };
        let id_of = |seat: u32| i64::from(seat) + 10;
        let mut list: Vec<Listed> = [0, 4, 3, 2, 1].map(listed).to_vec();
        assert!(room.agrees(&list, id_of));
        list[1].ready = true;
        assert!(!room.agrees(&list, id_of));
        list[1].ready = false;
        list.pop();
        assert!(!room.agrees(&list, id_of));
    }
}
