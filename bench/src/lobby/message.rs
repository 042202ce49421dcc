// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the server says to a page, as far as these pages listen: the frames of the Pusher protocol
//! and the truths of the app, read whole, so that nothing wrong in them goes unseen.

use super::truth::{Delta, Truths};
use crate::trouble::Trouble;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::{RawValue, Value};
use std::borrow::Cow;
use std::collections::BTreeSet;

/// The channels of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Channel {
    /// Open games, on the home page.
    Games,
    /// The players of a game.
    Lobby,
    /// Its messages.
    Chat,
    /// Whose page is open.
    Presence,
    /// Its cards.
    Table,
}

impl Channel {
    /// What the page of a stranger subscribes to.
    pub(crate) const STRANGER: &'static [Self] = &[Self::Lobby];
    /// And that of a player.
    pub(crate) const PLAYER: &'static [Self] =
        &[Self::Chat, Self::Lobby, Self::Presence, Self::Table];
    /// And the home page.
    pub(crate) const HOME: &'static [Self] = &[Self::Games];

    /// Its name for that game.
    pub(crate) fn name(self, game: &str) -> String {
        match self {
            Self::Games => "private-GAMES".to_owned(),
            Self::Lobby => format!("LOBBY_{game}"),
            Self::Chat => format!("private-CHAT_{game}"),
            Self::Presence => format!("presence-LOBBY_{game}"),
            Self::Table => format!("private-GAME_{game}"),
        }
    }

    /// Whether everybody may subscribe.
    pub(crate) const fn is_public(self) -> bool {
        matches!(self, Self::Lobby)
    }

    fn of(name: &str, game: &str) -> Option<Self> {
        Self::of_beginning(name).filter(|channel| name == channel.name(game))
    }

    fn of_beginning(name: &str) -> Option<Self> {
        const ALL: [Channel; 5] =
            [Channel::Games, Channel::Lobby, Channel::Chat, Channel::Presence, Channel::Table];
        ALL.into_iter().find(|channel| name.starts_with(channel.beginning()))
    }

    const fn beginning(self) -> &'static str {
        match self {
            Self::Games => "private-GAMES",
            Self::Lobby => "LOBBY_",
            Self::Chat => "private-CHAT_",
            Self::Presence => "presence-",
            Self::Table => "private-GAME_",
        }
    }
}

/// A player on a list.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Listed {
    pub(crate) id: i64,
    pub(crate) username: String,
    pub(crate) ready: bool,
    pub(crate) host: bool,
    pub(crate) playing: bool,
}

/// What somebody said.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Said {
    pub(crate) number: i64,
    pub(crate) user_id: i64,
    pub(crate) username: String,
    pub(crate) text: String,
    pub(crate) time: i64,
}

/// An open game.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct OpenGame {
    pub(crate) id: String,
    pub(crate) host: String,
    pub(crate) players: i64,
}

/// A message from the server.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Message {
    /// The connection stands.
    Established {
        /// By which channels are authorised.
        socket_id: String,
    },
    /// The page is subscribed; of the presence channel, who is there.
    Subscribed(Channel, BTreeSet<i64>),
    Players(Vec<Listed>),
    Messages(Vec<Said>),
    Games(Vec<OpenGame>),
    /// What the table shows.
    Table(Value),
    /// A user's first page is there.
    Came(i64),
    /// A user's last page is gone.
    Went(i64),
    /// It wants an answer.
    Ping,
    /// Counts and bookmarks, of which these pages make nothing.
    Other,
}

#[derive(Deserialize)]
struct Frame<'a> {
    #[serde(borrow)]
    event: Cow<'a, str>,
    #[serde(borrow, default)]
    channel: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    data: Option<&'a RawValue>,
    #[serde(default)]
    offset: Option<u64>,
    #[serde(default)]
    delta: Option<Delta>,
}

#[derive(Deserialize)]
struct Established {
    socket_id: String,
}

#[derive(Deserialize)]
struct Member {
    user_id: String,
}

#[derive(Deserialize)]
struct Present {
    presence: Option<Members>,
}

#[derive(Deserialize)]
struct Members {
    count: usize,
    ids: Vec<String>,
}

impl Message {
    /// Reads a text message to a page of that game, which holds those truths; no game on the home
    /// page.
    ///
    /// # Errors
    /// It is not what the server may say there.
    pub(crate) fn read(text: &[u8], game: &str, truths: &mut Truths) -> Result<Self, Trouble> {
        Self::read_some(text, game, truths).ok_or_else(|| Trouble::unexpected("a page", text))
    }

    fn read_some(text: &[u8], game: &str, truths: &mut Truths) -> Option<Self> {
        let frame: Frame<'_> = serde_json::from_slice(text).ok()?;
        let channel = match &frame.channel {
            Some(name) => Some(Channel::of(name, game)?),
            None => None,
        };
        Some(match (&*frame.event, channel) {
            ("pusher:connection_established", None) => {
                Self::Established { socket_id: frame.data::<Established>()?.socket_id }
            }
            ("pusher:ping", None) => Self::Ping,
            ("pusher_internal:subscription_succeeded", Some(channel)) => {
                let mut ids = BTreeSet::new();
                if channel == Channel::Presence {
                    let members = frame.data::<Present>()?.presence?;
                    ids = members.ids.iter().map(|id| id.parse().ok()).collect::<Option<_>>()?;
                    (ids.len() == members.count).then_some(())?;
                }
                Self::Subscribed(channel, ids)
            }
            ("pusher_internal:member_added", Some(Channel::Presence)) => {
                Self::Came(frame.data::<Member>()?.user_id.parse().ok()?)
            }
            ("pusher_internal:member_removed", Some(Channel::Presence)) => {
                Self::Went(frame.data::<Member>()?.user_id.parse().ok()?)
            }
            ("PLAYER_JOIN", Some(Channel::Lobby)) => Self::Players(frame.truth(truths)?),
            ("CHAT_MESSAGES", Some(Channel::Chat)) => Self::Messages(frame.truth(truths)?),
            ("GAMES", Some(Channel::Games)) => Self::Games(frame.truth(truths)?),
            ("GAME_STATE", Some(Channel::Table)) => Self::Table(frame.truth(truths)?),
            ("pusher_internal:subscription_count", Some(_))
            | ("oyez:mark" | "oyez:skip" | "oyez:term", _) => Self::Other,
            _ => return None,
        })
    }
}

impl<'a> Frame<'a> {
    /// The JSON text that `data` is, or that stands in it as a string.
    fn text(&self) -> Option<Cow<'a, str>> {
        let raw = self.data?.get();
        if raw.starts_with('"') {
            // A `Cow` alone would always be copied: only within a struct it is borrowed.
            #[derive(Deserialize)]
            struct Text<'a>(#[serde(borrow)] Cow<'a, str>);
            return serde_json::from_str::<Text<'a>>(raw).ok().map(|text| text.0);
        }
        Some(Cow::Borrowed(raw))
    }

    fn truth<D: DeserializeOwned>(&self, truths: &mut Truths) -> Option<D> {
        let channel = Channel::of_beginning(self.channel.as_deref()?)?;
        truths.take(channel, &self.text()?, (self.offset, self.delta))
    }

    fn data<D: DeserializeOwned>(&self) -> Option<D> {
        serde_json::from_str(&self.text()?).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::super::truth::Library;
    use super::*;

    const GAME: &str = "4c0d";

    fn read(text: &str) -> Option<Message> {
        Message::read(text.as_bytes(), GAME, &mut Truths::new(Library::PusherJs)).ok()
    }

    #[test]
    fn frames_are_read_with_data_as_text_and_as_json() {
        assert_eq!(
            read(
                r#"{"event":"pusher:connection_established","data":"{\"socket_id\":\"1.2\",\"activity_timeout\":120}"}"#
            ),
            Some(Message::Established { socket_id: "1.2".to_owned() })
        );
        assert_eq!(read(r#"{"event":"pusher:ping","data":{}}"#), Some(Message::Ping));
        assert_eq!(
            read(
                r#"{"event":"pusher_internal:subscription_succeeded","channel":"LOBBY_4c0d","data":"{}"}"#
            ),
            Some(Message::Subscribed(Channel::Lobby, BTreeSet::new()))
        );
        assert_eq!(
            read(
                r#"{"event":"pusher_internal:subscription_succeeded","channel":"presence-LOBBY_4c0d","data":"{\"presence\":{\"count\":2,\"ids\":[\"7\",\"9\"],\"hash\":{}}}"}"#
            ),
            Some(Message::Subscribed(Channel::Presence, [7, 9].into()))
        );
        assert_eq!(
            read(
                r#"{"event":"pusher_internal:member_removed","channel":"presence-LOBBY_4c0d","data":"{\"user_id\":\"7\"}"}"#
            ),
            Some(Message::Went(7))
        );
    }

    #[test]
    fn truths_are_read_whole() {
        let ann =
            Listed { id: 1, username: "ann".to_owned(), ready: false, host: true, playing: false };
        assert_eq!(
            read(
                r#"{"event":"PLAYER_JOIN","channel":"LOBBY_4c0d","data":"[{\"id\":1,\"username\":\"ann\",\"ready\":false,\"host\":true,\"playing\":false}]","offset":3}"#
            ),
            Some(Message::Players(vec![ann]))
        );
        let said = Said {
            number: 1,
            user_id: 1,
            username: "ann".to_owned(),
            text: "\"Hi\"".to_owned(),
            time: 1_790_000_000_000,
        };
        assert_eq!(
            read(
                r#"{"event":"CHAT_MESSAGES","channel":"private-CHAT_4c0d","data":"[{\"number\":1,\"user_id\":1,\"username\":\"ann\",\"text\":\"\\\"Hi\\\"\",\"time\":1790000000000}]"}"#
            ),
            Some(Message::Messages(vec![said]))
        );
        assert_eq!(
            read(r#"{"event":"GAME_STATE","channel":"private-GAME_4c0d","data":"{\"move\":0}"}"#),
            Some(Message::Table(serde_json::json!({ "move": 0 })))
        );
    }

    #[test]
    fn what_does_not_belong_here_is_refused() {
        for text in [
            r#"{"event":"PLAYER_JOIN","channel":"LOBBY_other","data":"[]"}"#,
            r#"{"event":"PLAYER_JOIN","channel":"private-CHAT_4c0d","data":"[]"}"#,
            r#"{"event":"PLAYER_JOIN","channel":"LOBBY_4c0d","data":"[{\"id\":1}]"}"#,
            r#"{"event":"pusher:error","data":{"code":4301,"message":"too many"}}"#,
            r#"{"event":"pusher:subscription_error","channel":"LOBBY_4c0d","data":{"status":403}}"#,
            "{}",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
