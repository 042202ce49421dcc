//! Oyez bench.
fn main() {}
