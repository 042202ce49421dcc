// SPDX-License-Identifier: MIT OR Apache-2.0
//! New sockets: accepted by whichever worker the kernel chose, served by the one with the fewest.
//!
//! The kernel splits connections among the workers' listeners by a hash, which for a few loud
//! connections is as good as a coin. So a worker that has more than its share hands a new socket
//! to the one that has the least, before anything was read of it.

use std::io;
use std::net::Shutdown;
use std::sync::atomic::Ordering;

use bytes::Bytes;
use mio::{Interest, Token};
use oyez_core::WorkerId;

use super::Worker;
use super::mail::Letter;
use crate::http::Handover;
use crate::socket::connection::{Arrival, Life, Seat};
use crate::stats::WorkerStats;

/// Sockets accepted in one turn; more wait for the next.
const ACCEPTS_PER_TURN: usize = 256;

/// A worker may have so many sockets more than another one before it hands new ones over, plus one
/// in [`SLACK_SHARE`].
const SLACK: usize = 4;
const SLACK_SHARE: usize = 32;

impl Worker {
    /// Accepts what has come.
    pub(super) fn accept(&mut self) {
        self.unaccepted = false;
        for _ in 0..ACCEPTS_PER_TURN {
            let Some(listener) = &self.listener else { return };
            match listener.accept() {
                Ok((stream, _)) => {
                    let _ = stream.set_nodelay(true);
                    let me = self.mail.me();
                    let to = self.least(
                        me,
                        |stats| stats.sockets.load(Ordering::Relaxed),
                        |least| least + SLACK + least / SLACK_SHARE,
                    );
                    self.count_socket(to);
                    if to == me {
                        self.seat(stream);
                    } else {
                        self.mail.put(to, Letter::Arrival(stream.into(), Bytes::new()));
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    // Out of files or memory, or a client that has gone again: the tick tries anew.
                    tracing::warn!(%error, "a connection could not be accepted");
                    return;
                }
            }
        }
        self.unaccepted = true;
    }

    /// Lets nobody in any more.
    pub(super) fn stop_listening(&mut self) {
        if let Some(mut listener) = self.listener.take() {
            let _ = self.registry.deregister(&mut listener);
        }
    }

    /// Takes over a socket that another worker accepted, or that carried HTTP until a handshake
    /// came; `bytes` were read of it.
    pub(super) fn welcome(&mut self, stream: std::net::TcpStream, bytes: Bytes) {
        let slot = self.seat(mio::net::TcpStream::from_std(stream));
        if let Some(slot) = slot.filter(|_| !bytes.is_empty()) {
            self.arrival_said(slot, &mut Vec::from(bytes));
        }
    }

    fn seat(&mut self, stream: mio::net::TcpStream) -> Option<u32> {
        if self.seats.arrivals() >= self.limits().handshakes.div_ceil(self.mail.workers()) {
            // Dropped, and so closed: there is nobody to whom it could be said.
            self.stats().sockets.fetch_sub(1, Ordering::Relaxed);
            return None;
        }
        let since = Life::tick(self.now);
        let slot = self.seats.arrive(Arrival { stream, head: Vec::new(), since });
        let Some(Seat::Arrival(arrival)) = self.seats.get_mut(slot) else { return None };
        let token = Token(slot as usize);
        if let Err(error) = self.registry.register(&mut arrival.stream, token, Interest::READABLE) {
            tracing::warn!(%error, "a connection could not be watched");
            self.remove(slot);
            return None;
        }
        Some(slot)
    }

    /// Gives a socket that speaks HTTP to the worker with the fewest of those.
    pub(super) fn hand_to_http(&mut self, slot: u32, bytes: Bytes) {
        let Some(Seat::Arrival(mut arrival)) = self.seats.remove(slot) else { return };
        self.stats().sockets.fetch_sub(1, Ordering::Relaxed);
        let _ = self.registry.deregister(&mut arrival.stream);
        let stream = std::net::TcpStream::from(arrival.stream);
        let all = self.shared.stats.iter().map(|s| s.http_connections.load(Ordering::Relaxed));
        if all.sum::<usize>() >= self.limits().http_connections {
            let _ = stream.shutdown(Shutdown::Both);
            return;
        }
        let me = self.mail.me();
        let to =
            self.least(me, |stats| stats.http_connections.load(Ordering::Relaxed), |least| least);
        let stats = &self.shared.stats[usize::from(to.0)];
        stats.http_connections.fetch_add(1, Ordering::Relaxed);
        if to == me {
            self.serve_http(stream, bytes);
        } else {
            self.mail.put(to, Letter::Http(stream, bytes));
        }
    }

    /// Serves HTTP on a socket that was counted already.
    pub(super) fn serve_http(&self, stream: std::net::TcpStream, bytes: Bytes) {
        let (context, shared, me) = (self.http.clone(), self.shared.clone(), self.mail.me());
        let post = self.mail.post().clone();
        tokio::task::spawn_local(async move {
            let stats = &shared.stats[usize::from(me.0)];
            let _counted = CountedHttp(stats);
            let served = async {
                let stream = tokio::net::TcpStream::from_std(stream)?;
                match crate::http::serve(stream, bytes, context).await {
                    Some(Handover { stream, bytes }) => Ok(Some((stream.into_std()?, bytes))),
                    None => Ok(None),
                }
            };
            match served.await {
                Ok(Some((stream, bytes))) => {
                    stats.sockets.fetch_add(1, Ordering::Relaxed);
                    let _ = post.send(me, Letter::Arrival(stream, bytes));
                }
                Ok(None) => {}
                Err::<_, io::Error>(error) => {
                    tracing::warn!(%error, "an HTTP connection could not be watched");
                }
            }
        });
    }

    fn count_socket(&self, worker: WorkerId) {
        self.shared.stats[usize::from(worker.0)].sockets.fetch_add(1, Ordering::Relaxed);
    }

    /// `me`, unless it has more than is fair beside the worker that has the least.
    fn least(
        &self,
        me: WorkerId,
        load: impl Fn(&WorkerStats) -> usize,
        fair: impl Fn(usize) -> usize,
    ) -> WorkerId {
        if self.shared.draining.load(Ordering::Relaxed) {
            // The others may end before this one.
            return me;
        }
        let mine = load(&self.shared.stats[usize::from(me.0)]);
        let loads = self.shared.stats.iter().map(load).enumerate();
        match loads.min_by_key(|(_, load)| *load) {
            Some((at, least)) if mine > fair(least) => WorkerId(at as u16),
            _ => me,
        }
    }
}

/// Uncounts an HTTP connection however its task ends.
struct CountedHttp<'a>(&'a WorkerStats);

impl Drop for CountedHttp<'_> {
    fn drop(&mut self) {
        self.0.http_connections.fetch_sub(1, Ordering::Relaxed);
    }
}
