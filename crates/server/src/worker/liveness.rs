// SPDX-License-Identifier: MIT OR Apache-2.0
//! Who is still there: pings for the silent, goodbyes for the dead, and for everybody when the
//! server drains.
//!
//! No connection has a timer. Each tick looks at ten thousand slots or more: all of them, or a
//! slice, so that a million idle connections cost a walk through a table once a second.

use std::ops::Range;
use std::sync::atomic::Ordering;
use std::time::Duration;

use oyez_protocol::close::CloseCode;
use oyez_protocol::websocket::frame;

use super::Worker;
use super::follow::Marking;
use crate::options::Options;
use crate::socket::connection::{Connection, Life, Seat};

/// What the sweep knows between ticks.
#[derive(Debug)]
pub(super) struct Sweep {
    /// The slot at which the next slice begins.
    next: usize,
    ping_after: u32,
    pong_timeout: u32,
    arrival: u32,
    /// How many connections there were when the server began to close them.
    drained_from: Option<usize>,
}

/// So many slots are looked at in a tick, where a whole sweep takes fewer than [`SWEEP_TICKS`].
const SLOTS: usize = 10_000;

/// A whole sweep takes no longer than this.
const SWEEP_TICKS: usize = 10;

/// A stampede of connections must not become a stampede of pings: each comes at a moment of its
/// own, up to one part in so many of `ping_after` before it, so that whoever vanished leaves in
/// time.
const SPREAD: u32 = 20;

/// Where `ping_after` is shorter than this many ticks, the moments lie as far behind it.
const SPREAD_FROM: u32 = 100;

/// A draining server waits so long for sockets that are not open WebSockets.
const PATIENCE_TICKS: u32 = 10;

/// What to do about a connection.
enum Verdict {
    Fine,
    Ping,
    Dead,
}

impl Sweep {
    pub(super) fn new(options: &Options) -> Sweep {
        let ticks = |time: Duration| (time.as_millis() / Life::TICK.as_millis()).max(1) as u32;
        Sweep {
            next: 0,
            ping_after: ticks(options.ping_after),
            pong_timeout: ticks(options.pong_timeout),
            arrival: ticks(Duration::from_secs(options.limits.request_seconds as u64)),
            drained_from: None,
        }
    }

    /// The next slice of so many slots.
    fn slice(&mut self, slots: usize) -> Range<u32> {
        let slice = slots.div_ceil(SWEEP_TICKS).max(SLOTS);
        let from = if self.next >= slots { 0 } else { self.next };
        self.next = (from + slice).min(slots);
        from as u32..self.next as u32
    }

    /// Ticks are counted whole: only one more than was asked for is surely enough.
    fn judge(&self, connection: &Connection, tick: u32) -> Verdict {
        let life = connection.life;
        if life.pinged > 0 {
            let waited = tick.saturating_sub(life.pinged);
            return if waited > self.pong_timeout { Verdict::Dead } else { Verdict::Fine };
        }
        let moment = connection.serial.wrapping_mul(0x9e37_79b9) % (self.ping_after / SPREAD + 2);
        let due = match self.ping_after {
            0..SPREAD_FROM => self.ping_after + moment,
            ping_after => ping_after - moment,
        };
        if tick.saturating_sub(life.heard) > due { Verdict::Ping } else { Verdict::Fine }
    }

    /// How many connections shall be open still when so much of the time for draining has gone.
    fn remaining(&mut self, open: usize, gone: Duration, whole: Duration) -> usize {
        let from = *self.drained_from.get_or_insert(open);
        let gone = (gone.as_millis() / Life::TICK.as_millis()) as usize + 1;
        let whole = (whole.as_millis() / Life::TICK.as_millis()).max(1) as usize;
        from - (from * gone).div_ceil(whole).min(from)
    }
}

impl Worker {
    /// Everything that happens by time, except what the home has to do.
    pub(super) fn tick(&mut self) {
        self.count();
        self.sweep();
        self.drain();
        // An accept that failed for lack of files is tried again.
        self.unaccepted = true;
    }

    /// Shows what the home has counted.
    fn count(&self) {
        let (stats, tally) = (self.stats(), self.home.tally());
        stats.replayed.set(tally.replayed);
        stats.resumed.set(tally.resumed);
        for (shown, count) in stats.resets.iter().zip(tally.resets) {
            shown.set(count);
        }
        stats.stale_truths.set(tally.stale_truths);
    }

    /// Looks at the next slice of all slots.
    fn sweep(&mut self) {
        // Silence counts only where this worker has listened.
        if self.is_behind || self.shared.is_backlogged() {
            return;
        }
        let tick = Life::tick(self.now);
        for slot in self.sweep.slice(self.seats.slots()) {
            if self.is_overdue(slot, tick, self.sweep.arrival) {
                self.remove(slot);
                continue;
            }
            let Some(connection) = self.seats.connection(slot).filter(|c| c.is_open()) else {
                continue;
            };
            match self.sweep.judge(connection, tick) {
                Verdict::Fine => self.mark(slot, Marking::InTime),
                Verdict::Ping => {
                    connection.life.pinged = tick;
                    let knows_pings = connection.life.answers_pings;
                    self.say_bytes(slot, &frame::ping(b""));
                    if !knows_pings {
                        self.say(slot, self.frames.ping.bytes().clone());
                    }
                    self.mark(slot, Marking::WithPing);
                    self.flush_if_full();
                }
                Verdict::Dead => {
                    self.stats().silent_closed.add(1);
                    self.close_with(slot, CloseCode::PongTimeout, CloseCode::PongTimeout.text());
                }
            }
        }
    }

    /// Closes the next part of all connections, when the server is draining: evenly over
    /// `drain_seconds`, because clients that are told to come back at once come back at once.
    fn drain(&mut self) {
        let Some(began) = self.shared.drain_began() else { return };
        self.http.stopping.notify_waiters();
        let gone = self.now.since(began);
        let whole = self.shared.options.drain;
        // What was accepted before is still on its way to some of these connections.
        let on_its_way = self.shared.backlog.bytes() + self.shared.waiting_for_journal();
        let settles = on_its_way > 0 && gone < whole;
        if self.sweep.drained_from.is_none() && (gone < SETTLING || settles) {
            return;
        }
        if self.shared.connections.load(Ordering::Relaxed) == 0 {
            self.stop_listening();
        }
        let open = self.seats.open();
        let (gone, whole) = (gone.saturating_sub(SETTLING), whole.saturating_sub(SETTLING));
        let mut quota = open - self.sweep.remaining(open, gone, whole).min(open);
        let patience = Life::tick(self.now).saturating_sub(PATIENCE_TICKS);
        for slot in 0..self.seats.slots() as u32 {
            match self.seats.get_mut(slot) {
                Some(Seat::Open(connection)) if connection.is_open() && quota > 0 => {
                    self.close_with(slot, CloseCode::Draining, CloseCode::Draining.text());
                    quota -= 1;
                }
                // Whoever has not said what it wants, or does not go, is not waited for.
                Some(Seat::Arrival(arrival)) if arrival.since < patience => self.remove(slot),
                Some(Seat::Lingering(lingering)) if lingering.since < patience => self.remove(slot),
                _ => {}
            }
        }
    }

    /// Whether the server drains and nothing is left to do, here or on any other worker.
    pub(super) fn is_done(&self) -> bool {
        let Some(began) = self.shared.drain_began() else { return false };
        let over = self.now.since(began) > self.shared.options.drain + GRACE;
        let http: usize = self
            .shared
            .stats
            .iter()
            .map(|stats| stats.http_connections.load(Ordering::Relaxed))
            .sum();
        let is_settled = self.home.is_settled();
        let idle = self.seats.is_empty() && http == 0 && self.mail.is_quiet() && is_settled;
        let all_gone = self.shared.connections.load(Ordering::Relaxed) == 0;
        (idle && all_gone) || over
    }
}

/// A draining server closes nobody before so long, and before nothing is on its way any more: by
/// then every publish that was accepted has reached its subscribers.
const SETTLING: Duration = Duration::from_millis(200);

/// Beyond `drain_seconds`, calls that were accepted may take so long to be answered.
const GRACE: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_drain_is_even_for_few_and_for_many_and_ends_with_nobody() {
        let whole = Duration::from_secs(2);
        for from in [0, 1, 4, 60, 10_000] {
            let mut sweep = Sweep::new(&Options::default());
            let mut open = from;
            for tick in 0..20 {
                let left = sweep.remaining(open, Life::TICK * tick, whole);
                assert!(left <= open);
                let share = from as f64 * (1.0 - f64::from(tick + 1) / 20.0);
                assert!((left as f64 - share).abs() <= 1.0, "{from} at tick {tick}: {left}");
                open = left;
            }
            assert_eq!(open, 0);
        }
    }

    #[test]
    fn a_sweep_sees_every_slot_within_a_second() {
        let mut sweep = Sweep::new(&Options::default());
        for slots in [0, 1, 10_000, 10_001, 1_000_000] {
            let seen: usize = (0..SWEEP_TICKS).map(|_| sweep.slice(slots).len()).sum();
            assert!(seen >= slots, "{seen} of {slots}");
            sweep.next = 0;
        }
    }
}
