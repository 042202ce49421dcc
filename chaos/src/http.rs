// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Http`]: signed calls of the HTTP API over one kept connection. An answer is whole or it is
//! none: what a dead server left half written counts for nothing.

use std::net::SocketAddr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use hmac::{Hmac, KeyInit, Mac};
use md5::Digest;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::channels::{APP_ID, APP_KEY, APP_SECRET};

/// How long a call may take; a stopped process must not hold its callers for ever.
const PATIENCE: Duration = Duration::from_secs(4);

/// An answer to a call.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The body.
    pub body: Value,
}

/// See the module.
#[derive(Debug)]
pub struct Http {
    address: SocketAddr,
    stream: Option<TcpStream>,
}

impl Http {
    /// Calls a server there.
    pub fn new(address: SocketAddr) -> Http {
        Http { address, stream: None }
    }

    /// Makes a call; `None` when there is no answer.
    pub async fn call(
        &mut self,
        method: &str,
        path: &str,
        query: &[(&str, String)],
        body: &str,
    ) -> Option<Answer> {
        let path = format!("/apps/{APP_ID}{path}");
        let query = signed(method, &path, query, body);
        let request = format!(
            "{method} {path}?{query} HTTP/1.1\r\nhost: oyez\r\ncontent-type: application/json\r\n\
             content-length: {}\r\n\r\n{body}",
            body.len()
        );
        let mut stream = match self.stream.take() {
            Some(stream) => stream,
            None => timeout(PATIENCE, TcpStream::connect(self.address)).await.ok()?.ok()?,
        };
        let (answer, fate) = timeout(PATIENCE, exchange(&mut stream, &request)).await.ok()??;
        if fate == Fate::Kept {
            self.stream = Some(stream);
        }
        Some(answer)
    }

    /// `GET` of a path under the app.
    pub async fn get(&mut self, path: &str, query: &[(&str, String)]) -> Option<Answer> {
        self.call("GET", path, query, "").await
    }
}

/// What becomes of a connection after an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Kept,
    Closed,
}

async fn exchange(stream: &mut TcpStream, request: &str) -> Option<(Answer, Fate)> {
    stream.write_all(request.as_bytes()).await.ok()?;
    let mut bytes = Vec::with_capacity(4096);
    let (head, length) = loop {
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            let head = std::str::from_utf8(&bytes[..end]).ok()?.to_ascii_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length:"))?;
            let length: usize = length.trim().parse().ok()?;
            break (head, end + 4 + length);
        }
    };
    while bytes.len() < length {
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
    let status = head.split(' ').nth(1)?.parse().ok()?;
    let text = &bytes[head.len() + 4..length];
    let body = serde_json::from_slice(text)
        .unwrap_or_else(|_| Value::from(String::from_utf8_lossy(text).into_owned()));
    let fate = if head.contains("connection: close") { Fate::Closed } else { Fate::Kept };
    Some((Answer { status, body }, fate))
}

/// The query with everything that a signature needs.
fn signed(method: &str, path: &str, query: &[(&str, String)], body: &str) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let mut all: Vec<(&str, String)> = query.to_vec();
    all.push(("auth_key", APP_KEY.to_owned()));
    all.push(("auth_timestamp", now.to_string()));
    all.push(("auth_version", "1.0".to_owned()));
    if !body.is_empty() {
        all.push(("body_md5", hex(&md5::Md5::digest(body))));
    }
    all.sort();
    let text: Vec<_> = all.iter().map(|(key, value)| format!("{key}={value}")).collect();
    let text = text.join("&");
    let mut mac =
        Hmac::<sha2::Sha256>::new_from_slice(APP_SECRET.as_bytes()).expect("any key will do");
    mac.update(format!("{method}\n{path}\n{text}").as_bytes());
    format!("{text}&auth_signature={}", hex(&mac.finalize().into_bytes()))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
