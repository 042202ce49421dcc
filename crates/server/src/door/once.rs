// SPDX-License-Identifier: MIT OR Apache-2.0
//! Calls with an idempotency key: whoever asks again gets the first answer again.
//!
//! The home that keeps the key says whether the call is the first. If so the channels' homes
//! decide, the answer is made from what they decided, and goes into the same commit as what they
//! did. From its begin to its seal a call is a task of its own: a client that hangs up in between
//! must not leave it half done.

use std::sync::Arc;

use oyez_core::{
    Answer, Begun, BodyHash, CallKey, Command, Refused, StoredAnswer, Ticket, When, WorkerId,
};

use super::{Door, Order, Unable};
use crate::apps::App;
use crate::worker::mail::{Ended, Letter};

/// What names a call and tells its body from others.
#[derive(Debug)]
pub(crate) struct Idempotency {
    pub(crate) key: String,
    pub(crate) body: BodyHash,
}

/// An answer of the HTTP API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Composed {
    pub(crate) status: u16,
    pub(crate) body: Box<[u8]>,
}

/// What came of a call with a key.
#[derive(Debug)]
pub(crate) enum Once {
    /// Its answer; perhaps one that was given before.
    Answer(Composed),
    /// The key was used with another body.
    Conflict,
    /// The app has as many keys as it may.
    Full,
    /// Nothing can be done now.
    Unable(Unable),
}

/// From here on an answer is no result of the call: it may be tried again.
const SERVER_ERROR: u16 = 500;

impl Door {
    /// Does what a call wants, unless it was done already. `compose` makes the answer.
    pub(crate) async fn once(
        &self,
        app: &Arc<App>,
        idempotency: Idempotency,
        orders: Vec<Order>,
        compose: impl FnOnce(Result<Vec<Answer>, Unable>) -> Composed + 'static,
    ) -> Once {
        if let Err(unable) = self.let_in().await {
            return Once::Unable(unable);
        }
        let (door, app) = (self.clone(), Arc::clone(app));
        let task = tokio::task::spawn_local(async move {
            door.run_once(&app, idempotency, orders, compose).await
        });
        task.await.unwrap_or_else(|_| draining())
    }

    async fn run_once(
        &self,
        app: &Arc<App>,
        idempotency: Idempotency,
        orders: Vec<Order>,
        compose: impl FnOnce(Result<Vec<Answer>, Unable>) -> Composed,
    ) -> Once {
        let Idempotency { key, body } = idempotency;
        let keeper = self.0.shared.keys.home_of_call(app.index, &key, self.workers());
        let key: CallKey = (app.index, key.into_boxed_str());
        let mut homes: Vec<_> = orders.iter().map(|order| self.home_of(app, order)).collect();
        homes.sort_unstable();
        homes.dedup();
        homes.retain(|home| *home != keeper);
        let begin = |key: CallKey| {
            self.ask_home(keeper, move |ticket| Command::Begin { key, body, ticket })
        };
        match begin(key.clone()).await {
            Answer::Begun(Begun::First) => {}
            Answer::Begun(Begun::Again(stored)) => {
                let settled = self.settle(None::<(WorkerId, fn(Ticket) -> Command)>, &homes).await;
                return settled.map_or_else(|_| draining(), |_| Once::Answer(again(&stored)));
            }
            Answer::Begun(Begun::Conflict) => return Once::Conflict,
            Answer::Begun(Begun::Full) => return Once::Full,
            _ => return Once::Unable(Unable::JournalFailed),
        }
        let mut unsealed = Unsealed { door: self, keeper, key: Some(key), part: None };
        let answers = match self.prepare(app, orders) {
            Ok(plan) => {
                let part = plan.part(self, self.seals());
                unsealed.part = part;
                self.carry_out(app, plan, part, When::Decided).await
            }
            Err(unable) => Err(unable),
        };
        let composed = compose(answers);
        if composed.status >= SERVER_ERROR {
            return Once::Answer(composed);
        }
        let Some(key) = unsealed.key.take() else { return draining() };
        let (status, answer, part) = (composed.status, composed.body.clone(), unsealed.part);
        let seal = move |ticket| Command::Seal { key, status, answer, part, ticket };
        match self.settle(Some((keeper, seal)), &homes).await.as_deref() {
            Err(Ended) => draining(),
            Ok([Answer::Refused(Refused::JournalFailed), ..]) => {
                Once::Unable(Unable::JournalFailed)
            }
            Ok(_) => Once::Answer(composed),
        }
    }

    /// Seals a call, and waits until each home that had a part in it shows what it did: each hears
    /// for itself that it is durable, and whoever is answered must find it there.
    async fn settle(
        &self,
        mut seal: Option<(WorkerId, impl FnOnce(Ticket) -> Command)>,
        homes: &[WorkerId],
    ) -> Result<Vec<Answer>, Ended> {
        let (parts, mut homes) = (homes.len() + usize::from(seal.is_some()), homes.iter());
        if parts == 0 {
            return Ok(Vec::new());
        }
        let send = |ticket| match seal.take() {
            Some((keeper, seal)) => self.0.post.send(keeper, Letter::Command(seal(ticket))),
            None => {
                let home = *homes.next().expect("one for each part");
                self.0.post.send(home, Letter::Command(Command::Settle { ticket }))
            }
        };
        self.call(parts, send).await
    }

    /// How many appends a seal makes.
    fn seals(&self) -> u32 {
        u32::from(self.0.shared.journal.is_some())
    }
}

/// A worker ends only when the server stops.
fn draining() -> Once {
    Once::Unable(Unable::Draining)
}

/// A call that has begun and was not sealed: its key is freed, and its other parts need not wait
/// for it.
struct Unsealed<'a> {
    door: &'a Door,
    keeper: WorkerId,
    key: Option<CallKey>,
    part: Option<oyez_core::Part>,
}

impl Drop for Unsealed<'_> {
    fn drop(&mut self) {
        if let Some(key) = self.key.take() {
            let command = Command::Abandon { key, part: self.part };
            // If the keeper has ended the server is about to.
            let _ = self.door.0.post.send(self.keeper, Letter::Command(command));
        }
    }
}

fn again(stored: &StoredAnswer) -> Composed {
    Composed { status: stored.status, body: stored.answer.clone() }
}
