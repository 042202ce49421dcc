// SPDX-License-Identifier: MIT OR Apache-2.0
//! What goes back: answers, refusals, and the JSON of what is known of channels.

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use hyper::{Response, StatusCode};
use oyez_core::ChannelInfo;
use oyez_protocol::api::{ApiError, ErrorCode, write_position};
use oyez_protocol::channel::ChannelName;
use oyez_protocol::json::write_string;
use oyez_protocol::user::UserId;

use super::compose::Reply;
use crate::door::Composed;
use crate::metrics::Format;

/// The answer to a request.
pub(crate) type Answer = Response<Full<Bytes>>;

const JSON: HeaderValue = HeaderValue::from_static("application/json");
const PLAIN: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");
const CLASSIC_METRICS: HeaderValue =
    HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
const OPEN_METRICS: HeaderValue =
    HeaderValue::from_static("application/openmetrics-text; version=1.0.0; charset=utf-8");

/// A request that is refused, with what its answer says beside the error.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) error: ApiError,
    advice: Advice,
}

/// What a refusal says in its head.
#[derive(Debug)]
enum Advice {
    None,
    /// `Allow`.
    Methods(String),
    /// `Retry-After`, in seconds.
    Wait(u64),
}

impl From<ApiError> for Refusal {
    fn from(error: ApiError) -> Refusal {
        Refusal { error, advice: Advice::None }
    }
}

impl Refusal {
    /// There is no such path.
    pub(super) fn not_found(text: &str) -> Refusal {
        ApiError::new(ErrorCode::NotFound, text).into()
    }

    /// The path is right, but only these methods are.
    pub(super) fn method(allowed: &[&str]) -> Refusal {
        let allowed = allowed.join(", ");
        let text = format!("this path takes {allowed} only");
        let error = ApiError::new(ErrorCode::MethodNotAllowed, text);
        Refusal { error, advice: Advice::Methods(allowed) }
    }

    /// Too many calls; `limit` is `limits.requests_per_second`.
    pub(super) fn rate(limit: usize, wait: std::time::Duration) -> Refusal {
        let text = format!(
            "the app makes more than {limit} calls per second (limits.requests_per_second)"
        );
        // Whole seconds, at least one.
        let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        let error = ApiError::new(ErrorCode::RateLimited, text);
        Refusal { error, advice: Advice::Wait(seconds.max(1)) }
    }

    /// The answer that says so.
    pub(super) fn answer(self) -> Answer {
        let code = self.error.code.status();
        let status = StatusCode::from_u16(code).expect("the table holds valid statuses");
        let mut answer = with_type(status, JSON, Bytes::from(self.error.body()));
        let advice = match self.advice {
            Advice::None => return answer,
            Advice::Methods(allowed) => {
                (ALLOW, HeaderValue::from_str(&allowed).expect("methods are plain words"))
            }
            Advice::Wait(seconds) => (RETRY_AFTER, HeaderValue::from(seconds)),
        };
        answer.headers_mut().insert(advice.0, advice.1);
        answer
    }
}

fn with_type(status: StatusCode, content_type: HeaderValue, body: Bytes) -> Answer {
    let mut answer = Response::new(Full::new(body));
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, content_type);
    answer
}

/// `{}`.
pub(super) fn done(status: StatusCode) -> Answer {
    with_type(status, JSON, Bytes::from_static(b"{}"))
}

/// An answer that was composed.
pub(super) fn reply(reply: Reply) -> Answer {
    with_type(reply.status, JSON, Bytes::from(reply.body))
}

/// An answer that was composed before, perhaps long ago.
pub(super) fn composed(composed: Composed) -> Answer {
    let status = StatusCode::from_u16(composed.status).unwrap_or(StatusCode::OK);
    with_type(status, JSON, Bytes::from(composed.body))
}

/// What the caller has is what there is.
pub(super) fn not_modified() -> Answer {
    let mut answer = Response::new(Full::default());
    *answer.status_mut() = StatusCode::NOT_MODIFIED;
    answer
}

/// A JSON text.
fn json(body: Vec<u8>) -> Answer {
    with_type(StatusCode::OK, JSON, Bytes::from(body))
}

/// An error that is none of the HTTP API's.
pub(super) fn error(status: StatusCode, text: &str) -> Answer {
    let mut body = b"{\"error\":".to_vec();
    write_string(&mut body, text);
    body.push(b'}');
    with_type(status, JSON, Bytes::from(body))
}

/// `/up`.
pub(super) fn up(status: StatusCode, text: &'static str) -> Answer {
    let mut answer = with_type(status, PLAIN, Bytes::from_static(text.as_bytes()));
    answer.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}

/// `/metrics`.
pub(super) fn metrics(text: String, format: Format) -> Answer {
    let content_type = match format {
        Format::Classic => CLASSIC_METRICS,
        Format::OpenMetrics => OPEN_METRICS,
    };
    with_type(StatusCode::OK, content_type, Bytes::from(text))
}

/// `{"channels":{CH:{…},…}}`.
pub(super) fn channels<'a>(
    channels: impl Iterator<Item = (&'a ChannelName, &'a ChannelInfo)>,
) -> Answer {
    json(channels_json(channels))
}

/// The same as text.
pub(super) fn channels_json<'a>(
    channels: impl Iterator<Item = (&'a ChannelName, &'a ChannelInfo)>,
) -> Vec<u8> {
    let mut out = b"{\"channels\":{".to_vec();
    for (at, (name, info)) in channels.enumerate() {
        separate(&mut out, at);
        write_string(&mut out, name.as_str());
        out.extend_from_slice(b":{");
        write_attributes(&mut out, info, Next::First);
        out.push(b'}');
    }
    out.extend_from_slice(b"}}");
    out
}

/// `{"batch":[{…},…]}`.
pub(super) fn batch_json(infos: &[ChannelInfo]) -> Vec<u8> {
    let mut out = b"{\"batch\":[".to_vec();
    for (at, info) in infos.iter().enumerate() {
        separate(&mut out, at);
        out.push(b'{');
        write_attributes(&mut out, info, Next::First);
        out.push(b'}');
    }
    out.extend_from_slice(b"]}");
    out
}

/// `{"occupied":…,…}`.
pub(super) fn channel(info: &ChannelInfo) -> Answer {
    let mut out = occupied(info);
    write_attributes(&mut out, info, Next::Further);
    out.push(b'}');
    json(out)
}

/// The answer to the deprecated `GET /channels/CH/stats`, which calls connections by their name.
pub(super) fn stats(info: &ChannelInfo) -> Answer {
    let mut out = occupied(info);
    for (name, count) in [
        (&b",\"user_count\":"[..], info.user_count),
        (b",\"connection_count\":", info.subscription_count),
    ] {
        let Some(count) = count else { continue };
        out.extend_from_slice(name);
        write_number(&mut out, count as u64);
    }
    out.push(b'}');
    json(out)
}

/// `{"users":[{"id":…},…]}`.
pub(super) fn users(ids: &[UserId]) -> Answer {
    let mut out = b"{\"users\":[".to_vec();
    for (at, id) in ids.iter().enumerate() {
        separate(&mut out, at);
        out.extend_from_slice(b"{\"id\":");
        write_string(&mut out, id.as_str());
        out.push(b'}');
    }
    out.extend_from_slice(b"]}");
    json(out)
}

fn occupied(info: &ChannelInfo) -> Vec<u8> {
    match info.occupied {
        true => b"{\"occupied\":true".to_vec(),
        false => b"{\"occupied\":false".to_vec(),
    }
}

/// Whether something stands before in the same object.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Next {
    First,
    Further,
}

fn write_attributes(out: &mut Vec<u8>, info: &ChannelInfo, mut next: Next) {
    let mut key = |out: &mut Vec<u8>, name: &str| {
        if next == Next::Further {
            out.push(b',');
        }
        next = Next::Further;
        write_string(out, name);
        out.push(b':');
    };
    for (name, count) in
        [("user_count", info.user_count), ("subscription_count", info.subscription_count)]
    {
        let Some(count) = count else { continue };
        key(out, name);
        write_number(out, count as u64);
    }
    if let Some(position) = info.position {
        key(out, "position");
        write_position(out, position);
    }
    let Some(cache) = &info.cache else { return };
    key(out, "cache");
    let Some(cached) = cache else {
        out.extend_from_slice(b"null");
        return;
    };
    out.extend_from_slice(b"{\"data\":");
    write_string(out, &cached.data);
    out.extend_from_slice(b",\"ttl\":");
    write_number(out, cached.ttl.as_secs());
    out.push(b'}');
}

fn write_number(out: &mut Vec<u8>, number: u64) {
    out.extend_from_slice(number.to_string().as_bytes());
}

fn separate(out: &mut Vec<u8>, at: usize) {
    if at > 0 {
        out.push(b',');
    }
}
