// SPDX-License-Identifier: MIT OR Apache-2.0
//! One POST to a source, and what its answer says.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};
use hyper::header::{ACCEPT, HeaderMap, HeaderName, HeaderValue};
use hyper::{StatusCode, Uri};
use oyez_protocol::channel::ChannelName;
use oyez_protocol::json;
use tokio::time::{Instant, timeout_at};

use super::failure::Failure;
use super::source::Asker;
use super::{Outcome, answer};
use crate::outgoing::client::{HttpClient, discard, signature_header, signed_post, with_causes};

const VERSION: HeaderName = HeaderName::from_static("oyez-version");
/// Common frameworks then answer errors with a status instead of a redirect to a login page.
const WANTED: HeaderValue = HeaderValue::from_static("application/json");

/// What is asked, and how long the answer may take and be.
pub(super) struct Post<'a> {
    pub(super) to: &'a Uri,
    pub(super) asker: &'a Asker,
    pub(super) channel: ChannelName,
    pub(super) within: Duration,
    pub(super) answer_bytes: usize,
}

impl Post<'_> {
    /// Asks.
    pub(super) async fn ask(self, http: &HttpClient) -> Result<Outcome, Failure> {
        let end = Instant::now() + self.within;
        let no_answer = |_| Failure::NoAnswer(self.within);
        let body = Bytes::from(body(&self.asker.app_id, &self.channel));
        let signature = signature_header(&self.asker.secret, &body);
        let mut request = signed_post(self.to, &self.asker.key, signature, body);
        request.headers_mut().insert(ACCEPT, WANTED);

        let answer = timeout_at(end, http.request(request))
            .await
            .map_err(no_answer)?
            .map_err(|error| Failure::Connection(with_causes(&error)))?;
        let (head, body) = answer.into_parts();
        match head.status {
            StatusCode::OK => {
                let version = version(&head.headers)?;
                let body = timeout_at(end, read(body, self.answer_bytes)).await;
                answer::of_body(body.map_err(no_answer)??, version)
            }
            status => {
                // The status is the answer.
                let _ = timeout_at(end, discard(body)).await;
                match status {
                    StatusCode::NOT_FOUND => Ok(Outcome::None),
                    status => Err(Failure::Status(status)),
                }
            }
        }
    }
}

fn body(app_id: &str, channel: &ChannelName) -> Vec<u8> {
    let mut body = b"{\"app_id\":".to_vec();
    json::write_string(&mut body, app_id);
    body.extend_from_slice(b",\"channel\":");
    json::write_string(&mut body, channel.as_str());
    body.push(b'}');
    body
}

fn version(headers: &HeaderMap) -> Result<Option<u64>, Failure> {
    let Some(value) = headers.get(VERSION) else { return Ok(None) };
    let number = value.to_str().ok().and_then(|text| text.trim().parse().ok());
    number.map(Some).ok_or(Failure::Version)
}

/// Reads a body to its end. One that is too long is cut off, if it says so beforehand, unread.
async fn read(mut body: Incoming, most: usize) -> Result<Vec<u8>, Failure> {
    let told = body.size_hint();
    if told.lower() > most as u64 {
        return Err(Failure::TooLong(most));
    }
    let mut read = Vec::with_capacity(told.exact().unwrap_or_default() as usize);
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| Failure::Connection(with_causes(&error)))?;
        let Some(data) = frame.data_ref() else { continue };
        if read.len() + data.len() > most {
            return Err(Failure::TooLong(most));
        }
        read.extend_from_slice(data);
    }
    Ok(read)
}
