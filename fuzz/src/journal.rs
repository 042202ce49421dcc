// SPDX-License-Identifier: MIT OR Apache-2.0
//! Target `journal`: no bytes in the journal's file make a reader panic, and whatever can be read
//! is what would be written.

pub(crate) fn run(data: &[u8]) {
    oyez_journal::fuzzing::read_anything(data);
}
