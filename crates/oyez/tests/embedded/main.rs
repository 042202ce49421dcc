// SPDX-License-Identifier: MIT OR Apache-2.0
//! Oyez inside of another program, over real sockets.

mod calls;
mod disconnect;
mod drain;
mod page;
mod program;
mod routes;
mod start;
mod streams;
mod truths;
mod web;
mod webhooks;

use std::future::Future;
use std::net::SocketAddr;

use oyez::{App, Builder, Oyez, Server};

/// Where tests listen: a free port of this machine.
const ANYWHERE: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 0);

/// A server with one app, on two workers.
fn server() -> Builder {
    Server::builder().listen(ANYWHERE).workers(2).app(App::new("1", "key", "a-secret-for-tests"))
}

/// Runs what a program does on a runtime of its own; the server is started outside of any.
fn wait<T>(program: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(program)
}

/// Starts it, and stops it when the test is over.
fn start(builder: Builder) -> Running {
    Running(
        builder
            .configure(|options| options.drain = std::time::Duration::ZERO)
            .start()
            .expect("it starts"),
    )
}

/// A server that is drained when it is dropped.
struct Running(Oyez);

impl std::ops::Deref for Running {
    type Target = Oyez;

    fn deref(&self) -> &Oyez {
        &self.0
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.0.drain());
    }
}
