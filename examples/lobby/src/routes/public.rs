// SPDX-License-Identifier: MIT OR Apache-2.0
//! The files of `public/`: scripts, styles and images. They are inside of the program, so that a
//! page always gets those that belong to it; browsers keep them, and ask whether they are still
//! the same.

use axum::Router;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, HeaderMap, IF_NONE_MATCH};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use sha2::{Digest, Sha256};

use crate::app::App;

/// One file.
struct File {
    path: &'static str,
    content_type: &'static str,
    content: &'static [u8],
}

macro_rules! file {
    ($path:literal, $content_type:literal) => {
        File {
            path: $path,
            content_type: $content_type,
            content: include_bytes!(concat!("../../public", $path)),
        }
    };
}

const FILES: &[File] = &[
    file!("/images/eight.svg", "image/svg+xml"),
    file!("/javascripts/_cards.js", "text/javascript; charset=utf-8"),
    file!("/javascripts/_page.js", "text/javascript; charset=utf-8"),
    file!("/javascripts/_pusher.js", "text/javascript; charset=utf-8"),
    file!("/javascripts/chat.js", "text/javascript; charset=utf-8"),
    file!("/javascripts/game.js", "text/javascript; charset=utf-8"),
    file!("/javascripts/home.js", "text/javascript; charset=utf-8"),
    file!("/javascripts/lobby.js", "text/javascript; charset=utf-8"),
    file!("/stylesheets/lobby.css", "text/css; charset=utf-8"),
];

/// Browsers may keep a file, but ask each time.
const ASK: HeaderValue = HeaderValue::from_static("no-cache");

pub(crate) fn routes() -> Router<App> {
    FILES.iter().fold(Router::new(), |routes, file| {
        let tag = file.tag();
        routes.route(file.path, get(async move |headers: HeaderMap| file.answer(&tag, &headers)))
    })
}

impl File {
    /// Another content has another.
    fn tag(&self) -> HeaderValue {
        let digest = Sha256::digest(self.content);
        let start = digest.first_chunk().copied().map(u128::from_be_bytes).expect("32 bytes");
        HeaderValue::try_from(format!("\"{start:032x}\"")).expect("hexadecimal digits")
    }

    /// The file, or that the browser has it.
    fn answer(&self, tag: &HeaderValue, headers: &HeaderMap) -> Response {
        let head = [(ETAG, tag.clone()), (CACHE_CONTROL, ASK)];
        if is_known(tag, headers) {
            return (StatusCode::NOT_MODIFIED, head).into_response();
        }
        let content_type = HeaderValue::from_static(self.content_type);
        (head, [(CONTENT_TYPE, content_type)], self.content).into_response()
    }
}

/// Whether the browser has the content of that tag. Proxies that compress mark a tag as weak.
fn is_known(tag: &HeaderValue, headers: &HeaderMap) -> bool {
    let known = headers.get_all(IF_NONE_MATCH).into_iter().filter_map(|tags| tags.to_str().ok());
    known.flat_map(|tags| tags.split(',')).map(str::trim).any(|known| {
        known == "*" || known.strip_prefix("W/").unwrap_or(known).as_bytes() == tag.as_bytes()
    })
}
