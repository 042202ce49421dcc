// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Heard`]: what a frame says, read back from its bytes as a client would.

use std::borrow::Cow;
use std::collections::BTreeMap;

use oyez_protocol::encode::Frame;
use serde::Deserialize;
use serde_json::value::RawValue;

/// A user of a test, called `u` and this number.
pub(crate) type User = u32;

/// What the tests put into `user_info`: a number, or nothing.
pub(crate) type Info = Option<u32>;

/// One frame on a channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Heard {
    Succeeded { cut: Option<Cut>, members: Option<BTreeMap<User, Info>> },
    Event { name: String, data: String, user: Option<User>, offset: Option<u64>, replayed: bool },
    CacheMiss,
    Added { user: User, info: Info },
    Removed { user: User },
    Count(usize),
    Error { status: u16 },
}

/// `oyez` in `subscription_succeeded`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Cut {
    pub(crate) epoch: String,
    pub(crate) term: String,
    pub(crate) offset: u64,
    pub(crate) resumed: bool,
    pub(crate) replay: usize,
    pub(crate) reason: Option<String>,
    pub(crate) version: Option<u64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire<'a> {
    #[serde(borrow)]
    event: Cow<'a, str>,
    #[serde(borrow)]
    channel: Cow<'a, str>,
    #[serde(borrow)]
    data: &'a RawValue,
    #[serde(borrow)]
    user_id: Option<Cow<'a, str>>,
    offset: Option<u64>,
    #[serde(default)]
    replayed: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Succeeded {
    presence: Option<Presence>,
    oyez: Option<Cut>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Presence {
    ids: Vec<String>,
    hash: BTreeMap<String, Info>,
    count: usize,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Member {
    user_id: String,
    user_info: Option<Info>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Count {
    subscription_count: usize,
}

#[derive(Deserialize)]
struct Error {
    status: u16,
}

/// The channel of a frame, and what it says.
pub(crate) fn read(frame: &Frame) -> (String, Heard) {
    let wire: Wire<'_> = parse(payload(frame));
    let heard = match wire.event.as_ref() {
        "pusher:subscription_error" => {
            let Error { status } = parse(wire.data.get());
            Heard::Error { status }
        }
        _ => within(&wire, &parse::<String>(wire.data.get())),
    };
    (wire.channel.into_owned(), heard)
}

/// What a frame says whose data is a string, as it is for all but errors.
fn within(wire: &Wire<'_>, data: &str) -> Heard {
    match wire.event.as_ref() {
        "pusher_internal:subscription_succeeded" => {
            let Succeeded { presence, oyez } = parse(data);
            Heard::Succeeded { cut: oyez, members: presence.map(members) }
        }
        "pusher:cache_miss" => Heard::CacheMiss,
        "pusher_internal:member_added" => {
            let Member { user_id, user_info } = parse(data);
            Heard::Added { user: user(&user_id), info: user_info.flatten() }
        }
        "pusher_internal:member_removed" => {
            let Member { user_id, .. } = parse(data);
            Heard::Removed { user: user(&user_id) }
        }
        "pusher_internal:subscription_count" => {
            let Count { subscription_count } = parse(data);
            Heard::Count(subscription_count)
        }
        name => Heard::Event {
            name: name.to_owned(),
            data: data.to_owned(),
            user: wire.user_id.as_deref().map(user),
            offset: wire.offset,
            replayed: wire.replayed,
        },
    }
}

/// P-029: ids, hash and count say the same.
fn members(Presence { ids, hash, count }: Presence) -> BTreeMap<User, Info> {
    assert_eq!((ids.len(), hash.len()), (count, count), "{ids:?} {hash:?}");
    assert!(ids.iter().all(|id| hash.contains_key(id)), "{ids:?} {hash:?}");
    hash.into_iter().map(|(id, info)| (user(&id), info)).collect()
}

/// The number of a user.
pub(crate) fn user(id: &str) -> User {
    id.strip_prefix('u').and_then(|n| n.parse().ok()).expect("users are called u and a number")
}

fn payload(frame: &Frame) -> &str {
    let bytes = frame.bytes();
    let start = match bytes[1] {
        126 => 4,
        127 => 10,
        _ => 2,
    };
    std::str::from_utf8(&bytes[start..]).expect("a text frame")
}

fn parse<'a, T: Deserialize<'a>>(text: &'a str) -> T {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error} in {text}"))
}
