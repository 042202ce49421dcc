// SPDX-License-Identifier: MIT OR Apache-2.0
//! The HTTP stack over real sockets, with a backend that only takes notes.

mod bad_input;
mod calls;
mod connections;
mod harness;
mod refusals;
mod upgrade;
