// SPDX-License-Identifier: MIT OR Apache-2.0
//! `/oyez.js`: the browser client, from inside the binary, so that a page always gets the one
//! that belongs to its server.

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{
    ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, CONTENT_TYPE, ETAG, HeaderMap, HeaderValue,
    IF_NONE_MATCH,
};
use hyper::{Response, StatusCode};

use super::answer::Answer;

/// A file that is served as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Library {
    /// The script, as `clients/js` builds it.
    Script,
    /// Where in its sources each piece of it comes from.
    SourceMap,
}

const SCRIPT: &str = include_str!("../../../../clients/js/generated/oyez.js");
const SOURCE_MAP: &str = include_str!("../../../../clients/js/generated/oyez.js.map");

/// Pages of any origin may load it; they ask whether it is still the same once an hour.
const EVERYBODY: HeaderValue = HeaderValue::from_static("*");
const AN_HOUR: HeaderValue = HeaderValue::from_static("public, max-age=3600");
const JAVASCRIPT: HeaderValue = HeaderValue::from_static("text/javascript; charset=utf-8");
const JSON: HeaderValue = HeaderValue::from_static("application/json");

impl Library {
    /// The file of that path.
    pub(super) fn find(path: &str) -> Option<Library> {
        match path {
            "/oyez.js" => Some(Library::Script),
            "/oyez.js.map" => Some(Library::SourceMap),
            _ => None,
        }
    }

    /// The file, or that the reader has it.
    pub(super) fn answer(self, head: &HeaderMap) -> Answer {
        let (text, content_type) = match self {
            Library::Script => (SCRIPT, JAVASCRIPT),
            Library::SourceMap => (SOURCE_MAP, JSON),
        };
        let tag = tag(text);
        let known = head.get(IF_NONE_MATCH).is_some_and(|known| known == tag);
        let body = if known { Bytes::new() } else { Bytes::from_static(text.as_bytes()) };
        let mut answer = Response::new(Full::new(body));
        if known {
            *answer.status_mut() = StatusCode::NOT_MODIFIED;
        }
        let headers = answer.headers_mut();
        headers.insert(CONTENT_TYPE, content_type);
        headers.insert(CACHE_CONTROL, AN_HOUR);
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, EVERYBODY);
        headers.insert(ETAG, tag);
        answer
    }
}

/// Changes with the text.
fn tag(text: &str) -> HeaderValue {
    use std::hash::{BuildHasher, Hasher};
    let mut hasher = foldhash::quality::FixedState::with_seed(0).build_hasher();
    hasher.write(text.as_bytes());
    let tag = format!("\"{:016x}\"", hasher.finish());
    HeaderValue::from_str(&tag).expect("made of hexadecimal digits")
}
