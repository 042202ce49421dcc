// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Way`]: how a destination is reached. [`Delivery`]: what is on its way there.

use oyez_protocol::webhook::WebhookEvent;

use super::closure::Closure;
use super::failure::Failure;
use super::post::{Letter, Post};
use super::queue::{Bounds, Entry};
use super::timing::Timing;
use crate::outgoing::client::HttpClient;

/// How a destination is reached.
pub(super) enum Way {
    /// By a POST.
    Post(Box<Post>),
    /// By a call of the embedding program.
    Closure(Closure),
}

/// A batch, ready to be attempted as often as it takes.
pub(super) enum Delivery<'a> {
    /// Goes to that URL.
    Post(&'a Post, Letter),
    /// Goes to that function.
    Call(&'a Closure, WebhookEvent),
}

impl Way {
    /// What a queue and a batch of it may hold: what those of all may, but that a closure is told
    /// one event at a time, and so waits for no other.
    pub(super) fn bounds(&self, all: &Bounds) -> Bounds {
        let batch_events = match self {
            Way::Post(_) => all.batch_events,
            Way::Closure(_) => 1,
        };
        Bounds { batch_events, ..all.clone() }
    }

    /// Makes ready a batch, which is within the bounds and not empty.
    pub(super) fn load(&self, batch: &[Entry]) -> Delivery<'_> {
        match self {
            Way::Post(post) => Delivery::Post(post, post.letter(batch)),
            Way::Closure(closure) => {
                let [entry] = batch else { unreachable!("a closure's batch is one event") };
                let event = WebhookEvent::from_json(&entry.json);
                Delivery::Call(closure, event.expect("only events are put into a queue"))
            }
        }
    }
}

impl Delivery<'_> {
    /// One attempt. `Ok` when the receiver has taken the batch in time.
    pub(super) async fn attempt(&self, http: &HttpClient, timing: &Timing) -> Result<(), Failure> {
        match self {
            Delivery::Post(to, letter) => to.attempt(letter, http, timing).await,
            Delivery::Call(to, event) => to.attempt(event.clone(), timing.answer_within).await,
        }
    }
}
