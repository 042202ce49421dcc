// SPDX-License-Identifier: MIT OR Apache-2.0
//! The page of development mode: what to paste, who is connected, what is sent.
//!
//! Three files that are part of the program, made of hand-written HTML, CSS and JavaScript. The
//! page uses the public protocol alone and signs with the first app's secret, which is in its
//! HTML. Hence its promises: it is answered only to a request for a loopback host, so that no
//! name of a stranger's site leads to it; the secret stands in the HTML, which other sites cannot
//! read, never in the script, which they could run; nothing but this server is ever asked.

pub mod snippets;

use std::net::IpAddr;

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, HeaderValue, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use hyper::{Response, StatusCode};
use serde_json::json;

use crate::http::Answer;
use crate::options::AppOptions;
use snippets::{Connection, Part, Snippet};

const HTML: &str = include_str!("page.html");
const CSS: &str = include_str!("console.css");

/// The script, one noun per file; the last starts it.
const JS: &str = concat!(
    include_str!("sign.js"),
    include_str!("socket.js"),
    include_str!("events.js"),
    include_str!("channels.js"),
    include_str!("start.js"),
);

/// The port of a `Host` that names none.
const HTTP_PORT: u16 = 80;

/// The page of one server.
pub(crate) struct Page {
    app: AppOptions,
    prefix: String,
}

impl Page {
    /// The page for that app; `prefix` stands before `/app` and `/apps`.
    pub(crate) fn new(app: &AppOptions, prefix: &str) -> Page {
        Page { app: app.clone(), prefix: prefix.to_owned() }
    }

    /// Answers a `GET` of that path by a request with that `Host`; `None` if nothing is there.
    pub(crate) fn respond(&self, path: &str, host: Option<&str>) -> Option<Answer> {
        let kind = match path {
            "/" => "text/html; charset=utf-8",
            "/console.css" => "text/css; charset=utf-8",
            "/console.js" => "text/javascript; charset=utf-8",
            _ => return None,
        };
        let Some(place) = host.and_then(Loopback::parse) else {
            return Some(answer(
                StatusCode::FORBIDDEN,
                "text/plain; charset=utf-8",
                ELSEWHERE,
                "'none'",
            ));
        };
        let body = match path {
            "/" => Bytes::from(self.html(&place)),
            "/console.css" => Bytes::from_static(CSS.as_bytes()),
            _ => Bytes::from_static(JS.as_bytes()),
        };
        // Not every browser takes the WebSocket of a page's own origin for 'self'.
        Some(answer(StatusCode::OK, kind, body, &format!("'self' ws://{}", place.authority)))
    }

    fn html(&self, place: &Loopback<'_>) -> String {
        let connection = Connection {
            host: place.host,
            port: place.port,
            prefix: &self.prefix,
            id: &self.app.id,
            key: &self.app.key,
            secret: self.app.secret.reveal(),
        };
        let app = json!({
            "id": connection.id,
            "key": connection.key,
            "secret": connection.secret,
            "prefix": connection.prefix,
            "version": env!("CARGO_PKG_VERSION"),
        });
        // In a script element nothing is an escape but JSON's own.
        let app = app.to_string().replace('<', "\\u003c");
        let mut tabs = String::new();
        let mut panels = String::new();
        for snippet in Snippet::ALL {
            let Snippet { name, title, install, .. } = snippet;
            tabs.push_str(&format!(
                "<button type=\"button\" role=\"tab\" id=\"tab-{name}\" aria-controls=\"panel-{name}\">{title}</button>"
            ));
            panels.push_str(&format!(
                "<div class=\"panel\" id=\"panel-{name}\" role=\"tabpanel\" aria-labelledby=\"tab-{name}\">\
                 <p class=\"install\"><code>{}</code></p>\
                 <button type=\"button\" class=\"copy\" data-copy=\"code-{name}\">Copy<span class=\"unseen\"> the {title} code</span></button>\
                 <pre><code id=\"code-{name}\">{}</code></pre></div>",
                escape(install),
                code(&snippet, &connection)
            ));
        }
        HTML.replace("{{address}}", &escape(place.authority))
            .replace("{{tabs}}", &tabs)
            .replace("{{panels}}", &panels)
            .replace("{{id}}", &escape(connection.id))
            .replace("{{key}}", &escape(connection.key))
            .replace("{{version}}", env!("CARGO_PKG_VERSION"))
            // Last, so that nothing in a secret is taken for a name.
            .replace("{{app}}", &app)
    }
}

/// What somebody is told who asks under another name.
const ELSEWHERE: &str = "The page of development mode shows the app's secret, so it is there only \
    for this machine: open it by 127.0.0.1, localhost or [::1].\n";

/// A `Host` that names this machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Loopback<'a> {
    /// As it was sent: host, and port if there was one.
    authority: &'a str,
    host: &'a str,
    port: u16,
}

impl<'a> Loopback<'a> {
    /// Only addresses of the loopback and the name `localhost` pass. A name of somebody else's
    /// that resolves to this machine does not.
    fn parse(authority: &'a str) -> Option<Loopback<'a>> {
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => {
                if port.is_empty() || !port.bytes().all(|b| b.is_ascii_digit()) {
                    return None;
                }
                (host, port.parse().ok()?)
            }
            _ => (authority, HTTP_PORT),
        };
        let address = match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
            Some(inner) => inner.parse().ok().map(IpAddr::V6),
            None => host.parse().ok().map(IpAddr::V4),
        };
        let here = match address {
            Some(address) => address.is_loopback(),
            None => host.eq_ignore_ascii_case("localhost"),
        };
        here.then_some(Loopback { authority, host, port })
    }
}

fn answer(status: StatusCode, kind: &'static str, body: impl Into<Bytes>, connect: &str) -> Answer {
    let policy = format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src {connect}; \
         base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    );
    let policy = HeaderValue::try_from(policy).expect("a loopback host is plain ASCII");
    let mut answer = Response::new(Full::new(body.into()));
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, policy);
    for (name, value) in [
        (CONTENT_TYPE, kind),
        (CACHE_CONTROL, "no-store"),
        (X_FRAME_OPTIONS, "DENY"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (REFERRER_POLICY, "no-referrer"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    answer
}

/// A snippet as HTML, with its values marked.
fn code(snippet: &Snippet, connection: &Connection<'_>) -> String {
    let mut html = String::new();
    snippet.each_part(connection, |part| match part {
        Part::Code(text) => html.push_str(&escape(text)),
        Part::Value(text) => html.push_str(&format!("<b>{}</b>", escape(text))),
    });
    html
}

fn escape(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            c => html.push(c),
        }
    }
    html
}

#[cfg(test)]
mod tests;
