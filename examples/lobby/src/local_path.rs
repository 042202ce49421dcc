// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`LocalPath`]: where to go after the log-in. Whatever a link says, it is one of our own pages.

use axum::http::header::REFERER;
use axum::http::{HeaderMap, Uri};
use percent_encoding::{AsciiSet, CONTROLS, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;

/// How long one may be, in bytes: ours have a tenth of it.
const BYTES: usize = 1_024;

/// What may not stand in a header, besides everything that is not ASCII.
const NOT_IN_A_HEADER: &AsciiSet = &CONTROLS.add(b' ');

/// What is the same in a query.
const QUERY: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// A path on this server, maybe with a query. Anything else becomes the path `/`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(from = "String")]
pub(crate) struct LocalPath(String);

impl LocalPath {
    /// Browsers take `//host` and `/\host` for another server's address, and drop control
    /// characters before they look.
    pub(crate) fn parse(text: &str) -> LocalPath {
        let is_local = text.starts_with('/')
            && !text.starts_with("//")
            && !text.starts_with("/\\")
            && !text.contains(char::is_control)
            && text.len() <= BYTES;
        if is_local {
            LocalPath(utf8_percent_encode(text, NOT_IN_A_HEADER).to_string())
        } else {
            LocalPath::default()
        }
    }

    /// The path and query of a request.
    pub(crate) fn of(uri: &Uri) -> LocalPath {
        LocalPath::parse(uri.path_and_query().map_or("/", |path| path.as_str()))
    }

    /// The page from which a request comes, if the browser tells. The page is one of ours: see
    /// [`same_origin`](crate::middleware::same_origin).
    pub(crate) fn of_page(headers: &HeaderMap) -> LocalPath {
        let page = headers.get(REFERER).and_then(|page| page.to_str().ok());
        let page = page.and_then(|page| page.parse::<Uri>().ok());
        page.map_or_else(LocalPath::default, |page| LocalPath::of(&page))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// The path of the log-in page from which one gets there.
    pub(crate) fn after_log_in(&self) -> String {
        format!("/login?next={}", utf8_percent_encode(&self.0, QUERY))
    }
}

impl Default for LocalPath {
    fn default() -> LocalPath {
        LocalPath("/".to_owned())
    }
}

impl From<String> for LocalPath {
    fn from(text: String) -> LocalPath {
        LocalPath::parse(&text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_local_path_stays_as_it_is() {
        for path in ["/", "/lobby/7?a=1&b=%20", "/a//b", "/a\\b", "/?next=//evil.test", "/a#b"] {
            assert_eq!(LocalPath::parse(path).as_str(), path);
        }
    }

    #[test]
    fn nothing_leads_elsewhere() {
        let long = format!("/{}", "a".repeat(BYTES));
        for path in [
            "",
            "lobby",
            "//evil.test",
            "///evil.test",
            "/\\evil.test",
            "\\\\evil.test",
            "https://evil.test",
            "javascript:alert(1)",
            " //evil.test",
            "\t//evil.test",
            "/\t/evil.test",
            "/\n/evil.test",
            "/\r\nSet-Cookie: a=b",
            "/\u{85}/evil.test",
            "/\u{0}",
            &long,
        ] {
            assert_eq!(LocalPath::parse(path).as_str(), "/", "{path:?}");
        }
    }

    #[test]
    fn other_letters_fit_into_a_header() {
        assert_eq!(LocalPath::parse("/ä b").as_str(), "/%C3%A4%20b");
    }

    #[test]
    fn the_way_back_is_one_value_of_the_query() {
        let path = LocalPath::parse("/lobby/7?a=1&b=2");
        assert_eq!(path.after_log_in(), "/login?next=%2Flobby%2F7%3Fa%3D1%26b%3D2");
    }
}
