// SPDX-License-Identifier: MIT OR Apache-2.0
//! What an auth endpoint answers (protocol sections 3 and 5): [`Auth`] and [`UserAuth`].
//!
//! Whether somebody may is the program's to decide, before it asks for a signature here.

use oyez_protocol::channel::{Access, ChannelName, ChannelNameError};
use oyez_protocol::limits::Limits;
use oyez_protocol::socket_id::{SocketId, SocketIdError};
use oyez_protocol::user::{Member, User, UserError};
use oyez_server::apps::App;
use serde::Serialize;
use serde_json::{Value, json};

/// The answer to a client that wants to subscribe: as JSON, with status 200.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Auth {
    /// `KEY:SIGNATURE`.
    pub auth: String,
    /// Of presence channels: who the client is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel_data: Option<String>,
    /// Of encrypted channels: the key of the channel, in base64, which the program must set. Oyez
    /// never knows it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shared_secret: Option<String>,
}

/// The answer to a client that wants to sign in: as JSON, with status 200.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct UserAuth {
    /// `KEY:SIGNATURE`.
    pub auth: String,
    /// Who the client is.
    pub user_data: String,
}

/// Why nothing was signed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AuthorizeError {
    /// The client's `socket_id` is none.
    #[error(transparent)]
    SocketId(#[from] SocketIdError),
    /// The client's `channel_name` is none.
    #[error(transparent)]
    Channel(#[from] ChannelNameError),
    /// Everybody may subscribe to that channel.
    #[error("{0} is public: it takes no authorization")]
    Public(String),
    /// A presence channel needs a member.
    #[error("{0} is a presence channel: say who the client is")]
    NoMember(String),
    /// Only presence channels have members.
    #[error("{0} is no presence channel: it has no members")]
    NotPresence(String),
    /// Who the client is cannot be so.
    #[error(transparent)]
    User(#[from] UserError),
}

/// Signs a subscription; `member` is its `user_id` and `user_info`.
pub(super) fn subscription(
    app: &App,
    limits: &Limits,
    socket_id: &str,
    channel: &str,
    member: Option<(&str, Value)>,
) -> Result<Auth, AuthorizeError> {
    SocketId::parse(socket_id)?;
    let name = ChannelName::parse(channel, limits.channel_name)?;
    let channel_data = match (name.kind().access, member) {
        (Access::Public, _) => return Err(AuthorizeError::Public(channel.to_owned())),
        (Access::Presence, None) => return Err(AuthorizeError::NoMember(channel.to_owned())),
        (Access::Presence, Some((user_id, Value::Null))) => Some(json!({ "user_id": user_id })),
        (Access::Presence, Some((user_id, user_info))) => {
            Some(json!({ "user_id": user_id, "user_info": user_info }))
        }
        (_, Some(_)) => return Err(AuthorizeError::NotPresence(channel.to_owned())),
        (_, None) => None,
    };
    let channel_data = channel_data.map(|data| data.to_string());
    if let Some(data) = &channel_data {
        Member::parse(data, limits)?;
    }
    let auth = app.credentials().authorize(socket_id, channel, channel_data.as_deref());
    Ok(Auth { auth, channel_data, shared_secret: None })
}

/// Signs a sign-in; `user` has an `id`, and may have `user_info` and `watchlist`.
pub(super) fn sign_in(
    app: &App,
    limits: &Limits,
    socket_id: &str,
    user: &Value,
) -> Result<UserAuth, AuthorizeError> {
    SocketId::parse(socket_id)?;
    let user_data = user.to_string();
    User::parse(&user_data, limits)?;
    let parts = [socket_id.as_bytes(), b"::user::", user_data.as_bytes()];
    let signature = app.options.secret.sign_text(&parts);
    Ok(UserAuth { auth: format!("{}:{signature}", app.options.key), user_data })
}
