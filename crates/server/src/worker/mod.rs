// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Worker`]: one thread, its share of the sockets, and the home of its share of the channels.
//!
//! It works in turns: take the mail of other workers and the commands of its HTTP tasks, read its
//! sockets, let its home decide, send mail, and write each socket that is due anything once.
//! Whatever a worker owns, only its thread touches; workers share nothing but mail and counts, so
//! a delivery takes no lock. A turn never waits.

mod accept;
mod admission;
mod counts;
mod decide;
mod deliver;
mod dialogue;
pub(crate) mod disconnect;
pub(crate) mod follow;
mod handshake;
mod liveness;
pub(crate) mod mail;
mod questions;
mod read;
mod readiness;
mod relocate;
mod signin;

use std::collections::{HashMap, VecDeque};
use std::future::poll_fn;
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Poll;
use std::time::Instant;

use mio::net::TcpListener;
use mio::{Events, Interest, Registry, Token};
use oyez_core::{Command, Effect, Home, Millis, WorkerId};
use oyez_protocol::encode::Frame;
use oyez_protocol::limits::Limits;
use tokio::sync::Notify;
use tokio::time::{Interval, MissedTickBehavior};

use crate::console::Page;
use crate::door::Door;
use crate::http::{HttpContext, Pace, Pages};
use crate::options::{Console, Options};
use crate::shared::Shared;
use crate::socket::connection::{Life, Seats};
use crate::socket::outbox::Outbox;
use crate::socket::rate::Allowance;
use crate::socket::subscriptions::{LocalChannels, LocalId};
use crate::stats::WorkerStats;
use mail::{Letter, Mailbox};
use readiness::Readiness;

/// The listener's number in the poll; sockets have their slots.
const LISTENER: Token = Token(usize::MAX - 1);

/// What one read takes at the most. One buffer per worker, none per connection.
const READ_BUFFER: usize = 64 * 1024;

/// See the module.
pub(crate) struct Worker {
    shared: Arc<Shared>,
    registry: Registry,
    /// Until the server has drained.
    listener: Option<TcpListener>,
    seats: Seats,
    channels: LocalChannels,
    outbox: Outbox,
    home: Home,
    mail: Mailbox,
    door: Door,
    http: Rc<HttpContext>,
    now: Millis,
    /// For this worker's own home, in order.
    commands: VecDeque<Command>,
    effects: Vec<Effect>,
    letters: Vec<Letter>,
    /// Sockets that may hold more than was read of them.
    unread: VecDeque<u32>,
    /// Who left a channel and came back before its home had answered, and as whom.
    returns: HashMap<(u32, LocalId), relocate::Wish>,
    /// Subscriptions to channels that remember, by slot, until their homes have answered.
    admissions: HashMap<u32, admission::Admissions>,
    /// Subscribers who cannot keep up, or are not shown all of their replay yet.
    behind: HashMap<(u32, LocalId), follow::Behind>,
    /// Those of them who may have room for more.
    catching_up: Vec<u32>,
    /// What blocked sockets shall be told of a channel's subscribers when they can be written.
    counts: HashMap<(u32, LocalId), Frame>,
    /// Counts what those who are behind have asked.
    questions_of_slow: u64,
    /// What this worker's home has asked and was not answered.
    questions: questions::Questions,
    /// A connection that shall move to another worker once it has been heard.
    moving: Option<relocate::Move>,
    /// Connections that the embedding program wants to end.
    disconnects: disconnect::Disconnects,
    /// Connections whose last words are due in this turn.
    departing: Vec<u32>,
    buffer: Vec<u8>,
    /// Whether sockets may wait that this worker has not come to: then nobody's silence counts.
    is_behind: bool,
    /// When the home has something to do.
    alarm: decide::Alarm,
    /// When the tick was due that this turn shall do.
    due: Option<tokio::time::Instant>,
    /// Whether the listener may hold more than was accepted.
    unaccepted: bool,
    frames: CommonFrames,
    allowances: Allowances,
    sweep: liveness::Sweep,
}

/// Frames that are the same for everybody.
struct CommonFrames {
    pong: Frame,
    ping: Frame,
}

/// The rates of the limits.
struct Allowances {
    messages: Allowance,
    client_events: Allowance,
}

/// A burst of messages may be as large as what the average allows in so many seconds.
const MESSAGE_BURST_SECONDS: usize = 10;

/// Whether a worker had to wait for something to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Waited {
    NotAtAll,
    AWhile,
}

impl Worker {
    /// Makes a worker with its poll, which it does not own so that the two can be borrowed apart.
    pub(crate) fn new(
        shared: Arc<Shared>,
        mail: Mailbox,
        mut listener: TcpListener,
        poll: &mio::Poll,
        home: Home,
    ) -> io::Result<Worker> {
        let me = mail.me();
        let registry = poll.registry().try_clone()?;
        registry.register(&mut listener, LISTENER, Interest::READABLE)?;
        let door = Door::new(Arc::clone(&shared), me, mail.post().clone());
        let http = Rc::new(http_context(&shared, door.clone(), me));
        let limits = &shared.options.limits;
        Ok(Worker {
            registry,
            listener: Some(listener),
            seats: Seats::new(me),
            channels: LocalChannels::default(),
            outbox: Outbox::default(),
            home,
            mail,
            door,
            http,
            now: shared.now(),
            commands: VecDeque::new(),
            effects: Vec::new(),
            letters: Vec::new(),
            unread: VecDeque::new(),
            returns: HashMap::new(),
            admissions: HashMap::new(),
            behind: HashMap::new(),
            counts: HashMap::new(),
            catching_up: Vec::new(),
            questions_of_slow: 0,
            questions: questions::Questions::default(),
            moving: None,
            disconnects: disconnect::Disconnects::default(),
            departing: Vec::new(),
            buffer: vec![0; READ_BUFFER],
            is_behind: false,
            alarm: decide::Alarm::default(),
            due: None,
            unaccepted: false,
            frames: CommonFrames { pong: Frame::pong(), ping: Frame::ping() },
            allowances: Allowances {
                messages: Allowance::new(
                    limits.messages_per_second,
                    limits.messages_per_second.saturating_mul(MESSAGE_BURST_SECONDS),
                ),
                client_events: Allowance::new(
                    limits.client_events_per_second,
                    limits.client_events_per_second,
                ),
            },
            sweep: liveness::Sweep::new(&shared.options),
            shared,
        })
    }

    /// Works until the server has drained.
    pub(crate) async fn run(mut self, poll: mio::Poll) -> io::Result<()> {
        let mut sockets = Readiness::new(poll)?;
        let mut events = Readiness::events();
        let mut ticks = tokio::time::interval(Life::TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            if self.wait(&mut sockets, &mut ticks).await? == Waited::NotAtAll {
                // There is always something to do: the HTTP tasks must have their chance, and
                // what they publish shall leave together.
                tokio::task::yield_now().await;
            }
            let began = Instant::now();
            self.now = self.shared.at(began);
            self.take_mail(mail::BATCHES);
            self.settle();
            sockets.take(&mut events)?;
            self.serve_sockets(&events);
            self.look();
            let ticked = self.due.is_some();
            if let Some(due) = self.due.take() {
                let late = began.saturating_duration_since(due.into_std());
                self.stats().delay_micros.set(late.as_micros() as u64);
                // Who has stood still may not have been told yet what came meanwhile.
                self.is_behind = late > Life::TICK || sockets.has_more() || !self.unread.is_empty();
                self.tick();
            }
            self.end_turn();
            if ticked && self.is_done() {
                return Ok(());
            }
            self.stats().turn(began.elapsed().as_micros() as u64);
        }
    }

    /// Waits until there is anything to do.
    async fn wait(&mut self, sockets: &mut Readiness, ticks: &mut Interval) -> io::Result<Waited> {
        self.set_alarm();
        let start = self.shared.start().into();
        let mut waited = Waited::NotAtAll;
        poll_fn(|cx| {
            let mut ready =
                !self.unread.is_empty() || self.unaccepted || !self.catching_up.is_empty();
            // All are asked, so that a turn takes whatever there is.
            if let Poll::Ready(result) = sockets.poll_ready(cx) {
                result?;
                ready = true;
            }
            ready |= self.mail.poll(cx).is_ready();
            if self.http.pace.poll_turn(cx).is_ready() {
                // HTTP tasks were busy all the while: the runtime shall look at the sockets first.
                (ready, waited) = (true, Waited::NotAtAll);
            }
            ready |= self.alarm.rings(start, cx);
            if let Poll::Ready(due) = ticks.poll_tick(cx) {
                self.due = Some(due);
                ready = true;
            }
            if ready {
                return Poll::Ready(Ok(waited));
            }
            waited = Waited::AWhile;
            Poll::Pending
        })
        .await
    }

    /// Takes so many batches of mail at the most.
    fn take_mail(&mut self, batches: usize) {
        let mut letters = std::mem::take(&mut self.letters);
        self.mail.take(batches, &mut letters);
        for letter in letters.drain(..) {
            match letter {
                Letter::Command(command) => self.decide(command),
                Letter::Item(item) => self.apply(item),
                Letter::Answer(ticket, answer) => self.door.answer(ticket, answer),
                Letter::Arrival(stream, bytes) => self.welcome(stream, bytes),
                Letter::Moved(moved) => self.take_in(*moved),
                Letter::Http(stream, bytes) => self.serve_http(stream, bytes),
                Letter::Resolved(number, outcome) => self.resolved(number, outcome),
                Letter::Inside(call) => {
                    tokio::task::spawn_local(call.answer(Rc::clone(&self.http)));
                }
                Letter::Disconnect(wish) => self.disconnects.take(wish),
                Letter::Disconnected(name) => self.disconnects.forget(name),
                Letter::JournalFailed(reason) => {
                    self.shared.fail(&reason);
                    self.decide(Command::JournalFailed);
                }
            }
        }
        self.letters = letters;
        self.disconnect();
    }

    fn serve_sockets(&mut self, events: &Events) {
        for event in events {
            if event.token() == LISTENER {
                self.accept();
                continue;
            }
            let slot = event.token().0 as u32;
            if event.is_writable() {
                self.writable(slot);
            }
            let ended = event.is_read_closed() || event.is_error();
            if event.is_readable() || ended {
                self.readable(slot);
            }
            if ended {
                // Its last bytes and its end may have come as one event: look once more.
                self.unread.push_back(slot);
            }
            self.flush_if_full();
            self.settle();
        }
    }

    fn end_turn(&mut self) {
        if self.unaccepted {
            self.accept();
        }
        self.catch_up();
        if !self.shared.is_backlogged() {
            for _ in 0..self.unread.len() {
                let Some(slot) = self.unread.pop_front() else { break };
                self.readable(slot);
                self.settle();
                self.flush_if_full();
            }
        }
        self.settle();
        // Mail first, so that the others work while this one writes. Letting go of connections
        // may put more of both.
        loop {
            self.mail.send();
            self.flush();
            self.settle();
            if self.outbox.is_empty() && self.departing.is_empty() {
                break;
            }
        }
        self.mail.send();
        self.stats().memory_bytes.set(self.home.memory_bytes() as u64);
        self.door.relieve();
        self.http.pace.turned();
    }

    fn stats(&self) -> &WorkerStats {
        &self.shared.stats[usize::from(self.mail.me().0)]
    }

    fn limits(&self) -> &Limits {
        &self.shared.options.limits
    }
}

fn http_context(shared: &Arc<Shared>, door: Door, me: WorkerId) -> HttpContext {
    let (metrics, options) = (Arc::clone(shared), &shared.options);
    HttpContext {
        apps: Arc::clone(&shared.apps),
        backend: door,
        limits: options.limits.clone(),
        path: options.path.clone(),
        draining: Arc::clone(&shared.draining),
        stopping: Notify::new(),
        pace: Pace::default(),
        stats: Arc::clone(&shared.http_stats[usize::from(me.0)]),
        metrics: Box::new(move |format| crate::metrics::text(&metrics, format)),
        pages: pages(options),
        routes: options.routes.clone(),
    }
}

fn pages(options: &Options) -> Box<Pages> {
    match (options.console, options.apps.first()) {
        (Console::Development, Some(app)) => {
            let page = Page::new(app, &options.path);
            Box::new(move |path, host| page.respond(path, host))
        }
        _ => Box::new(|_, _| None),
    }
}
#[cfg(test)]
mod tests;
