// SPDX-License-Identifier: MIT OR Apache-2.0
//! What several tests need around a home: frames read back, a disk, and pages that count.

#![allow(dead_code, reason = "each test uses a part")]

pub(crate) mod disk;
pub(crate) mod page;
pub(crate) mod seen;
