// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`ReadHistory`]: what `GET /channels/CH/history` asks for. [`HistoryPage`] and [`HistoryGone`]:
//! how it is answered.

use super::expected::Expected;
use super::fields::At;
use super::{ApiError, ErrorCode, Query};
use crate::encode::ResetReason;
use crate::json::write_string;
use crate::limits::Limits;
use crate::position::{Epoch, Offset, Position, Term};

/// `GET /channels/CH/history`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReadHistory {
    /// Only what came after it; everything that is held when it is not said.
    pub since: Option<Offset>,
    /// The numbering that `since` belongs to.
    pub epoch: Expected<Epoch>,
    /// The authority that the caller last heard of.
    pub term: Expected<Term>,
    /// How many events at most; never more than `limits.history_page`.
    pub limit: usize,
}

/// The answer, written event by event:
/// `{"epoch","term","offset","events":[{"offset","event","data","time"}]}`.
#[derive(Debug)]
pub struct HistoryPage {
    out: Vec<u8>,
    events: usize,
}

/// The refusal (410): what the caller missed is gone, or never was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HistoryGone {
    /// Why: trimmed, epoch, diverged or ahead.
    pub reason: ResetReason,
    /// Where the channel is.
    pub position: Position,
}

impl ReadHistory {
    /// Reads `since`, `epoch`, `term` and `limit`; all may be missing.
    pub fn parse(query: &Query<'_>, limits: &Limits) -> Result<ReadHistory, ApiError> {
        let at = At::Body;
        let since = query.get("since").map(|text| at.written_offset("since", text)).transpose()?;
        let most = limits.history_page;
        let limit = match query.get("limit") {
            None => most,
            Some(text) => {
                let limit = Offset::parse(text).and_then(|n| usize::try_from(n.get()).ok());
                limit.filter(|limit| (1..=most).contains(limit)).ok_or_else(|| {
                    let text =
                        format!("must be a whole number from 1 to {most} (limits.history_page)");
                    at.bad("limit", ErrorCode::BadNumber, text)
                })?
            }
        };
        Ok(ReadHistory {
            since,
            epoch: query.get("epoch").map_or(Expected::Any, Expected::epoch),
            term: query.get("term").map_or(Expected::Any, Expected::term),
            limit,
        })
    }
}

impl HistoryPage {
    /// A page of the channel that is there now.
    pub fn new(position: Position) -> HistoryPage {
        let mut out = b"{".to_vec();
        write_position_fields(&mut out, position);
        out.extend_from_slice(b",\"events\":[");
        HistoryPage { out, events: 0 }
    }

    /// Adds an event; `data` as subscribers get it, `time` in milliseconds since 1970.
    pub fn event(&mut self, offset: Offset, event: &str, data: &str, time: u64) {
        let out = &mut self.out;
        if self.events > 0 {
            out.push(b',');
        }
        self.events += 1;
        out.extend_from_slice(format!("{{\"offset\":{offset},\"event\":").as_bytes());
        write_string(out, event);
        out.extend_from_slice(b",\"data\":");
        write_string(out, data);
        out.extend_from_slice(format!(",\"time\":{time}}}").as_bytes());
    }

    /// The JSON of the answer.
    pub fn body(mut self) -> Vec<u8> {
        self.out.extend_from_slice(b"]}");
        self.out
    }
}

impl HistoryGone {
    /// The status and name of the answer.
    pub const CODE: ErrorCode = ErrorCode::HistoryGone;

    /// The JSON of the answer: `{"error","code","reason","epoch","term","offset"}`.
    pub fn body(&self) -> Vec<u8> {
        let why = match self.reason {
            ResetReason::Trimmed => "what came next is not held any more",
            ResetReason::Epoch => "the channel's numbering has started afresh since",
            ResetReason::Diverged => "the channel's log has lost what came before, and gone on",
            ResetReason::Ahead => "the channel has not come so far yet",
            ResetReason::Slow | ResetReason::Resync => "the channel must be read anew",
        };
        let text = format!("the history cannot be read from there: {why}");
        let mut out = ApiError::new(HistoryGone::CODE, text).open_body();
        out.extend_from_slice(format!(",\"reason\":\"{}\",", self.reason.name()).as_bytes());
        write_position_fields(&mut out, self.position);
        out.push(b'}');
        out
    }
}

/// Appends `{"epoch","term","offset"}`, as `info=position` shows it.
pub fn write_position(out: &mut Vec<u8>, position: Position) {
    out.push(b'{');
    write_position_fields(out, position);
    out.push(b'}');
}

fn write_position_fields(out: &mut Vec<u8>, position: Position) {
    let Position { epoch, term, offset } = position;
    let text = format!("\"epoch\":\"{epoch}\",\"term\":\"{term}\",\"offset\":{offset}");
    out.extend_from_slice(text.as_bytes());
}

#[cfg(test)]
mod tests;
