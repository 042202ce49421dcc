// SPDX-License-Identifier: MIT OR Apache-2.0
//! Oyez inside of another program: one process, one port, truths as async functions.
//!
//! **What it promises.** What the program gives (closures that know truths, closures that are told
//! what happens, routes) runs on a tokio runtime of its own and on no thread of the server: whatever blocks or panics there delays no
//! delivery. What the program asks ([`Oyez`]) is mail to the channel's home, from any thread.

mod app;
mod auth;
mod builder;
mod change;
mod channel;
mod check;
mod error;
mod oyez;
#[cfg(feature = "axum")]
mod router;
mod running;
mod runtime;
mod trigger;
mod truth_rule;
mod view;
mod webhook;

pub use app::App;
pub use auth::{Auth, AuthorizeError, UserAuth};
pub use builder::{Builder, Server, StartError};
pub use change::{Change, Changed, Truth};
pub use channel::Channel;
pub use error::{CallError, Mismatch};
pub use oyez::Oyez;
pub use running::Ended;
pub use trigger::{Sent, Trigger};
pub use truth_rule::{IntoTruth, TRUTH_EVENT, TruthRule};
pub use view::{ChannelInfo, Event, History, Position};
pub use webhook::IntoTaken;
