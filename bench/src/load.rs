// SPDX-License-Identifier: MIT OR Apache-2.0
//! The load generator: one thread, one epoll, any number of subscribers and publishers. It drives
//! a server in two ways, as fast as a number of publishes in flight allows, or at a fixed rate,
//! and always checks through the ledger that every subscriber gets every publish exactly once.
//! It never waits longer than [`STALL`] for anything.

use crate::ledger::{Counts, Ledger, PAYLOAD_BYTES, Timed};
use crate::publisher::Publishers;
use crate::subscribers::Subscribers;
use crate::traffic::{Call, Rooms, Traffic};
use crate::trouble::Trouble;
use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Token};
use nix::sys::time::{TimeSpec, TimeValLike};
use nix::sys::timerfd::{ClockId, Expiration, TimerFd, TimerFlags, TimerSetTimeFlags};
use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsFd, AsRawFd};
use std::time::{Duration, Instant};

/// How long nothing may happen while something is due.
pub(crate) const STALL: Duration = Duration::from_secs(10);

/// How many connections may be on their way at once: a queue at the server's door, but not one
/// that overflows its backlog.
pub(crate) const CONNECT_WINDOW: usize = 64;

/// Ready sockets taken per system call.
const EVENTS: usize = 1024;

/// Tokens below are subscribers.
const FIRST_PUBLISHER: usize = 1 << 24;
const TIMER: Token = Token(usize::MAX - 1);

/// How long stray frames are waited for after the last publish of a run.
const GRACE: Duration = Duration::from_millis(30);

/// A running load against one server. Dropping it closes every connection.
pub(crate) struct Load {
    poll: Poll,
    events: Events,
    subscribers: Subscribers,
    publishers: Publishers,
    ledger: Ledger,
    traffic: Traffic,
    next_room: u32,
    ticks: u64,
    timer: Option<TimerFd>,
}

/// When a run of publishes ends.
#[derive(Debug, Clone, Copy)]
enum Until {
    Then(Instant),
    /// So many calls are left.
    Calls(u64),
}

impl Until {
    fn is_over(self, now: Instant) -> bool {
        match self {
            Self::Then(then) => now >= then,
            Self::Calls(left) => left == 0,
        }
    }

    fn called(&mut self) {
        if let Self::Calls(left) = self {
            *left -= 1;
        }
    }
}

impl Load {
    /// Connects publishers of the ordinary kind, and no subscribers yet.
    pub(crate) fn new(server: SocketAddr, rooms: Rooms, slots: u16) -> Result<Self, Trouble> {
        Self::with(server, Traffic { rooms, slots, call: Call::Event, data: PAYLOAD_BYTES })
    }

    /// Connects the publishers of that traffic. Rooms that get more than one event by a call have
    /// no subscribers: the ledger takes a call for one publish.
    pub(crate) fn with(server: SocketAddr, traffic: Traffic) -> Result<Self, Trouble> {
        let Traffic { rooms, slots, .. } = traffic;
        let poll = Poll::new().map_err(Trouble::io("making an epoll"))?;
        let mut publishers = Publishers::new(server, traffic, FIRST_PUBLISHER);
        publishers.connect(poll.registry())?;
        Ok(Self {
            poll,
            events: Events::with_capacity(EVENTS),
            subscribers: Subscribers::new(server, rooms.names),
            publishers,
            ledger: Ledger::new(slots, vec![rooms.size; rooms.count as usize]),
            traffic,
            next_room: 0,
            ticks: 0,
            timer: None,
        })
    }

    /// Connects and subscribes until `total` subscribers are there, room after room.
    pub(crate) fn subscribe(&mut self, total: usize) -> Result<(), Trouble> {
        let mut seen = (0, Instant::now());
        while self.subscribers.subscribed() < total {
            let (started, subscribed) = (self.subscribers.started(), self.subscribers.subscribed());
            let window = CONNECT_WINDOW.saturating_sub(started - subscribed);
            for index in started..total.min(started + window) {
                let room = u32::try_from(index).expect("a bench has few subscribers");
                self.subscribers.connect(self.poll.registry(), room / self.traffic.rooms.size)?;
            }
            self.turn(Some(Duration::from_secs(1)))?;
            if subscribed > seen.0 {
                seen = (subscribed, Instant::now());
            } else if seen.1.elapsed() > STALL {
                let detail = format!("{subscribed} of {total} subscribed");
                return Err(Trouble::Stalled { waited: STALL, detail });
            }
        }
        Ok(())
    }

    /// Publishes as fast as the slots allow for some time, and then waits until every publish is
    /// complete. Gives what was completed.
    pub(crate) fn publish_for(&mut self, time: Duration) -> Result<Counts, Trouble> {
        self.publish_until(Until::Then(Instant::now() + time))
    }

    /// The same, but so many calls instead of a time.
    pub(crate) fn publish_calls(&mut self, calls: u64) -> Result<Counts, Trouble> {
        self.publish_until(Until::Calls(calls))
    }

    /// Publishes for some time and gives what was completed, and how long in microseconds each
    /// call took to be answered, in rising order.
    pub(crate) fn time_answers(&mut self, time: Duration) -> Result<(Counts, Vec<u32>), Trouble> {
        const ROOM_FOR: usize = 1 << 17;
        self.ledger.record_latencies(Timed::Answers, ROOM_FOR);
        let counts = self.publish_for(time)?;
        let mut micros = self.ledger.take_latencies();
        micros.sort_unstable();
        Ok((counts, micros))
    }

    fn publish_until(&mut self, mut until: Until) -> Result<Counts, Trouble> {
        let before = self.ledger.counts();
        let mut progress = Progress::new(before);
        loop {
            let now = Instant::now();
            while !until.is_over(now)
                && let Some(slot) = self.ledger.take_idle()
            {
                until.called();
                self.publish(slot, now)?;
            }
            if until.is_over(now) && self.ledger.is_quiet() {
                return Ok(since(before, self.ledger.counts()));
            }
            self.turn(Some(Duration::from_secs(1)))?;
            progress.check(&self.ledger)?;
        }
    }

    /// Publishes `rate` times a second for some time, ready or not, and gives the latency of every
    /// delivery in microseconds, counted from the instant at which its publish was due.
    pub(crate) fn publish_at(&mut self, rate: u32, time: Duration) -> Result<Vec<u32>, Trouble> {
        let planned = (f64::from(rate) * time.as_secs_f64()) as u64;
        let interval = Duration::from_secs(1) / rate;
        let samples = planned as usize * self.traffic.rooms.size as usize;
        self.ledger.record_latencies(Timed::Deliveries, samples);
        let begin = self.start_timer(interval)?;
        let mut due = VecDeque::new();
        let mut made = 0;
        let mut progress = Progress::new(self.ledger.counts());
        loop {
            while made < planned.min(self.ticks) {
                made += 1;
                due.push_back(begin + interval * u32::try_from(made).expect("runs are short"));
            }
            while let Some(at) = due.front().copied()
                && let Some(slot) = self.ledger.take_idle()
            {
                due.pop_front();
                self.publish(slot, at)?;
            }
            if made == planned && due.is_empty() && self.ledger.is_quiet() {
                break;
            }
            self.turn(Some(Duration::from_secs(1)))?;
            progress.check(&self.ledger)?;
        }
        self.stop_timer()?;
        Ok(self.ledger.take_latencies())
    }

    /// Answers what the server asks and takes what it sends, for some time: idle connections, and
    /// the moment after a run in which a stray delivery would show.
    pub(crate) fn idle(&mut self, time: Duration) -> Result<(), Trouble> {
        let until = Instant::now() + time;
        while let Some(left) = until.checked_duration_since(Instant::now()) {
            self.turn(Some(left))?;
        }
        Ok(())
    }

    /// CPU time of the thread that drives this load.
    pub(crate) fn cpu_time(&self) -> Result<Duration, Trouble> {
        let time = nix::time::clock_gettime(nix::time::ClockId::CLOCK_THREAD_CPUTIME_ID);
        time.map(Duration::from)
            .map_err(|error| Trouble::io("reading the generator's clock")(error.into()))
    }

    /// Ends a run: stray deliveries are trouble.
    pub(crate) fn finish(mut self) -> Result<(), Trouble> {
        self.idle(GRACE)
    }

    fn publish(&mut self, slot: u16, due: Instant) -> Result<(), Trouble> {
        let room = self.next_room;
        self.next_room = (room + self.traffic.call.events()) % self.ledger.rooms();
        let stamp = self.ledger.open(slot, room, due);
        self.publishers.publish(self.poll.registry(), stamp, room)
    }

    fn turn(&mut self, timeout: Option<Duration>) -> Result<(), Trouble> {
        let Self { poll, events, subscribers, publishers, ledger, .. } = self;
        match poll.poll(events, timeout) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Ok(()),
            result => result.map_err(Trouble::io("waiting for events"))?,
        }
        for event in events.iter() {
            match event.token() {
                TIMER => {
                    if let Some(timer) = &self.timer {
                        self.ticks += expirations(timer)?;
                    }
                }
                Token(index) if index < FIRST_PUBLISHER => {
                    subscribers.ready(index, event, ledger)?;
                }
                Token(index) => {
                    let slot = u16::try_from(index - FIRST_PUBLISHER).expect("slots are u16");
                    if publishers.read(slot)? {
                        ledger.answered(slot);
                    }
                }
            }
        }
        Ok(())
    }

    fn start_timer(&mut self, interval: Duration) -> Result<Instant, Trouble> {
        let timer = || -> io::Result<TimerFd> {
            let timer = TimerFd::new(ClockId::CLOCK_MONOTONIC, TimerFlags::TFD_NONBLOCK)?;
            let nanos = i64::try_from(interval.as_nanos()).unwrap_or(i64::MAX);
            timer.set(
                Expiration::Interval(TimeSpec::nanoseconds(nanos)),
                TimerSetTimeFlags::empty(),
            )?;
            Ok(timer)
        };
        let timer = timer().map_err(Trouble::io("setting a timer"))?;
        let begin = Instant::now();
        self.poll
            .registry()
            .register(&mut SourceFd(&timer.as_fd().as_raw_fd()), TIMER, Interest::READABLE)
            .map_err(Trouble::io("watching a timer"))?;
        self.ticks = 0;
        self.timer = Some(timer);
        Ok(begin)
    }

    fn stop_timer(&mut self) -> Result<(), Trouble> {
        if let Some(timer) = self.timer.take() {
            self.poll
                .registry()
                .deregister(&mut SourceFd(&timer.as_fd().as_raw_fd()))
                .map_err(Trouble::io("forgetting a timer"))?;
        }
        Ok(())
    }
}

/// How often a timer went off since it was last asked.
fn expirations(timer: &TimerFd) -> Result<u64, Trouble> {
    let mut count = [0; 8];
    match nix::unistd::read(timer, &mut count) {
        Ok(_) => Ok(u64::from_ne_bytes(count)),
        Err(nix::errno::Errno::EAGAIN) => Ok(0),
        Err(error) => Err(Trouble::io("reading a timer")(error.into())),
    }
}

/// Notices when nothing is delivered or answered any more.
struct Progress {
    counts: Counts,
    at: Instant,
}

impl Progress {
    fn new(counts: Counts) -> Self {
        Self { counts, at: Instant::now() }
    }

    fn check(&mut self, ledger: &Ledger) -> Result<(), Trouble> {
        let counts = ledger.counts();
        if counts != self.counts || ledger.is_quiet() {
            *self = Self::new(counts);
        } else if self.at.elapsed() > STALL {
            return Err(Trouble::Stalled { waited: STALL, detail: ledger.debts() });
        }
        Ok(())
    }
}

fn since(before: Counts, after: Counts) -> Counts {
    Counts {
        publishes: after.publishes - before.publishes,
        deliveries: after.deliveries - before.deliveries,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bare::{BareLoop, Delivery};
    use std::net::TcpListener;
    use std::thread;

    /// A loop in a thread that lives as long as the test process.
    fn server(delivery: Delivery) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let bare = BareLoop::new(listener, delivery).unwrap();
        thread::spawn(move || bare.run());
        address
    }

    #[test]
    fn both_loops_deliver_each_publish_once_to_each_subscriber() {
        for delivery in [Delivery::Bare, Delivery::Coalesced] {
            let rooms = Rooms::plain(3, 4);
            let mut load = Load::new(server(delivery), rooms, 8).unwrap();
            load.subscribe(rooms.subscribers()).unwrap();
            let counts = load.publish_for(Duration::from_millis(50)).unwrap();
            assert!(counts.publishes >= 8, "{counts:?}");
            assert_eq!(counts.deliveries, 4 * counts.publishes);
            load.finish().unwrap();
        }
    }

    #[test]
    fn a_fixed_rate_makes_the_planned_publishes_and_times_each_delivery() {
        let rooms = Rooms::plain(1, 5);
        let mut load = Load::new(server(Delivery::Bare), rooms, 4).unwrap();
        load.subscribe(rooms.subscribers()).unwrap();
        let begin = Instant::now();
        let latencies = load.publish_at(100, Duration::from_millis(100)).unwrap();
        assert_eq!(latencies.len(), 10 * 5);
        assert!(begin.elapsed() >= Duration::from_millis(95), "publishes are spread over the time");
        load.finish().unwrap();
    }

    #[test]
    fn a_server_that_refuses_is_reported_with_its_answer() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        thread::spawn(move || {
            use std::io::Write;
            let streams: Vec<_> = listener
                .incoming()
                .flatten()
                .map(|mut stream| {
                    let _ =
                        stream.write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
                    stream
                })
                .collect();
            drop(streams);
        });
        let mut load = Load::new(address, Rooms::plain(1, 1), 0).unwrap();
        let trouble = load.subscribe(1).unwrap_err().to_string();
        assert!(trouble.contains("404 Not Found"), "{trouble}");
    }
}
