// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`GameId`]: which game. It is also what a link to it contains, and so cannot be guessed.

use std::fmt;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A random UUID in its usual spelling, and no other.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, sqlx::Type)]
#[serde(try_from = "String")]
#[sqlx(transparent)]
pub(crate) struct GameId(String);

/// It is not the id of any game.
#[derive(Debug, thiserror::Error)]
#[error("{0:?} is not the id of a game")]
pub(crate) struct GameIdError(String);

impl GameId {
    pub(crate) fn random() -> GameId {
        GameId(Uuid::new_v4().to_string())
    }

    pub(crate) fn parse(text: &str) -> Result<GameId, GameIdError> {
        match Uuid::try_parse(text).map(|id| id.to_string()) {
            Ok(usual) if usual == text => Ok(GameId(usual)),
            _ => Err(GameIdError(text.to_owned())),
        }
    }
}

impl TryFrom<String> for GameId {
    type Error = GameIdError;

    fn try_from(text: String) -> Result<GameId, GameIdError> {
        GameId::parse(&text)
    }
}

impl fmt::Display for GameId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
