// SPDX-License-Identifier: MIT OR Apache-2.0
//! Who is owed what. The ledger gives every publish a number, and holds it open until it was
//! answered and has reached every subscriber of its room exactly once; anything else is trouble.
//! It does no I/O. Deliveries cost two array reads and allocate nothing.

use crate::subscribers::Hears;
use crate::trouble::Trouble;
use std::time::Instant;

/// What a payload starts with, before number and slot: how a subscriber knows a publish of ours.
const MARK: &[u8; 4] = b"oyz:";

/// Digits of number and of slot in a payload, hexadecimal.
const NUMBER_DIGITS: usize = 8;
const SLOT_DIGITS: usize = 4;

/// Bytes of a payload that carry something: mark, number, slot.
const STAMP: usize = MARK.len() + NUMBER_DIGITS + SLOT_DIGITS;

/// Bytes of `data` in a publish where a scenario says nothing else, as `design.md` 8 wants it.
pub(crate) const PAYLOAD_BYTES: usize = 100;

/// A publish as it travels inside the payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stamp {
    /// Number of the publish, unique in a run.
    pub(crate) number: u32,
    /// The publisher's slot.
    pub(crate) slot: u16,
}

impl Stamp {
    /// Appends the payload: the stamp, filled up to so many bytes, which are more than its own.
    pub(crate) fn write(self, out: &mut Vec<u8>, bytes: usize) {
        let end = out.len() + bytes;
        out.extend_from_slice(MARK);
        push_hex(out, self.number, NUMBER_DIGITS);
        push_hex(out, u32::from(self.slot), SLOT_DIGITS);
        out.resize(end, b'x');
    }

    /// Finds the stamp in a message. `hint` is where the last one was, and is kept up to date, so
    /// that messages of one shape are not searched.
    pub(crate) fn find(message: &[u8], hint: &mut usize) -> Option<Self> {
        if !message.get(*hint..).is_some_and(|rest| rest.starts_with(MARK)) {
            *hint = crate::wire::find(message, MARK)?;
        }
        let digits = message.get(*hint + MARK.len()..*hint + STAMP)?;
        let (number, slot) = digits.split_at(NUMBER_DIGITS);
        Some(Self { number: parse_hex(number)?, slot: u16::try_from(parse_hex(slot)?).ok()? })
    }
}

fn push_hex(out: &mut Vec<u8>, value: u32, digits: usize) {
    for place in (0..digits).rev() {
        let digit = (value >> (4 * place)) & 0xf;
        out.push(char::from_digit(digit, 16).expect("four bits are one digit") as u8);
    }
}

fn parse_hex(digits: &[u8]) -> Option<u32> {
    digits.iter().try_fold(0, |value, digit| Some(value << 4 | (*digit as char).to_digit(16)?))
}

/// One publish in flight.
#[derive(Clone, Copy)]
struct Slot {
    number: u32,
    room: u32,
    /// Subscribers that have not got it yet.
    owed: u32,
    answered: bool,
    /// When it was due to be sent: latency counts from here.
    due: Instant,
}

/// What has been counted since the run began.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Counts {
    /// Publishes that are complete.
    pub(crate) publishes: u64,
    /// Events that subscribers got.
    pub(crate) deliveries: u64,
}

/// The open publishes and who has got which.
pub(crate) struct Ledger {
    slots: Vec<Slot>,
    /// Per subscriber and slot the number it got last; subscriber-major, so one line of cache.
    seen: Vec<u32>,
    /// Subscribers per room.
    rooms: Vec<u32>,
    next_number: u32,
    counts: Counts,
    /// Slots whose publish is complete and that may publish again.
    idle: Vec<u16>,
    /// Microseconds from due to what is timed, when wanted.
    latencies: Option<(Timed, Vec<u32>)>,
    /// Where in a message the last stamp was.
    stamp_hint: usize,
}

/// What ends a latency.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Timed {
    /// Each delivery to a subscriber.
    Deliveries,
    /// The answer to the publisher.
    Answers,
}

impl Ledger {
    /// A ledger of `slots` publishes in flight, over rooms of the given sizes.
    pub(crate) fn new(slots: u16, rooms: Vec<u32>) -> Self {
        let subscribers: u32 = rooms.iter().sum();
        let empty = Slot { number: 0, room: 0, owed: 0, answered: true, due: Instant::now() };
        Self {
            slots: vec![empty; usize::from(slots)],
            seen: vec![0; subscribers as usize * usize::from(slots)],
            rooms,
            next_number: 0,
            counts: Counts::default(),
            idle: (0..slots).rev().collect(),
            latencies: None,
            stamp_hint: 0,
        }
    }

    /// From here on latencies are recorded, up to `room_for` samples without allocating.
    pub(crate) fn record_latencies(&mut self, timed: Timed, room_for: usize) {
        self.latencies = Some((timed, Vec::with_capacity(room_for)));
    }

    /// The latencies recorded, in microseconds, in the order of arrival.
    pub(crate) fn take_latencies(&mut self) -> Vec<u32> {
        self.latencies.take().map(|(_, micros)| micros).unwrap_or_default()
    }

    /// What was counted so far.
    pub(crate) fn counts(&self) -> Counts {
        self.counts
    }

    /// How many rooms there are.
    pub(crate) fn rooms(&self) -> u32 {
        u32::try_from(self.rooms.len()).expect("rooms are counted in u32")
    }

    /// A slot that may publish, which is then taken.
    pub(crate) fn take_idle(&mut self) -> Option<u16> {
        self.idle.pop()
    }

    /// No publish is open.
    pub(crate) fn is_quiet(&self) -> bool {
        self.idle.len() == self.slots.len()
    }

    /// Opens a publish in a slot taken with [`take_idle`](Self::take_idle).
    pub(crate) fn open(&mut self, slot: u16, room: u32, due: Instant) -> Stamp {
        self.next_number += 1;
        let number = self.next_number;
        let owed = self.rooms[room as usize];
        self.slots[usize::from(slot)] = Slot { number, room, owed, answered: false, due };
        Stamp { number, slot }
    }

    /// A subscriber of `room` got a publish.
    pub(crate) fn delivered(
        &mut self,
        subscriber: usize,
        room: u32,
        stamp: Stamp,
        now: Instant,
    ) -> Result<(), Trouble> {
        let index = usize::from(stamp.slot);
        let duplicate = Trouble::Duplicate { subscriber, publish: stamp.number };
        let slots = self.slots.len();
        let Some(slot) = self.slots.get_mut(index) else { return Err(duplicate) };
        if slot.number != stamp.number || slot.owed == 0 {
            return Err(duplicate);
        }
        if slot.room != room {
            return Err(Trouble::WrongRoom { subscriber, room });
        }
        let seen = &mut self.seen[subscriber * slots + index];
        if *seen == stamp.number {
            return Err(duplicate);
        }
        *seen = stamp.number;
        slot.owed -= 1;
        self.counts.deliveries += 1;
        let due = slot.due;
        self.time(Timed::Deliveries, due, now);
        self.close_if_complete(stamp.slot);
        Ok(())
    }

    /// The server answered the publish of `slot` with success.
    pub(crate) fn answered(&mut self, slot: u16) {
        let open = &mut self.slots[usize::from(slot)];
        open.answered = true;
        let due = open.due;
        if self.latencies.is_some() {
            self.time(Timed::Answers, due, Instant::now());
        }
        self.close_if_complete(slot);
    }

    fn time(&mut self, what: Timed, due: Instant, now: Instant) {
        if let Some((timed, latencies)) = &mut self.latencies
            && *timed == what
        {
            let micros = now.saturating_duration_since(due).as_micros();
            latencies.push(u32::try_from(micros).unwrap_or(u32::MAX));
        }
    }

    /// What is still due, for a report of a stall.
    pub(crate) fn debts(&self) -> String {
        let open = |slot: &&Slot| !slot.answered || slot.owed > 0;
        let open: Vec<&Slot> = self.slots.iter().filter(open).collect();
        let unanswered = open.iter().filter(|slot| !slot.answered).count();
        let owed: u64 = open.iter().map(|slot| u64::from(slot.owed)).sum();
        format!(
            "{} publishes open, {unanswered} without an answer, {owed} deliveries missing",
            open.len()
        )
    }

    fn close_if_complete(&mut self, slot: u16) {
        let Slot { owed, answered, .. } = self.slots[usize::from(slot)];
        if answered && owed == 0 {
            self.counts.publishes += 1;
            self.idle.push(slot);
        }
    }
}

impl Hears for Ledger {
    fn event(
        &mut self,
        subscriber: usize,
        room: u32,
        message: &[u8],
        now: Instant,
    ) -> Result<bool, Trouble> {
        let Some(stamp) = Stamp::find(message, &mut self.stamp_hint) else { return Ok(false) };
        self.delivered(subscriber, room, stamp, now).map(|()| true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn deliver(ledger: &mut Ledger, subscriber: usize, room: u32, stamp: Stamp) -> bool {
        ledger.delivered(subscriber, room, stamp, Instant::now()).is_ok()
    }

    #[test]
    fn a_stamp_is_found_wherever_it_stands_and_the_hint_follows() {
        let stamp = Stamp { number: 0xdead_beef, slot: 0x1ff };
        let mut hint = 0;
        for before in [r#"{"data":""#, r#"{"event":"bench","data":""#, r#"{"data":""#] {
            let mut message = before.as_bytes().to_vec();
            stamp.write(&mut message, PAYLOAD_BYTES);
            assert_eq!(message.len(), before.len() + PAYLOAD_BYTES);
            message.extend_from_slice(br#"","channel":"room-1"}"#);
            assert_eq!(Stamp::find(&message, &mut hint), Some(stamp));
            assert_eq!(hint, before.len());
        }
        assert_eq!(Stamp::find(br#"{"event":"pusher:pong","data":{}}"#, &mut hint), None);
        assert_eq!(Stamp::find(b"oyz:0000", &mut hint), None);
        assert_eq!(Stamp::find(b"oyz:0000000g0000xxx", &mut hint), None);
    }

    #[test]
    fn a_publish_is_complete_when_answered_and_delivered_to_all() {
        for answer_first in [true, false] {
            let mut ledger = Ledger::new(1, vec![2]);
            let slot = ledger.take_idle().unwrap();
            assert!(!ledger.is_quiet());
            let stamp = ledger.open(slot, 0, Instant::now());
            if answer_first {
                ledger.answered(slot);
            }
            assert!(deliver(&mut ledger, 0, 0, stamp));
            assert!(!ledger.is_quiet());
            assert!(deliver(&mut ledger, 1, 0, stamp));
            if !answer_first {
                assert!(!ledger.is_quiet());
                ledger.answered(slot);
            }
            assert!(ledger.is_quiet());
            assert_eq!(ledger.counts(), Counts { publishes: 1, deliveries: 2 });
        }
    }

    #[test]
    fn a_second_or_late_or_foreign_delivery_is_trouble() {
        let mut ledger = Ledger::new(2, vec![2, 1]);
        let (first, second) = (ledger.take_idle().unwrap(), ledger.take_idle().unwrap());
        let stamp = ledger.open(first, 0, Instant::now());
        assert!(deliver(&mut ledger, 1, 0, stamp));
        assert!(!deliver(&mut ledger, 1, 0, stamp), "twice");
        assert!(!deliver(&mut ledger, 2, 1, stamp), "another room's subscriber");
        assert!(!deliver(&mut ledger, 0, 0, Stamp { slot: 9, ..stamp }), "no such slot");
        assert!(!deliver(&mut ledger, 0, 0, Stamp { slot: second, ..stamp }), "other slot");
        assert!(deliver(&mut ledger, 0, 0, stamp));
        assert!(!deliver(&mut ledger, 0, 0, stamp), "after it was complete");
        ledger.answered(first);
        let next = ledger.take_idle().unwrap();
        assert_eq!(next, first);
        ledger.open(next, 0, Instant::now());
        assert!(!deliver(&mut ledger, 0, 0, stamp), "the slot's former publish");
        assert_eq!(ledger.counts(), Counts { publishes: 1, deliveries: 2 });
    }

    #[test]
    fn debts_say_what_is_missing() {
        let mut ledger = Ledger::new(3, vec![5]);
        for _ in 0..2 {
            let slot = ledger.take_idle().unwrap();
            ledger.open(slot, 0, Instant::now());
        }
        ledger.answered(0);
        assert_eq!(ledger.debts(), "2 publishes open, 1 without an answer, 10 deliveries missing");
    }
}
