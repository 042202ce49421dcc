// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Seen`]: what a frame says about a channel's log, read back from its bytes.

use oyez_protocol::encode::Frame;
use serde::Deserialize;

/// One frame, as far as it is about a log.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Seen {
    /// `subscription_succeeded`.
    Cut(Cut),
    /// `oyez:reset`.
    Reset(Cut),
    Event(Event),
    Skip {
        from: u64,
        upto: u64,
    },
    Forget {
        offset: u64,
        event: Option<String>,
    },
    Miss,
    Error,
    /// No frame: a plain page that was too slow for a truth begins at that cut, unknowing.
    Jump(u64),
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Cut {
    pub(crate) epoch: String,
    pub(crate) term: String,
    pub(crate) offset: u64,
    pub(crate) resumed: bool,
    pub(crate) replay: usize,
    pub(crate) r#gen: Option<u64>,
    pub(crate) reason: Option<String>,
    pub(crate) version: Option<u64>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Event {
    pub(crate) name: String,
    pub(crate) data: String,
    pub(crate) offset: u64,
    pub(crate) replayed: bool,
    pub(crate) truth: bool,
    pub(crate) delta: Option<Delta>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Delta {
    pub(crate) r#type: String,
    pub(crate) from: u64,
    pub(crate) sum: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    event: String,
    #[serde(rename = "channel")]
    _channel: String,
    data: serde_json::Value,
    offset: Option<u64>,
    #[serde(default)]
    replayed: bool,
    #[serde(default)]
    truth: bool,
    delta: Option<Delta>,
}

#[derive(Deserialize)]
struct Succeeded {
    oyez: Cut,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Passed {
    offset: u64,
    from: Option<u64>,
    event: Option<String>,
}

/// What a frame says.
pub(crate) fn read(frame: &Frame) -> Seen {
    let bytes = frame.bytes();
    let start = match bytes[1] {
        126 => 4,
        127 => 10,
        _ => 2,
    };
    let wire: Wire = serde_json::from_slice(&bytes[start..]).expect("a frame is JSON");
    let data = wire.data.as_str().unwrap_or_default();
    let passed = || -> Passed { serde_json::from_str(data).expect("its data is JSON") };
    match wire.event.as_str() {
        "pusher_internal:subscription_succeeded" => {
            let succeeded: Succeeded = serde_json::from_str(data).expect("a cut");
            Seen::Cut(succeeded.oyez)
        }
        "oyez:reset" => Seen::Reset(serde_json::from_str(data).expect("a cut")),
        "oyez:skip" => {
            let passed = passed();
            Seen::Skip { from: passed.from.unwrap_or(passed.offset), upto: passed.offset }
        }
        "oyez:forget" => {
            let passed = passed();
            Seen::Forget { offset: passed.offset, event: passed.event }
        }
        "pusher:cache_miss" => Seen::Miss,
        "pusher:subscription_error" => Seen::Error,
        _ => Seen::Event(Event {
            name: wire.event,
            data: data.to_owned(),
            offset: wire.offset.expect("events of a log have their offset"),
            replayed: wire.replayed,
            truth: wire.truth,
            delta: wire.delta,
        }),
    }
}
