// SPDX-License-Identifier: MIT OR Apache-2.0
//! Calls of the embedding program, from any thread, into the server beside it.

use std::sync::Arc;

use bytes::Bytes;
use hyper::Method;
use oyez_core::WorkerId;
use oyez_protocol::channel::ChannelName;
use oyez_protocol::socket_id::SocketId;
use tokio::sync::oneshot;

use crate::apps::App;
use crate::http::{Inside, Reply};
use crate::server::Handle;
use crate::worker::disconnect::{Disconnect, Name};
use crate::worker::mail::Letter;

/// The server had ended before it answered. Whether the call was done is not known, unless it only
/// asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the server ended before it answered")]
pub struct ServerEnded;

impl Handle {
    /// Makes a call of the HTTP API (protocol section 6), without HTTP and without a signature:
    /// `target` is what stands behind `/apps/ID` in its path, with its query. What is checked, what
    /// is done and what is answered is the same, but for `limits.requests_per_second`. `channel`
    /// only says which way is the shortest.
    ///
    /// Dropping the future gives the call up: it was done as a whole, or not at all.
    ///
    /// # Errors
    /// When the server has ended. Everything else is a [`Reply`].
    pub async fn call(
        &self,
        app: &App,
        method: Method,
        target: &str,
        channel: Option<&str>,
        body: Bytes,
    ) -> Result<Reply, ServerEnded> {
        let (reply, answer) = oneshot::channel();
        let target = format!("/apps/{}{target}", app.options.id);
        let letter = Letter::Inside(Box::new(Inside { method, target, body, reply }));
        self.0.post.send(self.nearest(app, channel), letter).map_err(|_| ServerEnded)?;
        answer.await.map_err(|_| ServerEnded)
    }

    /// Closes the app's connection of that id with 4200, which tells its client to come back at
    /// once (protocol section 1). When this returns, nothing that is asked for from then on reaches
    /// it, on whichever worker it is or to whichever it moves. A connection that there is not, or
    /// that is another app's, is none to close.
    ///
    /// Each worker looks at all its sockets for it, once for all calls that come together. It is
    /// done also while the server drains. Dropping the future takes nothing back.
    ///
    /// # Errors
    /// When the server, or part of it, has ended.
    pub async fn disconnect(&self, app: &App, socket_id: SocketId) -> Result<(), ServerEnded> {
        let post = &self.0.post;
        let (wish, done) = Disconnect::new(Name { app: app.index, socket_id }, post.workers());
        for worker in 0..post.workers() as u16 {
            let letter = Letter::Disconnect(Arc::clone(&wish));
            post.send(WorkerId(worker), letter).map_err(|_| ServerEnded)?;
        }
        // What is left of it is in the mail: if that is lost, so is the answer.
        drop(wish);
        if done.wait().await { Ok(()) } else { Err(ServerEnded) }
    }

    /// The app of that id.
    pub fn app(&self, id: &str) -> Option<Arc<App>> {
        self.0.apps.by_id(id).cloned()
    }

    /// All apps, in the order of the options.
    pub fn apps(&self) -> impl Iterator<Item = Arc<App>> {
        self.0.apps.iter().cloned()
    }

    /// The limits in force.
    pub fn limits(&self) -> &oyez_protocol::limits::Limits {
        &self.0.options.limits
    }

    /// The home of the channel; any worker would do.
    fn nearest(&self, app: &App, channel: Option<&str>) -> WorkerId {
        let name = channel.and_then(|name| ChannelName::parse(name, usize::MAX).ok());
        name.map_or(WorkerId(0), |name| {
            self.0.keys.key(app.index, name).home(self.0.post.workers())
        })
    }
}
