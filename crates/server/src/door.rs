// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Door`]: how HTTP calls reach the homes of channels, and how their answers come back.
//!
//! A door belongs to one worker's thread and is used by the HTTP tasks there. Calls are answered
//! when every home concerned has done its part; what a call publishes reaches each channel's home
//! before the call returns, so whoever was answered has been put in order.

use std::rc::Rc;
use std::sync::Arc;

use oyez_core::{ChannelInfo, Publication, Wanted};
use oyez_protocol::channel::ChannelName;
use oyez_protocol::user::UserId;

use crate::apps::App;

/// The way from one worker's HTTP tasks to all homes.
#[derive(Clone)]
pub struct Door(Rc<()>);

/// The call cannot be done now: answer 503.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unavailable {
    /// The server is about to stop.
    #[error("the server is shutting down: send this to another, or again in a moment")]
    Draining,
    /// The app has as many channels as it may.
    #[error("the app has too many channels (limits.channels)")]
    Channels,
}

impl Door {
    /// Publishes all of them, in order. Answers one info for each, in the same order. All or
    /// nothing: an error means that nothing was published.
    pub async fn publish(
        &self,
        app: &Arc<App>,
        publications: Vec<Publication>,
    ) -> Result<Vec<ChannelInfo>, Unavailable> {
        let _ = (app, publications);
        unimplemented!()
    }

    /// What is known of one channel.
    pub async fn inspect(&self, app: &Arc<App>, channel: ChannelName, wanted: Wanted) -> ChannelInfo {
        let _ = (app, channel, wanted);
        unimplemented!()
    }

    /// The occupied channels whose names begin with `prefix`, sorted by name.
    pub async fn list(&self, app: &Arc<App>, prefix: String, wanted: Wanted) -> Vec<(ChannelName, ChannelInfo)> {
        let _ = (app, prefix, wanted);
        unimplemented!()
    }

    /// The users on a presence channel.
    pub async fn members(&self, app: &Arc<App>, channel: ChannelName) -> Vec<UserId> {
        let _ = (app, channel);
        unimplemented!()
    }

    /// Closes all connections of a user, with 4009.
    pub async fn terminate(&self, app: &Arc<App>, user: UserId) {
        let _ = (app, user);
        unimplemented!()
    }
}
