// SPDX-License-Identifier: MIT OR Apache-2.0
//! Talking.

use crate::app::App;
use crate::channel::Channel;
use crate::controllers::lobby::player;
use crate::database::{game, message};
use crate::error::Error;
use crate::game_id::GameId;

/// A player says something. Answers the message's number.
pub(crate) async fn say(app: &App, game: &GameId, user: i64, text: &str) -> Result<i64, Error> {
    let text = text.trim();
    if text.is_empty() {
        return Err(Error::Invalid("A message needs some text.".to_owned()));
    }
    let length = text.chars().count();
    if length > message::LENGTH {
        let most = message::LENGTH;
        return Err(Error::Invalid(format!(
            "A message has at most {most} characters; this one has {length}."
        )));
    }
    let mut writes = app.database.begin().await?;
    player(&mut writes, game, user).await?;
    app.paces.message(user)?;
    let number = message::add(&mut writes, game, user, text).await?;
    game::touch(&mut writes, game).await?;
    writes.commit().await?;
    app.pusher.changed([Channel::Chat(game.clone())]).await;
    Ok(number)
}
