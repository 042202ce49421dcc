// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is to be seen at the table: by everybody, and by each player alone.

use std::collections::HashMap;

use serde::Serialize;

use crate::crazy_eights::{self, HandView, PlayerId, SeatView, TableView};
use crate::database::Database;
use crate::database::game::{self, Status};
use crate::database::game_user::{self, Seated};
use crate::error::Error;
use crate::game_id::GameId;

/// A player at the table: what the rules know of them, and what the app does.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct AtTable {
    #[serde(flatten)]
    seat: SeatView,
    username: String,
    away: bool,
}

/// The truth of `private-GAME_<id>`, which pages get as `GAME_STATE`: what everybody at the table
/// sees. None if there is no such game.
pub(crate) async fn table(
    database: &Database,
    id: &GameId,
) -> Result<Option<TableView<AtTable>>, Error> {
    // One transaction, so that game and players are of the same moment.
    let mut reads = database.reads().begin().await?;
    let Some(game) = game::find(&mut *reads, id).await? else { return Ok(None) };
    let seated = game_user::seated(&mut *reads, id).await?;
    drop(reads);
    let seated: HashMap<i64, Seated> =
        seated.into_iter().map(|seated| (seated.id, seated)).collect();
    let show = |seat: SeatView| {
        let player = seated.get(&seat.id.0);
        AtTable {
            seat,
            username: player.map_or_else(String::new, |player| player.username.clone()),
            away: player.is_none_or(|player| player.away_since.is_some()),
        }
    };
    Ok(Some(match game.cards()? {
        Some(cards) => {
            let mut table = cards.table(show);
            if game.status == Status::Lobby {
                table.status = crazy_eights::Status::Lobby;
            }
            table
        }
        None => TableView::lobby(Vec::new()),
    }))
}

/// The truth of `private-HAND_<id>_<user>`, which the pages of that player get as `HAND`: what they
/// hold, and what they may do with it. None if they hold nothing.
pub(crate) async fn hand(
    database: &Database,
    id: &GameId,
    user: i64,
) -> Result<Option<HandView>, Error> {
    let game = game::find(database.reads(), id).await?;
    let cards = game.map(|game| game.cards()).transpose()?.flatten();
    Ok(cards.and_then(|cards| cards.hand(PlayerId(user))))
}
