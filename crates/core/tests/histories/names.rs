// SPDX-License-Identifier: MIT OR Apache-2.0
//! What things are called in the histories.

use std::time::Duration;

use oyez_core::{
    AppIndex, AppRules, ChannelKey, Durability, KeySpace, Rules, Start, Timestamp, WorkerId,
};
use oyez_protocol::channel::ChannelName;
use oyez_protocol::position::Term;
use oyez_protocol::socket_id::SocketId;
use oyez_protocol::user::{Member, UserId};

use crate::heard::{Info, User};

pub(crate) fn user_id(user: User) -> UserId {
    UserId::of(&format!("u{user}"))
}

pub(crate) fn member(user: User, info: Info) -> Member {
    Member { user_id: user_id(user), user_info: info.map(|info| info.to_string().into()) }
}

pub(crate) fn channel_key(keys: &KeySpace, app: AppIndex, name: &str) -> ChannelKey {
    keys.key(app, ChannelName::parse(name, 164).expect("a valid name"))
}

pub(crate) fn user_key(keys: &KeySpace, app: AppIndex, user: User) -> ChannelKey {
    keys.key(app, ChannelName::of_user(user_id(user).as_str()))
}

/// The socket id of the nth connection of a worker.
pub(crate) fn socket_id(worker: WorkerId, nth: u32) -> SocketId {
    SocketId::parse(&format!("{}.{}", worker.0 + 1, nth + 1)).expect("of the right form")
}

/// A config with room for everything.
pub(crate) fn rules(
    presence_members: usize,
    webhook_delay: Duration,
    safest: Durability,
    apps: Vec<AppRules>,
) -> Rules {
    Rules {
        presence_members,
        webhook_delay,
        replay_bytes: 1 << 20,
        truth_bytes: 1 << 20,
        memory_bytes: 1 << 30,
        idempotency_keys: 1_000,
        safest,
        apps,
    }
}

/// The first start of a server.
pub(crate) fn start(home: WorkerId, seed: u64) -> Start {
    let terms = vec![Term::parse("term0001").expect("of the right form")];
    Start { home, terms, time: Timestamp(1_700_000_000_000), next_row: 0, seed }
}
