// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Closure`]: a receiver that is a function of the embedding program.
//!
//! It is told one event at a time, on the program's own runtime: the next one when it has taken
//! this one. It has as long as a receiver of POSTs has to answer; a panic, an error, or no end in
//! that time is a failure like any other. A call that blocks beyond its time is waited for, so
//! that two never run at once.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use oyez_protocol::webhook::WebhookEvent;
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::failure::Failure;
use crate::outgoing::program;
use crate::routes::BoxError;

/// Whether a [`WebhookClosure`] has taken an event. With an error it is told the event again
/// later; the error's text is logged.
pub type WebhookFuture = Pin<Box<dyn Future<Output = Result<(), BoxError>> + Send>>;

/// A function of an embedding program that is told webhook events.
pub type WebhookClosure = Arc<dyn Fn(WebhookEvent) -> WebhookFuture + Send + Sync>;

/// A function and where it runs.
pub(super) struct Closure {
    runtime: Handle,
    closure: WebhookClosure,
    /// Its one permit is the task's that runs, also when nobody waits for that any more.
    turn: Arc<Semaphore>,
}

impl Closure {
    pub(super) fn new(runtime: Handle, closure: WebhookClosure) -> Closure {
        Closure { runtime, closure, turn: Arc::new(Semaphore::new(1)) }
    }

    /// One attempt. `Ok` when the closure has taken the event in time.
    pub(super) async fn attempt(
        &self,
        event: WebhookEvent,
        within: Duration,
    ) -> Result<(), Failure> {
        let turn = timeout(within, Arc::clone(&self.turn).acquire_owned()).await;
        let turn = turn.map_err(|_| Failure::Stuck)?.expect("it is never closed");
        let closure = Arc::clone(&self.closure);
        let told = async move {
            let _turn = turn;
            let taken = closure(event).await;
            taken.map_err(|error| Failure::Closure(program::reason(&*error)))
        };
        program::run(&self.runtime, within, told).await?
    }
}
