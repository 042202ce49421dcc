// SPDX-License-Identifier: MIT OR Apache-2.0
//! Tests of the whole: committer, redb and the disk together.

mod committing;
mod crash;
mod folder;
mod fuzz;
mod history;
mod sample;
mod size;
mod threads;
