// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Webhook`]: a closure that is told what happens in an app. [`IntoTaken`]: what such a closure
//! may answer.

use std::sync::Arc;

use oyez_protocol::webhook::{WebhookEvent, WebhookKind};
use oyez_server::options::{Receiver, WebhookOptions};
use oyez_server::{BoxError, WebhookClosure, WebhookFuture};

use super::builder::StartError;
use super::runtime::Runtimes;

/// A closure, and what it is told.
#[derive(Clone)]
pub(super) struct Webhook {
    events: Vec<WebhookKind>,
    closure: WebhookClosure,
}

/// What a closure that is told webhook events may answer: nothing, or a `Result`.
///
/// An error says that it could not take the event now: it is told the event again after a pause,
/// before any later one; the error's text is logged.
pub trait IntoTaken {
    /// Whether the event was taken, or why not.
    ///
    /// # Errors
    /// What the closure answered.
    fn into_taken(self) -> Result<(), BoxError>;
}

impl IntoTaken for () {
    fn into_taken(self) -> Result<(), BoxError> {
        Ok(())
    }
}

impl<T, E: Into<BoxError>> IntoTaken for Result<T, E> {
    fn into_taken(self) -> Result<(), BoxError> {
        self.map(|_| ()).map_err(Into::into)
    }
}

impl Webhook {
    pub(super) fn new<F, Answer>(events: Vec<WebhookKind>, hear: F) -> Webhook
    where
        F: Fn(WebhookEvent) -> Answer + Send + Sync + 'static,
        Answer: Future<Output: IntoTaken> + Send + 'static,
    {
        let closure: WebhookClosure = Arc::new(move |event| {
            let answer = hear(event);
            let taken: WebhookFuture = Box::pin(async move { answer.await.into_taken() });
            taken
        });
        Webhook { events, closure }
    }

    pub(super) fn into_options(
        self,
        runtimes: &mut Runtimes,
    ) -> Result<WebhookOptions, StartError> {
        let Webhook { events, closure } = self;
        let receiver = Receiver::Closure { runtime: runtimes.get()?, closure };
        Ok(WebhookOptions { receiver, events })
    }
}

impl std::fmt::Debug for Webhook {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "closure for {:?}", self.events)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_and_ok_are_taken_and_an_error_is_its_text() {
        ().into_taken().expect("taken");
        Ok::<_, BoxError>(7).into_taken().expect("taken");
        let error = Err::<(), _>("the database is away").into_taken().expect_err("not taken");
        assert_eq!(error.to_string(), "the database is away");
    }
}
