// SPDX-License-Identifier: MIT OR Apache-2.0
//! Oyez as people hold it: the settings of a server, and the app that development mode makes.
//!
//! The program `oyez` is built on this library. It reads files and the environment, and turns
//! them into the server's [`Options`](oyez_server::options::Options); it moves no bytes itself.

pub mod config;
pub mod credentials;
pub mod development;
