// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Oyez`]: a running server, for the program that it is part of.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use http::Method;
use oyez_protocol::socket_id::SocketId;
use oyez_server::apps::App;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::auth::{self, Auth, AuthorizeError, UserAuth};
use super::change::{Change, Changed, Truth};
use super::error::CallError;
use super::running::{Ended, Running};
use super::trigger::{Sent, Trigger};
use super::view::{ChannelInfo, History, Position};

/// A running server, acting for one of its apps: the first, unless [`Oyez::app`] said otherwise.
/// Clones are the same server. It goes on when the last of them is dropped.
///
/// Its calls do not go through HTTP: each is mail to the worker that is the channel's home. They
/// may be made on any thread and any runtime. What they check, do and promise is what the calls of
/// the HTTP API do. A future that is dropped gives its call up: it was done as a whole, or not at
/// all.
#[derive(Clone, Debug)]
pub struct Oyez {
    running: Arc<Running>,
    app: Arc<App>,
}

impl Oyez {
    pub(super) fn of_first_app(running: Arc<Running>) -> Oyez {
        let app = running.handle.apps().next().expect("a server is not started without an app");
        Oyez { running, app }
    }

    /// Where it listens, with the port that it got if any was asked for.
    pub fn address(&self) -> SocketAddr {
        self.running.address
    }

    /// The same server, acting for the app of that id.
    pub fn app(&self, id: &str) -> Option<Oyez> {
        let app = self.running.handle.app(id)?;
        Some(Oyez { running: Arc::clone(&self.running), app })
    }

    /// The app's id.
    pub fn id(&self) -> &str {
        &self.app.options.id
    }

    /// The app's key, which pages need.
    pub fn key(&self) -> &str {
        &self.app.options.key
    }

    /// The app's secret, which pages must not have.
    pub fn secret(&self) -> &str {
        self.app.options.secret.reveal()
    }

    /// Sends an event to everybody on the channel. When this returns it is in order: on a channel
    /// with memory it has its offset, and survives if the channel is durable.
    ///
    /// # Errors
    /// Nothing was sent then, but for [`CallError::Ended`].
    pub async fn trigger(
        &self,
        channel: &str,
        event: &str,
        data: &(impl Serialize + ?Sized),
    ) -> Result<(), CallError> {
        let trigger = Trigger::new(event, data).to(channel);
        self.send(trigger).await.map(|_| ())
    }

    /// Sends an event with everything that was said of it.
    ///
    /// # Errors
    /// As [`Oyez::trigger`].
    pub async fn send(&self, trigger: Trigger) -> Result<Sent, CallError> {
        let (channel, body) = trigger.into_call()?;
        let answer = self.call(Method::POST, "/events", channel.as_deref(), body).await?;
        Ok(Sent::parse(&answer)?)
    }

    /// Says that what is true of the channel has changed: whoever knows it is asked, and
    /// subscribers get what is new. To be called after every change, best after its commit. Returns
    /// at once; a thousand of them in a burst lead to two questions.
    ///
    /// # Errors
    /// When nobody can be asked for the channel's truth; when the server drains.
    pub async fn changed(&self, channel: &str) -> Result<(), CallError> {
        self.about(Method::POST, channel, "/changed", b"{}".to_vec()).await.map(|_| ())
    }

    /// The same; whatever is answered with a lower `version` is too old, and asked again.
    ///
    /// # Errors
    /// As [`Oyez::changed`].
    pub async fn changed_to(&self, channel: &str, version: u64) -> Result<(), CallError> {
        let body = json!({ "min_version": version }).to_string().into_bytes();
        self.about(Method::POST, channel, "/changed", body).await.map(|_| ())
    }

    /// The channel's truth is that.
    ///
    /// # Errors
    /// When nothing was changed.
    pub async fn set(
        &self,
        channel: &str,
        value: &(impl Serialize + ?Sized),
    ) -> Result<Changed, CallError> {
        let change = Change::set(value);
        self.change(channel, change).await
    }

    /// The channel's truth is merged with that (RFC 7396).
    ///
    /// # Errors
    /// When nothing was changed.
    pub async fn merge(
        &self,
        channel: &str,
        patch: &(impl Serialize + ?Sized),
    ) -> Result<Changed, CallError> {
        let change = Change::merge(patch);
        self.change(channel, change).await
    }

    /// The channel's truth is patched (RFC 6902).
    ///
    /// # Errors
    /// When nothing was changed; [`CallError::DoesNotApply`] if it cannot be applied.
    pub async fn patch(
        &self,
        channel: &str,
        patch: &(impl Serialize + ?Sized),
    ) -> Result<Changed, CallError> {
        let change = Change::patch(patch);
        self.change(channel, change).await
    }

    /// The channel has no truth any more.
    ///
    /// # Errors
    /// When nothing was changed.
    pub async fn delete(&self, channel: &str) -> Result<Changed, CallError> {
        self.change(channel, Change::delete()).await
    }

    /// Changes the channel's truth, with everything that was said of it.
    ///
    /// # Errors
    /// When nothing was changed; [`CallError::Mismatch`] with what there is instead of what was
    /// expected.
    pub async fn change(&self, channel: &str, change: Change) -> Result<Changed, CallError> {
        let body = change.into_body()?;
        let answer = self.about(Method::PUT, channel, "/truth", body).await?;
        Ok(serde_json::from_slice(&answer)?)
    }

    /// The channel's truth; `None` if it has none. Asks whoever knows it, if nobody has yet, and
    /// waits for that up to 25 s.
    ///
    /// # Errors
    /// When it cannot be read; when it is no `T`.
    pub async fn truth<T: DeserializeOwned>(
        &self,
        channel: &str,
    ) -> Result<Option<Truth<T>>, CallError> {
        self.read_truth(channel, "/truth").await
    }

    /// The same, waited for up to 25 s until it has at least that version.
    ///
    /// # Errors
    /// As [`Oyez::truth`].
    pub async fn truth_from<T: DeserializeOwned>(
        &self,
        channel: &str,
        version: u64,
    ) -> Result<Option<Truth<T>>, CallError> {
        self.read_truth(channel, &format!("/truth?wait_version={version}")).await
    }

    /// What is held of the channel's log, after that position or from its beginning.
    ///
    /// # Errors
    /// [`CallError::HistoryGone`] when what follows the position is not held any more.
    pub async fn history(
        &self,
        channel: &str,
        since: Option<&Position>,
    ) -> Result<History, CallError> {
        let query = since.map_or(String::new(), |Position { epoch, term, offset }| {
            format!("?since={offset}&epoch={}&term={}", encoded(epoch), encoded(term))
        });
        let path = format!("/history{query}");
        let answer = self.about(Method::GET, channel, &path, Vec::new()).await?;
        Ok(serde_json::from_slice(&answer)?)
    }

    /// Removes the remembered events of that name, so that nobody is shown them any more.
    ///
    /// # Errors
    /// When nothing was removed.
    pub async fn forget(&self, channel: &str, event: &str) -> Result<(), CallError> {
        let body = json!({ "event": event }).to_string().into_bytes();
        self.about(Method::POST, channel, "/forget", body).await.map(|_| ())
    }

    /// The occupied channels whose names begin so, with the number of their subscriptions.
    ///
    /// # Errors
    /// When the server has ended.
    pub async fn channels(&self, prefix: &str) -> Result<BTreeMap<String, ChannelInfo>, CallError> {
        #[derive(Deserialize)]
        struct Answer {
            channels: BTreeMap<String, ChannelInfo>,
        }
        let prefix = encoded(prefix);
        let path = format!("/channels?info=subscription_count&filter_by_prefix={prefix}");
        let answer = self.call(Method::GET, &path, None, Vec::new()).await?;
        let Answer { mut channels } = serde_json::from_slice(&answer)?;
        channels.values_mut().for_each(|channel| channel.occupied = true);
        Ok(channels)
    }

    /// What is known of one channel: whether it is occupied, and by how many subscriptions.
    ///
    /// # Errors
    /// When that is no channel's name.
    pub async fn channel(&self, channel: &str) -> Result<ChannelInfo, CallError> {
        let answer =
            self.about(Method::GET, channel, "?info=subscription_count", Vec::new()).await?;
        Ok(serde_json::from_slice(&answer)?)
    }

    /// The ids of the users on a presence channel.
    ///
    /// # Errors
    /// When it is none.
    pub async fn members(&self, channel: &str) -> Result<Vec<String>, CallError> {
        #[derive(Deserialize)]
        struct Answer {
            users: Vec<User>,
        }
        #[derive(Deserialize)]
        struct User {
            id: String,
        }
        let answer = self.about(Method::GET, channel, "/users", Vec::new()).await?;
        let Answer { users } = serde_json::from_slice(&answer)?;
        Ok(users.into_iter().map(|user| user.id).collect())
    }

    /// Closes all connections of a signed-in user, with 4009.
    ///
    /// # Errors
    /// When the id is empty; when the server drains.
    pub async fn terminate(&self, user_id: &str) -> Result<(), CallError> {
        let path = format!("/users/{}/terminate_connections", encoded(user_id));
        self.call(Method::POST, &path, None, b"{}".to_vec()).await.map(|_| ())
    }

    /// Ends one connection, by the socket id that its page sent to the auth endpoint: closes it with
    /// 4200, so that an honest page comes back at once with another socket id, and asks anew for
    /// whatever needs a signature.
    ///
    /// What [`Oyez::authorize`] has signed cannot be taken back, and holds for one socket id. So
    /// this is how somebody is removed from the audience of a private channel: let the program's
    /// auth endpoint refuse them from now on, then disconnect each socket id that it has signed for
    /// them. When this returns nothing reaches that connection that is triggered from then on, and
    /// no signature for it is of use to anybody.
    ///
    /// A connection that there is not any more, or never was, or that is another app's, is no
    /// error: there is nothing to end. It is rare work: every worker looks through its sockets,
    /// once for all calls that are made together. It is done also while the server drains, and is
    /// not given up when the future is dropped once it was polled.
    ///
    /// # Errors
    /// [`CallError::Invalid`] with the code `bad_socket_id` when that is no socket id;
    /// [`CallError::Ended`] when the server has ended, and every connection with it.
    pub async fn disconnect(&self, socket_id: &str) -> Result<(), CallError> {
        let socket_id = SocketId::parse(socket_id).map_err(CallError::bad_socket_id)?;
        Ok(self.running.handle.disconnect(&self.app, socket_id).await?)
    }

    /// What an auth endpoint answers to a client that may subscribe to a private channel. The
    /// client has sent both as the form fields `socket_id` and `channel_name`.
    ///
    /// # Errors
    /// When either is not what it must be. Nothing is signed then.
    pub fn authorize(&self, socket_id: &str, channel: &str) -> Result<Auth, AuthorizeError> {
        auth::subscription(&self.app, self.running.handle.limits(), socket_id, channel, None)
    }

    /// The same for a presence channel, on which the client is that user. `user_info` is for the
    /// other members; `&()` is none.
    ///
    /// # Errors
    /// As [`Oyez::authorize`]; when id or info are over their limits.
    pub fn authorize_member(
        &self,
        socket_id: &str,
        channel: &str,
        user_id: &str,
        user_info: &(impl Serialize + ?Sized),
    ) -> Result<Auth, AuthorizeError> {
        // What cannot be JSON is no info.
        let user_info = serde_json::to_value(user_info).unwrap_or(Value::Null);
        let (limits, member) = (self.running.handle.limits(), Some((user_id, user_info)));
        auth::subscription(&self.app, limits, socket_id, channel, member)
    }

    /// What an auth endpoint answers to a client that may sign in as that user: an object with a
    /// text `id`, and `user_info` and `watchlist` if it has any.
    ///
    /// # Errors
    /// When socket id or user are not what they must be.
    pub fn sign_in(
        &self,
        socket_id: &str,
        user: &(impl Serialize + ?Sized),
    ) -> Result<UserAuth, AuthorizeError> {
        let user = serde_json::to_value(user).unwrap_or(Value::Null);
        auth::sign_in(&self.app, self.running.handle.limits(), socket_id, &user)
    }

    /// Stops gently, from now on: new calls are refused, accepted ones delivered, connections
    /// closed with 4200 over `drain` of the options. The future waits for the end of that.
    ///
    /// # Errors
    /// When it did not end well: a worker or the journal failed.
    pub fn drain(&self) -> impl Future<Output = Ended> + Send + 'static {
        self.running.handle.drain();
        let running = Arc::clone(&self.running);
        async move { running.ended().await }
    }

    /// Waits until the server has ended, because it was drained or because it failed.
    ///
    /// # Errors
    /// When it did not end well: a worker or the journal failed.
    pub async fn ended(&self) -> Ended {
        self.running.ended().await
    }

    async fn read_truth<T: DeserializeOwned>(
        &self,
        channel: &str,
        path: &str,
    ) -> Result<Option<Truth<T>>, CallError> {
        match self.about(Method::GET, channel, path, Vec::new()).await {
            Ok(answer) => Ok(Some(serde_json::from_slice(&answer)?)),
            Err(error) if error.is_no_truth() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// A call about one channel.
    async fn about(
        &self,
        method: Method,
        channel: &str,
        path: &str,
        body: Vec<u8>,
    ) -> Result<bytes::Bytes, CallError> {
        let path = format!("/channels/{}{path}", encoded(channel));
        self.call(method, &path, Some(channel), body).await
    }

    async fn call(
        &self,
        method: Method,
        path: &str,
        channel: Option<&str>,
        body: Vec<u8>,
    ) -> Result<bytes::Bytes, CallError> {
        let handle = &self.running.handle;
        let reply = handle.call(&self.app, method, path, channel, body.into()).await?;
        if reply.is_success() { Ok(reply.body) } else { Err(CallError::of(&reply)) }
    }
}

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}
