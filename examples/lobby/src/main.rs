// SPDX-License-Identifier: MIT OR Apache-2.0
//! Starts the founding app and prints where it is.

fn main() {}
