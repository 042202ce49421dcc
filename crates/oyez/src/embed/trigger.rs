// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Trigger`]: an event on its way to channels, with everything that may be said of it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::view::Position;

/// An event for one or several channels: `POST /apps/{id}/events`. All of them get it, or none.
///
/// ```
/// # use oyez::Trigger;
/// let joined = Trigger::new("PLAYER_JOIN", &["anna", "ben"])
///     .to("LOBBY_7")
///     .except("123.456")
///     .idempotency_key("join-9")
///     .with_positions();
/// ```
#[derive(Debug)]
#[must_use = "nothing is sent before `Oyez::send`"]
pub struct Trigger(Result<Body, serde_json::Error>);

#[derive(Debug, Default, Serialize)]
struct Body {
    name: String,
    channels: Vec<String>,
    data: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    socket_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    info: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    idempotency_key: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    if_version: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    if_epoch: Option<String>,
}

/// What came of a [`Trigger`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Sent {
    /// Where each channel's log is now; empty unless asked for, and for channels without memory.
    #[serde(default)]
    pub positions: BTreeMap<String, Position>,
}

impl Trigger {
    /// An event of that name, not sent to any channel yet. Pages get `data` as JSON.
    pub fn new(event: &str, data: &(impl Serialize + ?Sized)) -> Trigger {
        Trigger(serde_json::to_string(data).map(|data| Body {
            name: event.to_owned(),
            data,
            ..Body::default()
        }))
    }

    /// Sends it to that channel, too.
    pub fn to(self, channel: impl Into<String>) -> Trigger {
        self.with(|body| body.channels.push(channel.into()))
    }

    /// The connection of that `socket_id` does not get it.
    pub fn except(self, socket_id: impl Into<String>) -> Trigger {
        self.with(|body| body.socket_id = Some(socket_id.into()))
    }

    /// Whoever sends the same with the same key within 10 minutes gets the first answer again, and
    /// nothing is sent twice.
    pub fn idempotency_key(self, key: impl Into<String>) -> Trigger {
        self.with(|body| body.idempotency_key = Some(key.into()))
    }

    /// Sends it only if the one channel's truth, or else its log, has that version.
    pub fn if_version(self, version: u64) -> Trigger {
        self.with(|body| body.if_version = Some(version))
    }

    /// Sends it only if the one channel's numbering is that one.
    pub fn if_epoch(self, epoch: impl Into<String>) -> Trigger {
        self.with(|body| body.if_epoch = Some(epoch.into()))
    }

    /// [`Sent::positions`] shall say where it stands.
    pub fn with_positions(self) -> Trigger {
        self.with(|body| body.info = Some("position"))
    }

    fn with(mut self, change: impl FnOnce(&mut Body)) -> Trigger {
        if let Ok(body) = &mut self.0 {
            change(body);
        }
        self
    }

    /// One of the channels, and the body of the call.
    pub(super) fn into_call(self) -> Result<(Option<String>, Vec<u8>), serde_json::Error> {
        let body = self.0?;
        let text = serde_json::to_vec(&body)?;
        Ok((body.channels.into_iter().next(), text))
    }
}

/// `{"channels":{CH:{"position":{…}}}}`, or `{}`.
#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    channels: BTreeMap<String, Attributes>,
}

#[derive(Deserialize)]
struct Attributes {
    position: Option<Position>,
}

impl Sent {
    pub(super) fn parse(body: &[u8]) -> Result<Sent, serde_json::Error> {
        let Answer { channels } = serde_json::from_slice(body)?;
        let places = channels.into_iter().filter_map(|(name, of)| Some((name, of.position?)));
        Ok(Sent { positions: places.collect() })
    }
}
