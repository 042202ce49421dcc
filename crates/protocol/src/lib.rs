// SPDX-License-Identifier: MIT OR Apache-2.0
//! What goes over the wire between Oyez and its clients: names, frames, signatures, close codes,
//! HTTP bodies, webhooks, and the limits on all of them.
//!
//! This crate knows no state: it takes bytes and gives values, or takes values and gives bytes.
//! It never does I/O, never reads a clock and never panics on what a stranger sent.

pub mod api;
pub mod auth;
pub mod channel;
pub mod close;
pub mod delta;
pub mod encode;
pub mod json;
pub mod limits;
pub mod message;
pub mod position;
pub mod secret;
pub mod socket_id;
pub mod user;
pub mod webhook;
pub mod websocket;
