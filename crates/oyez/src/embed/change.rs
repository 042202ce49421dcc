// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Change`]: a change of a channel's truth. [`Truth`]: what it is now.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};

/// A change of a channel's truth: `PUT /apps/{id}/channels/{name}/truth`.
///
/// ```
/// # use oyez::Change;
/// let change = Change::merge(&serde_json::json!({ "score": 4 })).if_version(41);
/// ```
#[derive(Debug)]
#[must_use = "nothing is changed before `Oyez::change`"]
pub struct Change(Result<Body, serde_json::Error>);

#[derive(Debug, Default, Serialize)]
struct Body {
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    merge: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    patch: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    delete: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    event: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    if_version: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    if_epoch: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    idempotency_key: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ttl: Option<String>,
}

/// What came of a change.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Changed {
    /// The channel's numbering.
    pub epoch: String,
    /// The truth's version now.
    pub version: u64,
    /// Whether it is another than before. Of what is the same nobody is told.
    pub changed: bool,
}

/// A channel's truth.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Truth<T> {
    /// The channel's numbering.
    pub epoch: String,
    /// The offset of the entry that last changed it.
    pub version: u64,
    /// The event by which subscribers get it.
    pub event: String,
    /// Itself.
    pub data: T,
    /// When it was last changed, in milliseconds since 1970.
    pub time: u64,
    /// Whether it may be behind its source, which could not be asked.
    pub stale: bool,
}

impl Change {
    /// The truth is that.
    pub fn set(value: &(impl Serialize + ?Sized)) -> Change {
        Change(to_raw_value(value).map(|data| Body { data: Some(data), ..Body::default() }))
    }

    /// The truth is merged with that (RFC 7396).
    pub fn merge(patch: &(impl Serialize + ?Sized)) -> Change {
        Change(to_raw_value(patch).map(|merge| Body { merge: Some(merge), ..Body::default() }))
    }

    /// The truth is patched (RFC 6902): `patch` is a list of operations.
    pub fn patch(patch: &(impl Serialize + ?Sized)) -> Change {
        Change(to_raw_value(patch).map(|patch| Body { patch: Some(patch), ..Body::default() }))
    }

    /// There is no truth any more.
    pub fn delete() -> Change {
        Change(Ok(Body { delete: Some(true), ..Body::default() }))
    }

    /// Subscribers get it as that event; else as the one that the truth or the channel's rule has.
    pub fn event(self, name: impl Into<String>) -> Change {
        self.with(|body| body.event = Some(name.into()))
    }

    /// Only if the truth has that version; 0: only if there is none.
    pub fn if_version(self, version: u64) -> Change {
        self.with(|body| body.if_version = Some(version))
    }

    /// Only if the channel's numbering is that one.
    pub fn if_epoch(self, epoch: impl Into<String>) -> Change {
        self.with(|body| body.if_epoch = Some(epoch.into()))
    }

    /// Whoever makes the same change with the same key within 10 minutes gets the first answer
    /// again.
    pub fn idempotency_key(self, key: impl Into<String>) -> Change {
        self.with(|body| body.idempotency_key = Some(key.into()))
    }

    /// The truth ends by itself after so long without a change; at least a millisecond.
    pub fn ttl(self, time: Duration) -> Change {
        self.with(|body| body.ttl = Some(format!("{}ms", time.as_millis())))
    }

    fn with(mut self, change: impl FnOnce(&mut Body)) -> Change {
        if let Ok(body) = &mut self.0 {
            change(body);
        }
        self
    }

    /// The body of the call.
    pub(super) fn into_body(self) -> Result<Vec<u8>, serde_json::Error> {
        serde_json::to_vec(&self.0?)
    }
}
