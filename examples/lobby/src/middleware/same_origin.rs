// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`same_origin`]: what changes anything must come from one of our own pages, so that no other
//! site's page can act as whoever looks at it (CSRF). Needs no token in any form.

use axum::extract::Request;
use axum::http::HeaderMap;
use axum::http::header::{HOST, HeaderValue, ORIGIN};
use axum::middleware::Next;
use axum::response::Response;

use crate::error::Error;

const SEC_FETCH_SITE: &str = "sec-fetch-site";

const REFUSED: Error = Error::Forbidden("This was sent by the page of another site.");

/// Refuses requests of unsafe methods that another site's page sends.
pub(crate) async fn same_origin(request: Request, next: Next) -> Result<Response, Error> {
    if request.method().is_safe() || is_same_origin(request.headers()) {
        Ok(next.run(request).await)
    } else {
        Err(REFUSED)
    }
}

/// Browsers say where a request comes from in `Sec-Fetch-Site`, if the page is secure; else in
/// `Origin`, with every request that may change something. A request with neither is let pass, as
/// no browser sends it, and whoever else does (a program) holds nobody's cookies but its own.
fn is_same_origin(headers: &HeaderMap) -> bool {
    if let Some(site) = headers.get(SEC_FETCH_SITE) {
        // `none`: the person began it, not a page.
        return site == "same-origin" || site == "none";
    }
    let Some(origin) = headers.get(ORIGIN) else { return true };
    match (authority(origin), headers.get(HOST).and_then(|host| host.to_str().ok())) {
        (Some(authority), Some(host)) => authority.eq_ignore_ascii_case(host),
        _ => false,
    }
}

/// The host and port of an origin. The origin `null` has none.
fn authority(origin: &HeaderValue) -> Option<&str> {
    let (_scheme, authority) = origin.to_str().ok()?.split_once("://")?;
    Some(authority)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_let_pass(headers: &[(&'static str, &'static str)]) -> bool {
        let headers = headers
            .iter()
            .map(|(name, value)| (name.parse().expect("a name"), HeaderValue::from_static(value)));
        is_same_origin(&headers.collect())
    }

    #[test]
    fn what_the_browser_says_of_the_site_decides() {
        assert!(is_let_pass(&[("sec-fetch-site", "same-origin")]));
        assert!(is_let_pass(&[("sec-fetch-site", "none")]));
        assert!(!is_let_pass(&[("sec-fetch-site", "same-site")]));
        assert!(!is_let_pass(&[("sec-fetch-site", "cross-site")]));
        assert!(!is_let_pass(&[("sec-fetch-site", "")]));
        assert!(!is_let_pass(&[
            ("sec-fetch-site", "cross-site"),
            ("origin", "http://localhost:3000"),
            ("host", "localhost:3000"),
        ]));
    }

    #[test]
    fn without_it_the_origin_must_be_the_host() {
        let host = ("host", "lobby.test:3000");
        assert!(is_let_pass(&[host, ("origin", "http://lobby.test:3000")]));
        assert!(is_let_pass(&[host, ("origin", "https://LOBBY.test:3000")]));
        assert!(!is_let_pass(&[host, ("origin", "http://lobby.test:3001")]));
        assert!(!is_let_pass(&[host, ("origin", "http://lobby.test")]));
        assert!(!is_let_pass(&[host, ("origin", "http://evil.test")]));
        assert!(!is_let_pass(&[host, ("origin", "http://evil.test/lobby.test:3000")]));
        assert!(!is_let_pass(&[host, ("origin", "null")]));
        assert!(!is_let_pass(&[("origin", "http://lobby.test:3000")]));
    }

    #[test]
    fn without_either_it_is_no_browser() {
        assert!(is_let_pass(&[("host", "lobby.test:3000")]));
    }
}
