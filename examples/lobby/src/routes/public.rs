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

pub(crate) fn routes<S: Clone + Send + Sync + 'static>() -> Router<S> {
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

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::http::Request;
    use http_body_util::BodyExt;
    use tower::ServiceExt;

    use super::*;

    async fn ask(path: &str, known: Option<&str>) -> Response {
        let mut request = Request::get(path);
        if let Some(known) = known {
            request = request.header(IF_NONE_MATCH, known);
        }
        let request = request.body(Body::empty()).expect("a request");
        routes::<()>().oneshot(request).await.expect("no error is possible")
    }

    fn header(response: &Response, name: impl axum::http::header::AsHeaderName) -> &str {
        response.headers().get(name).expect("a header").to_str().expect("text")
    }

    #[tokio::test]
    async fn a_file_that_the_browser_has_is_not_sent_again() {
        for file in FILES {
            let first = ask(file.path, None).await;
            assert_eq!(first.status(), StatusCode::OK, "{}", file.path);
            assert_eq!(header(&first, CACHE_CONTROL), "no-cache");
            let tag = header(&first, ETAG).to_owned();
            let sent = first.into_body().collect().await.expect("a body").to_bytes();
            assert!(!sent.is_empty() && sent == file.content);

            for known in [tag.clone(), format!("W/{tag}"), format!("\"a\", {tag}"), "*".to_owned()]
            {
                let again = ask(file.path, Some(&known)).await;
                assert_eq!(again.status(), StatusCode::NOT_MODIFIED, "{known}");
                assert_eq!(header(&again, ETAG), tag);
                assert_eq!(header(&again, CACHE_CONTROL), "no-cache");
                let sent = again.into_body().collect().await.expect("a body").to_bytes();
                assert!(sent.is_empty());
            }
            assert_eq!(ask(file.path, Some("\"a\"")).await.status(), StatusCode::OK);
        }
    }

    #[tokio::test]
    async fn files_have_their_types() {
        for (end, content_type) in [
            (".css", "text/css; charset=utf-8"),
            (".js", "text/javascript; charset=utf-8"),
            (".svg", "image/svg+xml"),
        ] {
            for file in FILES.iter().filter(|file| file.path.ends_with(end)) {
                assert_eq!(header(&ask(file.path, None).await, CONTENT_TYPE), content_type);
            }
        }
    }

    #[tokio::test]
    async fn nothing_else_is_a_file() {
        for path in
            ["/", "/javascripts/", "/javascripts/../../Cargo.toml", "/images/..%2f..%2fCargo.toml"]
        {
            assert_eq!(ask(path, None).await.status(), StatusCode::NOT_FOUND, "{path}");
        }
    }

    #[test]
    fn no_file_is_forgotten() {
        let public = concat!(env!("CARGO_MANIFEST_DIR"), "/public");
        let mut found = Vec::new();
        for folder in std::fs::read_dir(public).expect("a folder") {
            let folder = folder.expect("a folder").path();
            for file in std::fs::read_dir(folder).expect("a folder") {
                let file = file.expect("a file").path();
                found.push(file.to_str().expect("text")[public.len()..].to_owned());
            }
        }
        found.sort();
        let listed: Vec<_> = FILES.iter().map(|file| file.path).collect();
        assert_eq!(listed, found);
    }
}
