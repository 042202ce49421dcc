// SPDX-License-Identifier: MIT OR Apache-2.0
//! Every limit of Oyez: its name, unit, default, config key and what happens beyond it.
//!
//! One table, read by the config loader, `check-config`, the manual and the tests. A limit that
//! is not here does not exist; a queue without a limit from here is a bug.

/// Declares [`Limits`], its defaults and the table that describes them, from one list.
macro_rules! limits {
    ($( $(#[doc = $doc:literal])+ $name:ident: $unit:literal = $default:expr, min $min:expr, $(max $max:expr,)? beyond $beyond:literal; )+) => {
        /// The limits in force, all global to the server. Config section `[limits]`.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct Limits { $( $(#[doc = $doc])+ pub $name: usize, )+ }

        impl Default for Limits {
            fn default() -> Self { Limits { $( $name: $default, )+ } }
        }

        impl Limits {
            /// Every limit, in the order of the manual.
            pub const TABLE: &'static [Limit] = &[ $( Limit {
                key: stringify!($name),
                unit: $unit,
                default: $default,
                min: $min,
                max: [$($max,)? usize::MAX][0],
                beyond: $beyond,
                what: concat!($($doc),+),
            }, )+ ];

            /// Sets the limit of that config key. Fails when the key is unknown or the value
            /// lies under the limit's minimum.
            pub fn set(&mut self, key: &str, value: usize) -> Result<(), LimitError> {
                let limit = Self::TABLE.iter().find(|l| l.key == key)
                    .ok_or_else(|| LimitError::Unknown(key.to_owned()))?;
                if value < limit.min {
                    return Err(LimitError::TooSmall { key: limit.key, value, min: limit.min, unit: limit.unit });
                }
                if value > limit.max {
                    return Err(LimitError::TooLarge { key: limit.key, value, max: limit.max, unit: limit.unit });
                }
                match key { $( stringify!($name) => self.$name = value, )+ _ => {} }
                Ok(())
            }

            /// The value in force for that config key.
            pub fn get(&self, key: &str) -> Option<usize> {
                match key { $( stringify!($name) => Some(self.$name), )+ _ => None }
            }
        }
    };
}

/// One row of [`Limits::TABLE`].
#[derive(Clone, Copy, Debug)]
pub struct Limit {
    /// The key under `[limits]`; also `OYEZ_LIMITS_<KEY>`.
    pub key: &'static str,
    /// What the number counts.
    pub unit: &'static str,
    /// In force when the config says nothing.
    pub default: usize,
    /// The smallest value that leaves a working server.
    pub min: usize,
    /// The largest value that means anything.
    pub max: usize,
    /// What somebody who exceeds it is told.
    pub beyond: &'static str,
    /// One sentence for the manual.
    pub what: &'static str,
}

/// Why a limit could not be set.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LimitError {
    /// No limit has this name.
    #[error("there is no limit named `{0}`")]
    Unknown(String),
    /// The server could not work with so little.
    #[error("limits.{key} = {value} is too small: the least is {min} {unit}")]
    TooSmall {
        /// The limit's key.
        key: &'static str,
        /// What was asked for.
        value: usize,
        /// The least that works.
        min: usize,
        /// What the number counts.
        unit: &'static str,
    },
    /// The server could not keep it.
    #[error("limits.{key} = {value} is too large: the most is {max} {unit}")]
    TooLarge {
        /// The limit's key.
        key: &'static str,
        /// What was asked for.
        value: usize,
        /// The most that can be kept.
        max: usize,
        /// What the number counts.
        unit: &'static str,
    },
}

limits! {
    /// WebSocket connections of the whole server.
    max_connections: "connections" = 1_000_000, min 1, beyond "close 4100";
    /// HTTP connections of the whole server that are open at once.
    http_connections: "connections" = 10_000, min 1, beyond "the connection is closed";
    /// Sockets of the whole server that have not said yet what they want.
    handshakes: "connections" = 10_000, min 16, beyond "the connection is closed";
    /// A WebSocket message from a client, after joining its fragments.
    message_bytes: "bytes" = 64 * 1024, min 1024, beyond "close 1009";
    /// Messages from one connection, averaged over a second, with a burst of ten seconds' worth.
    messages_per_second: "messages" = 1_000, min 1, beyond "close 4100";
    /// Channels that one connection may be subscribed to.
    subscriptions: "channels" = 1_000, min 1, beyond "subscription_error 403";
    /// Encoded bytes that may wait for one slow connection.
    output_bytes: "bytes" = 1024 * 1024, min 16 * 1024, beyond "close 4100";
    /// Bytes on their way between workers, beyond which the server stops reading from publishers;
    /// also those of webhook events that the webhook thread has had no time to take.
    backlog_bytes: "bytes" = 64 * 1024 * 1024, min 1024 * 1024, beyond "publishers wait, and new webhook events are lost, counted and logged";
    /// Length of a channel's name; server libraries allow no more than 200.
    channel_name: "characters" = 164, min 1, max 200, beyond "400, or pusher:error";
    /// Length of an event's name.
    event_name: "characters" = 200, min 1, beyond "400, or pusher:error";
    /// Data of an event, published by HTTP or by a client.
    event_data_bytes: "bytes" = 10 * 1024, min 1, beyond "413, or pusher:error";
    /// Channels that one call may publish to.
    event_channels: "channels" = 100, min 1, beyond "400";
    /// Events of one `batch_events` call.
    batch_events: "events" = 10, min 1, beyond "400";
    /// Distinct users on a presence channel.
    presence_members: "users" = 100, min 1, beyond "subscription_error 403";
    /// Length of a user's id.
    user_id: "characters" = 128, min 1, beyond "an error that names it";
    /// `user_info` of a presence member, as compact JSON.
    user_info_bytes: "bytes" = 1024, min 2, beyond "an error that names it";
    /// Client events of one connection, averaged over a second; the burst is the same number.
    client_events_per_second: "events" = 10, min 1, beyond "pusher:error 4301";
    /// Ids on one user's watchlist that count.
    watchlist: "users" = 100, min 1, beyond "pusher:error 4302, the first ones count";
    /// Head of an HTTP request: request line and all headers.
    header_bytes: "bytes" = 16 * 1024, min 8 * 1024, beyond "431";
    /// Header lines of an HTTP request.
    headers: "lines" = 100, min 16, max 256, beyond "431";
    /// Seconds in which the head of a request, and then its body, must have arrived.
    request_seconds: "seconds" = 15, min 1, beyond "408, or the connection is closed";
    /// Body of an HTTP API call.
    body_bytes: "bytes" = 2 * 1024 * 1024, min 1024, beyond "413";
    /// HTTP API calls of one app, per second; 0 sets no limit.
    requests_per_second: "calls" = 0, min 0, beyond "429 with Retry-After";
    /// Seconds that an HTTP connection may stay open without a request.
    keep_alive_seconds: "seconds" = 75, min 1, beyond "the connection is closed";
    /// Channels of one app that exist at once.
    channels: "channels" = 1_000_000, min 1, beyond "503, or subscription_error 503";
    /// Webhook events that may wait for one URL, and as many that the webhook thread has had no
    /// time to take.
    webhook_queue: "events" = 100_000, min 1, beyond "the oldest that wait for the URL are lost, or new ones that were not taken, counted and logged";
    /// JSON of webhook events that may wait for one URL.
    webhook_queue_bytes: "bytes" = 64 * 1024 * 1024, min 64 * 1024, beyond "the oldest are lost, counted and logged";
    /// Webhook events in one request.
    webhook_batch: "events" = 1_000, min 1, beyond "more requests";
    /// JSON of webhook events in one request; a single larger event goes alone.
    webhook_batch_bytes: "bytes" = 64 * 1024, min 1, beyond "more requests";
    /// What all channels together remember, with everything that belongs to it.
    memory_bytes: "bytes" = 256 * 1024 * 1024, min 1024 * 1024, beyond "channels keep no history from seven eighths on; then 503";
    /// What one channel remembers of its log, beside its truth and what is replayed.
    history_bytes: "bytes" = 1024 * 1024, min 1024, beyond "the oldest are let go";
    /// Events that a rule may ask a channel to remember (`history.events`).
    history_events: "events" = 65_536, min 1, beyond "the config is refused";
    /// Event names of which a channel keeps the newest (`replay = "latest-per-event"`).
    retained_events: "events" = 100, min 1, beyond "the oldest is let go";
    /// Frames of a replay that are put on their way at once.
    replay_bytes: "bytes" = 256 * 1024, min 1024, beyond "the rest follows as the client reads";
    /// Events in one answer of a channel's history.
    history_page: "events" = 1_000, min 1, beyond "400";
    /// A channel's truth, or a change of it, as compact JSON; also the answer of a resolver.
    truth_bytes: "bytes" = 256 * 1024, min 2, beyond "413, or the resolver has failed";
    /// Operations of one JSON Patch.
    patch_operations: "operations" = 1_000, min 1, beyond "400";
    /// Length of an idempotency key.
    idempotency_key: "characters" = 128, min 1, beyond "400";
    /// Idempotency keys of all apps that are remembered at once.
    idempotency_keys: "keys" = 100_000, min 1, beyond "503";
    /// Bytes on their way to the journal.
    journal_backlog_bytes: "bytes" = 16 * 1024 * 1024, min 64 * 1024, beyond "publishers wait";
    /// Calls to resolvers of the whole server that run at once.
    resolver_calls: "calls" = 64, min 1, beyond "the others wait";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_of_the_table_sets_and_gets() {
        for limit in Limits::TABLE {
            let mut limits = Limits::default();
            assert_eq!(limits.get(limit.key), Some(limit.default));
            limits.set(limit.key, limit.default + 1).expect("above the default is above the least");
            assert_eq!(limits.get(limit.key), Some(limit.default + 1));
        }
    }

    #[test]
    fn a_limit_over_its_most_is_refused_by_name() {
        let error = Limits::default().set("headers", 257).unwrap_err().to_string();
        assert!(error.contains("limits.headers = 257") && error.contains("256 lines"), "{error}");
    }

    #[test]
    fn a_limit_under_its_least_is_refused_by_name() {
        let error = Limits::default().set("message_bytes", 1).unwrap_err().to_string();
        assert!(
            error.contains("limits.message_bytes = 1") && error.contains("1024 bytes"),
            "{error}"
        );
    }
}
