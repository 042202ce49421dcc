// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Step`]: what may happen next.

/// One thing that happens; pages by their number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Step {
    Publish,
    /// The disk takes the next append.
    Write,
    /// The home hears that the disk has it.
    Report,
    Subscribe(usize),
    /// The second half, where a subscription has two.
    Complete(usize),
    /// A page hears the next frame.
    Hear(usize),
    /// A page's link is gone.
    Drop(usize),
    /// A reader who is behind asks for more.
    CatchUp(usize),
    /// A cache beside the log is written.
    Cache,
    Crash,
    /// An older disk is put in.
    Restore,
    Start,
}
