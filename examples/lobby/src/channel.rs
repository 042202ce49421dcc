// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Channel`]: every channel of the app, and its name on the wire.

use std::fmt;

use crate::game_id::GameId;

/// Every channel of the app.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Channel {
    /// The list of open games.
    Games,
    /// The players of a game; public, for whoever has the link.
    Lobby(GameId),
    /// The last messages of a game's chat.
    Chat(GameId),
    /// Which of a game's players have a page open, and who is typing.
    Presence(GameId),
    /// What everybody at the table sees.
    Game(GameId),
    /// What one player holds.
    Hand(GameId, i64),
}

impl Channel {
    /// The channel of that name, if it is one of ours.
    pub(crate) fn parse(name: &str) -> Option<Channel> {
        let game = |id: &str| GameId::parse(id).ok();
        let (kind, rest) = name.split_once('_').unwrap_or((name, ""));
        match kind {
            "private-GAMES" if rest.is_empty() && !name.ends_with('_') => Some(Channel::Games),
            "LOBBY" => game(rest).map(Channel::Lobby),
            "private-CHAT" => game(rest).map(Channel::Chat),
            "presence-LOBBY" => game(rest).map(Channel::Presence),
            "private-GAME" => game(rest).map(Channel::Game),
            "private-HAND" => {
                let (id, user) = rest.split_once('_')?;
                let channel = Channel::Hand(game(id)?, user.parse().ok()?);
                // Every channel has one name.
                (channel.to_string() == name).then_some(channel)
            }
            _ => None,
        }
    }
}

impl fmt::Display for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Channel::Games => f.write_str("private-GAMES"),
            Channel::Lobby(game) => write!(f, "LOBBY_{game}"),
            Channel::Chat(game) => write!(f, "private-CHAT_{game}"),
            Channel::Presence(game) => write!(f, "presence-LOBBY_{game}"),
            Channel::Game(game) => write!(f, "private-GAME_{game}"),
            Channel::Hand(game, user) => write!(f, "private-HAND_{game}_{user}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_channel_is_read_back_from_its_name() {
        let game = GameId::random();
        for channel in [
            Channel::Games,
            Channel::Lobby(game.clone()),
            Channel::Chat(game.clone()),
            Channel::Presence(game.clone()),
            Channel::Game(game.clone()),
            Channel::Hand(game, 7),
        ] {
            assert_eq!(Channel::parse(&channel.to_string()), Some(channel));
        }
    }

    #[test]
    fn other_names_are_no_channels_of_ours() {
        let game = GameId::random();
        let upper = game.to_string().to_uppercase();
        for name in [
            String::new(),
            "private-GAMES_".to_owned(),
            "private-GAMES_1".to_owned(),
            "LOBBY_1".to_owned(),
            format!("LOBBY_{upper}"),
            format!("LOBBY_{{{game}}}"),
            format!("private-LOBBY_{game}"),
            format!("private-HAND_{game}"),
            format!("private-HAND_{game}_07"),
            format!("private-HAND_{game}_+7"),
            format!("private-HAND_{game}_7_7"),
        ] {
            assert_eq!(Channel::parse(&name), None, "{name}");
        }
    }
}
