// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Resume`]: the place that a client says it has reached in a channel's log.
//!
//! What cannot be a position is refused with the name of the field. What could be one and is not
//! ours is kept as such: whoever asks with it is told that it cannot go on from there.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::fields::{Field, string};
use crate::json::object;
use crate::position::{Epoch, Offset, Term};
use crate::socket_id::SocketId;

/// A position as a client gives it back. `None` stands for a name that no server gave out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resume {
    /// The numbering it was in.
    pub epoch: Option<Epoch>,
    /// The authority it last heard of.
    pub term: Option<Term>,
    /// The last event that it has handled.
    pub offset: Offset,
    /// The connection it had: what that one published stays hidden from it.
    pub socket: Option<SocketId>,
}

/// What a `resume` in signed `channel_data` is that cannot be one; the text names the field.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ResumeError(String);

#[derive(Deserialize)]
struct Fields<'a> {
    #[serde(borrow)]
    epoch: Option<&'a RawValue>,
    #[serde(borrow)]
    term: Option<&'a RawValue>,
    #[serde(borrow)]
    offset: Option<&'a RawValue>,
    #[serde(borrow)]
    socket: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct ChannelData<'a> {
    #[serde(borrow)]
    oyez: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Signed<'a> {
    #[serde(borrow)]
    resume: Option<&'a RawValue>,
}

impl Resume {
    /// Reads the object `{"epoch","term","offset","socket"?}` that stands at `at`.
    pub(super) fn read(at: Field<'_>, raw: &RawValue) -> Result<Resume, String> {
        let fields: Fields<'_> = at.object(raw)?;
        let name = |key, raw| {
            let must_be = "a string, as the server gave it";
            string(at.of(key), must_be, raw)?.ok_or_else(|| at.of(key).must_be(must_be))
        };
        let (epoch, term) = (name("epoch", fields.epoch)?, name("term", fields.term)?);
        let offset = at.of("offset").offset(fields.offset)?;
        let socket = match string(at.of("socket"), "a string like \"123.456\"", fields.socket)? {
            None => None,
            Some(id) => Some(
                SocketId::parse(&id).map_err(|error| format!("`{}` {error}", at.of("socket")))?,
            ),
        };
        Ok(Resume {
            epoch: Epoch::parse(&epoch).ok(),
            term: Term::parse(&term).ok(),
            offset,
            socket,
        })
    }
}

/// The `"oyez":{"resume":{…}}` that a backend may put into the `channel_data` it signs on a
/// private channel, for a page that it rendered as of that position. Other texts have none.
///
/// A `resume` of the subscription itself is newer than the page, and goes before this one.
pub fn resume_in_channel_data(text: &str) -> Result<Option<Resume>, ResumeError> {
    // The text is the app's own; only an object can be meant for us.
    match serde_json::from_str::<&RawValue>(text) {
        Ok(json) if json.get().starts_with('{') => {}
        _ => return Ok(None),
    }
    let data: ChannelData<'_> = object(text)
        .map_err(|error| ResumeError(format!("`channel_data` is not valid: {error}")))?;
    let Some(oyez) = data.oyez else { return Ok(None) };
    let channel_data = Field::new("channel_data");
    let at = channel_data.of("oyez");
    let signed: Signed<'_> = at.object(oyez).map_err(ResumeError)?;
    let Some(resume) = signed.resume else { return Ok(None) };
    Resume::read(at.of("resume"), resume).map(Some).map_err(ResumeError)
}
