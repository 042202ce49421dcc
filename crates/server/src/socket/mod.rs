// SPDX-License-Identifier: MIT OR Apache-2.0
//! One WebSocket on its worker: what it is subscribed to, what it may do, what it is due.

pub(crate) mod connection;
pub(crate) mod outbox;
pub(crate) mod rate;
pub(crate) mod subscriptions;
