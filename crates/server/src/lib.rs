// SPDX-License-Identifier: MIT OR Apache-2.0
//! How bytes move: listener, WebSocket, workers, HTTP API, webhooks, metrics, shutdown.

pub mod apps;
mod door;
pub mod options;
