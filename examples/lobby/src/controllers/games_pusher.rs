// SPDX-License-Identifier: MIT OR Apache-2.0
//! Which games can be joined.

use crate::database::game::OpenGame;
use crate::database::{Database, game};
use crate::error::Error;

/// The truth of `private-GAMES`, which home pages get as `GAMES`: the newest games that somebody
/// can join.
pub(crate) async fn games(database: &Database) -> Result<Vec<OpenGame>, Error> {
    Ok(game::open(database.reads()).await?)
}
