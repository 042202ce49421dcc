// SPDX-License-Identifier: MIT OR Apache-2.0
//! The head of a request: its line, and those headers that matter before HTTP proper begins.

use std::mem::MaybeUninit;

use super::{Refusal, WebSocketKey};
use crate::limits::Limits;

/// The most header lines that any limit can allow: room for them is on the stack.
pub const HEADERS_CEILING: usize = 256;

/// The one version of the protocol (RFC 6455 4.1).
const VERSION: &[u8] = b"13";

/// How large a head may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeadLimits {
    /// Request line and headers with the empty line that ends them, in bytes.
    pub bytes: usize,
    /// Header lines, [`HEADERS_CEILING`] at most.
    pub headers: usize,
}

impl From<&Limits> for HeadLimits {
    fn from(limits: &Limits) -> Self {
        Self { bytes: limits.header_bytes, headers: limits.headers }
    }
}

/// A request whose head is complete. Everything borrows from the bytes that were parsed.
#[derive(Clone, Debug, Default)]
pub struct Request<'a> {
    /// Bytes of the head; what follows them was sent after it.
    pub len: usize,
    /// `GET`, or whatever was sent in its place.
    pub method: &'a str,
    /// The path as it was sent, percent-encoding and all; begins with `/`, save for odd targets.
    pub path: &'a str,
    /// What stands behind the first `?`, as it was sent.
    pub query: Option<&'a str>,
    /// `Host`.
    pub host: Option<&'a str>,
    /// `Origin`, which browsers always send.
    pub origin: Option<&'a str>,
    /// `X-Forwarded-Proto`: to be believed only of a trusted proxy. The last line when several.
    pub forwarded_proto: Option<&'a str>,
    /// `X-Forwarded-For`: to be believed only of a trusted proxy, whose own entry is the last one.
    /// The last line when there are several.
    pub forwarded_for: Option<&'a str>,
    http_1_1: bool,
    upgrade: bool,
    connection_upgrade: bool,
    body: bool,
    key: Option<&'a [u8]>,
    version: Option<&'a [u8]>,
    /// The first fault that forbids an upgrade but is no business of ours without one.
    fault: Option<&'static str>,
}

/// Reads the head of a request from the start of `bytes`; `None` when its end has not come.
///
/// `seen` is how many of the bytes an earlier call, which gave `None`, already had: a head that
/// comes byte by byte is then not parsed anew with each of them. A fault in what a first call
/// sees is reported at once, in what comes later no later than the end of the head.
///
/// # Errors
/// [`Refusal::HeadTooLarge`] as soon as the head must exceed a limit, and [`Refusal::BadRequest`]
/// for what is not HTTP/1. Whether the request is a good handshake is for [`Request::upgrade`].
pub fn parse_head<'a>(
    bytes: &'a [u8],
    seen: usize,
    limits: HeadLimits,
) -> Result<Option<Request<'a>>, Refusal> {
    let incomplete =
        || if bytes.len() < limits.bytes { Ok(None) } else { Err(Refusal::HeadTooLarge) };
    if seen > 0 && !ends_head(bytes, seen) {
        return incomplete();
    }
    let mut storage = [const { MaybeUninit::uninit() }; HEADERS_CEILING];
    let storage = &mut storage[..limits.headers.min(HEADERS_CEILING)];
    let mut parsed = httparse::Request::new(&mut []);
    let len = match parsed.parse_with_uninit_headers(bytes, storage) {
        Ok(httparse::Status::Complete(len)) if len <= limits.bytes => len,
        Ok(httparse::Status::Complete(_)) => return Err(Refusal::HeadTooLarge),
        Ok(httparse::Status::Partial) => return incomplete(),
        Err(error) => return Err(refusal(error)),
    };
    let (path, query) = split_target(parsed.path.unwrap_or_default());
    let mut request = Request {
        len,
        method: parsed.method.unwrap_or_default(),
        path,
        query,
        http_1_1: parsed.version == Some(1),
        ..Request::default()
    };
    for header in parsed.headers.iter() {
        request.take_header(header.name, header.value);
    }
    Ok(Some(request))
}

impl<'a> Request<'a> {
    /// Whether the request asks to become a WebSocket, well or badly.
    pub fn wants_websocket(&self) -> bool {
        self.upgrade
    }

    /// Judges the request as an opening handshake (RFC 6455 4.2.1); the key makes the answer.
    ///
    /// # Errors
    /// The refusal to be sent in place of that answer.
    pub fn upgrade(&self) -> Result<WebSocketKey, Refusal> {
        if self.method != "GET" {
            return Err(Refusal::MethodNotAllowed);
        }
        if !self.upgrade {
            return Err(Refusal::UpgradeRequired);
        }
        let must = |held: bool, what| if held { Ok(()) } else { Err(Refusal::BadRequest(what)) };
        must(self.http_1_1, "a WebSocket handshake needs HTTP/1.1")?;
        must(self.connection_upgrade, "the Connection header must name Upgrade")?;
        must(self.host.is_some(), "the Host header is missing")?;
        must(!self.body, "a WebSocket handshake has no body")?;
        if let Some(fault) = self.fault {
            return Err(Refusal::BadRequest(fault));
        }
        if self.version != Some(VERSION) {
            return Err(Refusal::VersionNotSupported);
        }
        self.key.and_then(WebSocketKey::parse).ok_or(Refusal::BadRequest(
            "Sec-WebSocket-Key must be 16 bytes in base64, which are 24 characters",
        ))
    }

    /// Notes a header, if it is one of ours.
    fn take_header(&mut self, name: &str, value: &'a [u8]) {
        let is = |known: &str| name.eq_ignore_ascii_case(known);
        if is("host") {
            let twice = self.host.is_some();
            self.host = self.text(value, "the Host header is not text");
            self.fault_if(twice, "the Host header is there twice");
        } else if is("upgrade") {
            self.upgrade |= has_token(value, "websocket");
        } else if is("connection") {
            self.connection_upgrade |= has_token(value, "upgrade");
        } else if is("origin") {
            let twice = self.origin.is_some();
            self.origin = self.text(value, "the Origin header is not text");
            self.fault_if(twice, "the Origin header is there twice");
        } else if is("sec-websocket-key") {
            let twice = self.key.replace(value).is_some();
            self.fault_if(twice, "the Sec-WebSocket-Key header is there twice");
        } else if is("sec-websocket-version") {
            let twice = self.version.replace(value).is_some();
            self.fault_if(twice, "the Sec-WebSocket-Version header is there twice");
        } else if is("x-forwarded-proto") {
            self.forwarded_proto = self.text(value, "the X-Forwarded-Proto header is not text");
        } else if is("x-forwarded-for") {
            self.forwarded_for = self.text(value, "the X-Forwarded-For header is not text");
        } else if is("transfer-encoding") {
            self.body = true;
        } else if is("content-length") {
            self.body |= value != b"0";
        }
    }

    fn text(&mut self, value: &'a [u8], fault: &'static str) -> Option<&'a str> {
        let text = std::str::from_utf8(value).ok();
        self.fault_if(text.is_none(), fault);
        text
    }

    fn fault_if(&mut self, found: bool, fault: &'static str) {
        if found {
            self.fault.get_or_insert(fault);
        }
    }
}

/// Whether an empty line, which may end a head, has come with the bytes behind `seen`.
fn ends_head(bytes: &[u8], seen: usize) -> bool {
    // The line feed before the empty line may be one of the last two bytes that were seen.
    let fresh = &bytes[seen.saturating_sub(2).min(bytes.len())..];
    (0..fresh.len())
        .any(|at| fresh[at] == b'\n' && matches!(fresh[at + 1..], [b'\n', ..] | [b'\r', b'\n', ..]))
}

/// Path and query of a request's target, which may be a whole URL (RFC 9112 3.2.2).
fn split_target(target: &str) -> (&str, Option<&str>) {
    let target = match target.split_once("://") {
        Some((scheme, rest)) if scheme.bytes().all(|byte| byte.is_ascii_alphabetic()) => {
            rest.find(['/', '?']).map_or("/", |at| &rest[at..])
        }
        _ => target,
    };
    match target.split_once('?') {
        Some(("", query)) => ("/", Some(query)),
        Some((path, query)) => (path, Some(query)),
        None => (target, None),
    }
}

/// Whether a comma-separated list has that token, in any case of letters.
fn has_token(list: &[u8], token: &str) -> bool {
    list.split(|&byte| byte == b',')
        .any(|item| item.trim_ascii().eq_ignore_ascii_case(token.as_bytes()))
}

fn refusal(error: httparse::Error) -> Refusal {
    Refusal::BadRequest(match error {
        httparse::Error::TooManyHeaders => return Refusal::HeadTooLarge,
        httparse::Error::HeaderName => "a header's name is not a token",
        httparse::Error::HeaderValue => "a header's value has a control character",
        httparse::Error::NewLine => "a line of the head does not end in CR LF",
        httparse::Error::Version => "the request is not HTTP/1",
        httparse::Error::Token | httparse::Error::Status => "the request line is not HTTP",
    })
}
