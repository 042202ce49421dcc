// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Caller`]: a call that was let in, and what it gets.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use hyper::StatusCode;
use hyper::header::{ETAG, HeaderValue, IF_NONE_MATCH};
use hyper::http::request::Parts;
use oyez_core::{Answer as CoreAnswer, BodyHash, Wanted};
use oyez_protocol::api::{
    ApiError, Batch, Changed, ErrorCode, Forget, Info, ListChannels, Query, ReadHistory, ReadTruth,
    Trigger, TruthCall, channel_info, decode_segment,
};
use oyez_protocol::channel::{Access, ChannelName};
use oyez_protocol::user::UserId;
use sha2::{Digest, Sha256};

use super::answer::{self, Answer};
use super::compose::{self, Reply};
use super::orders;
use super::route::Call;
use super::{Backend, HttpContext};
use crate::apps::App;
use crate::door::{Idempotency, Once, Order};

/// A call that waits for a truth waits no longer.
const PATIENCE: Duration = Duration::from_secs(25);

/// A call that was let in.
pub(super) struct Caller<'a, 'q, B> {
    pub(super) context: &'a HttpContext<B>,
    pub(super) app: &'a Arc<App>,
    pub(super) query: &'a Query<'q>,
    pub(super) head: &'a Parts,
}

impl<B: Backend> Caller<'_, '_, B> {
    pub(super) async fn run(
        &self,
        method: &str,
        call: Call<'_>,
        body: Bytes,
    ) -> Result<Answer, ApiError> {
        let (backend, limits) = (&self.context.backend, &self.context.limits);
        match call {
            Call::Events => {
                let mut trigger = Trigger::parse(&body, limits)?;
                let key = trigger.idempotency_key.take();
                let names = (!trigger.info.is_empty()).then(|| trigger.channels.clone());
                let orders = orders::of(trigger)?;
                self.perform(key, &body, orders, move |answers| match &names {
                    None => compose::done(answers),
                    Some(names) => compose::channels(names, answers),
                })
                .await
            }
            Call::BatchEvents => {
                let Batch { triggers, idempotency_key: key } = Batch::parse(&body, limits)?;
                let silent = triggers.iter().all(|trigger| trigger.info.is_empty());
                let orders: Result<Vec<_>, _> = triggers.into_iter().map(orders::of).collect();
                let orders = orders?.into_iter().flatten().collect();
                self.perform(key, &body, orders, move |answers| match silent {
                    true => compose::done(answers),
                    false => compose::batch(answers),
                })
                .await
            }
            Call::ChannelEvents(channel) => {
                let channel = self.channel(channel)?;
                let trigger = Trigger::parse_deprecated(channel, self.query, &body, limits)?;
                let done = |answers: &[CoreAnswer]| {
                    compose::done(answers)
                        .map(|reply| Reply { status: StatusCode::ACCEPTED, ..reply })
                };
                self.perform(None, &body, orders::of(trigger)?, done).await
            }
            Call::Truth(channel) if method == "GET" => {
                let channel = self.channel(channel)?;
                self.truth(channel).await
            }
            Call::Truth(channel) => {
                let channel = self.channel(channel)?;
                let TruthCall { change, idempotency_key: key } = TruthCall::parse(&body, limits)?;
                let order = orders::change(channel, change)?;
                self.perform(key, &body, vec![order], compose::truth).await
            }
            Call::Forget(channel) => {
                let channel = self.channel(channel)?;
                let order = orders::forget(channel, Forget::parse(&body, limits)?);
                self.perform(None, &body, vec![order], compose::done).await
            }
            Call::Changed(channel) => {
                let channel = self.channel(channel)?;
                let order = orders::changed(channel, Changed::parse(&body)?);
                let done = |answers: &[CoreAnswer]| {
                    compose::done(answers)
                        .map(|reply| Reply { status: StatusCode::ACCEPTED, ..reply })
                };
                self.perform(None, &body, vec![order], done).await
            }
            Call::History(channel) => {
                let channel = self.channel(channel)?;
                let of = ReadHistory::parse(self.query, limits)?;
                let answer = backend.history(self.app, channel, of).await;
                compose::history(&answer).map(answer::reply)
            }
            Call::Channels => {
                let ListChannels { prefix, info } = ListChannels::parse(self.query)?;
                let channels = backend.list(self.app, prefix, wanted(info)).await;
                Ok(answer::channels(channels.iter()))
            }
            Call::Channel(channel) => {
                let channel = self.channel(channel)?;
                let info = channel_info(self.query, &channel)?;
                let info = backend.inspect(self.app, channel, wanted(info)).await;
                Ok(answer::channel(&info))
            }
            Call::Stats(channel) => {
                let channel = self.channel(channel)?;
                let user_count = channel.kind().access == Access::Presence;
                let wanted = Wanted { user_count, subscription_count: true, ..Wanted::default() };
                Ok(answer::stats(&backend.inspect(self.app, channel, wanted).await))
            }
            Call::Users(channel) => {
                let channel = self.channel(channel)?;
                if channel.kind().access != Access::Presence {
                    let text = format!("only presence channels have users: {channel} is none");
                    return Err(ApiError::at(ErrorCode::NotPresence, "channel", text));
                }
                Ok(answer::users(&backend.members(self.app, channel).await))
            }
            Call::Terminate(user) => {
                let user = decode_segment(user, "user id")?;
                if user.is_empty() {
                    let text = "the user id in the path must not be empty";
                    return Err(ApiError::at(ErrorCode::BadUserId, "user id", text));
                }
                backend.terminate(self.app, UserId::of(&user)).await;
                Ok(answer::done(StatusCode::OK))
            }
        }
    }

    /// Does what the call wants; once, if it has a key.
    async fn perform(
        &self,
        key: Option<String>,
        body: &[u8],
        orders: Vec<Order>,
        compose: impl FnOnce(&[CoreAnswer]) -> Result<Reply, ApiError> + 'static,
    ) -> Result<Answer, ApiError> {
        let backend = &self.context.backend;
        let Some(key) = key else {
            let answers = backend.carry_out(self.app, orders).await.map_err(compose::unable)?;
            return compose(&answers).map(answer::reply);
        };
        let body = BodyHash(Sha256::digest(body).into());
        let compose = move |answers: Result<Vec<CoreAnswer>, _>| {
            let reply = answers.map_err(compose::unable).and_then(|answers| compose(&answers));
            compose::stored(reply)
        };
        match backend.once(self.app, Idempotency { key, body }, orders, compose).await {
            Once::Answer(composed) => Ok(answer::composed(composed)),
            Once::Unable(unable) => Err(compose::unable(unable)),
            Once::Conflict => Err(compose::conflict()),
            Once::Full => Err(compose::full()),
        }
    }

    async fn truth(&self, channel: ChannelName) -> Result<Answer, ApiError> {
        let ReadTruth { wait_version } = ReadTruth::parse(self.query)?;
        let answer = self.context.backend.truth(self.app, channel, wait_version, PATIENCE).await;
        let (etag, reply) = compose::value(&answer)?;
        let known = self.head.headers.get(IF_NONE_MATCH).and_then(|value| value.to_str().ok());
        let is_known = known.is_some_and(|known| {
            known.split(',').any(|one| one.trim().trim_start_matches("W/") == etag)
        });
        let mut answer = match is_known {
            true => answer::not_modified(),
            false => answer::reply(reply),
        };
        if let Ok(etag) = HeaderValue::from_str(&etag) {
            answer.headers_mut().insert(ETAG, etag);
        }
        Ok(answer)
    }

    fn channel(&self, segment: &str) -> Result<ChannelName, ApiError> {
        let name = decode_segment(segment, "channel")?;
        ChannelName::parse(&name, self.context.limits.channel_name)
            .map_err(|error| ApiError::at(ErrorCode::BadChannelName, "channel", error.to_string()))
    }
}

/// What the homes shall say of a channel.
pub(super) fn wanted(info: Info) -> Wanted {
    let Info { user_count, subscription_count, cache, position } = info;
    Wanted { user_count, subscription_count, cache, position }
}
