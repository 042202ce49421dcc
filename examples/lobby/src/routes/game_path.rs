// SPDX-License-Identifier: MIT OR Apache-2.0
//! The game that a path names, as an argument of the handlers: `/lobby/{uuid}`, `/game/{uuid}`.

use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;

use crate::controllers::lobby::UNKNOWN;
use crate::error::Error;
use crate::game_id::GameId;

impl<S: Send + Sync> FromRequestParts<S> for GameId {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<GameId, Error> {
        let path = Path::<String>::from_request_parts(parts, state).await;
        let Path(uuid) = path.map_err(|_| UNKNOWN)?;
        GameId::parse(&uuid).map_err(|_| UNKNOWN)
    }
}
