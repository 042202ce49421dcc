// SPDX-License-Identifier: MIT OR Apache-2.0
//! Why a request does not become a WebSocket, and the HTTP answer that says so.

/// A refusal in HTTP, before there is a WebSocket. After its [`response`](Self::response) the
/// connection is to be closed: what may follow the head is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// 400: not HTTP, or a handshake against the rules; says what is wrong.
    #[error("{0}")]
    BadRequest(&'static str),
    /// 404: nothing is at this path.
    #[error("nothing is here: connect to /app/KEY")]
    NotFound,
    /// 405: a handshake is a GET.
    #[error("a WebSocket handshake is a GET request")]
    MethodNotAllowed,
    /// 426: no WebSocket was asked for, where there is nothing else.
    #[error("this path speaks WebSocket only: send Upgrade: websocket")]
    UpgradeRequired,
    /// 426: a WebSocket version that is not 13.
    #[error("this server speaks WebSocket version 13")]
    VersionNotSupported,
    /// 431: more bytes or lines than the limits allow.
    #[error("the head of the request is over limits.header_bytes or limits.headers")]
    HeadTooLarge,
}

impl Refusal {
    /// The status code of the answer.
    pub const fn status(self) -> u16 {
        self.parts().0
    }

    /// Status, reason phrase, short name for programs, header lines of its own.
    const fn parts(self) -> (u16, &'static str, &'static str, &'static str) {
        match self {
            Self::BadRequest(_) => (400, "Bad Request", "bad_request", "Connection: close\r\n"),
            Self::NotFound => (404, "Not Found", "not_found", "Connection: close\r\n"),
            Self::MethodNotAllowed => (
                405,
                "Method Not Allowed",
                "method_not_allowed",
                "Allow: GET\r\nConnection: close\r\n",
            ),
            Self::UpgradeRequired => (
                426,
                "Upgrade Required",
                "upgrade_required",
                "Upgrade: websocket\r\nConnection: Upgrade, close\r\n",
            ),
            Self::VersionNotSupported => (
                426,
                "Upgrade Required",
                "version_not_supported",
                "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
                 Connection: Upgrade, close\r\n",
            ),
            Self::HeadTooLarge => {
                (431, "Request Header Fields Too Large", "head_too_large", "Connection: close\r\n")
            }
        }
    }

    /// The whole answer, with a JSON body of the shape that the HTTP API uses for errors.
    pub fn response(self) -> Vec<u8> {
        let (status, phrase, code, headers) = self.parts();
        // No text of a refusal needs an escape in JSON: a test keeps it so.
        let body = format!("{{\"error\":\"{self}\",\"code\":\"{code}\"}}");
        format!(
            "HTTP/1.1 {status} {phrase}\r\n{headers}Content-Type: application/json\r\n\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        )
        .into_bytes()
    }
}
