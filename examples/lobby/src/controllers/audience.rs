// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Audience`]: who is let into which channel, and that this ends.
//!
//! A signature lets one connection into one channel, for as long as it lasts; Pusher has no way to
//! take it back. So it is noted which connections were let in, and when somebody is in a game no
//! more, theirs are ended. A page comes back by itself, and is let into what is still its own.

use std::num::NonZeroUsize;
use std::sync::{Mutex, MutexGuard, PoisonError};

use lru::LruCache;
use oyez::Auth;
use serde_json::json;

use crate::app::App;
use crate::channel::Channel;
use crate::database::game_user::{self, Standing};
use crate::error::Error;
use crate::game_id::GameId;
use crate::middleware::is_authed::CurrentUser;

/// So many are noted. Beyond, the connection that was let in longest ago is ended, and noted anew
/// when it comes back.
const NOTED: NonZeroUsize = NonZeroUsize::new(100_000).expect("it is more than none");

const NOT_YOURS: Error = Error::Forbidden("This channel is not yours.");

/// See the module. Shared by all handlers, each of which holds the lock for a moment.
pub(crate) struct Audience(Mutex<LruCache<Listener, ()>>);

/// A connection, whose it is, and the game of which it hears something.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Listener {
    socket_id: String,
    user: i64,
    game: Option<GameId>,
}

impl Default for Audience {
    fn default() -> Audience {
        Audience(Mutex::new(LruCache::new(NOTED)))
    }
}

impl Audience {
    /// Notes it. Answers which connection is to be ended to make room.
    fn note(&self, listener: Listener) -> Option<String> {
        let (pushed_out, ()) = self.lock().push(listener.clone(), ())?;
        (pushed_out != listener).then_some(pushed_out.socket_id)
    }

    /// Forgets the connections of that user, of that game or of all, and answers them.
    fn take(&self, user: i64, game: Option<&GameId>) -> Vec<String> {
        let mut noted = self.lock();
        let theirs = noted.iter().map(|(listener, ())| listener);
        let theirs =
            theirs.filter(|one| one.user == user && (game.is_none() || one.game.as_ref() == game));
        let theirs: Vec<Listener> = theirs.cloned().collect();
        for listener in &theirs {
            noted.pop(listener);
        }
        let mut sockets: Vec<_> = theirs.into_iter().map(|listener| listener.socket_id).collect();
        sockets.sort_unstable();
        sockets.dedup();
        sockets
    }

    fn lock(&self) -> MutexGuard<'_, LruCache<Listener, ()>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Signs for that connection and that channel, if the channel is theirs.
pub(crate) async fn let_in(
    app: &App,
    user: &CurrentUser,
    socket_id: &str,
    channel_name: &str,
) -> Result<Auth, Error> {
    let channel = Channel::parse(channel_name).ok_or(NOT_YOURS)?;
    let game = match &channel {
        Channel::Games => None,
        Channel::Hand(_, owner) if *owner != user.id => return Err(NOT_YOURS),
        Channel::Hand(game, _)
        | Channel::Chat(game)
        | Channel::Presence(game)
        | Channel::Game(game)
        | Channel::Lobby(game) => Some(game),
    };
    // First, so that whoever goes at this moment is either seen to be gone or found here.
    let socket = socket_id.to_owned();
    let listener = Listener { socket_id: socket, user: user.id, game: game.cloned() };
    end(app, app.audience.note(listener)).await;
    if let Some(game) = game
        && game_user::standing(app.database.reads(), game, user.id).await? != Standing::Player
    {
        return Err(NOT_YOURS);
    }
    let oyez = app.pusher.oyez().await;
    let auth = match channel {
        Channel::Presence(_) => oyez.authorize_member(
            socket_id,
            channel_name,
            &user.id.to_string(),
            &json!({ "username": user.username }),
        ),
        _ => oyez.authorize(socket_id, channel_name),
    };
    auth.map_err(|error| Error::Invalid(error.to_string()))
}

/// Ends the connections of somebody who is in that game no more; or, without one, who has logged
/// out. To be called after the commit.
pub(crate) async fn let_go(app: &App, user: i64, game: Option<&GameId>) {
    end(app, app.audience.take(user, game)).await;
}

async fn end(app: &App, sockets: impl IntoIterator<Item = String>) {
    for socket_id in sockets {
        if let Err(error) = app.pusher.oyez().await.disconnect(&socket_id).await {
            tracing::warn!(%error, "a connection is not ended");
        }
    }
}
