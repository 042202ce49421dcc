// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Embedded`]: the real server in this process, over a journal on a disk that loses power and
//! fails on command. Its clients come through a proxy, so that a cut takes their links with it.

use std::path::PathBuf;
use std::thread::JoinHandle;

use oyez_journal::Redb;
use oyez_journal::fault::Disk;
use oyez_server::{Handle, RunError, Server};

use crate::channels::options;
use crate::proxy::Proxy;

/// See the module.
#[derive(Debug)]
pub struct Embedded {
    /// Its disk.
    pub disk: Disk,
    /// What its clients connect to.
    pub proxy: Proxy,
    folder: PathBuf,
    lives: u64,
    running: Option<(Handle, JoinHandle<Result<(), RunError>>)>,
}

impl Embedded {
    /// Starts a server over an empty disk; what else it keeps is in that folder.
    ///
    /// # Errors
    /// It does not start.
    pub async fn start(folder: PathBuf) -> Result<Embedded, String> {
        let proxy = Proxy::start().await.map_err(|error| error.to_string())?;
        let disk = Disk::new();
        let mut server = Embedded { disk, proxy, folder, lives: 0, running: None };
        server.again()?;
        Ok(server)
    }

    /// Starts a server over what the disk holds now.
    ///
    /// # Errors
    /// It does not start.
    pub fn again(&mut self) -> Result<(), String> {
        // What is not in the journal is not this crate's business, and the old server may not
        // have let go of it yet.
        let options = options(&self.folder.join(self.lives.to_string()));
        self.lives += 1;
        let backend = self.disk.backend();
        let server = Server::bind_with(options, |ids, now, term| {
            let (journal, recovered) = Redb::open_backend(backend, "the disk", ids, now, term)?;
            Ok((Box::new(journal), recovered))
        });
        let server = server.map_err(|error| error.to_string())?;
        let (address, handle) = (server.address(), server.handle());
        let thread = std::thread::Builder::new().name("server".to_owned());
        let thread = thread.spawn(move || server.run()).map_err(|error| error.to_string())?;
        self.running = Some((handle, thread));
        self.proxy.lead_to(address);
        Ok(())
    }

    /// Everybody loses the server at once. It ends when it finds out; nobody hears of it again.
    pub fn lose(&mut self) {
        self.proxy.cut();
        if let Some((handle, _thread)) = self.running.take() {
            handle.drain();
        }
    }

    /// Whether the server has ended by itself.
    pub fn has_ended(&self) -> bool {
        self.running.as_ref().is_none_or(|(_, thread)| thread.is_finished())
    }

    /// Waits for the end of a server that ends by itself.
    ///
    /// # Errors
    /// It ended well.
    pub async fn failed(&mut self) -> Result<String, String> {
        let (_, thread) = self.running.take().ok_or("it does not run")?;
        let ended = tokio::task::spawn_blocking(|| thread.join());
        match ended.await.map_err(|error| error.to_string())? {
            Ok(Err(error)) => Ok(error.to_string()),
            Ok(Ok(())) => Err("the server ended as if nothing had failed".to_owned()),
            Err(_) => Err("the server panicked".to_owned()),
        }
    }

    /// Stops the server gently, and waits for it.
    ///
    /// # Errors
    /// It ended with an error.
    pub async fn stop(&mut self) -> Result<(), String> {
        let Some((handle, thread)) = self.running.take() else { return Ok(()) };
        handle.drain();
        let ended = tokio::task::spawn_blocking(|| thread.join());
        match ended.await.map_err(|error| error.to_string())? {
            Ok(result) => result.map_err(|error| error.to_string()),
            Err(_) => Err("the server panicked".to_owned()),
        }
    }
}
