// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`ApiError`]: a refused call, with the status, the short name and the words that the caller
//! gets. [`ErrorCode`] is the one table of all of them.

use std::fmt;

use crate::json::write_string;

/// Declares the codes with their statuses and names.
macro_rules! error_codes {
    ($( $(#[doc = $doc:literal])+ $name:ident = $status:literal, $short:literal; )+) => {
        /// Why a call was refused: an HTTP status, and a short name that programs can compare.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum ErrorCode { $( $(#[doc = $doc])+ $name, )+ }

        impl ErrorCode {
            /// All codes, in the order of the manual.
            pub const ALL: &'static [ErrorCode] = &[ $( ErrorCode::$name, )+ ];

            /// The HTTP status.
            pub const fn status(self) -> u16 { match self { $( ErrorCode::$name => $status, )+ } }

            /// The short name, `code` in the answer.
            pub const fn name(self) -> &'static str { match self { $( ErrorCode::$name => $short, )+ } }
        }
    };
}

error_codes! {
    /// The body is not JSON, not an object, or not UTF-8.
    BadJson = 400, "bad_json";
    /// The body did not arrive as HTTP says it must.
    BadBody = 400, "bad_body";
    /// The path or the query is not properly encoded.
    BadUrl = 400, "bad_url";
    /// A field that must be there is not.
    MissingField = 400, "missing_field";
    /// A field is of another type than it must be.
    WrongType = 400, "wrong_type";
    /// A number is negative, broken, or out of its range.
    BadNumber = 400, "bad_number";
    /// An event's name is empty or too long.
    BadEventName = 400, "bad_event_name";
    /// An event's name belongs to the protocol.
    ReservedEventName = 400, "reserved_event_name";
    /// A channel's name is not one.
    BadChannelName = 400, "bad_channel_name";
    /// No channel, or more than one call may publish to.
    ChannelCount = 400, "channel_count";
    /// More events than one batch may hold.
    BatchTooLong = 400, "batch_too_long";
    /// An encrypted channel together with others.
    EncryptedChannels = 400, "encrypted_channels";
    /// A `socket_id` that is not one.
    BadSocketId = 400, "bad_socket_id";
    /// An attribute that this call does not know, or that this channel does not have.
    BadInfo = 400, "bad_info";
    /// Users asked of a channel that has no members.
    NotPresence = 400, "not_presence";
    /// A user's id that cannot be one.
    BadUserId = 400, "bad_user_id";
    /// An idempotency key that is empty, too long, or given in the wrong place.
    BadIdempotencyKey = 400, "bad_idempotency_key";
    /// A change of a truth that says nothing, too much, or something else than its name.
    BadChange = 400, "bad_change";
    /// A truth's time to live that is none.
    BadTtl = 400, "bad_ttl";
    /// More operations than one patch may hold.
    PatchTooLong = 400, "patch_too_long";
    /// Data that must be JSON, because the channel makes a truth of it, and is not.
    NotJson = 400, "not_json";
    /// The channel remembers nothing: no rule gives it memory.
    NoMemory = 400, "no_memory";
    /// The channel's rule names nobody who could be asked for its truth.
    NoResolver = 400, "no_resolver";
    /// A parameter of the signature is missing.
    MissingAuth = 401, "missing_auth";
    /// `auth_key` is not the key of this app.
    UnknownKey = 401, "unknown_key";
    /// `auth_version` is not 1.0.
    BadAuthVersion = 401, "bad_auth_version";
    /// `auth_timestamp` is too far from the server's clock, or no number.
    ClockSkew = 401, "clock_skew";
    /// `body_md5` is missing, or is not that of the body.
    BodyMd5 = 401, "body_md5";
    /// `auth_signature` is wrong.
    BadSignature = 401, "bad_signature";
    /// The app is switched off in the config.
    AppDisabled = 403, "app_disabled";
    /// No app has the id in the path.
    UnknownApp = 404, "unknown_app";
    /// There is no such path.
    NotFound = 404, "not_found";
    /// The channel holds no truth.
    NoTruth = 404, "no_truth";
    /// The path is right, the method is not.
    MethodNotAllowed = 405, "method_not_allowed";
    /// The body did not arrive in time.
    RequestTimeout = 408, "request_timeout";
    /// The channel's truth is not of the version or the epoch that the call expects.
    VersionMismatch = 409, "version_mismatch";
    /// The idempotency key was used for a call with another body.
    IdempotencyConflict = 409, "idempotency_conflict";
    /// That part of the channel's log is gone, or never was.
    HistoryGone = 410, "history_gone";
    /// The data of an event is larger than it may be.
    DataTooLarge = 413, "data_too_large";
    /// The body of a call is larger than it may be.
    BodyTooLarge = 413, "body_too_large";
    /// A truth, or a change of one, is larger than it may be.
    TruthTooLarge = 413, "truth_too_large";
    /// A patch that is none, or does not apply to the truth.
    PatchFailed = 422, "patch_failed";
    /// More calls per second than the app may make.
    RateLimited = 429, "rate_limited";
    /// The app has as many channels as it may.
    TooManyChannels = 503, "too_many_channels";
    /// The app has as many idempotency keys in use as it may.
    IdempotencyFull = 503, "idempotency_full";
    /// The app's channels remember as much as they may.
    MemoryFull = 503, "memory_full";
    /// The journal cannot be written: what must survive is not taken any more.
    JournalFailed = 503, "journal_failed";
    /// The server is about to stop.
    Draining = 503, "draining";
}

/// A refused call. Nothing of it was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiError {
    /// Status and short name.
    pub code: ErrorCode,
    /// Where in the body or the query, like `batch[3].data`.
    pub field: Option<String>,
    /// What was wrong, and what to do.
    pub text: String,
}

impl ApiError {
    /// An error about the call as a whole.
    pub fn new(code: ErrorCode, text: impl Into<String>) -> ApiError {
        ApiError { code, field: None, text: text.into() }
    }

    /// An error about one field.
    pub fn at(code: ErrorCode, field: impl Into<String>, text: impl Into<String>) -> ApiError {
        ApiError { code, field: Some(field.into()), text: text.into() }
    }

    /// The JSON of the answer: `{"error","code","field"?}`.
    pub fn body(&self) -> Vec<u8> {
        let mut out = self.open_body();
        out.push(b'}');
        out
    }

    /// The same without its last brace, for answers that say more.
    pub(super) fn open_body(&self) -> Vec<u8> {
        let mut out = b"{\"error\":".to_vec();
        write_string(&mut out, &self.text);
        out.extend_from_slice(b",\"code\":");
        write_string(&mut out, self.code.name());
        if let Some(field) = &self.field {
            out.extend_from_slice(b",\"field\":");
            write_string(&mut out, field);
        }
        out
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for ApiError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_have_names_of_their_own() {
        let mut names: Vec<_> = ErrorCode::ALL.iter().map(|code| code.name()).collect();
        names.sort_unstable();
        assert!(names.windows(2).all(|w| w[0] != w[1]), "{names:?}");
    }

    #[test]
    fn an_error_is_json_with_its_field_when_it_has_one() {
        let json = |error: ApiError| -> serde_json::Value {
            serde_json::from_slice(&error.body()).expect("valid JSON")
        };
        assert_eq!(
            json(ApiError::at(ErrorCode::WrongType, "batch[3].data", "a \"b\"\n")),
            serde_json::json!({"error":"a \"b\"\n","code":"wrong_type","field":"batch[3].data"})
        );
        assert_eq!(
            json(ApiError::new(ErrorCode::NotFound, "no")),
            serde_json::json!({"error":"no","code":"not_found"})
        );
    }
}
