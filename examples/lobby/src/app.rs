// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`App`]: what every handler shares.

use std::sync::Arc;

use tokio::sync::Notify;

use crate::config::Config;
use crate::config::pusher::Pusher;
use crate::controllers::audience::Audience;
use crate::database::Database;
use crate::middleware::is_authed::CurrentUser;
use crate::middleware::pace::Paces;
use crate::routes::page::Page;

/// What every handler shares. A clone is the same app.
#[derive(Clone)]
pub(crate) struct App {
    pub(crate) config: Arc<Config>,
    pub(crate) database: Database,
    pub(crate) pusher: Pusher,
    /// Who did what how often.
    pub(crate) paces: Arc<Paces>,
    /// Who hears what, and must not for ever.
    pub(crate) audience: Arc<Audience>,
    /// Tells the referee that somebody came, went or moved.
    pub(crate) referee: Arc<Notify>,
}

impl App {
    /// What a page says about whoever looks at it.
    pub(crate) async fn page(&self, user: &CurrentUser) -> Page {
        Page::new(user, self.pusher.oyez().await.key().to_owned())
    }
}
