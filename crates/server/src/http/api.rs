// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`answer`]: one call of the HTTP API, from its head to its answer.
//!
//! In this order: draining, app, method, signature, switched off, rate, body, its MD5, its
//! contents, and then the backend. What is refused has done nothing.

use std::sync::Arc;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use hyper::StatusCode;
use hyper::http::request::Parts;
use oyez_core::{ChannelInfo, Publication, Wanted};
use oyez_protocol::api::{
    Action, ApiError, Batch, ErrorCode, Info, ListChannels, Query, SignedRequest, Trigger,
    channel_info, decode_segment,
};
use oyez_protocol::channel::{Access, ChannelName};
use oyez_protocol::user::UserId;

use super::answer::{self, Answer, Refusal};
use super::body::RequestBody;
use super::route::{AppName, Call};
use super::{Backend, HttpContext};
use crate::apps::App;
use crate::door::Unavailable;

/// Answers a call for that app.
pub(super) async fn answer<B: Backend>(
    context: &HttpContext<B>,
    head: &Parts,
    app: AppName<'_>,
    call: Call<'_>,
    body: &mut RequestBody<'_>,
) -> Result<Answer, Refusal> {
    let outcome = admit_and_run(context, head, app, call, body).await;
    if call.publishes() {
        let result = outcome.as_ref().map(|_| ()).map_err(|refusal| refusal.error.code);
        context.stats.publish(result);
    }
    outcome
}

async fn admit_and_run<B: Backend>(
    context: &HttpContext<B>,
    head: &Parts,
    app: AppName<'_>,
    call: Call<'_>,
    body: &mut RequestBody<'_>,
) -> Result<Answer, Refusal> {
    if head.method.as_str() != call.method() {
        return Err(Refusal::method(call.method()));
    }
    if context.is_draining() && call.method() == "POST" {
        return Err(unavailable(Unavailable::Draining).into());
    }
    let query = Query::parse(head.uri.query().unwrap_or_default());
    let app = match (app, &query) {
        (AppName::Id(id), _) => context.apps.by_id(id),
        (AppName::SigningKey, Ok(query)) => {
            query.get("auth_key").and_then(|key| context.apps.by_key(key))
        }
        (AppName::SigningKey, Err(_)) => None,
    };
    let app = app.ok_or_else(|| {
        ApiError::new(ErrorCode::UnknownApp, "no app of this server has the id in the path")
    })?;
    let query = query.map_err(|error| ApiError::new(ErrorCode::BadUrl, error.to_string()))?;
    let request = SignedRequest {
        method: call.method(),
        path: head.uri.path(),
        prefix: &context.path,
        query: &query,
    };
    request.check(app.credentials(), unix_seconds()).map_err(ApiError::from)?;
    admit(context, app)?;
    let body = body.read().await?;
    context.stats.body_bytes.add(body.len() as u64);
    request.check_body(&body).map_err(ApiError::from)?;
    Caller { context, app, query: &query }.run(call, body).await.map_err(Refusal::from)
}

/// Whether the app may make a call now.
fn admit<B>(context: &HttpContext<B>, app: &App) -> Result<(), Refusal> {
    if !app.options.switches.enabled {
        let text = "the app is switched off in the config of this server (enabled = false)";
        return Err(ApiError::new(ErrorCode::AppDisabled, text).into());
    }
    match context.limits.requests_per_second {
        0 => Ok(()),
        limit => {
            app.requests.take(limit, Instant::now()).map_err(|wait| Refusal::rate(limit, wait))
        }
    }
}

fn unix_seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// A call that was let in.
struct Caller<'a, 'q, B> {
    context: &'a HttpContext<B>,
    app: &'a Arc<App>,
    query: &'a Query<'q>,
}

impl<B: Backend> Caller<'_, '_, B> {
    async fn run(&self, call: Call<'_>, body: Bytes) -> Result<Answer, ApiError> {
        let (backend, limits) = (&self.context.backend, &self.context.limits);
        match call {
            Call::Events => {
                let trigger = Trigger::parse(&body, limits)?;
                if trigger.info.is_empty() {
                    self.publish(publications([trigger])?).await?;
                    return Ok(answer::done(StatusCode::OK));
                }
                let names = trigger.channels.clone();
                let infos = self.publish(publications([trigger])?).await?;
                Ok(answer::channels(names.iter().zip(&infos)))
            }
            Call::BatchEvents => {
                let Batch { triggers, .. } = Batch::parse(&body, limits)?;
                let silent = triggers.iter().all(|trigger| trigger.info.is_empty());
                let infos = self.publish(publications(triggers)?).await?;
                Ok(if silent { answer::done(StatusCode::OK) } else { answer::batch(&infos) })
            }
            Call::ChannelEvents(channel) => {
                let channel = self.channel(channel)?;
                let trigger = Trigger::parse_deprecated(channel, self.query, &body, limits)?;
                self.publish(publications([trigger])?).await?;
                Ok(answer::done(StatusCode::ACCEPTED))
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
                let wanted = Wanted { user_count, subscription_count: true, cache: false };
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

    async fn publish(&self, publications: Vec<Publication>) -> Result<Vec<ChannelInfo>, ApiError> {
        self.context.backend.publish(self.app, publications).await.map_err(unavailable)
    }

    fn channel(&self, segment: &str) -> Result<ChannelName, ApiError> {
        let name = decode_segment(segment, "channel")?;
        ChannelName::parse(&name, self.context.limits.channel_name)
            .map_err(|error| ApiError::at(ErrorCode::BadChannelName, "channel", error.to_string()))
    }
}

/// One publication for each channel of each trigger, in their order.
fn publications(triggers: impl IntoIterator<Item = Trigger>) -> Result<Vec<Publication>, ApiError> {
    let triggers = triggers.into_iter();
    let mut publications = Vec::with_capacity(triggers.size_hint().0);
    for Trigger { action, mut channels, exclude, info, .. } in triggers {
        let Action::Event { name: event, data } = action else {
            let text = format!("{} has no memory: a command has nothing to work on", channels[0]);
            return Err(ApiError::at(ErrorCode::NoMemory, "name", text));
        };
        let wanted = wanted(info);
        let last = channels.pop();
        publications.extend(channels.into_iter().map(|channel| {
            let (event, data) = (event.clone(), data.clone());
            Publication { channel, event, data, exclude, wanted }
        }));
        publications.extend(last.map(|channel| Publication {
            channel,
            event,
            data,
            exclude,
            wanted,
        }));
    }
    Ok(publications)
}

fn wanted(info: Info) -> Wanted {
    let Info { user_count, subscription_count, cache, position: _ } = info;
    Wanted { user_count, subscription_count, cache }
}

fn unavailable(reason: Unavailable) -> ApiError {
    let code = match reason {
        Unavailable::Draining => ErrorCode::Draining,
        Unavailable::Channels => ErrorCode::TooManyChannels,
    };
    ApiError::new(code, reason.to_string())
}
