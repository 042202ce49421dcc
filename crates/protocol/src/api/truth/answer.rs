// SPDX-License-Identifier: MIT OR Apache-2.0
//! How calls about a channel's truth are answered.

use crate::api::{ApiError, ErrorCode};
use crate::json::write_string;
use crate::position::{Epoch, Offset};

/// A change was done (200): `{"epoch","version","changed"}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TruthChanged {
    /// The channel's numbering.
    pub epoch: Epoch,
    /// The version of its truth now.
    pub version: Offset,
    /// Whether it is another than before.
    pub outcome: ChangeOutcome,
}

/// What a change has done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeOutcome {
    /// The truth is another now, and subscribers are told.
    Changed,
    /// It was that already; nobody is told.
    Same,
}

/// A truth (200): `{"epoch","version","event","data","time","stale"}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TruthView<'a> {
    /// The channel's numbering.
    pub epoch: Epoch,
    /// The offset of the entry that last changed it.
    pub version: Offset,
    /// The name under which subscribers hear of it.
    pub event: &'a str,
    /// Itself, valid JSON.
    pub data: &'a str,
    /// When it was last changed, in milliseconds since 1970.
    pub time: u64,
    /// Whether it may be behind its source.
    pub freshness: Freshness,
}

/// Whether a truth may be behind its source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Freshness {
    /// Not as far as anybody knows.
    Fresh,
    /// Its resolver has failed since it was last asked for.
    Stale,
}

/// A condition did not hold (409): `{"error","code","epoch","version","data"?}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VersionMismatch<'a> {
    /// The channel's numbering.
    pub epoch: Epoch,
    /// The version of its truth; 0 when it has none.
    pub version: Offset,
    /// Its truth, valid JSON; `data` is missing when it has none.
    pub data: Option<&'a str>,
}

impl TruthChanged {
    /// The JSON of the answer.
    pub fn body(&self) -> Vec<u8> {
        let TruthChanged { epoch, version, outcome } = self;
        let changed = *outcome == ChangeOutcome::Changed;
        format!("{{\"epoch\":\"{epoch}\",\"version\":{version},\"changed\":{changed}}}")
            .into_bytes()
    }
}

impl TruthView<'_> {
    /// The JSON of the answer.
    pub fn body(&self) -> Vec<u8> {
        let TruthView { epoch, version, event, data, time, freshness } = self;
        let mut out =
            format!("{{\"epoch\":\"{epoch}\",\"version\":{version},\"event\":").into_bytes();
        write_string(&mut out, event);
        let stale = *freshness == Freshness::Stale;
        out.extend_from_slice(
            format!(",\"data\":{data},\"time\":{time},\"stale\":{stale}}}").as_bytes(),
        );
        out
    }

    /// The `ETag` of the answer, quotes and all. It says nothing of staleness: the value is the
    /// same.
    pub fn etag(&self) -> String {
        format!("\"{}-{}\"", self.epoch, self.version)
    }
}

impl VersionMismatch<'_> {
    /// The status and name of the answer.
    pub const CODE: ErrorCode = ErrorCode::VersionMismatch;

    /// The JSON of the answer.
    pub fn body(&self) -> Vec<u8> {
        let VersionMismatch { epoch, version, data } = self;
        let text = match (data, version.get()) {
            (Some(_), _) => format!(
                "the channel's truth is not what the call expects: it has version {version} of \
                 epoch {epoch}"
            ),
            (None, 0) => "the channel's truth is not what the call expects: there is none".into(),
            // An event's condition on a channel without a truth is about its events.
            (None, _) => format!(
                "the channel is not where the call expects: its newest entry is {version} of \
                 epoch {epoch}"
            ),
        };
        let mut out = ApiError::new(VersionMismatch::CODE, text).open_body();
        let place = format!(",\"epoch\":\"{epoch}\",\"version\":{version}");
        out.extend_from_slice(place.as_bytes());
        // Where there is no truth the version is 0; a truth that is `null` has one.
        out.extend_from_slice(b",\"data\":");
        out.extend_from_slice(data.unwrap_or("null").as_bytes());
        out.push(b'}');
        out
    }
}
