// SPDX-License-Identifier: MIT OR Apache-2.0
//! Who is still there: pings for the silent, goodbyes for the dead, and for everybody when the
//! server drains.
//!
//! No connection has a timer. Each tick looks at a slice of all slots, so that ten thousand idle
//! connections cost a walk through a table once a second.

use std::sync::atomic::Ordering;
use std::time::Duration;

use oyez_protocol::close::CloseCode;
use oyez_protocol::websocket::frame;

use super::Worker;
use crate::options::Options;
use crate::socket::connection::{Connection, Life, Seat};

/// What the sweep knows between ticks.
#[derive(Debug)]
pub(super) struct Sweep {
    /// The slot at which the next slice begins.
    next: usize,
    /// Slices of the table.
    slices: usize,
    ping_after: u32,
    pong_timeout: u32,
    arrival: u32,
}

/// A whole sweep takes no longer than this.
const SWEEP_TICKS: u32 = 10;

/// Pings come up to one part in so many before `ping_after`, each connection at its own moment:
/// a stampede of connections must not become a stampede of pings.
const SPREAD: u32 = 10;

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
        let (ping_after, pong_timeout) = (ticks(options.ping_after), ticks(options.pong_timeout));
        let slices = (ping_after.min(pong_timeout) / 4).clamp(1, SWEEP_TICKS);
        Sweep {
            next: 0,
            slices: slices as usize,
            ping_after,
            pong_timeout,
            arrival: ticks(Duration::from_secs(options.limits.request_seconds as u64)),
        }
    }

    fn judge(&self, connection: &Connection, tick: u32) -> Verdict {
        let life = connection.life;
        if life.pinged > 0 {
            let waited = tick.saturating_sub(life.pinged);
            return if waited >= self.pong_timeout { Verdict::Dead } else { Verdict::Fine };
        }
        let early = connection.serial.wrapping_mul(0x9e37_79b9) % (self.ping_after / SPREAD + 1);
        let silent = tick.saturating_sub(life.heard);
        if silent >= self.ping_after - early { Verdict::Ping } else { Verdict::Fine }
    }
}

impl Worker {
    /// Everything that happens by time.
    pub(super) fn tick(&mut self) {
        let mut effects = std::mem::take(&mut self.effects);
        self.home.tick(self.now, &mut effects);
        self.perform(&mut effects);
        self.effects = effects;
        self.sweep();
        self.drain();
        // An accept that failed for lack of files is tried again.
        self.unaccepted = true;
    }

    /// Looks at the next slice of all slots.
    fn sweep(&mut self) {
        let (slots, tick) = (self.seats.slots(), Life::tick(self.now));
        let slice = slots.div_ceil(self.sweep.slices);
        let from = if self.sweep.next >= slots { 0 } else { self.sweep.next };
        let to = (from + slice).min(slots);
        self.sweep.next = to;
        for slot in from as u32..to as u32 {
            if self.is_overdue(slot, tick, self.sweep.arrival) {
                self.remove(slot);
                continue;
            }
            let Some(connection) = self.seats.connection(slot).filter(|c| c.is_open()) else {
                continue;
            };
            match self.sweep.judge(connection, tick) {
                Verdict::Fine => {}
                Verdict::Ping => {
                    connection.life.pinged = tick;
                    let knows_pings = connection.life.answers_pings;
                    self.say_bytes(slot, &frame::ping(b""));
                    if !knows_pings {
                        self.say(slot, self.frames.ping.bytes().clone());
                    }
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
        // What was accepted before is still on its way to some of these connections.
        let is_settled = self.now.since(began) >= SETTLING && self.shared.backlog.bytes() == 0;
        let end = self.shared.options.drain.max(SETTLING);
        if !is_settled && self.now.since(began) < end + GRACE {
            return;
        }
        let left = end.saturating_sub(self.now.since(began));
        let ticks = (left.as_millis() / Life::TICK.as_millis()) as usize;
        let mut quota = self.seats.open().div_ceil(ticks + 1);
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
        let idle = self.seats.is_empty() && http == 0 && self.mail.is_quiet();
        let all_gone = self.shared.connections.load(Ordering::Relaxed) == 0;
        (idle && all_gone) || over
    }
}

/// A draining server closes nobody before so long, and before nothing is on its way any more: by
/// then every publish that was accepted has reached its subscribers.
const SETTLING: Duration = Duration::from_millis(200);

/// Beyond `drain_seconds`, calls that were accepted may take so long to be answered.
const GRACE: Duration = Duration::from_secs(5);
