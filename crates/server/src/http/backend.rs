// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Backend`]: what the HTTP API needs of the rest of the server, which is the [`Door`].

use std::collections::BTreeMap;
use std::sync::Arc;

use oyez_core::{ChannelInfo, Publication, Wanted};
use oyez_protocol::channel::ChannelName;
use oyez_protocol::user::UserId;

use crate::apps::App;
use crate::door::{Door, Unavailable};

/// Does what the calls of an app ask for. Each answer comes once it is done.
pub(crate) trait Backend {
    /// Publishes all of them, in order, or none. One info for each, in the same order.
    async fn publish(
        &self,
        app: &Arc<App>,
        publications: Vec<Publication>,
    ) -> Result<Vec<ChannelInfo>, Unavailable>;

    /// What is known of one channel.
    async fn inspect(&self, app: &Arc<App>, channel: ChannelName, wanted: Wanted) -> ChannelInfo;

    /// The occupied channels whose names begin with `prefix`, sorted by name.
    async fn list(
        &self,
        app: &Arc<App>,
        prefix: String,
        wanted: Wanted,
    ) -> BTreeMap<ChannelName, ChannelInfo>;

    /// The users on a presence channel.
    async fn members(&self, app: &Arc<App>, channel: ChannelName) -> Vec<UserId>;

    /// Closes all connections of a user.
    async fn terminate(&self, app: &Arc<App>, user: UserId);
}

impl Backend for Door {
    async fn publish(
        &self,
        app: &Arc<App>,
        publications: Vec<Publication>,
    ) -> Result<Vec<ChannelInfo>, Unavailable> {
        Door::publish(self, app, publications).await
    }

    async fn inspect(&self, app: &Arc<App>, channel: ChannelName, wanted: Wanted) -> ChannelInfo {
        Door::inspect(self, app, channel, wanted).await
    }

    async fn list(
        &self,
        app: &Arc<App>,
        prefix: String,
        wanted: Wanted,
    ) -> BTreeMap<ChannelName, ChannelInfo> {
        Door::list(self, app, prefix, wanted).await
    }

    async fn members(&self, app: &Arc<App>, channel: ChannelName) -> Vec<UserId> {
        Door::members(self, app, channel).await
    }

    async fn terminate(&self, app: &Arc<App>, user: UserId) {
        Door::terminate(self, app, user).await;
    }
}
