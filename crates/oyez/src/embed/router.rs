// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Builder::router`]: an axum program's routes on Oyez' port. With the feature `axum`.

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use http::Request;
use oyez_server::{Peer, Upload};
use tower_service::Service;

use super::builder::Builder;

impl Builder {
    /// Serves whatever path is not Oyez's by that router: see [`Builder::routes`]. Its handlers
    /// can extract `Extension<Oyez>` and `ConnectInfo<SocketAddr>`. How large a body may be is axum's `DefaultBodyLimit`.
    pub fn router(self, router: Router) -> Builder {
        self.routes(move |request: Request<Upload>| {
            let mut request = request.map(Body::new);
            if let Some(Peer(address)) = request.extensions().get().copied() {
                request.extensions_mut().insert(ConnectInfo(address));
            }
            let mut router = router.clone();
            async move {
                match router.call(request).await {
                    Ok(answer) => answer,
                    Err(never) => match never {},
                }
            }
        })
    }
}
