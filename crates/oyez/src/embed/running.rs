// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Running`]: a server on threads of its own, and how it ended.

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock, Weak};
use std::thread;

use oyez_server::{Handle, RunError, Server};
use tokio::sync::watch;

use super::builder::StartError;
use super::oyez::Oyez;
use super::runtime::Runtime;

/// How a server ended: asked to, or why not.
pub type Ended = Result<(), Arc<RunError>>;

/// A server that runs.
#[derive(Debug)]
pub(super) struct Running {
    pub(super) handle: Handle,
    pub(super) address: SocketAddr,
    ended: watch::Receiver<Option<Ended>>,
}

/// The server that will run, for routes that are there before it.
#[derive(Clone, Default)]
pub(super) struct Later(Arc<OnceLock<Weak<Running>>>);

impl Later {
    /// The server; routes are not called before it runs.
    pub(super) fn oyez(&self) -> Option<Oyez> {
        Some(Oyez::of_first_app(self.0.get()?.upgrade()?))
    }
}

/// Lets it run; for as long, the runtime that was made for it.
pub(super) fn start(
    server: Server,
    own: Option<Runtime>,
    later: &Later,
) -> Result<Oyez, StartError> {
    let (tell, ended) = watch::channel(None);
    let running = Running { handle: server.handle(), address: server.address(), ended };
    let running = Arc::new(running);
    // Weak: routes are part of the server.
    let _ = later.0.set(Arc::downgrade(&running));
    let kept = Arc::clone(&running);
    let run = move || {
        let _kept = kept;
        let result = server.run().map_err(Arc::new);
        if let Err(error) = &result {
            tracing::error!(%error, "the embedded Oyez has ended");
        }
        if let Some(own) = own {
            own.shutdown_background();
        }
        tell.send_replace(Some(result));
    };
    thread::Builder::new().name("oyez".to_owned()).spawn(run).map_err(StartError::Thread)?;
    Ok(Oyez::of_first_app(running))
}

impl Running {
    /// Waits until it has ended.
    pub(super) async fn ended(&self) -> Ended {
        let mut ended = self.ended.clone();
        match ended.wait_for(Option::is_some).await {
            Ok(ended) => ended.clone().unwrap_or(Ok(())),
            // The thread says how it ended before it ends.
            Err(_) => Ok(()),
        }
    }
}
