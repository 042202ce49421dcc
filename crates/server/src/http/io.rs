// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Io`]: a connection's bytes, beginning with those that were read before it was known to be
//! HTTP.
//!
//! It keeps the [`Watch`] informed of what arrives and the [`Gate`] of what leaves, and at the end it waits a moment for the
//! client: closing a socket that has unread bytes would make the system throw the last answer
//! away before the client has read it.

use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use super::handover::Gate;
use super::watch::{Phase, Watch};

/// Bytes thrown away at a time.
const SINK: usize = 4096;

/// A connection.
pub(super) struct Io {
    stream: TcpStream,
    first: Bytes,
    watch: Rc<Watch>,
    gate: Rc<Gate>,
    /// Whether the client takes bytes slower than they are made.
    blocked: bool,
    /// Whether the client has said that it sends no more.
    ended: bool,
    /// How many bytes may still be thrown away.
    patience: usize,
}

impl Io {
    /// A connection of which `first` was read already. When all is said, at most `patience` bytes
    /// more are read.
    pub(super) fn new(
        stream: TcpStream,
        first: Bytes,
        watch: Rc<Watch>,
        gate: Rc<Gate>,
        patience: usize,
    ) -> Io {
        Io { stream, first, watch, gate, blocked: false, ended: false, patience }
    }

    /// The connection, and what was read of it but not taken.
    pub(super) fn into_parts(self) -> (TcpStream, Bytes) {
        (self.stream, self.first)
    }

    /// Notes what became of a write: whoever takes bytes is alive.
    fn wrote(&mut self, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        match written {
            Poll::Pending => {
                self.blocked = true;
                self.watch.write_blocked();
            }
            Poll::Ready(Ok(_)) if self.blocked => {
                self.blocked = false;
                self.watch.write_done();
            }
            Poll::Ready(_) => {}
        }
        written
    }
}

impl AsyncRead for Io {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        if self.first.has_remaining() {
            let count = self.first.len().min(buffer.remaining());
            buffer.put_slice(&self.first.split_to(count));
        } else {
            ready!(Pin::new(&mut self.stream).poll_read(cx, buffer))?;
        }
        if buffer.filled().len() == before {
            self.ended = true;
        } else {
            self.watch.arrived();
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Io {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.gate.writing();
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.wrote(written)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        // Asked for when hyper has written all that it had.
        ready!(Pin::new(&mut self.stream).poll_flush(cx))?;
        self.gate.flushed();
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.watch.phase() != Phase::Linger {
            ready!(Pin::new(&mut self.stream).poll_shutdown(cx))?;
            self.watch.enter(Phase::Linger);
        }
        let mut sink = [0; SINK];
        while !self.ended && self.patience > 0 {
            let mut buffer = ReadBuf::new(&mut sink);
            ready!(Pin::new(&mut self.stream).poll_read(cx, &mut buffer))?;
            self.ended = buffer.filled().is_empty();
            self.patience = self.patience.saturating_sub(buffer.filled().len());
        }
        Poll::Ready(Ok(()))
    }
}
