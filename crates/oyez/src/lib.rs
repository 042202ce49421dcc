//! Oyez.
