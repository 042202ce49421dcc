// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`SignedRequest`]: whether an HTTP API call was signed with the app's secret (protocol
//! section 6, "Signature").
//!
//! The head of a request is enough to check its signature, which covers the MD5 of the body; the
//! body is compared with that once it is there. So nobody without a secret makes the server keep
//! a body. A refusal says what was wrong and which string was signed, never with what.

use std::borrow::Cow;

use md5::{Digest, Md5};
use percent_encoding::percent_decode_str;
use smallvec::SmallVec;

use super::{ApiError, ErrorCode, Query};
use crate::auth::Credentials;
use crate::secret::hex_lower;

/// How far `auth_timestamp` may lie from the server's clock, either way, in seconds.
pub const CLOCK_TOLERANCE: u64 = 600;

/// The only `auth_version` there is.
const VERSION: &str = "1.0";

/// How much of the signed string an error shows, in characters.
const SHOWN: usize = 1024;

/// The head of a call, as far as it is signed.
#[derive(Clone, Copy, Debug)]
pub struct SignedRequest<'a, 'q> {
    /// The method, in upper case.
    pub method: &'a str,
    /// The path as it arrived.
    pub path: &'a str,
    /// What a proxy or the config's `path` put before `/apps`; most often empty.
    pub prefix: &'a str,
    /// The query.
    pub query: &'a Query<'q>,
}

/// Why a call's signature was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// A parameter is not in the query.
    #[error(
        "the query has no `{0}`: every call needs auth_key, auth_timestamp, auth_version and auth_signature"
    )]
    Missing(&'static str),
    /// The key of another app, or of none.
    #[error("`auth_key` is not the key of this app")]
    UnknownKey,
    /// Another `auth_version`.
    #[error("`auth_version` must be {VERSION}")]
    Version,
    /// `auth_timestamp` is no number.
    #[error("`auth_timestamp` must be the time in seconds since 1970, in digits")]
    Timestamp,
    /// `auth_timestamp` is too far from the server's clock.
    #[error(
        "`auth_timestamp` is {seconds} s {} this server's clock, at most {CLOCK_TOLERANCE} s are \
         allowed: set the clocks right, and send seconds",
        .direction.word()
    )]
    Clock {
        /// By how much.
        seconds: u64,
        /// Which way.
        direction: ClockDirection,
    },
    /// A body, but no `body_md5`.
    #[error("the query has no `body_md5`: a call with a body must be signed with the MD5 of it")]
    NoBodyMd5,
    /// Another body than the one that was signed.
    #[error(
        "`body_md5` is not the MD5 of the body: {bytes} bytes arrived, with the MD5 {actual}; \
         was the body changed after it was signed?"
    )]
    BodyMd5 {
        /// Of the body that arrived.
        bytes: usize,
        /// The hex MD5 of that body.
        actual: String,
    },
    /// Everything is there, but the signature is another.
    #[error(
        "`auth_signature` is wrong: it must be the lower-case hex HMAC-SHA256, with the app's \
         secret, of this string:\n{signed}"
    )]
    Signature {
        /// The string that the server signed, cut to a printable length.
        signed: String,
    },
}

/// On which side of the server's clock a timestamp lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClockDirection {
    /// It is older.
    Behind,
    /// It is newer.
    Ahead,
}

/// In which case the keys of the query are signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Keys {
    Lower,
    AsSent,
}

impl ClockDirection {
    fn word(self) -> &'static str {
        match self {
            ClockDirection::Behind => "behind",
            ClockDirection::Ahead => "ahead of",
        }
    }
}

impl SignedRequest<'_, '_> {
    /// Checks the key, the time and the signature. `now` is in seconds since 1970.
    pub fn check(&self, app: Credentials<'_>, now: u64) -> Result<(), SignatureError> {
        let needed = |key| self.query.get(key).ok_or(SignatureError::Missing(key));
        if needed("auth_key")? != app.key {
            return Err(SignatureError::UnknownKey);
        }
        check_clock(needed("auth_timestamp")?, now)?;
        if needed("auth_version")? != VERSION {
            return Err(SignatureError::Version);
        }
        let claimed = needed("auth_signature")?.as_bytes();
        let others = self.other_readings();
        let is_signed = |keys| {
            let signed = |path: &str| app.secret.verifies(&self.parts(path, keys), claimed);
            signed(self.path) || others.iter().any(|path| signed(path))
        };
        // Libraries sort by the lower-cased key; some then sign it as they send it.
        if is_signed(Keys::Lower) || (self.query.as_sent().is_some() && is_signed(Keys::AsSent)) {
            return Ok(());
        }
        let signed = self.parts(self.path, Keys::Lower).concat();
        let signed = String::from_utf8_lossy(&signed).chars().take(SHOWN).collect();
        Err(SignatureError::Signature { signed })
    }

    /// Compares the body that arrived with the one that was signed.
    pub fn check_body(&self, body: &[u8]) -> Result<(), SignatureError> {
        // Without a body there may be the MD5 of nothing: the Python library sends that.
        let claimed = match self.query.get("body_md5") {
            None if body.is_empty() => return Ok(()),
            None => return Err(SignatureError::NoBodyMd5),
            Some(claimed) => claimed,
        };
        let mut hex = [0; 32];
        hex_lower(&Md5::digest(body), &mut hex);
        if claimed.as_bytes().eq_ignore_ascii_case(&hex) {
            return Ok(());
        }
        let actual = hex.iter().map(|&b| char::from(b)).collect();
        Err(SignatureError::BodyMd5 { bytes: body.len(), actual })
    }

    /// The signed string, in pieces: `METHOD\nPATH\nk=v&k=v…`.
    fn parts<'p>(&'p self, path: &'p str, keys: Keys) -> SmallVec<[&'p [u8]; 24]> {
        let mut parts: SmallVec<[&[u8]; 24]> = SmallVec::new();
        parts.extend([self.method.as_bytes(), b"\n", path.as_bytes()]);
        let mut before: &[u8] = b"\n";
        let mut add = |(key, value): (&'p str, &'p str)| {
            if !key.eq_ignore_ascii_case("auth_signature") {
                parts.extend([before, key.as_bytes(), b"=", value.as_bytes()]);
                before = b"&";
            }
        };
        match self.query.as_sent().filter(|_| keys == Keys::AsSent) {
            Some(as_sent) => as_sent.for_each(&mut add),
            None => self.query.iter().for_each(&mut add),
        }
        if before == b"\n" {
            parts.push(b"\n");
        }
        parts
    }

    /// What else a client may have signed for this path: libraries sign before their HTTP client
    /// percent-encodes (a user id with a `|` in it), and the PHP library signs without the prefix.
    fn other_readings(&self) -> SmallVec<[Cow<'_, str>; 3]> {
        let mut readings = SmallVec::new();
        let bare = self.path.strip_prefix(self.prefix).filter(|_| !self.prefix.is_empty());
        readings.extend(bare.map(Cow::Borrowed));
        for path in [Some(self.path), bare].into_iter().flatten().filter(|path| path.contains('%'))
        {
            readings.extend(percent_decode_str(path).decode_utf8().ok());
        }
        readings
    }
}

fn check_clock(timestamp: &str, now: u64) -> Result<(), SignatureError> {
    if timestamp.is_empty() || !timestamp.bytes().all(|b| b.is_ascii_digit()) {
        return Err(SignatureError::Timestamp);
    }
    let timestamp: u64 = timestamp.parse().map_err(|_| SignatureError::Timestamp)?;
    let seconds = timestamp.abs_diff(now);
    if seconds <= CLOCK_TOLERANCE {
        return Ok(());
    }
    let direction = if timestamp < now { ClockDirection::Behind } else { ClockDirection::Ahead };
    Err(SignatureError::Clock { seconds, direction })
}

impl From<SignatureError> for ApiError {
    fn from(error: SignatureError) -> ApiError {
        let (code, field) = match error {
            SignatureError::Missing(key) => (ErrorCode::MissingAuth, key),
            SignatureError::UnknownKey => (ErrorCode::UnknownKey, "auth_key"),
            SignatureError::Version => (ErrorCode::BadAuthVersion, "auth_version"),
            SignatureError::Timestamp | SignatureError::Clock { .. } => {
                (ErrorCode::ClockSkew, "auth_timestamp")
            }
            SignatureError::NoBodyMd5 | SignatureError::BodyMd5 { .. } => {
                (ErrorCode::BodyMd5, "body_md5")
            }
            SignatureError::Signature { .. } => (ErrorCode::BadSignature, "auth_signature"),
        };
        ApiError::at(code, field, error.to_string())
    }
}

#[cfg(test)]
mod tests;
