// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Proxy`]: the one address behind which servers of this process come and go. When it cuts,
//! every connection dies at once, with whatever was on its way: as when the power goes.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// See the module.
#[derive(Clone, Debug)]
pub struct Proxy {
    /// Where it listens.
    pub address: SocketAddr,
    target: Arc<watch::Sender<Option<SocketAddr>>>,
}

impl Proxy {
    /// Listens, and lets nobody through yet.
    ///
    /// # Errors
    /// The system has no port.
    pub async fn start() -> std::io::Result<Proxy> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let target = Arc::new(watch::Sender::new(None));
        tokio::spawn(serve(listener, Arc::downgrade(&target)));
        Ok(Proxy { address, target })
    }

    /// Cuts every connection; new ones are refused.
    pub fn cut(&self) {
        self.target.send_replace(None);
    }

    /// New connections go there.
    pub fn lead_to(&self, server: SocketAddr) {
        self.target.send_replace(Some(server));
    }
}

async fn serve(listener: TcpListener, target: std::sync::Weak<watch::Sender<Option<SocketAddr>>>) {
    while let Ok((mut client, _)) = listener.accept().await {
        let Some(target) = target.upgrade() else { return };
        let mut changes = target.subscribe();
        let Some(server) = *changes.borrow_and_update() else { continue };
        tokio::spawn(async move {
            let copy = async {
                let mut server = TcpStream::connect(server).await?;
                tokio::io::copy_bidirectional(&mut client, &mut server).await
            };
            tokio::select! {
                biased;
                _ = changes.changed() => {}
                _ = copy => {}
            }
        });
    }
}
