// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Call`]: one question on its way to its source.

use std::sync::Arc;

use oyez_protocol::channel::ChannelName;

use super::failure::Failure;
use super::post::Post;
use super::source::{Asker, Source, Way};
use super::{Bounds, Outcome};
use crate::outgoing::client::HttpClient;

/// Everything a call needs. Dropping it while it runs breaks it off.
pub(super) struct Call {
    pub(super) source: Arc<Source>,
    pub(super) asker: Arc<Asker>,
    pub(super) channel: ChannelName,
    pub(super) bounds: Bounds,
    pub(super) http: HttpClient,
}

impl Call {
    /// Asks and waits for the answer, for the source's time at most.
    pub(super) async fn run(self) -> Result<Outcome, Failure> {
        let within = self.source.timeout;
        match &self.source.way {
            Way::Post(to) => {
                let post = Post {
                    to,
                    asker: &self.asker,
                    channel: self.channel,
                    within,
                    answer_bytes: self.bounds.answer_bytes,
                };
                post.ask(&self.http).await
            }
            Way::Closure(closure) => closure.ask(self.channel, within, self.bounds).await,
        }
    }
}
