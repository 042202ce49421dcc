// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Said`]: what a server says of a channel, read from the text of a message.

use std::sync::Arc;

use serde_json::Value;

/// A place in a log, as it stands on the wire.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Position {
    /// The numbering.
    pub epoch: Arc<str>,
    /// The authority.
    pub term: Arc<str>,
    /// The last entry.
    pub offset: u64,
}

/// Where a subscription begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cut {
    /// The last entry before it.
    pub at: Position,
    /// Whether it goes on where the client was.
    pub resumed: bool,
    /// How many frames follow that belong to it.
    pub replay: u64,
    /// Why the client could not go on.
    pub reason: Option<String>,
    /// The version of the truth.
    pub version: Option<u64>,
}

/// How a truth was sent, if not whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delta {
    /// `merge` or `patch`.
    pub kind: String,
    /// The version that it changes.
    pub from: u64,
    /// Of what comes out.
    pub sum: Option<String>,
}

/// An event's frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Its place; none where nothing is remembered.
    pub offset: Option<u64>,
    /// Its name.
    pub name: Arc<str>,
    /// Its data, a text.
    pub data: Arc<str>,
    /// Whether it is of the past.
    pub replayed: bool,
    /// Whether it is the truth.
    pub truth: bool,
    /// Whether it is a change of the truth.
    pub delta: Option<Delta>,
}

/// What a server says of a channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// `subscription_succeeded`, on a channel with memory.
    Cut(Cut),
    /// `oyez:reset`.
    Reset(Cut),
    /// An event.
    Event(Event),
    /// `oyez:skip`.
    Skip {
        /// The first.
        from: u64,
        /// The last.
        upto: u64,
    },
    /// `oyez:forget`; without an event it was the truth.
    Forget {
        /// Its place.
        offset: u64,
        /// What.
        event: Option<String>,
    },
    /// `oyez:mark`.
    Mark {
        /// The newest entry.
        offset: u64,
        /// Of the truth.
        sum: Option<String>,
    },
    /// `oyez:term`.
    Term {
        /// The new one.
        term: Arc<str>,
    },
    /// `pusher:cache_miss`.
    CacheMiss,
}

/// A message of the server.
#[derive(Clone, Debug, PartialEq)]
pub enum Message {
    /// `connection_established`, with the socket's id.
    Established(String),
    /// `pusher:ping`.
    Ping,
    /// Something about that channel.
    Of(String, Said),
    /// A complaint: the text.
    Error(String),
    /// Anything else.
    Other,
}

/// Reads a message.
///
/// # Errors
/// It is none of the server's.
pub fn read(text: &str) -> Result<Message, String> {
    let frame: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let event = frame["event"].as_str().ok_or("no event")?;
    let channel = || frame["channel"].as_str().map(str::to_owned).ok_or("no channel");
    let data = || match &frame["data"] {
        Value::String(text) => serde_json::from_str(text).map_err(|error| error.to_string()),
        other => Ok(other.clone()),
    };
    let said = match event {
        "pusher:connection_established" => {
            let id = data()?["socket_id"].as_str().ok_or("no socket_id")?.to_owned();
            return Ok(Message::Established(id));
        }
        "pusher:ping" => return Ok(Message::Ping),
        "pusher:error" if frame["data"]["code"].as_u64().is_some_and(is_goodbye) => {
            return Ok(Message::Other);
        }
        "pusher:error" | "pusher:subscription_error" => return Ok(Message::Error(text.to_owned())),
        "pusher_internal:subscription_succeeded" => match data()?.get("oyez") {
            Some(oyez) => Said::Cut(cut(oyez)?),
            None => return Err(format!("{text} tells no position")),
        },
        "oyez:reset" => Said::Reset(cut(&data()?)?),
        "oyez:skip" => {
            let upto = offset(&data()?["offset"])?;
            Said::Skip { from: data()?["from"].as_u64().unwrap_or(upto), upto }
        }
        "oyez:forget" => Said::Forget {
            offset: offset(&data()?["offset"])?,
            event: data()?["event"].as_str().map(str::to_owned),
        },
        "oyez:mark" => Said::Mark {
            offset: offset(&data()?["offset"])?,
            sum: data()?["sum"].as_str().map(str::to_owned),
        },
        "oyez:term" => Said::Term { term: data()?["term"].as_str().ok_or("no term")?.into() },
        "pusher:cache_miss" => Said::CacheMiss,
        name if name.starts_with("pusher") || name.starts_with("oyez:") => {
            return Ok(Message::Other);
        }
        name => Said::Event(Event {
            offset: frame["offset"].as_u64(),
            name: name.into(),
            data: frame["data"].as_str().ok_or("data is no string")?.into(),
            replayed: frame["replayed"] == Value::Bool(true),
            truth: frame["truth"] == Value::Bool(true),
            delta: frame.get("delta").map(delta).transpose()?,
        }),
    };
    Ok(Message::Of(channel()?, said))
}

/// Whether an error says why the link ends, and that one may come back.
fn is_goodbye(code: u64) -> bool {
    (4100..4300).contains(&code)
}

fn offset(value: &Value) -> Result<u64, String> {
    value.as_u64().ok_or_else(|| format!("{value} is no offset"))
}

fn delta(value: &Value) -> Result<Delta, String> {
    Ok(Delta {
        kind: value["type"].as_str().ok_or("a delta without a type")?.to_owned(),
        from: offset(&value["from"])?,
        sum: value["sum"].as_str().map(str::to_owned),
    })
}

fn cut(value: &Value) -> Result<Cut, String> {
    let name = |key: &str| value[key].as_str().ok_or(format!("a cut without {key}: {value}"));
    Ok(Cut {
        at: Position {
            epoch: name("epoch")?.into(),
            term: name("term")?.into(),
            offset: offset(&value["offset"])?,
        },
        resumed: value["resumed"] == Value::Bool(true),
        replay: offset(&value["replay"])?,
        reason: value["reason"].as_str().map(str::to_owned),
        version: value["version"].as_u64(),
    })
}
