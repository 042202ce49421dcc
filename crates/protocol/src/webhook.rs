// SPDX-License-Identifier: MIT OR Apache-2.0
//! Webhook events (protocol section 7): their names, their JSON, and the body of a request.

use serde::{Deserialize, Serialize};

use crate::channel::ChannelName;
use crate::user::UserId;

/// The kinds of webhook events, by the names of the config.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum WebhookKind {
    /// The first subscriber came.
    ChannelOccupied,
    /// The last subscriber left and nobody came back within `webhook_delay`.
    ChannelVacated,
    /// A user's first connection joined a presence channel.
    MemberAdded,
    /// A user's last connection left and none came back within `webhook_delay`.
    MemberRemoved,
    /// A client sent an event.
    ClientEvent,
    /// Somebody subscribed to a cache channel that held nothing.
    CacheMiss,
    /// The number of subscribers changed.
    SubscriptionCount,
}

impl WebhookKind {
    /// All kinds, in the order of the manual.
    pub const ALL: [WebhookKind; 7] = [
        WebhookKind::ChannelOccupied,
        WebhookKind::ChannelVacated,
        WebhookKind::MemberAdded,
        WebhookKind::MemberRemoved,
        WebhookKind::ClientEvent,
        WebhookKind::CacheMiss,
        WebhookKind::SubscriptionCount,
    ];

    /// The name in the config and in the event.
    pub const fn name(self) -> &'static str {
        match self {
            WebhookKind::ChannelOccupied => "channel_occupied",
            WebhookKind::ChannelVacated => "channel_vacated",
            WebhookKind::MemberAdded => "member_added",
            WebhookKind::MemberRemoved => "member_removed",
            WebhookKind::ClientEvent => "client_event",
            WebhookKind::CacheMiss => "cache_miss",
            WebhookKind::SubscriptionCount => "subscription_count",
        }
    }

    /// Reads a name of the config.
    pub fn parse(name: &str) -> Option<WebhookKind> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// One event of a webhook request. Everything in it is text already: it may wait for long.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "snake_case")]
pub enum WebhookEvent {
    /// See [`WebhookKind::ChannelOccupied`].
    ChannelOccupied {
        /// The channel.
        channel: String,
    },
    /// See [`WebhookKind::ChannelVacated`].
    ChannelVacated {
        /// The channel.
        channel: String,
    },
    /// See [`WebhookKind::MemberAdded`].
    MemberAdded {
        /// The presence channel.
        channel: String,
        /// Who.
        user_id: String,
    },
    /// See [`WebhookKind::MemberRemoved`].
    MemberRemoved {
        /// The presence channel.
        channel: String,
        /// Who.
        user_id: String,
    },
    /// See [`WebhookKind::ClientEvent`].
    ClientEvent {
        /// The channel.
        channel: String,
        /// The event's name.
        event: String,
        /// Its data.
        data: String,
        /// The sender's connection.
        socket_id: String,
        /// The sender, on presence channels.
        #[serde(skip_serializing_if = "Option::is_none")]
        user_id: Option<String>,
    },
    /// See [`WebhookKind::CacheMiss`].
    CacheMiss {
        /// The cache channel.
        channel: String,
    },
    /// See [`WebhookKind::SubscriptionCount`].
    SubscriptionCount {
        /// The channel.
        channel: String,
        /// How many subscribers it has.
        subscription_count: usize,
    },
}

impl WebhookEvent {
    /// Which kind it is.
    pub fn kind(&self) -> WebhookKind {
        match self {
            WebhookEvent::ChannelOccupied { .. } => WebhookKind::ChannelOccupied,
            WebhookEvent::ChannelVacated { .. } => WebhookKind::ChannelVacated,
            WebhookEvent::MemberAdded { .. } => WebhookKind::MemberAdded,
            WebhookEvent::MemberRemoved { .. } => WebhookKind::MemberRemoved,
            WebhookEvent::ClientEvent { .. } => WebhookKind::ClientEvent,
            WebhookEvent::CacheMiss { .. } => WebhookKind::CacheMiss,
            WebhookEvent::SubscriptionCount { .. } => WebhookKind::SubscriptionCount,
        }
    }

    /// The channel that it is about.
    pub fn channel(&self) -> &str {
        match self {
            WebhookEvent::ChannelOccupied { channel }
            | WebhookEvent::ChannelVacated { channel }
            | WebhookEvent::MemberAdded { channel, .. }
            | WebhookEvent::MemberRemoved { channel, .. }
            | WebhookEvent::ClientEvent { channel, .. }
            | WebhookEvent::CacheMiss { channel }
            | WebhookEvent::SubscriptionCount { channel, .. } => channel,
        }
    }

    /// The user that it is about: who came or went, or who sent a client event on a presence
    /// channel.
    pub fn user_id(&self) -> Option<&str> {
        match self {
            WebhookEvent::MemberAdded { user_id, .. }
            | WebhookEvent::MemberRemoved { user_id, .. } => Some(user_id),
            WebhookEvent::ClientEvent { user_id, .. } => user_id.as_deref(),
            _ => None,
        }
    }

    /// Reads what [`WebhookEvent::to_json`] wrote.
    ///
    /// # Errors
    /// When it is the JSON of something else.
    pub fn from_json(json: &str) -> Result<WebhookEvent, serde_json::Error> {
        serde_json::from_str(json)
    }

    /// The event as it stands in a body.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("strings and numbers are always JSON")
    }

    /// Bytes of text in the event: what it costs to keep it waiting.
    pub fn text_bytes(&self) -> usize {
        match self {
            WebhookEvent::ChannelOccupied { channel }
            | WebhookEvent::ChannelVacated { channel }
            | WebhookEvent::CacheMiss { channel }
            | WebhookEvent::SubscriptionCount { channel, .. } => channel.len(),
            WebhookEvent::MemberAdded { channel, user_id }
            | WebhookEvent::MemberRemoved { channel, user_id } => channel.len() + user_id.len(),
            WebhookEvent::ClientEvent { channel, event, data, socket_id, user_id } => {
                let user_id = user_id.as_ref().map_or(0, String::len);
                channel.len() + event.len() + data.len() + socket_id.len() + user_id
            }
        }
    }

    /// `member_added`.
    pub fn member_added(channel: &ChannelName, user_id: &UserId) -> WebhookEvent {
        WebhookEvent::MemberAdded { channel: channel.to_string(), user_id: user_id.to_string() }
    }

    /// `member_removed`.
    pub fn member_removed(channel: &ChannelName, user_id: &UserId) -> WebhookEvent {
        WebhookEvent::MemberRemoved { channel: channel.to_string(), user_id: user_id.to_string() }
    }
}

/// The body of a request: `{"time_ms":N,"events":[…]}`. `time_ms` is in milliseconds since 1970,
/// `events` are the JSON of [`WebhookEvent::to_json`], in the order in which they happened.
pub fn body<'a>(time_ms: u64, events: impl IntoIterator<Item = &'a str>) -> Vec<u8> {
    let mut body = Vec::with_capacity(256);
    body.extend_from_slice(b"{\"time_ms\":");
    body.extend_from_slice(itoa::Buffer::new().format(time_ms).as_bytes());
    body.extend_from_slice(b",\"events\":[");
    for (place, event) in events.into_iter().enumerate() {
        if place > 0 {
            body.push(b',');
        }
        body.extend_from_slice(event.as_bytes());
    }
    body.extend_from_slice(b"]}");
    body
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p077_events_have_the_documented_shape() {
        let event = WebhookEvent::MemberAdded { channel: "presence-a".into(), user_id: "7".into() };
        let json = serde_json::to_value(&event).expect("plain data");
        assert_eq!(
            json,
            serde_json::json!({"name":"member_added","channel":"presence-a","user_id":"7"})
        );
        for kind in WebhookKind::ALL {
            assert_eq!(WebhookKind::parse(kind.name()), Some(kind));
        }
    }

    #[test]
    fn an_event_is_read_as_it_was_written_and_says_what_it_is_about() {
        let (channel, user_id) = (|| "presence-a".to_owned(), || "7".to_owned());
        let sent = |user_id| WebhookEvent::ClientEvent {
            channel: channel(),
            event: "client-x".into(),
            data: "\"\\ü\u{0}".into(),
            socket_id: "1.2".into(),
            user_id,
        };
        for (event, user) in [
            (WebhookEvent::ChannelOccupied { channel: channel() }, None),
            (WebhookEvent::ChannelVacated { channel: channel() }, None),
            (WebhookEvent::MemberAdded { channel: channel(), user_id: user_id() }, Some("7")),
            (WebhookEvent::MemberRemoved { channel: channel(), user_id: user_id() }, Some("7")),
            (sent(None), None),
            (sent(Some(user_id())), Some("7")),
            (WebhookEvent::CacheMiss { channel: channel() }, None),
            (WebhookEvent::SubscriptionCount { channel: channel(), subscription_count: 3 }, None),
        ] {
            assert_eq!((event.channel(), event.user_id()), ("presence-a", user));
            let json = event.to_json();
            assert_eq!(WebhookEvent::from_json(&json).expect("it was written so"), event);
        }
        for other in ["{}", "7", r#"{"name":"member_added","channel":"a"}"#, r#"{"name":"x"}"#] {
            WebhookEvent::from_json(other).expect_err(other);
        }
    }

    #[test]
    fn p077_a_body_is_its_time_and_its_events_in_order() {
        let events = [
            WebhookEvent::ChannelOccupied { channel: "a".into() },
            WebhookEvent::SubscriptionCount { channel: "a".into(), subscription_count: 1 },
            WebhookEvent::ClientEvent {
                channel: "private-a".into(),
                event: "client-x".into(),
                data: "\"\\ü\u{0}".into(),
                socket_id: "1.2".into(),
                user_id: None,
            },
        ];
        let json: Vec<String> = events.iter().map(WebhookEvent::to_json).collect();
        let body = body(1_327_078_148_132, json.iter().map(String::as_str));
        let expected = concat!(
            r#"{"time_ms":1327078148132,"events":[{"name":"channel_occupied","channel":"a"},"#,
            r#"{"name":"subscription_count","channel":"a","subscription_count":1},"#,
            r#"{"name":"client_event","channel":"private-a","event":"client-x","#,
            r#""data":"\"\\ü\u0000","socket_id":"1.2"}]}"#
        );
        assert_eq!(String::from_utf8(body).expect("JSON is UTF-8"), expected);
    }

    #[test]
    fn p077_a_body_may_be_empty() {
        assert_eq!(body(7, []), br#"{"time_ms":7,"events":[]}"#);
    }
}
