// SPDX-License-Identifier: MIT OR Apache-2.0
//! The commands, one per file. Each takes its arguments, does its work and prints what was asked
//! for to standard output, everything else to standard error.

pub(crate) mod channels;
pub(crate) mod check_config;
pub(crate) mod forget;
pub(crate) mod history;
pub(crate) mod new_app;
mod place;
pub(crate) mod print;
pub(crate) mod tail;
pub(crate) mod trigger;
pub(crate) mod truth;
