// SPDX-License-Identifier: MIT OR Apache-2.0
//! The server's side of the WebSocket protocol (RFC 6455) without any I/O.
//!
//! Bytes go in, events and bytes come out: [`handshake`] reads the upgrade request and answers it,
//! [`Decoder`] turns what a client sends into [`Event`]s, [`frame`] encodes what a client is sent.
//! Nothing here reads a socket, looks at a clock or keeps more of a quiet connection than one word
//! that says so. Extensions and subprotocols are never negotiated.

mod close;
mod decoder;
mod error;
pub mod frame;
pub mod handshake;
mod header;
mod mask;
mod message;

pub use close::Close;
pub use decoder::{Decoder, Event};
pub use error::ProtocolError;

#[cfg(test)]
mod tests;
