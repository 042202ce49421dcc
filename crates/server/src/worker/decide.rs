// SPDX-License-Identifier: MIT OR Apache-2.0
//! Deciding: how questions reach the homes of their channels, and what becomes of what this
//! worker's own home decides, by command or by time.

use std::future::Future as _;
use std::pin::Pin;
use std::sync::atomic::Ordering;
use std::task::Context;
use std::time::Duration;

use oyez_core::{Command, Effect, Millis, WorkerId};
use tokio::time::{Instant, Sleep};

use super::{Letter, Worker, mail};
use crate::socket::connection::Life;

/// What is due within a shorter time is done together.
const RESOLUTION: Duration = Duration::from_millis(5);

/// Wakes a worker when its home has something to do before the next tick.
#[derive(Default)]
pub(super) struct Alarm {
    /// When it rings, if it is set.
    at: Option<Millis>,
    /// Of the last time that it was waited for.
    sleep: Option<(Millis, Pin<Box<Sleep>>)>,
    /// When the home was looked at last.
    looked: Millis,
}

impl Alarm {
    /// When it rings, if it is set.
    #[cfg(test)]
    pub(super) fn at(&self) -> Option<Millis> {
        self.at
    }

    /// Whether it rings; wakes that task when it will. The clock began at `start`.
    pub(super) fn rings(&mut self, start: Instant, cx: &mut Context<'_>) -> bool {
        let Some(at) = self.at else { return false };
        let instant = || start + Duration::from_millis(at.0);
        let (set_to, sleep) =
            self.sleep.get_or_insert_with(|| (at, Box::pin(tokio::time::sleep_until(instant()))));
        if *set_to != at {
            *set_to = at;
            sleep.as_mut().reset(instant());
        }
        sleep.as_mut().poll(cx).is_ready()
    }
}

impl Worker {
    /// Sets the alarm to what the home has to do before the next tick.
    pub(super) fn set_alarm(&mut self) {
        let next = self.home.next_tick().map(|at| at.max(self.alarm.looked + RESOLUTION));
        self.alarm.at = next.filter(|at| *at < self.now + Life::TICK);
    }

    /// Lets the home do what is due.
    pub(super) fn look(&mut self) {
        let is_due = self.home.next_tick().is_some_and(|at| at <= self.now);
        if !is_due || self.now < self.alarm.looked + RESOLUTION {
            return;
        }
        self.alarm.looked = self.now;
        let mut effects = std::mem::take(&mut self.effects);
        self.home.tick(self.now, &mut effects);
        self.perform(&mut effects);
        self.effects = effects;
    }

    /// Asks the home of a command's channel.
    pub(super) fn ask(&mut self, command: Command) {
        let workers = self.mail.workers();
        let home = command.key().map_or(self.mail.me(), |key| key.home(workers));
        self.route(home, command);
    }

    pub(super) fn route(&mut self, home: WorkerId, command: Command) {
        if home == self.mail.me() {
            self.commands.push_back(command);
        } else {
            self.mail.put(home, Letter::Command(command));
        }
    }

    /// Lets this worker's home decide all that it was asked. What had come by mail before goes
    /// first: somebody may have been told of it already.
    pub(super) fn settle(&mut self) {
        if self.commands.is_empty() {
            return;
        }
        let mut waiting = self.mail.waiting();
        while waiting > 0 {
            let batches = waiting.min(mail::BATCHES);
            self.take_mail(batches);
            waiting -= batches;
        }
        while let Some(command) = self.commands.pop_front() {
            self.decide(command);
        }
    }

    pub(super) fn decide(&mut self, mut command: Command) {
        if let Command::Subscribe { key, room, .. } = &mut command {
            // Others may have opened channels since it was asked.
            *room = self.shared.room_for_channel(key.app());
        }
        if let Command::Publish(_) | Command::Change(_) | Command::ClientEvent { .. } = command {
            self.stats().events.add(1);
        }
        let mut effects = std::mem::take(&mut self.effects);
        self.home.handle(command, self.now, &mut effects);
        self.perform(&mut effects);
        self.effects = effects;
    }

    pub(super) fn perform(&mut self, effects: &mut Vec<Effect>) {
        let me = self.mail.me();
        for effect in effects.drain(..) {
            match effect {
                Effect::Send(worker, item) if worker == me => self.apply(item),
                Effect::Send(worker, item) => self.mail.put(worker, Letter::Item(item)),
                Effect::Answer(ticket, answer) if ticket.worker == me => {
                    self.door.answer(ticket, answer);
                }
                Effect::Answer(ticket, answer) => {
                    self.mail.put(ticket.worker, Letter::Answer(ticket, answer));
                }
                Effect::Webhook(app, event) => self.shared.webhooks.send(app, event),
                Effect::Append(append) => self.shared.append(me, append),
                Effect::Ask(question) => self.ask_source(question),
                Effect::Opened(app) => {
                    self.shared.channels(app).fetch_add(1, Ordering::Relaxed);
                }
                Effect::Closed(app) => {
                    self.shared.channels(app).fetch_sub(1, Ordering::Relaxed);
                }
            }
        }
    }
}
