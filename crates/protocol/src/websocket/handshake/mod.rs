// SPDX-License-Identifier: MIT OR Apache-2.0
//! The opening handshake (RFC 6455 4.2): the head of a request, read where it lies.
//!
//! [`parse_head`] reads any HTTP/1 request, so that a server can route by [`Request::path`] and
//! hand what is no WebSocket to its HTTP stack; [`Request::upgrade`] judges it as a handshake.
//! Nothing is copied or allocated, and nothing is decoded: path and query are as they came.
//! Offers of subprotocols and extensions are ignored, which declines them.

mod key;
mod refusal;
mod request;

pub use key::{ACCEPT_LEN, RESPONSE_101_LEN, WebSocketKey};
pub use refusal::Refusal;
pub use request::{HEADERS_CEILING, HeadLimits, Request, parse_head};
