// SPDX-License-Identifier: MIT OR Apache-2.0
//! Webhook events (protocol section 7): their names, their JSON, and the body of a request.

use serde::Serialize;

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
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
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

    /// `member_added`.
    pub fn member_added(channel: &ChannelName, user_id: &UserId) -> WebhookEvent {
        WebhookEvent::MemberAdded { channel: channel.to_string(), user_id: user_id.to_string() }
    }

    /// `member_removed`.
    pub fn member_removed(channel: &ChannelName, user_id: &UserId) -> WebhookEvent {
        WebhookEvent::MemberRemoved { channel: channel.to_string(), user_id: user_id.to_string() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p077_events_have_the_documented_shape() {
        let event = WebhookEvent::MemberAdded { channel: "presence-a".into(), user_id: "7".into() };
        let json = serde_json::to_value(&event).expect("plain data");
        assert_eq!(json, serde_json::json!({"name":"member_added","channel":"presence-a","user_id":"7"}));
        for kind in WebhookKind::ALL {
            assert_eq!(WebhookKind::parse(kind.name()), Some(kind));
        }
    }
}
