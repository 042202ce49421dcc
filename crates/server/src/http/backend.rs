// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Backend`]: what the HTTP API needs of the rest of the server, which is the [`Door`].

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use oyez_core::{Answer, ChannelInfo, Wanted};
use oyez_protocol::api::ReadHistory;
use oyez_protocol::channel::ChannelName;
use oyez_protocol::position::Offset;
use oyez_protocol::user::UserId;

use crate::apps::App;
use crate::door::{Composed, Door, Idempotency, Once, Order, Unable};

/// Does what the calls of an app ask for. Each answer comes once it is done.
pub(crate) trait Backend {
    /// Does all of them, in order, or none. One answer for each, in the same order; none at all
    /// where nobody has anything to say.
    async fn carry_out(&self, app: &Arc<App>, orders: Vec<Order>) -> Result<Vec<Answer>, Unable>;

    /// The same, once for each key; `compose` makes the answer of the call.
    async fn once(
        &self,
        app: &Arc<App>,
        idempotency: Idempotency,
        orders: Vec<Order>,
        compose: impl FnOnce(Result<Vec<Answer>, Unable>) -> Composed + 'static,
    ) -> Once;

    /// A channel's truth, waited for if that is wanted.
    async fn truth(
        &self,
        app: &Arc<App>,
        channel: ChannelName,
        at_least: Option<Offset>,
        patience: Duration,
    ) -> Answer;

    /// A part of a channel's history.
    async fn history(&self, app: &Arc<App>, channel: ChannelName, of: ReadHistory) -> Answer;

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
    async fn carry_out(&self, app: &Arc<App>, orders: Vec<Order>) -> Result<Vec<Answer>, Unable> {
        Door::carry_out_all(self, app, orders).await
    }

    async fn once(
        &self,
        app: &Arc<App>,
        idempotency: Idempotency,
        orders: Vec<Order>,
        compose: impl FnOnce(Result<Vec<Answer>, Unable>) -> Composed + 'static,
    ) -> Once {
        Door::once(self, app, idempotency, orders, compose).await
    }

    async fn truth(
        &self,
        app: &Arc<App>,
        channel: ChannelName,
        at_least: Option<Offset>,
        patience: Duration,
    ) -> Answer {
        Door::truth(self, app, channel, at_least, patience).await
    }

    async fn history(&self, app: &Arc<App>, channel: ChannelName, of: ReadHistory) -> Answer {
        Door::history(self, app, channel, of).await
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
