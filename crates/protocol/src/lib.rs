//! Oyez protocol.
