// SPDX-License-Identifier: MIT OR Apache-2.0
//! Drives the real server through crashes, power cuts and full disks, and checks what everybody
//! saw.

pub mod calls;
pub mod channels;
pub mod check;
pub mod client;
pub mod embedded;
pub mod follower;
pub mod frame;
pub mod history;
pub mod http;
pub mod process;
pub mod proxy;
pub mod publisher;
pub mod scenarios;
pub mod scribe;
pub mod socket;
pub mod stage;
pub mod transcript;
pub mod troupe;
pub mod value;
