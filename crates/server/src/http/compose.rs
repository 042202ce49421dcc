// SPDX-License-Identifier: MIT OR Apache-2.0
//! From what the homes answered to what the caller is told.

use std::fmt::Display;

use hyper::StatusCode;
use oyez_core::{
    Answer, Certainty, Changed, ChannelInfo, EntryKind, History, Refused, TruthAnswer,
};
use oyez_protocol::api::{
    ApiError, ChangeOutcome, ErrorCode, Freshness, HistoryGone, HistoryPage, TruthChanged,
    TruthView, VersionMismatch,
};
use oyez_protocol::channel::ChannelName;

use super::answer;
use crate::door::{Composed, Unable};

/// A JSON answer and its status.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: StatusCode,
    pub(super) body: Vec<u8>,
}

impl Reply {
    fn ok(body: Vec<u8>) -> Reply {
        Reply { status: StatusCode::OK, body }
    }

    fn of(code: ErrorCode, body: Vec<u8>) -> Reply {
        let status = StatusCode::from_u16(code.status()).expect("the table holds valid statuses");
        Reply { status, body }
    }
}

/// `{}`, if everything was done.
pub(super) fn done(answers: &[Answer]) -> Result<Reply, ApiError> {
    match answers.iter().map(check).find(|checked| !matches!(checked, Ok(None))) {
        Some(Ok(Some(reply))) => Ok(reply),
        Some(Err(error)) => Err(error),
        Some(Ok(None)) | None => Ok(Reply::ok(b"{}".to_vec())),
    }
}

/// `{"channels":{…}}`, with what was wanted of each.
pub(super) fn channels(names: &[ChannelName], answers: &[Answer]) -> Result<Reply, ApiError> {
    let problem = done(answers)?;
    if problem.status != StatusCode::OK {
        return Ok(problem);
    }
    let infos = answers.iter().map(info).collect::<Vec<_>>();
    Ok(Reply::ok(answer::channels_json(names.iter().zip(&infos))))
}

/// `{"batch":[…]}`, with what was wanted of each.
pub(super) fn batch(answers: &[Answer]) -> Result<Reply, ApiError> {
    let problem = done(answers)?;
    if problem.status != StatusCode::OK {
        return Ok(problem);
    }
    let infos = answers.iter().map(info).collect::<Vec<_>>();
    Ok(Reply::ok(answer::batch_json(&infos)))
}

/// `{"epoch","version","changed"}`.
pub(super) fn truth(answers: &[Answer]) -> Result<Reply, ApiError> {
    match answers {
        [Answer::Truth(TruthAnswer::Done { epoch, version, changed })] => {
            let outcome = match changed {
                Changed::Yes => ChangeOutcome::Changed,
                Changed::No => ChangeOutcome::Same,
            };
            let done = TruthChanged { epoch: *epoch, version: *version, outcome };
            Ok(Reply::ok(done.body()))
        }
        others => done(others),
    }
}

/// A truth, and its `ETag`.
pub(super) fn value(answer: &Answer) -> Result<(String, Reply), ApiError> {
    let value = match answer {
        Answer::Value(value) => value,
        Answer::Refused(reason) => return Err(refused(*reason)),
        _ => return Err(unable(Unable::Draining)),
    };
    let freshness = match value.certainty {
        Certainty::Fresh => Freshness::Fresh,
        Certainty::Stale => Freshness::Stale,
    };
    let view = TruthView {
        epoch: value.epoch,
        version: value.entry.offset,
        event: value.entry.event(),
        data: value.entry.data(),
        time: value.entry.time.0,
        freshness,
    };
    Ok((view.etag(), Reply::ok(view.body())))
}

/// A page of a history. What is no event stands there under the name of the command that made it.
pub(super) fn history(answer: &Answer) -> Result<Reply, ApiError> {
    let history = match answer {
        Answer::History(history) => history,
        Answer::Refused(reason) => return Err(refused(*reason)),
        _ => return Err(unable(Unable::Draining)),
    };
    match &**history {
        History::Gone(position, reason) => {
            let gone = HistoryGone { reason: *reason, position: *position };
            Ok(Reply::of(ErrorCode::HistoryGone, gone.body()))
        }
        History::Entries(position, entries) => {
            let mut page = HistoryPage::new(*position);
            for entry in entries {
                let time = entry.time.0;
                match entry.kind {
                    EntryKind::Event | EntryKind::Truth => {
                        page.event(entry.offset, entry.event(), entry.data(), time);
                    }
                    EntryKind::Deleted => page.event(entry.offset, "oyez:delete", "{}", time),
                    EntryKind::Forgotten => {
                        let data = serde_json::json!({ "event": entry.event() }).to_string();
                        page.event(entry.offset, "oyez:forget", &data, time);
                    }
                    EntryKind::Gone => {}
                }
            }
            Ok(Reply::ok(page.body()))
        }
    }
}

/// What is stored of the answer to a call with an idempotency key.
pub(super) fn stored(reply: Result<Reply, ApiError>) -> Composed {
    match reply {
        Ok(Reply { status, body }) => Composed { status: status.as_u16(), body: body.into() },
        Err(error) => Composed { status: error.code.status(), body: error.body().into() },
    }
}

/// The key was used with another body.
pub(super) fn conflict() -> ApiError {
    let text = "this idempotency key was used for a call with another body within the last 10 \
                minutes: take a new key for each call";
    ApiError::at(ErrorCode::IdempotencyConflict, "idempotency_key", text)
}

/// There are as many keys as there may be.
pub(super) fn full() -> ApiError {
    let text = "too many idempotency keys are in use (limits.idempotency_keys): send this again \
                in a few minutes";
    ApiError::at(ErrorCode::IdempotencyFull, "idempotency_key", text)
}

/// Why nothing was done.
pub(super) fn unable(reason: Unable) -> ApiError {
    let code = match &reason {
        Unable::Draining => ErrorCode::Draining,
        Unable::Channels => ErrorCode::TooManyChannels,
        Unable::Memory => ErrorCode::MemoryFull,
        Unable::MemoryFull => ErrorCode::MemoryFull,
        Unable::JournalFailed => ErrorCode::JournalFailed,
        Unable::NoMemory(_) => ErrorCode::NoMemory,
        Unable::NotJson { .. } => ErrorCode::NotJson,
        Unable::TruthTooLarge => ErrorCode::TruthTooLarge,
        Unable::NotAlone => ErrorCode::ChannelCount,
    };
    ApiError::new(code, reason.to_string())
}

/// What is wrong with an answer, or what is told instead; `None` if all is well.
fn check(answer: &Answer) -> Result<Option<Reply>, ApiError> {
    match answer {
        Answer::Refused(reason) => Err(refused(*reason)),
        Answer::Truth(TruthAnswer::Mismatch { epoch, version, data }) => {
            let data = data.as_ref().map(|entry| entry.data());
            let mismatch = VersionMismatch { epoch: *epoch, version: *version, data };
            Ok(Some(Reply::of(VersionMismatch::CODE, mismatch.body())))
        }
        Answer::Truth(TruthAnswer::DoesNotApply(why)) => {
            let text = format!("the patch does not apply to the channel's truth: {why}");
            Err(ApiError::at(ErrorCode::PatchFailed, "patch", text))
        }
        _ => Ok(None),
    }
}

fn refused(reason: Refused) -> ApiError {
    let (code, text): (_, &dyn Display) = match reason {
        Refused::NoRoom => {
            (ErrorCode::TooManyChannels, &"the app has too many channels (limits.channels)")
        }
        Refused::NoMemory => (
            ErrorCode::NoMemory,
            &"the channel has no memory: give it `replay`, `history` or `truth` with a rule in \
              [[apps.channels]]",
        ),
        Refused::NobodyToAsk => (
            ErrorCode::NoResolver,
            &"nobody can be asked for this channel's truth: give its rule a `truth` with a `url`",
        ),
        Refused::NoEvent => (
            ErrorCode::MissingField,
            &"`event` is missing: neither the call nor the channel's rule says under which name \
              subscribers hear of the truth",
        ),
        Refused::TruthTooLarge => (ErrorCode::TruthTooLarge, &Unable::TruthTooLarge),
        Refused::MemoryFull => (ErrorCode::MemoryFull, &Unable::MemoryFull),
        Refused::JournalFailed => (ErrorCode::JournalFailed, &Unable::JournalFailed),
        Refused::NoTruth => (ErrorCode::NoTruth, &"the channel holds no truth"),
    };
    ApiError::new(code, text.to_string())
}

fn info(answer: &Answer) -> ChannelInfo {
    match answer {
        Answer::Channel(info) => info.clone(),
        _ => ChannelInfo::default(),
    }
}
